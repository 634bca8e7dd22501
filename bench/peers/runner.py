"""Runs millrace and its peers in turns on one broker, and prints what each message costs.

  PEERS="confluent_batch faust" MESSAGES=1000000 ROUNDS=3 runner.py BINARY BUILD_FOLDER

Every run of a peer has a run of millrace before it, on as many messages as millrace needs to be
measured well. One line of JSON a run; at the end a table in Markdown. A program that fails the
gate has no figure, and the exit code is 1."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time

from confluent_kafka import KafkaException

import gate
import jvm
import lineup
import prepare
from measure import Broker, Failure, Process, Run

SECONDS_MAX = 600
COMMIT_SECONDS_MAX = 60
KAFKA = ["tools/kafka"]
CLUSTER = "peers"


class Source:
    """An input topic: its keys, its records where asked, and its last offsets."""

    def __init__(self, bench, messages):
        self.topic = "peers.in.%d" % messages
        bench.produce(self.topic, messages)
        self.keys = []
        self.last = {}
        for part, offset, key, _ in bench.broker.read(self.topic):
            self.keys.append(key)
            self.last[part] = offset
        if len(self.keys) != messages or len(set(self.keys)) != messages:
            raise Failure("%s does not hold %d customers" % (self.topic, messages))


class Bench:
    """The broker, the model, the input topics, and what is right for each customer."""

    def __init__(self, binary, build, messages):
        self.binary = binary
        self.build = build
        self.messages = messages
        self.work = os.path.join(build, "work")
        self.model = os.path.join(build, "model")
        for folder in (self.work, self.model):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        prepare.prepare(binary, self.model)
        up = KAFKA + ["up", "--fresh", "--jit", "full", "--heap-mb", "1024", "--name", CLUSTER]
        printed = subprocess.run(up, stdout=subprocess.PIPE, text=True, check=True).stdout
        self.broker = Broker(printed.partition("=")[2].strip())
        self.sources = {}
        self.expected = {}
        self.runs = 0

    def close(self):
        self.broker.close()
        subprocess.run(KAFKA + ["down", "--name", CLUSTER], check=False)

    def produce(self, topic, messages):
        words = ["produce", "telco-churn", "--quiet", "--count", str(messages)]
        words += ["--set", "input.topic=" + topic, "--log", "kafka://" + self.broker.bootstrap]
        words += ["--home", os.path.join(self.work, topic)]
        subprocess.run([self.binary] + words, check=True)

    def source(self, peer):
        messages = max(100, round(self.messages * peer.total))
        if messages not in self.sources:
            self.sources[messages] = Source(self, messages)
        return self.sources[messages]

    def offline_xgboost(self, source):
        """What XGBoost itself says about each customer, without a broker and a stream."""
        import numpy
        import orjson
        import xgboost

        from python.churn import Features

        features = Features(self.model)
        booster = xgboost.Booster()
        booster.load_model(os.path.join(self.model, "xgboost.json"))
        keys, rows = [], []
        for _, _, key, value in self.broker.read(source.topic):
            keys.append(key)
            rows.append(numpy.array(features.row(orjson.loads(value)), dtype=numpy.float32))
        return dict(zip(keys, booster.inplace_predict(numpy.array(rows)).tolist()))

    def expect_sklearn(self, source):
        """The predictions of scikit-learn's own model, all at once and without a broker."""
        import joblib

        pipeline = joblib.load(os.path.join(self.model, "sklearn.joblib"))
        fields = list(pipeline.feature_names_in_)
        records = [json.loads(value) for _, _, _, value in self.broker.read(source.topic)]
        probabilities = pipeline.predict_proba(prepare.frame_of(records, fields))[:, 1]
        keys = [record["customerID"].encode() for record in records]
        self.expected.setdefault("sklearn", {}).update(zip(keys, probabilities))

    def check(self, peer, source, target):
        """Compares with what is right: for the first run of millrace that is what XGBoost says,
        for all later runs what this first one said."""
        found = gate.probabilities(self.broker.read(target))
        if "millrace" not in self.expected:
            gate.compare(found, source.keys, self.offline_xgboost(source))
            self.expected["millrace"] = found
        if peer.model == "sklearn":
            self.expect_sklearn(source)
        return gate.compare(found, source.keys, self.expected[peer.model])

    def wait_for_commit(self, group, source):
        deadline = time.monotonic() + COMMIT_SECONDS_MAX
        while True:
            committed = self.broker.committed(group, source.topic)
            if all(committed.get(part, 0) > source.last[part] for part in source.last):
                return
            if time.monotonic() > deadline:
                raise Failure("committed only %s of %s" % (committed, source.last))
            time.sleep(0.1)

    def run(self, peer):
        """One run from start to stop; the figures, once the gate has passed."""
        source = self.source(peer)
        self.runs += 1
        name = "peers-%s-%d" % (peer.name, self.runs)
        target = name + ".out"
        self.broker.create(target)
        bootstrap = self.broker.bootstrap
        place = lineup.Place(
            self.binary, bootstrap, source.topic, target, name, self.model, self.build
        )
        process = Process(peer.command(place), self.work, name)
        total = len(source.keys)
        warm = max(1, round(total * peer.warm))
        try:
            run = Run(process, self.broker, target, warm, total, SECONDS_MAX)
            self.wait_for_commit(name, source)
        finally:
            process.stop()
        difference = self.check(peer, source, target)
        self.broker.delete(target)
        return {
            "peer": peer.name,
            "messages": total,
            "cpu_us": round(run.cpu_us, 3),
            "late_to_early": round(run.late_to_early, 3),
            "peak_mb": round(run.peak_mb, 1),
            "first_prediction_s": round(run.first_s, 3),
            "rate_per_s": round(run.rate_per_s),
            "largest_difference": float("%.2g" % difference),
        }


