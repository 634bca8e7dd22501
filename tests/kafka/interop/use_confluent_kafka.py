"""confluent-kafka (librdkafka of its own), as its users write it."""

import sys
import time

import wire
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition


def write(bootstrap, topic, compression):
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": compression,
            "partitioner": "murmur2_random",
            "message.max.bytes": 8 << 20,
        }
    )
    failures = []
    for row in wire.messages():
        place = {} if row["partition"] is None else {"partition": row["partition"]}
        producer.produce(
            topic,
            key=row["key"],
            value=row["value"],
            headers=row["headers"],
            on_delivery=lambda error, message: error and failures.append(error),
            **place,
        )
    left = producer.flush(wire.READ_SECONDS_MAX)
    if left or failures:
        sys.exit("not delivered: %d %s" % (left, failures))


def read(bootstrap, topic, count):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    numbers = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in numbers])
    deadline = time.monotonic() + wire.READ_SECONDS_MAX
    seen = 0
    while seen < count and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            sys.exit(str(message.error()))
        headers = message.headers() or []
        wire.put(message.partition(), message.key(), message.value(), headers)
        seen += 1
    consumer.close()


wire.arguments(write, read)
