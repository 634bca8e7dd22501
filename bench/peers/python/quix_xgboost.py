"""Quix Streams and XGBoost: a streaming data frame that applies the model to every record.

  quix_xgboost.py BOOTSTRAP IN OUT GROUP MODEL_FOLDER

Offsets are committed every 100 ms (its default is five seconds)."""

import os
import sys

import numpy
import xgboost
from quixstreams import Application

from churn import Features, prediction

bootstrap, source, target, group, model_folder = sys.argv[1:]
features = Features(model_folder)
booster = xgboost.Booster({"nthread": 1})
booster.load_model(os.path.join(model_folder, "xgboost.json"))


def score(record):
    row = numpy.array([features.row(record)], dtype=numpy.float32)
    return prediction(record, booster.inplace_predict(row)[0])


app = Application(
    broker_address=bootstrap,
    consumer_group=group,
    auto_offset_reset="earliest",
    auto_create_topics=False,
    commit_interval=0.1,
    loglevel="WARNING",
)
customers = app.dataframe(app.topic(source, key_deserializer="str", value_deserializer="json"))
predictions = app.topic(target, key_serializer="str", value_serializer="json")
customers.apply(score).to_topic(predictions)
app.run()
