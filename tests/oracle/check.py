#!/usr/bin/env python3
"""Compares what quality_scores wrote with scikit-learn, and the model's quality with its figures.

  check.py DATA.csv OUT_FOLDER

Prints a table and one line a failed check; exit code 1 when there is one.
"""
import csv
import glob
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

NUMBERS = ["SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"]
METRIC_TOLERANCE = 1e-9
FEATURE_TOLERANCE = 1e-12
WORKERS = 2

# The reference system's fitted constants on its own split (medians, means, scales).
REFERENCE = {
    "SeniorCitizen": (0, 0.16329428470003549, 0.3696339558053876),
    "tenure": (29, 32.48509052183174, 24.56656301538815),
    "MonthlyCharges": (70.5, 64.92996095136671, 30.135430576006627),
    "TotalCharges": (1398.125, 2301.3199503017395, 2277.606686938009),
}
MODELS = {
    "default": {},
    "reference": {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.05, "subsample": 0.8,
                  "min_samples_split": 10},
}


class Checks:
    """Counts checks and prints those that fail."""

    def __init__(self):
        self.done = 0
        self.failed = 0

    def that(self, holds, what):
        self.done += 1
        if not holds:
            self.failed += 1
            print("FAILED: " + what)

    def near(self, ours, theirs, tolerance, what):
        ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
        if ours.shape != theirs.shape:
            self.that(False, "%s: shape %s, not %s" % (what, ours.shape, theirs.shape))
            return
        # Relative to numbers above 1: charges run to thousands, where a double has fewer decimals.
        gap = float(np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs)), initial=0))
        self.that(gap <= tolerance, "%s: off by %g, at most %g allowed" % (what, gap, tolerance))


