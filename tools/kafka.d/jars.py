"""The jars of a Kafka version: fetched once by Maven, checked against recorded digests.

Other programs have their jars fetched in the same way: `recipes` is a folder where each has a
folder with a pom.xml and the file sha256."""

import hashlib
import os
import re
import shutil
import subprocess

from process import KafkaError, locked

HERE = os.path.dirname(os.path.realpath(__file__))
FETCH_SECONDS_MAX = 900
FETCH_TRIES = 3


def versions():
    names = sorted(os.listdir(HERE))
    return [name for name in names if os.path.exists(os.path.join(HERE, name, "pom.xml"))]


def recorded_digests(version, recipes=HERE):
    with open(os.path.join(recipes, version, "sha256"), encoding="ascii") as file:
        rows = [line.split() for line in file]
    return {name: digest for digest, name in rows}


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def difference(folder, version, recipes=HERE):
    """What is wrong with the jars in `folder`, as text; nothing when they are the recorded ones."""
    recorded = recorded_digests(version, recipes)
    present = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    missing = sorted(set(recorded) - present)
    if missing:
        return "%s is missing" % missing[0]
    unknown = sorted(present - set(recorded))
    if unknown:
        return "%s is not in the list" % unknown[0]
    for name in sorted(recorded):
        if digest_of(os.path.join(folder, name)) != recorded[name]:
            return "%s has another digest" % name
    return None


def require(program, what):
    path = shutil.which(program)
    if path is None:
        raise KafkaError("%s is missing (%s); run: tools/install kafka" % (program, what), 69)
    return path


def maven_failure(output):
    """The line of Maven's output that says why, in fewer words."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", output)
    errors = [line for line in text.splitlines() if line.startswith("[ERROR]")]
    reason = (errors or text.splitlines() or ["no output"])[0].replace("[ERROR] ", "")
    if re.search(r"Unknown host|refused|timed out|unreachable|[Tt]ransfer|offline", text):
        return "no answer from Maven's repository (is there a network?): " + reason[:300]
    return reason[:300]


def run_maven(command, cache):
    """One at a time: Maven does not promise that two may fill its repository."""
    with locked(os.path.join(cache, "maven.lock")):
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=FETCH_SECONDS_MAX,
            )
        except subprocess.TimeoutExpired as error:
            text = "the jars did not arrive within %d s" % FETCH_SECONDS_MAX
            raise KafkaError(text, 69) from error


def fetch(version, folder, recipes=HERE):
    """Makes `folder` hold exactly the recorded jars; parallel callers wait for the first."""
    with locked(folder + ".lock"):
        if os.path.isdir(folder):
            wrong = difference(folder, version, recipes)
            if wrong is None:
                return
            shutil.rmtree(folder)
        maven = require("mvn", "fetches the jars of Kafka")
        partial = folder + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(partial)
        pom = os.path.join(recipes, version, "pom.xml")
        command = [maven, "-q", "-B", "-f", pom, "dependency:copy-dependencies"]
        command.append("-DoutputDirectory=" + partial)
        cache = os.path.dirname(os.path.dirname(folder))
        for _ in range(FETCH_TRIES):
            done = run_maven(command, cache)
            if done.returncode == 0:
                break
        if done.returncode != 0:
            reason = maven_failure(done.stdout)
            raise KafkaError("cannot fetch the jars of %s: %s" % (version, reason), 69)
        wrong = difference(partial, version, recipes)
        if wrong is not None:
            raise KafkaError(
                "the jars of %s are not those recorded in %s: %s; they were left in %s and are not "
                "used" % (version, os.path.join(recipes, version, "sha256"), wrong, partial)
            )
        os.rename(partial, folder)


def class_path(folder, version, recipes=HERE):
    """Every jar by name: a shared class archive fits one order only."""
    names = sorted(recorded_digests(version, recipes))
    return ":".join(os.path.join(folder, name) for name in names)
