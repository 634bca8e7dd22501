"""What the cases of sink_check.py and reading_check.py stand on: a working folder, the program, and
records of a pipeline with a field of each type.

MILLRACE_BINARY is the program, FULL_DISK_LIBRARY the shim of tests/integration/full_disk.
"""

import datetime
import glob
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import duckdb

BINARY = os.environ["MILLRACE_BINARY"]
KAFKA_TOOL = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "kafka")
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
