"""kafka-python and scikit-learn, message by message: the way the reference systems work.

  kafka_python_sklearn.py frames|rows BOOTSTRAP IN OUT GROUP MODEL_FOLDER

`frames` puts every message through a fitted pipeline as a data frame of one row; `rows` makes the
features by hand and gives the classifier an array of one row. Offsets are committed by the client
every five seconds, its default."""

import json
import os
import sys

import joblib
import numpy
import pandas
from kafka import KafkaConsumer, KafkaProducer

from churn import Features, prediction

NUMERIC_TEXT = "TotalCharges"


def of_frames(model_folder):
    pipeline = joblib.load(os.path.join(model_folder, "sklearn.joblib"))
    fields = list(pipeline.feature_names_in_)

    def probability(record):
        frame = pandas.DataFrame([record])[fields]
        frame[NUMERIC_TEXT] = pandas.to_numeric(frame[NUMERIC_TEXT], errors="coerce")
        return pipeline.predict_proba(frame)[0, 1]

    return probability


def of_rows(model_folder):
    features = Features(model_folder)
    classifier = joblib.load(os.path.join(model_folder, "sklearn.joblib"))[-1]

    def probability(record):
        return classifier.predict_proba(numpy.array([features.row(record)]))[0, 1]

    return probability


def main(style, bootstrap, source, target, group, model_folder):
    probability = {"frames": of_frames, "rows": of_rows}[style](model_folder)
    consumer = KafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        value_deserializer=json.loads,
    )
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        key_serializer=str.encode,
        value_serializer=lambda value: json.dumps(value).encode(),
    )
    for message in consumer:
        record = message.value
        value = prediction(record, probability(record))
        producer.send(target, key=record["customerID"], value=value)


main(*sys.argv[1:])
