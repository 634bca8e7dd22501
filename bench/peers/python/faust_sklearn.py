"""Faust (faust-streaming) and scikit-learn: an agent that scores one record after the other.

  faust_sklearn.py BOOTSTRAP IN OUT GROUP MODEL_FOLDER

The record goes through the fitted pipeline as a data frame of one row, as Faust's users do it.
Offsets are committed by Faust every 2.8 seconds, its default."""

import os
import sys
import tempfile

import faust
import joblib
import pandas

from churn import prediction

NUMERIC_TEXT = "TotalCharges"

bootstrap, source, target, group, model_folder = sys.argv[1:]
pipeline = joblib.load(os.path.join(model_folder, "sklearn.joblib"))
fields = list(pipeline.feature_names_in_)

app = faust.App(
    group,
    broker="kafka://" + bootstrap,
    consumer_auto_offset_reset="earliest",
    datadir=tempfile.mkdtemp(prefix="faust"),
    topic_allow_declare=False,
    topic_disable_leader=True,
    web_enabled=False,
)
customers = app.topic(source, value_serializer="json")
predictions = app.topic(target, key_serializer="raw", value_serializer="json")


@app.agent(customers)
async def score(records):
    async for record in records:
        frame = pandas.DataFrame([record])[fields]
        frame[NUMERIC_TEXT] = pandas.to_numeric(frame[NUMERIC_TEXT], errors="coerce")
        value = prediction(record, pipeline.predict_proba(frame)[0, 1])
        await predictions.send(key=record["customerID"].encode(), value=value)


faust.Worker(app, loglevel="warning").execute_from_commandline()
