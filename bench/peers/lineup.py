"""Who takes part: how each is started, and with how many messages it is measured."""

import os
import sys
from dataclasses import dataclass
from typing import Callable, List, Optional

import jvm

HERE = os.path.dirname(os.path.realpath(__file__))


@dataclass(frozen=True)
class Place:
    """What a program needs to know to take part in one run."""

    binary: str
    bootstrap: str
    source: str
    target: str
    group: str
    model: str  # the folder that prepare.py filled
    build: str  # where jars and classes are


@dataclass(frozen=True)
class Peer:
    """One program; `total` is the share of MESSAGES that it gets. The share `warm` of those is
    not counted: a JVM compiles itself first."""

    name: str
    label: str
    command: Callable[[Place], List[str]]
    total: float = 1
    warm: float = 0
    model: str = "millrace"  # whose predictions are right: millrace's, or sklearn's own
    beside: str = "at_least_once"  # the guarantee, also that of the millrace it is compared with
    jars: Optional[str] = None  # the folder of java/ that it is in


def arguments(place):
    return [place.bootstrap, place.source, place.target, place.group, place.model]


def millrace(delivery):
    def command(place):
        settings = {
            "input.topic": place.source,
            "output.topic": place.target,
            "group": place.group,
            "delivery": delivery,
        }
        words = [place.binary, "score", "telco-churn", "--quiet"]
        words += ["--home", os.path.join(place.model, "home")]
        words += ["--log", "kafka://" + place.bootstrap]
        for key, value in settings.items():
            words += ["--set", "%s=%s" % (key, value)]
        return words

    return command


def python(file, *style):
    def command(place):
        path = os.path.join(HERE, "python", file)
        return [sys.executable, "-W", "ignore", path, *style, *arguments(place)]

    return command


def pathway(place):
    path = os.path.join(HERE, "python", "pathway_xgboost.py")
    own = os.path.join(place.build, "pathway", "bin", "python")  # it wants newer packages
    return [own, "-W", "ignore", path, *arguments(place)]


def java(group, main, *style):
    def command(place):
        return jvm.command(place.build, group, main, *style, *arguments(place))

    return command


MILLRACE = [
    Peer("millrace", "millrace, at-least-once", millrace("at_least_once")),
    Peer(
        "millrace_exactly_once",
        "millrace, exactly-once",
        millrace("exactly_once"),
        beside="exactly_once",
    ),
]

PEERS = [
    Peer(
        "frames",
        "kafka-python + scikit-learn, one-row data frames",
        python("kafka_python_sklearn.py", "frames"),
        0.003,
        model="sklearn",
    ),
    Peer(
        "rows",
        "kafka-python + scikit-learn, one-row arrays",
        python("kafka_python_sklearn.py", "rows"),
        0.02,
        model="sklearn",
    ),
    Peer(
        "faust",
        "Faust + scikit-learn, one-row data frames",
        python("faust_sklearn.py"),
        0.003,
        model="sklearn",
    ),
    Peer("quix", "Quix Streams + XGBoost", python("quix_xgboost.py"), 0.05),
    Peer("pathway", "Pathway + XGBoost", pathway, 0.4, warm=0.25),
    Peer(
        "confluent_row",
        "confluent-kafka + XGBoost, row by row",
        python("confluent_xgboost.py", "row"),
        0.05,
    ),
    Peer(
        "confluent_batch",
        "confluent-kafka + XGBoost, batches of 1,000",
        python("confluent_xgboost.py", "batch"),
        0.2,
    ),
    Peer(
        "confluent_orjson",
        "confluent-kafka + XGBoost, batches of 1,000, orjson",
        python("confluent_xgboost.py", "orjson"),
        0.3,
    ),
    Peer(
        "streams_xgboost",
        "Kafka Streams + XGBoost4J 1.7",
        java("kafka_streams", "KafkaStreamsPeer", "xgboost", "at_least_once"),
        warm=0.6,
        jars="kafka_streams",
    ),
    Peer(
        "streams_xgboost3",
        "Kafka Streams + XGBoost4J 3.0",
        java("kafka_streams_xgboost3", "KafkaStreamsPeer", "xgboost", "at_least_once"),
        0.5,
        warm=0.6,
        jars="kafka_streams_xgboost3",
    ),
    Peer(
        "streams_onnx",
        "Kafka Streams + ONNX Runtime",
        java("kafka_streams", "KafkaStreamsPeer", "onnx", "at_least_once"),
        warm=0.6,
        jars="kafka_streams",
    ),
    Peer(
        "streams_onnx_exactly_once",
        "Kafka Streams + ONNX Runtime, exactly-once",
        java("kafka_streams", "KafkaStreamsPeer", "onnx", "exactly_once_v2"),
        warm=0.6,
        beside="exactly_once",
        jars="kafka_streams",
    ),
    Peer(
        "flink",
        "Flink + XGBoost4J 1.7",
        java("flink", "FlinkPeer"),
        warm=0.6,
        jars="flink",
    ),
    Peer(
        "flink_xgboost3",
        "Flink + XGBoost4J 3.0",
        java("flink_xgboost3", "FlinkPeer"),
        0.5,
        warm=0.6,
        jars="flink_xgboost3",
    ),
]
