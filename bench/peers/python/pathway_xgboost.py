"""Pathway and XGBoost: a table of records, a function of each of them, a table of predictions.

  pathway_xgboost.py BOOTSTRAP IN OUT GROUP MODEL_FOLDER

Pathway forms a batch every 100 ms (its default is 1.5 s), here of at most 20,000 records, or it
reads the whole topic before its first prediction, and hands the function one record after another.
Offsets are committed by its client's defaults, every five seconds."""

import json
import os
import sys

import numpy
import pathway as pw
import xgboost

from churn import Features, prediction

bootstrap, source, target, group, model_folder = sys.argv[1:]
features = Features(model_folder)
booster = xgboost.Booster({"nthread": 1})
booster.load_model(os.path.join(model_folder, "xgboost.json"))
settings = {
    "bootstrap.servers": bootstrap,
    "group.id": group,
    "auto.offset.reset": "earliest",
    "session.timeout.ms": "10000",
}


@pw.udf
def score(value: bytes) -> bytes:
    record = json.loads(value)
    row = numpy.array([features.row(record)], dtype=numpy.float32)
    return json.dumps(prediction(record, booster.inplace_predict(row)[0])).encode()


customers = pw.io.kafka.read(
    settings, topic=source, format="raw", autocommit_duration_ms=100, max_backlog_size=20_000
)
predictions = customers.select(key=pw.this.key, value=score(pw.this.data))
pw.io.kafka.write(
    predictions,
    settings,
    topic_name=target,
    format="raw",
    key=predictions.key,
    value=predictions.value,
)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
