"""What the sink writes, beside other people's programs: pandas and DuckDB read equal values and
types, and a sink that is killed anywhere leaves each record in exactly one readable file.
"""

import collections
import glob
import json
import math
import os
import random
import re
import signal
import subprocess
import urllib.request
import uuid

import duckdb
import pandas
import pyarrow.parquet

from place import BINARY, DEADLINE_S, KAFKA_TOOL, PIPELINE, Place, level_of, reading


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


class Kafka(Place):
    """The sink on real brokers (MILLRACE_KAFKA_CLUSTER), killed on the way."""

    def setUp(self):
        super().setUp()
        status = subprocess.run(
            [KAFKA_TOOL, "status", "--json", "--name", os.environ["MILLRACE_KAFKA_CLUSTER"]],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        found = re.search(r'"bootstrap": *"([^"]+)"', status.stdout)
        self.brokers = found.group(1)
        self.topic = "parquet-%s" % uuid.uuid4().hex[:12]

    def environment(self, more=None):
        return super().environment({"MILLRACE_LOG": "kafka://" + self.brokers, **(more or {})})

    def test_each_record_is_in_one_file(self):
        pipeline = self.write("sensors.yaml", PIPELINE.replace("sensors.raw", self.topic))
        data = self.write(
            "data.ndjson", "".join(json.dumps(reading(n)) + "\n" for n in range(1200))
        )
        self.millrace("produce", pipeline, "--data", data, "--batch-size", "100")
        words = ("sink", "parquet", pipeline, "--side", "input", "--out", "lake")
        for point in ("after_rename:2", "before_commit:1", "in_file:3"):
            died = self.run_any(
                *words, "--rows", "150", environment={"MILLRACE_CRASH_POINT": "sink." + point}
            )
            self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr)
        done = self.last_json(*words, "--rows", "90", "--mode", "batch")
        self.assertEqual(done["stop_reason"], "caught_up")
        self.expect_each_once(self.topic)
        self.assertEqual(len(self.rows_of()), 1200)
        again = self.last_json(*words, "--mode", "batch")
        self.assertEqual(again["rows"], 0)
