"""Parquet files of millrace beside those of other people's programs: what the sink and `transform`
write is read by pandas and DuckDB with equal values and types, what pandas writes is read by
millrace, and a sink that is killed anywhere leaves each record in exactly one readable file.

  tests/parquet/run CASE    (one of the classes below; the environment is made by tools/parquet)

MILLRACE_BINARY is the program, FULL_DISK_LIBRARY the shim of tests/integration/full_disk.
"""

import collections
import datetime
import glob
import json
import math
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

import duckdb
import numpy
import pandas
import pyarrow
import pyarrow.parquet

BINARY = os.environ["MILLRACE_BINARY"]
DEADLINE_S = 60
UTC = datetime.timezone.utc

# A field of each type.
PIPELINE = """
version: 1
name: sensors
input: {topic: sensors.raw, partitions: 3, key: station, event_time: event_ts}
output: {topic: sensors.predictions, partitions: 1, key: station}
dead_letter: {topic: sensors.deadletter, partitions: 1}
schema:
  station:  {type: string}
  event_ts: {type: timestamp}
  count:    {type: integer}
  level:    {type: number, accept_text: true, blank: missing, null: missing, sentinels: [-200]}
  on:       {type: boolean, null: missing}
  kind:     {type: category, values: [air, water]}
  alarm:    {type: category, values: ['No', 'Yes'], label: true, required: false}
features:
  - {impute: [level], with: median}
  - {numeric: [count]}
model: {algorithm: gradient_boosting, objective: binary, trees: 5, depth: 2}
"""


