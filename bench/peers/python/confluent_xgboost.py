"""confluent-kafka and XGBoost.

  confluent_xgboost.py row|batch|orjson BOOTSTRAP IN OUT GROUP MODEL_FOLDER

`row` predicts message by message, `batch` up to 1,000 at a time. `orjson` is `batch` with the
fastest JSON library: about the most that Python can do without leaving its libraries. At least
once: every 100 ms what was produced is flushed, then its offsets are committed."""

import json
import os
import sys
import time

import numpy
import orjson
import xgboost
from confluent_kafka import Consumer, Producer

from churn import Features, prediction

BATCH = {"row": 1, "batch": 1000, "orjson": 1000}
COMMIT_SECONDS = 0.1


def main(style, bootstrap, source, target, group, model_folder):
    loads, dumps = (json.loads, json.dumps) if style != "orjson" else (orjson.loads, orjson.dumps)
    features = Features(model_folder)
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(os.path.join(model_folder, "xgboost.json"))
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
    )
    consumer.subscribe([source])
    committed = time.monotonic()
    uncommitted = False
    while True:
        messages = consumer.consume(BATCH[style], timeout=COMMIT_SECONDS)
        records = [loads(message.value()) for message in messages if not message.error()]
        if records:
            rows = numpy.array([features.row(record) for record in records], dtype=numpy.float32)
            for record, probability in zip(records, booster.inplace_predict(rows)):
                value = dumps(prediction(record, probability))
                producer.produce(target, key=record["customerID"], value=value)
            uncommitted = True
        producer.poll(0)
        if uncommitted and time.monotonic() - committed >= COMMIT_SECONDS:
            producer.flush()
            consumer.commit(asynchronous=False)
            committed = time.monotonic()
            uncommitted = False


main(*sys.argv[1:])