def say(result):
    print(json.dumps(result), flush=True)


def spread(values, digits):
    shown = ["%.*f" % (digits, value) for value in (min(values), max(values))]
    return "%s (%s)" % ("%.*f" % (digits, statistics.median(values)), " to ".join(shown))


def row(peer, results, ratios):
    cpu = [result["cpu_us"] for result in results]
    ratio = spread(ratios, 0 if min(ratios) >= 10 else 2) if ratios else "1"
    memory = max(result["peak_mb"] for result in results)
    first = statistics.median(result["first_prediction_s"] for result in results)
    digits = 0 if min(cpu) >= 100 else 1 if min(cpu) >= 10 else 2
    cells = (peer.label, "%.*f" % (digits, statistics.median(cpu)), ratio, memory, first)
    return "| %s | %s | %s | %.0f MB | %.2f s |" % cells


def table(members, results, ratios):
    print("| program | CPU µs a message | times millrace | peak memory | first prediction after |")
    print("|---|---:|---:|---:|---:|")
    for peer in members:
        if results.get(peer.name):
            print(row(peer, results[peer.name], ratios.get(peer.name)))


def measure(bench, chosen, rounds):
    """Runs everybody in turns; false when one failed."""
    ours = {peer.beside: peer for peer in lineup.MILLRACE}
    results, ratios, failed = {}, {}, set()

    def attempt(peer):
        try:
            result = bench.run(peer)
        except (Failure, KafkaException) as failure:
            failed.add(peer.name)
            say({"peer": peer.name, "failed": str(failure)})
            return None
        results.setdefault(peer.name, []).append(result)
        say(result)
        return result["cpu_us"]

    for _ in range(rounds):
        for peer in chosen:
            if peer.name in failed:
                continue
            base = attempt(ours[peer.beside])
            if base is None:
                return False  # nothing to compare with
            cost = attempt(peer)
            if cost is not None:
                ratios.setdefault(peer.name, []).append(cost / base)
    members = [peer for peer in lineup.MILLRACE + chosen if peer.name not in failed]
    table(members, results, ratios)
    return not failed


def main():
    binary, build = (os.path.abspath(path) for path in sys.argv[1:3])
    names = os.environ.get("PEERS", "").split() or [peer.name for peer in lineup.PEERS]
    known = {peer.name: peer for peer in lineup.PEERS}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit("no peer %s; there are: %s" % (unknown[0], " ".join(known)))
    messages = int(os.environ.get("MESSAGES") or 1_000_000)
    chosen = [known[name] for name in names]
    for group in sorted({peer.jars for peer in chosen if peer.jars}):
        jvm.prepare(build, group)
    bench = Bench(binary, build, messages)
    try:
        good = measure(bench, chosen, int(os.environ.get("ROUNDS") or 3))
    finally:
        bench.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