class Place(unittest.TestCase):
    """A working folder with its own --home, removed afterwards."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="millrace_parquet_")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def bytes_of(self, path):
        with open(path, "rb") as file:
            return file.read()

    def environment(self, more=None):
        return {**os.environ, "MILLRACE_HOME": self.path("home"), **(more or {})}

    def run_any(self, *words, environment=None, binary=BINARY):
        return subprocess.run(
            [binary, *words],
            cwd=self.folder,
            env=self.environment(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=DEADLINE_S * 3,
            check=False,
        )

    def millrace(self, *words, expect=0):
        done = self.run_any(*words)
        self.assertEqual(done.returncode, expect, "%s\n%s%s" % (words, done.stdout, done.stderr))
        return done

    def last_json(self, *words):
        return json.loads(self.millrace(*words, "--json").stdout.splitlines()[-1])

    def eventually(self, condition, what):
        end = time.monotonic() + DEADLINE_S
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def dumped(self, topic):
        return [
            json.loads(line)
            for line in self.millrace("topics", "dump", topic).stdout.split("\n")
            if line
        ]

    def files(self, folder="lake"):
        return sorted(glob.glob(self.path(folder, "date=*", "*.parquet")))

    def rows_of(self, folder="lake"):
        """(partition, offset) of every row of every file, as DuckDB reads them."""
        if not self.files(folder):
            return []
        return duckdb.sql(
            "SELECT _partition, _offset FROM read_parquet('%s', union_by_name = true)"
            % self.path(folder, "*", "*.parquet")
        ).fetchall()

    def expect_each_once(self, topic, folder="lake"):
        rows = self.rows_of(folder)
        self.assertEqual(len(rows), len(set(rows)), "rows stand twice")
        self.assertEqual(set(rows), {(m["partition"], m["offset"]) for m in self.dumped(topic)})


def reading(number):
    """A record of the pipeline above; three days, with gaps of each kind."""
    moment = datetime.datetime(2004, 3, 10, 18, tzinfo=UTC) + datetime.timedelta(
        minutes=20 * number
    )
    record = {
        "station": "s%d" % (number % 7),
        "event_ts": moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (number % 1000),
        "count": number - 50,
        "level": [number / 7, "%.3f" % (number / 3), -200, None, " "][number % 5],
        "on": [True, False, None][number % 3],
        "kind": ["air", "water"][number % 2],
    }
    if number % 4:
        record["alarm"] = "Yes" if number % 8 < 4 else "No"
    return record


def level_of(record):
    level = record["level"]
    return None if level is None or level == " " else float(level)


class Types(Place):
    """Values and types, read back by pandas and DuckDB."""

    def setUp(self):
        super().setUp()
        self.records = [reading(n) for n in range(200)]
        pipeline = self.write("sensors.yaml", PIPELINE)
        data = self.write("data.ndjson", "".join(json.dumps(r) + "\n" for r in self.records))
        self.millrace("produce", pipeline, "--data", data)
        self.pipeline = pipeline

    def test_a_typed_topic_reads_back_equal(self):
        done = self.last_json(
            "sink",
            "parquet",
            "sensors.raw",
            "--pipeline",
            self.pipeline,
            "--out",
            "lake",
            "--mode",
            "batch",
        )
        self.assertEqual(
            (done["rows"], done["kept_whole"], done["stop_reason"]), (200, 0, "caught_up")
        )
        self.assertEqual(done["bytes"], sum(os.path.getsize(f) for f in self.files()))
        days = {os.path.basename(os.path.dirname(f)) for f in self.files()}
        self.assertEqual(days, {"date=" + r["event_ts"][:10] for r in self.records})

        by_time = {r["event_ts"]: r for r in self.records}
        sent = {(m["partition"], m["offset"]): m for m in self.dumped("sensors.raw")}
        for file in self.files():
            frame = pandas.read_parquet(file)
            types = {name: str(kind) for name, kind in frame.dtypes.items()}
            self.assertIn("datetime64[ms, UTC]", types["event_ts"])
            self.assertEqual((types["count"], types["level"]), ("int64", "float64"))
            self.assertEqual((types["kind"], types["alarm"]), ("category", "category"))
            self.assertEqual(types["_offset"], "int64")
            self.assertIn("datetime64[ms, UTC]", types["_timestamp"])
            for row in frame.to_dict("records"):
                moment = row["event_ts"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
                record = by_time[moment]
                self.assertEqual(row["station"], record["station"])
                self.assertEqual(row["count"], record["count"])
                level = level_of(record)
                self.assertTrue(
                    math.isnan(row["level"]) if level is None else row["level"] == level
                )
                self.assertEqual(row["on"], record["on"])
                self.assertEqual(row["kind"], record["kind"])
                alarm = row["alarm"] if isinstance(row["alarm"], str) else None
                self.assertEqual(alarm, record.get("alarm"))
                message = sent[(row["_partition"], row["_offset"])]
                self.assertEqual(row["_key"], message["key"])
                self.assertEqual(row["_timestamp"].value // 10**6, message["timestamp"])
                self.assertTrue(row["_value"] is None)

        described = duckdb.sql(
            "DESCRIBE SELECT * FROM read_parquet('%s', hive_partitioning = true)"
            % self.path("lake", "*", "*.parquet")
        ).fetchall()
        types = {name: kind for name, kind, *_ in described}
        self.assertEqual(types["event_ts"], "TIMESTAMP WITH TIME ZONE")
        self.assertEqual(
            (types["count"], types["level"], types["on"]), ("BIGINT", "DOUBLE", "BOOLEAN")
        )
        self.assertEqual(
            (types["station"], types["_value"], types["date"]), ("VARCHAR", "BLOB", "DATE")
        )
        total = duckdb.sql(
            "SELECT sum(count) FROM read_parquet('%s')" % self.path("lake", "*", "*.parquet")
        ).fetchall()
        self.assertEqual(total[0][0], sum(r["count"] for r in self.records))

    def test_every_compression_is_read(self):
        for name in ("snappy", "zstd", "gzip", "none"):
            self.millrace(
                "sink",
                "parquet",
                "sensors.raw",
                "--out",
                name,
                "--mode",
                "batch",
                "--compression",
                name,
                "--consumer-group",
                name,
            )
            self.expect_each_once("sensors.raw", name)
            chunk = pyarrow.parquet.ParquetFile(self.files(name)[0]).metadata.row_group(0).column(0)
            self.assertEqual(chunk.compression, {"none": "UNCOMPRESSED"}.get(name, name.upper()))

    def test_what_a_sink_wrote_is_produced_again(self):
        self.millrace(
            "sink",
            "parquet",
            "sensors.raw",
            "--pipeline",
            self.pipeline,
            "--out",
            "lake",
            "--mode",
            "batch",
        )
        whole = pandas.concat([pandas.read_parquet(f) for f in self.files()], ignore_index=True)
        fields = [c for c in whole.columns if not c.startswith("_")]
        whole = whole.sort_values("event_ts")[fields]
        whole.to_parquet(self.path("again.parquet"))
        done = self.last_json("produce", self.pipeline, "--data", "again.parquet", "--validate")
        self.assertEqual((done["sent"], done["bad_rows"]), (200, 0))
        messages = [json.loads(m["value"]) for m in self.dumped("sensors.raw")]
        counted = collections.Counter(m["event_ts"] for m in messages)
        self.assertEqual(set(counted.values()), {2})
        values = collections.defaultdict(set)
        for message in messages:
            level = message["level"]
            values[message["event_ts"]].add(
                (
                    message["count"],
                    None if level in (None, "", " ") else float(level),
                    message["on"],
                )
            )
        self.assertEqual({len(v) for v in values.values()}, {1})


class Shapes(Place):
    """Topics without a schema: types are inferred, and nothing is lost."""

    def sink(self, lines, name):
        pipeline = self.write("sensors.yaml", PIPELINE)
        with open(self.path("lines"), "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        self.millrace(
            "--set", "input.topic=" + name, "produce", pipeline, "--raw", "--data", "lines"
        )
        self.millrace("sink", "parquet", name, "--out", name, "--mode", "batch")
        self.expect_each_once(name, name)
        return pandas.concat([pandas.read_parquet(f) for f in self.files(name)], ignore_index=True)

    def test_types_are_inferred(self):
        lines = [
            b'{"i": 1, "d": 1, "b": true, "t": "x", "m": 1, "n": null, "o": {"a": [1, 2]},'
            b' "date": "d"}',
            b'{"i": -9007199254740993, "d": 0.1, "b": false, "t": "", "m": "1", "_offset": "mine"}',
            b'{"i": null, "d": 1e300, "t": "\\u00e9", "big": 18446744073709551615}',
        ]
        pipeline = self.write("sensors.yaml", PIPELINE)
        self.write("lines", b"\n".join(lines).decode() + "\n")
        self.millrace(
            "--set",
            "input.topic=one",
            "--set",
            "input.partitions=1",
            "produce",
            pipeline,
            "--raw",
            "--data",
            "lines",
        )
        self.millrace("sink", "parquet", "one", "--out", "one", "--mode", "batch")
        table = pyarrow.parquet.read_table(self.files("one")[0], partitioning=None)
        types = {field.name: str(field.type) for field in table.schema}
        self.assertEqual(
            types,
            {
                "i": "int64",
                "d": "double",
                "b": "bool",
                "t": "string",
                "m": "string",
                "o": "string",
                "date_": "string",
                "_offset_": "string",
                "big": "string",
                "_partition": "int64",
                "_offset": "int64",
                "_timestamp": "timestamp[ms, tz=UTC]",
                "_key": "string",
                "_value": "binary",
            },
        )
        rows = table.sort_by("_offset").to_pylist()
        self.assertEqual([r["i"] for r in rows], [1, -9007199254740993, None])
        self.assertEqual([r["d"] for r in rows], [1.0, 0.1, 1e300])
        self.assertEqual([r["b"] for r in rows], [True, False, None])
        self.assertEqual([r["t"] for r in rows], ["x", "", "é"])
        self.assertEqual([r["m"] for r in rows], ["1", '"1"', None])
        self.assertEqual(json.loads(rows[0]["o"]), {"a": [1, 2]})
        self.assertEqual((rows[0]["date_"], rows[1]["_offset_"]), ("d", "mine"))
        self.assertEqual(rows[2]["big"], "18446744073709551615")
        self.assertEqual([r["_value"] for r in rows], [None, None, None])

    def test_what_fits_no_column_is_kept(self):
        lines = [
            b'{"a": 1}',
            b"not json",
            b"[1, 2]",
            b"",
            b"\xff\xfe",
            b'{"a": 1, "a": 2}',
            b"7",
            b'{"a": 123456789012345678901234567890}',
            b'{"": 3}',
            b'{"a": 2}',
        ]
        frame = self.sink(lines, "odd")
        kept = {bytes(v) for v in frame["_value"] if v is not None}
        self.assertEqual(kept, set(lines) - {b'{"a": 1}', b'{"a": 2}'})
        self.assertEqual(sorted(frame["a"].dropna()), [1, 1, 2])

    def test_a_value_that_does_not_fit_its_type_is_kept(self):
        pipeline = self.write("sensors.yaml", PIPELINE)
        self.write("bad.ndjson", json.dumps({**reading(1), "count": "many", "extra": 5}) + "\n")
        self.millrace("produce", pipeline, "--raw", "--data", "bad.ndjson")
        self.millrace(
            "sink", "parquet", pipeline, "--side", "input", "--out", "lake", "--mode", "batch"
        )
        frame = pandas.read_parquet(self.files()[0])
        self.assertTrue(frame["count"].isna().all())
        self.assertEqual(frame["extra"][0], 5)
        self.assertEqual(json.loads(frame["_value"][0])["count"], "many")


class Kills(Place):
    """Killed at every named point, then started again: each record in exactly one file."""

    POINTS = (
        "after_poll",
        "in_file",
        "before_rename",
        "after_rename",
        "before_commit",
        "after_commit",
    )

    def setUp(self):
        super().setUp()
        self.pipeline = self.write("sensors.yaml", PIPELINE)
        data = self.write(
            "data.ndjson", "".join(json.dumps(reading(n)) + "\n" for n in range(1500))
        )
        self.millrace("produce", self.pipeline, "--data", data, "--batch-size", "250")

    def sink(self, out, rows, point=None):
        return self.run_any(
            "sink",
            "parquet",
            self.pipeline,
            "--side",
            "input",
            "--out",
            out,
            "--mode",
            "batch",
            "--rows",
            str(rows),
            "--consumer-group",
            out,
            environment={"MILLRACE_CRASH_POINT": point} if point else None,
        )

    def kill_at(self, point, seed):
        chance = random.Random(seed)
        for visit in (1, 2 + chance.randrange(3)):
            out = "%s_%d" % (point, visit)
            # A batch that begins elsewhere, or is of another size, must not double its rows.
            first_rows, then_rows = chance.sample(range(40, 400), 2)
            died = self.sink(out, first_rows, "sink.%s:%d" % (point, visit))
            if died.returncode == 0:  # there was no such visit
                self.assertGreater(visit, 1)
                self.expect_each_once("sensors.raw", out)
                continue
            self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr)
            rows = self.rows_of(out)
            self.assertEqual(len(rows), len(set(rows)))
            done = self.sink(out, then_rows)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.expect_each_once("sensors.raw", out)
            left = [f for f in glob.glob(self.path(out, "*", "*")) if not f.endswith(".parquet")]
            self.assertEqual(left, [])

    def test_each_point(self):
        for seed, point in enumerate(self.POINTS):
            with self.subTest(point):
                self.kill_at(point, seed)

    def test_killed_over_and_over(self):
        chance = random.Random(7)
        for _ in range(12):
            point = "sink.%s:%d" % (chance.choice(self.POINTS), chance.randrange(1, 4))
            died = self.sink("often", chance.randrange(30, 500), point)
            self.assertIn(died.returncode, (0, -signal.SIGKILL), died.stderr)
            rows = self.rows_of("often")
            self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual(self.sink("often", 300).returncode, 0)
        self.expect_each_once("sensors.raw", "often")

    def test_a_group_set_back_writes_the_same_files_again(self):
        self.assertEqual(self.sink("again", 170).returncode, 0)
        names = self.files("again")
        self.millrace("groups", "reset", "again", "--to", "earliest")
        self.assertEqual(self.sink("again", 90).returncode, 0)
        self.assertEqual(self.files("again"), names)
        self.expect_each_once("sensors.raw", "again")

    def test_a_full_disk_acknowledges_nothing(self):
        shim = {
            "LD_PRELOAD": os.environ["FULL_DISK_LIBRARY"],
            "FULL_DISK_WHILE": self.write("full", ""),
            "FULL_DISK_FOR": ".parquet.tmp.",
        }
        words = (
            "sink",
            "parquet",
            self.pipeline,
            "--side",
            "input",
            "--out",
            "lake",
            "--mode",
            "batch",
        )
        failed = self.run_any(*words, environment=shim)
        self.assertEqual(failed.returncode, 74, failed.stderr)
        self.assertIn("No space left", failed.stderr)
        self.assertEqual(self.files(), [])
        os.remove(self.path("full"))
        self.assertEqual(self.run_any(*words, environment=shim).returncode, 0)
        self.expect_each_once("sensors.raw")


class Streams(Place):
    """A sink that runs on: closes files by age, stops when told to, says how it is."""

    def start(self, *words):
        with open(self.path("err"), "w", encoding="utf-8") as err:
            process = subprocess.Popen(
                [BINARY, *words],
                cwd=self.folder,
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def metrics(self, port):
        text = (
            urllib.request.urlopen("http://127.0.0.1:%s/metrics" % port, timeout=30).read().decode()
        )
        sums = collections.Counter()
        for line in text.splitlines():
            if line.startswith("millrace_"):
                name, value = re.match(r"(\w+)(?:\{.*\})? (\S+)$", line).groups()
                sums[name] += float(value)
        return sums

    def produce(self, count):
        data = self.write(
            "data.ndjson", "".join(json.dumps(reading(n)) + "\n" for n in range(count))
        )
        self.millrace("produce", self.pipeline, "--data", data, "--restart")

    def test_files_close_by_age_metrics_move_and_a_stop_writes_the_rest(self):
        self.pipeline = self.write("sensors.yaml", PIPELINE)
        self.produce(60)
        sink = self.start(
            "sink",
            "parquet",
            self.pipeline,
            "--side",
            "input",
            "--out",
            "lake",
            "--age",
            "1s",
            "--metrics-port",
            "0",
            "--json",
        )
        port = []

        def port_is_said():
            with open(self.path("err"), encoding="utf-8") as file:
                port.extend(re.findall(r"127\.0\.0\.1:(\d+)", file.read()))
            return port

        self.eventually(port_is_said, "no port")
        seen = collections.defaultdict(set)

        def look():
            for name, value in self.metrics(port[0]).items():
                seen[name].add(value)
            return seen

        self.eventually(lambda: 60 in look()["millrace_sink_rows_total"], "60 rows by age")
        self.expect_each_once("sensors.raw")
        self.produce(40)
        self.eventually(lambda: 100 in look()["millrace_sink_rows_total"], "100 rows by age")
        self.eventually(lambda: 0 in look()["millrace_consumer_lag_messages"], "no lag is left")
        for name in (
            "millrace_sink_rows_total",
            "millrace_sink_files_total",
            "millrace_sink_written_bytes_total",
            "millrace_sink_commit_duration_seconds_count",
            "millrace_last_commit_timestamp_seconds",
        ):
            self.assertGreaterEqual(len(seen[name]), 2, name + " does not move")
        self.produce(30)
        sink.send_signal(signal.SIGTERM)
        out, _ = sink.communicate(timeout=DEADLINE_S)
        self.assertEqual(sink.returncode, 0)
        self.assertEqual(json.loads(out.splitlines()[-1])["stop_reason"], "signal")
        # What the stop came before is left for the next one.
        self.millrace(
            "sink", "parquet", self.pipeline, "--side", "input", "--out", "lake", "--mode", "batch"
        )
        self.expect_each_once("sensors.raw")
        self.assertEqual(len(self.rows_of()), 130)

    def test_two_sinks_share_the_partitions(self):
        self.pipeline = self.write("sensors.yaml", PIPELINE)
        words = (
            "sink",
            "parquet",
            self.pipeline,
            "--side",
            "input",
            "--out",
            "lake",
            "--age",
            "1s",
        )
        self.produce(50)
        first, second = self.start(*words), self.start(*words)
        for _ in range(5):
            self.produce(200)
        self.eventually(lambda: len(self.rows_of()) >= 1050, "all rows")
        first.send_signal(signal.SIGTERM)
        self.assertEqual(first.wait(DEADLINE_S), 0)
        self.produce(20)
        self.eventually(lambda: len(self.rows_of()) >= 1070, "the other goes on")
        second.send_signal(signal.SIGTERM)
        self.assertEqual(second.wait(DEADLINE_S), 0)
        self.expect_each_once("sensors.raw")


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
