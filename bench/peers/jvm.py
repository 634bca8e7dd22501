"""The Java peers: their jars, fetched and checked as tools/kafka does it, and their classes."""

import glob
import os
import shutil
import subprocess
import sys

from measure import Failure

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCES = os.path.join(HERE, "java")
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools", "kafka.d"))

import jars  # noqa: E402

# Half a gigabyte is what such a service is given in a container. Flink needs the opened packages
# on Java 17.
OPTIONS = [
    "-Xmx512m",
    "-Dlog4j.configuration=file:" + os.path.join(SOURCES, "log4j.properties"),
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.util=ALL-UNNAMED",
]


# Groups of jars whose programs are those of another group.
SOURCES_OF = {"flink_xgboost3": "flink", "kafka_streams_xgboost3": "kafka_streams"}


def libraries(build, group):
    return os.path.join(build, "jars", group)


def classes(build, group):
    return os.path.join(build, "classes", group)


def class_path(build, group):
    return jars.class_path(libraries(build, group), group, SOURCES)


def prepare(build, group):
    """Fetches and compiles what the peers of `group`, a folder of java/, need."""
    os.makedirs(os.path.join(build, "jars"), exist_ok=True)
    jars.fetch(group, libraries(build, group), SOURCES)
    target = classes(build, group)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    files = glob.glob(os.path.join(SOURCES, "*.java"))
    files += glob.glob(os.path.join(SOURCES, SOURCES_OF.get(group, group), "*.java"))
    compiler = ["javac", "-d", target, "-cp", class_path(build, group)]
    if subprocess.run(compiler + sorted(files), check=False).returncode != 0:
        raise Failure("javac did not compile the peers of %s" % group)


def command(build, group, main, *words):
    path = classes(build, group) + ":" + class_path(build, group)
    temporary = ["-Djava.io.tmpdir=" + os.path.join(build, "work")]
    return ["java"] + OPTIONS + temporary + ["-cp", path, main] + list(words)