class Data:
    """The file's columns as arrays."""

    def __init__(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        others = NUMBERS + ["customerID", "Churn"]
        self.categories = [name for name in rows[0] if name not in others]
        self.numbers = np.array(
            [[float(row[name].strip() or "nan") for name in NUMBERS] for row in rows])
        self.levels = np.array([[row[name] for name in self.categories] for row in rows])
        self.labels = np.array([int(row["Churn"] == "Yes") for row in rows])


def level_lists(data):
    """The order of levels is the schema's; the telco schema lists them sorted, as NumPy does."""
    return [sorted(set(column)) for column in data.levels.T]


def sklearn_features(data, kind, train):
    fill = {"reference": ("median", None), "mean-ordinal": ("mean", None),
            "constant-binary": ("constant", -1.5)}[kind]
    imputer = SimpleImputer(strategy=fill[0], fill_value=fill[1]).fit(data.numbers[train])
    numbers = imputer.transform(data.numbers)
    if kind == "mean-ordinal":
        encoder = OrdinalEncoder(categories=level_lists(data)).fit(data.levels[train])
        return np.hstack([numbers, encoder.transform(data.levels)])
    scaled = [0, 1, 2, 3] if kind == "reference" else [1, 3]
    scaler = StandardScaler().fit(numbers[train][:, scaled])
    numbers[:, scaled] = scaler.transform(numbers[:, scaled])
    encoder = OneHotEncoder(categories=level_lists(data), handle_unknown="ignore",
                            drop="first" if kind == "reference" else "if_binary",
                            sparse_output=False).fit(data.levels[train])
    return np.hstack([numbers, encoder.transform(data.levels)])


def check_features(checks, data, folder):
    for kind in ("reference", "mean-ordinal", "constant-binary"):
        with open(os.path.join(folder, "features-%s.json" % kind), encoding="utf-8") as file:
            ours = json.load(file)
        theirs = sklearn_features(data, kind, ours["train"])
        checks.near(ours["rows"], theirs, FEATURE_TOLERANCE, "features '%s'" % kind)
        if kind != "reference":
            continue
        for name, expected in REFERENCE.items():
            fitted = ours["transform"]["fitted"][name]
            found = (fitted["fill"], fitted["mean"], fitted["scale"])
            checks.near(found, expected, 1e-9, "the reference system's constants of " + name)


def sklearn_metrics(labels, probabilities, threshold):
    predicted = (np.round(probabilities, 6) >= threshold).astype(int)
    confusion = sk.confusion_matrix(labels, predicted).ravel()
    return {
        "auc": sk.roc_auc_score(labels, probabilities),
        "pr_auc": sk.average_precision_score(labels, probabilities),
        "log_loss": sk.log_loss(labels, probabilities),
        "brier": sk.brier_score_loss(labels, probabilities),
        "accuracy": sk.accuracy_score(labels, predicted),
        "precision": sk.precision_score(labels, predicted),
        "recall": sk.recall_score(labels, predicted),
        "f1": sk.f1_score(labels, predicted),
        "specificity": sk.recall_score(labels, predicted, pos_label=0),
        "npv": sk.precision_score(labels, predicted, pos_label=0),
        "base_rate": np.mean(labels),
        "rows": len(labels),
        "true_negative": confusion[0], "false_positive": confusion[1],
        "false_negative": confusion[2], "true_positive": confusion[3],
    }


def check_metrics(checks, name, split):
    labels, probabilities = np.array(split["labels"]), np.array(split["probabilities"])
    ours = {**split["metrics"], **split["metrics"]["confusion"]}
    for metric, value in sklearn_metrics(labels, probabilities, ours["threshold"]).items():
        checks.near(ours[metric], value, METRIC_TOLERANCE, "%s: %s" % (name, metric))
    rates, means = calibration_curve(labels, probabilities, n_bins=10)
    bins = [one for one in ours["calibration"] if one["count"]]
    for key, theirs in (("positive_rate", rates), ("mean_probability", means)):
        checks.near([one[key] for one in bins], theirs, METRIC_TOLERANCE, name + ": bins' " + key)


def score_sklearn(task):
    data, kind, test = task
    inside = np.zeros(len(data.labels), dtype=bool)
    inside[test] = True
    features = sklearn_features(data, "reference", np.flatnonzero(~inside))
    model = GradientBoostingClassifier(random_state=42, **MODELS[kind])
    model.fit(features[~inside], data.labels[~inside])
    probabilities = model.predict_proba(features[inside])[:, 1]
    return (sk.roc_auc_score(data.labels[inside], probabilities),
            sk.average_precision_score(data.labels[inside], probabilities))


def check_quality(checks, data, splits):
    tasks = [(data, kind, split["rows"]) for kind in MODELS for split in splits]
    with ProcessPoolExecutor(WORKERS) as workers:
        scores = np.array(list(workers.map(score_sklearn, tasks)))
    means = dict(zip(MODELS, scores.reshape(len(MODELS), len(splits), 2).mean(axis=1)))
    rows = [[split["metrics"][key] for key in ("auc", "pr_auc")] for split in splits]
    ours = np.mean(rows, axis=0)
    print("mean of %d splits                     AUC      PR-AUC" % len(splits))
    print("scikit-learn, default settings       %.5f  %.5f" % tuple(means["default"]))
    print("scikit-learn, reference's settings   %.5f  %.5f" % tuple(means["reference"]))
    print("millrace, telco-churn                %.5f  %.5f" % tuple(ours))
    default, reference = means["default"], means["reference"]
    checks.that(ours[0] >= default[0] + 0.001, "AUC is not 0.001 above the default settings")
    checks.that(ours[0] >= reference[0] - 0.001, "AUC is 0.001 below the reference's settings")
    checks.that(ours[1] >= reference[1] - 0.003, "PR-AUC is 0.003 below the reference's settings")


def main():
    data = Data(sys.argv[1])
    folder = sys.argv[2]
    paths = sorted(glob.glob(os.path.join(folder, "split-*.json")))
    splits = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            splits.append(json.load(file))
    checks = Checks()
    checks.that(len(splits) == 10, "%d splits instead of 10" % len(splits))
    for path, split in zip(paths, splits):
        checks.that(np.array_equal(data.labels[split["rows"]], split["labels"]), path + ": labels")
        check_metrics(checks, os.path.basename(path), split)
    check_features(checks, data, folder)
    check_quality(checks, data, splits)
    print("oracle: %d checks, %d failed" % (checks.done, checks.failed))
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
