"""What the Python peers have in common: from a telco record to the 40 features, and to the message
that says what the model thinks of it."""

import json
import os
from datetime import datetime, timezone


class Features:
    """The preprocessing that millrace fitted, as a user would write it: dictionary look-ups."""

    def __init__(self, model_folder):
        with open(os.path.join(model_folder, "features.json"), encoding="utf-8") as file:
            fitted = json.load(file)
        self.empty = [0.0] * fitted["width"]
        self.numeric = [(f["field"], f["column"], f["fill"]) for f in fitted["numeric"]]
        self.one_hot = [(f["field"], f["columns"]) for f in fitted["one_hot"]]

    def row(self, record):
        row = self.empty.copy()
        for field, column, fill in self.numeric:
            value = record[field]
            if isinstance(value, str):  # TotalCharges travels as text; a blank is a missing one
                value = value.strip()
            row[column] = fill if value in ("", None) else float(value)
        for field, columns in self.one_hot:
            column = columns.get(record[field])
            if column is not None:
                row[column] = 1.0
        return row


def prediction(record, probability):
    return {
        "customerID": record["customerID"],
        "churn_probability": round(float(probability), 6),
        "prediction": "Yes" if probability >= 0.5 else "No",
        "event_ts": record["event_ts"],
        "processed_ts": datetime.now(timezone.utc).isoformat(),
    }
