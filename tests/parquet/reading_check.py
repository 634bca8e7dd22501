"""Files that pandas and pyarrow wrote, read by millrace; and a program without the plugin."""

import datetime
import glob
import json
import math
import shutil
import signal

import numpy
import pandas
import pyarrow
import pyarrow.parquet

from place import BINARY, PIPELINE, Place


class Reading(Place):
    """Files that pandas wrote."""

    def frame(self, rows=3000):
        numbers = numpy.arange(rows)
        start = pandas.Timestamp("2004-03-10T18:00:00.123", tz="Europe/Rome")
        return pandas.DataFrame(
            {
                "station": ["s%d" % (n % 5) for n in numbers],
                "event_ts": start + pandas.to_timedelta(numbers, unit="h"),
                "count": numbers.astype("int32"),
                "level": [None if n % 10 == 0 else n / 7 for n in numbers],
                "on": numbers % 3 == 0,
                "kind": pandas.Categorical(["air" if n % 2 else "water" for n in numbers]),
                "alarm": ["Yes" if n % 4 else "No" for n in numbers],
            }
        )

    def setUp(self):
        super().setUp()
        self.pipeline = self.write("sensors.yaml", PIPELINE)

    def produced(self, name):
        done = self.last_json("produce", self.pipeline, "--data", name, "--validate")
        self.assertEqual(done["bad_rows"], 0)
        return {
            m["event_ts"]: m for m in (json.loads(d["value"]) for d in self.dumped("sensors.raw"))
        }

    def test_values_come_through_produce(self):
        frame = self.frame()
        frame.to_parquet(self.path("in.parquet"), compression="zstd", row_group_size=700)
        messages = self.produced("in.parquet")
        self.assertEqual(len(messages), len(frame))
        for row in frame.to_dict("records"):
            moment = row["event_ts"].tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            message = messages[moment]
            self.assertEqual(message["station"], row["station"])
            self.assertEqual(message["count"], row["count"])
            self.assertEqual(message["on"], row["on"])
            self.assertEqual((message["kind"], message["alarm"]), (row["kind"], row["alarm"]))
            if math.isnan(row["level"]):
                self.assertIn(message["level"], ("", None))
            else:
                self.assertEqual(float(message["level"]), row["level"])

    def test_the_same_rows_as_csv_give_the_same_model_and_features(self):
        frame = self.frame(400)
        frame["event_ts"] = frame["event_ts"].dt.tz_convert("UTC").dt.as_unit("ms")
        frame.to_parquet(self.path("in.parquet"))
        text = frame.copy()
        text["event_ts"] = text["event_ts"].dt.strftime("%Y-%m-%dT%H:%M:%S.123Z")
        text["level"] = [("" if math.isnan(v) else repr(v)) for v in frame["level"]]
        text["on"] = ["true" if v else "false" for v in frame["on"]]
        text.to_csv(self.path("in.csv"), index=False)
        matrices = []
        for name in ("in.csv", "in.parquet"):
            self.millrace(
                "transform", self.pipeline, "--data", name, "--fit", "--out", name + ".out.csv"
            )
            matrices.append(self.bytes_of(self.path(name + ".out.csv")))
            self.millrace("train", self.pipeline, "--data", name)
            self.millrace(
                "predict", self.pipeline, "--data", name, "--out", name + ".predicted.csv"
            )
        self.assertEqual(matrices[0], matrices[1])
        models = glob.glob(self.path("home", "models", "sensors", "*", "model.json"))
        self.assertEqual(len({self.bytes_of(m) for m in models}), 1)
        predicted = [
            pandas.read_csv(self.path(n + ".predicted.csv")) for n in ("in.csv", "in.parquet")
        ]
        column = [c for c in predicted[0].columns if "probability" in c][0]
        self.assertEqual(list(predicted[0][column]), list(predicted[1][column]))
        self.millrace("evaluate", self.pipeline, "--data", "in.parquet")
        self.millrace(
            "transform", self.pipeline, "--data", "in.parquet", "--fit", "--out", "m.parquet"
        )
        matrix = pandas.read_parquet(self.path("m.parquet"))
        self.assertEqual({str(t) for t in matrix.dtypes}, {"float64"})
        expected = pandas.read_csv(self.path("in.csv.out.csv"))
        self.assertTrue(matrix.equals(expected.astype("float64")))

    def test_types_of_other_programs(self):
        start = datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)
        table = pyarrow.table(
            {
                "station": pyarrow.array(["a", "b", None]),
                "event_ts": pyarrow.array([start, start, start], pyarrow.timestamp("us")),
                "count": pyarrow.array([2**63, 1, 0], pyarrow.uint64()),
                "level": pyarrow.array([0.5, float("nan"), -0.25], pyarrow.float32()),
                "extra": pyarrow.array([datetime.date(2004, 3, 10)] * 3),
                "price": pyarrow.array([1, 2, 3]).cast(pyarrow.decimal128(21, 2)),
                "bytes": pyarrow.array([b"x", b"y", b"z"], pyarrow.large_binary()),
            }
        )
        pyarrow.parquet.write_table(table, self.path("in.parquet"))
        self.write(
            "in.yaml",
            PIPELINE.replace("kind:     {", "kind:     {required: false, ").replace(
                "on:       {", "on:       {required: false, "
            ),
        )
        self.millrace("produce", "in.yaml", "--data", "in.parquet")
        values = sorted(
            (json.loads(m["value"]) for m in self.dumped("sensors.raw")), key=lambda v: v["bytes"]
        )
        self.assertEqual({v["event_ts"] for v in values}, {"1969-12-31T23:59:59.999Z"})
        self.assertEqual([v["station"] for v in values], ["a", "b", None])
        self.assertEqual([v["level"] for v in values], ["0.5", "", "-0.25"])
        self.assertEqual([v["price"] for v in values], ["1.00", "2.00", "3.00"])
        self.assertEqual({v["extra"] for v in values}, {"2004-03-10T00:00:00.000Z"})

    def test_a_killed_producer_goes_on_in_the_file(self):
        self.frame(900).to_parquet(self.path("in.parquet"), row_group_size=200)
        words = ("produce", self.pipeline, "--data", "in.parquet", "--batch-size", "100")
        for point in ("produce.after_commit:3", "produce.before_checkpoint:1"):
            died = self.run_any(*words, environment={"MILLRACE_CRASH_POINT": point})
            self.assertIn(died.returncode, (0, -signal.SIGKILL), died.stderr)
        self.millrace(*words)
        times = [json.loads(m["value"])["event_ts"] for m in self.dumped("sensors.raw")]
        self.assertEqual((len(times), len(set(times))), (900, 900))

    def test_nested_columns_are_refused_by_name(self):
        frame = self.frame(10)
        frame["path"] = [[1, 2]] * 10
        frame.to_parquet(self.path("in.parquet"))
        for command in ("produce", "train", "predict", "transform", "evaluate"):
            done = self.millrace(
                command,
                self.pipeline,
                "--data",
                "in.parquet",
                expect=78 if command == "predict" else 65,
            )
            if command != "predict":
                self.assertIn("column 'path' is of type list", done.stderr)
        yaml = PIPELINE + "csv: {ignore_columns: [path]}\n"
        self.write("sensors.yaml", yaml)
        self.assertEqual(len(self.produced("in.parquet")), 10)

    def test_bad_files_are_clear_errors(self):
        self.frame(100).to_parquet(self.path("good.parquet"))
        good = self.bytes_of(self.path("good.parquet"))
        for name, data in {
            "empty": b"",
            "text": b"a,b\n1,2\n",
            "cut": good[:-20],
            "head": good[: len(good) // 2],
            "magic": good[:-4] + b"PAR2",
            "length": good[:-8] + b"\xff\xff\xff\x7fPAR1",
        }.items():
            with open(self.path(name + ".parquet"), "wb") as file:
                file.write(data)
            done = self.millrace("produce", self.pipeline, "--data", name + ".parquet", expect=65)
            self.assertIn(name + ".parquet", done.stderr)
            self.assertIn("not a Parquet file, or damaged", done.stderr)
        done = self.run_any("produce", self.pipeline, "--data", "-")
        self.assertNotEqual(done.returncode, 139)
        self.millrace("produce", self.pipeline, "--data", "nowhere.parquet", expect=66)

    def test_init_reads_parquet(self):
        self.frame(400).drop(columns="event_ts").to_parquet(self.path("in.parquet"))
        self.millrace("init", "mine", "--data", "in.parquet", "--target", "alarm")
        self.millrace("train", "./mine", "--data", "in.parquet")
        self.last_json("produce", "./mine", "--data", "in.parquet", "--validate")


class AirQuality(Place):
    """The publisher's table as CSV and as Parquet: the same messages, from the same pipeline."""

    COLUMNS = (
        "CO(GT)",
        "PT08.S1(CO)",
        "NMHC(GT)",
        "C6H6(GT)",
        "PT08.S2(NMHC)",
        "NOx(GT)",
        "PT08.S3(NOx)",
        "NO2(GT)",
        "PT08.S4(NO2)",
        "PT08.S5(O3)",
        "T",
        "RH",
        "AH",
    )

    def frame(self, rows=100):
        hours = [
            datetime.datetime(2004, 3, 10, 18) + datetime.timedelta(hours=n) for n in range(rows)
        ]
        frame = pandas.DataFrame(
            {
                "Date": [h.strftime("%d/%m/%Y") for h in hours],
                "Time": [h.strftime("%H.%M.%S") for h in hours],
            }
        )
        for i, name in enumerate(self.COLUMNS):
            frame[name] = [-200.0 if n % 9 == i else (n + i) / 8 for n in range(rows)]
        return frame

    def messages(self, topic, data):
        words = ("--set", "input.topic=" + topic, "produce", "air-quality", "--data", data)
        done = self.last_json(*words, "--validate")
        self.assertEqual(done["bad_rows"], 0)
        return [(m["key"], m["timestamp"], json.loads(m["value"])) for m in self.dumped(topic)]

    def test_times_in_two_columns_and_constants_are_made_as_for_csv(self):
        frame = self.frame()
        frame.to_csv(self.path("in.csv"), sep=";", decimal=",", index=False)
        frame.to_parquet(self.path("in.parquet"))
        expected = self.messages("of_csv", "in.csv")
        self.assertEqual(len(expected), 100)
        self.assertEqual(self.messages("of_parquet", "in.parquet"), expected)

    def test_what_the_sink_wrote_needs_neither(self):
        self.frame().to_parquet(self.path("in.parquet"))
        expected = self.messages("air_quality.raw", "in.parquet")
        self.millrace(
            "sink", "parquet", "air_quality.raw", "--out", "lake", "--mode", "batch", "--json"
        )
        self.assertEqual(len(self.files()), 5)
        whole = pandas.concat([pandas.read_parquet(f) for f in self.files()], ignore_index=True)
        whole = whole.sort_values("event_ts")[[c for c in whole.columns if c[0] != "_"]]
        whole.to_parquet(self.path("again.parquet"), index=False)
        again = self.messages("again", "again.parquet")
        values = [
            [{k: v for k, v in m[2].items() if v is not None} for m in messages]
            for messages in (again, expected)
        ]
        self.assertEqual(values[0], values[1])

    def test_a_date_that_breaks_the_order_is_refused(self):
        frame = self.frame()
        frame.loc[50, "Date"] = "03/12/2004"
        frame.to_parquet(self.path("in.parquet"))
        done = self.millrace("produce", "air-quality", "--data", "in.parquet", expect=65)
        self.assertIn("in.parquet", done.stderr)


class Without(Place):
    """A program without the plugin beside it."""

    def test_says_how_to_get_it(self):
        alone = self.path("millrace")
        shutil.copy(BINARY, alone)
        self.write("in.parquet", "PAR1")
        for words in (
            ("sink", "parquet", "telco-churn", "--out", "lake"),
            ("train", "telco-churn", "--data", "in.parquet"),
            ("produce", "telco-churn", "--data", "in.parquet"),
            ("transform", "telco-churn", "--data", "in.parquet"),
            ("transform", "telco-churn", "--data", "x.csv", "--out", "out.parquet"),
        ):
            done = self.run_any(*words, binary=alone)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("no Parquet support", done.stderr)
            self.assertIn("make parquet", done.stderr)
