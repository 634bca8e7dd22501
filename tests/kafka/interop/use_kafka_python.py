"""kafka-python, as its users write it."""

import time

import wire
from kafka import KafkaConsumer, KafkaProducer, TopicPartition


def write(bootstrap, topic, compression):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if compression == "none" else compression,
        acks="all",
        max_request_size=8 << 20,
    )
    sent = [
        producer.send(
            topic,
            key=row["key"],
            value=row["value"],
            headers=row["headers"],
            partition=row["partition"],
        )
        for row in wire.messages()
    ]
    producer.flush(timeout=wire.READ_SECONDS_MAX)
    for future in sent:
        future.get(timeout=1)
    producer.close()


def read(bootstrap, topic, count):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        max_partition_fetch_bytes=8 << 20,
    )
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    deadline = time.monotonic() + wire.READ_SECONDS_MAX
    seen = 0
    while seen < count and time.monotonic() < deadline:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                wire.put(record.partition, record.key, record.value, record.headers)
                seen += 1
    consumer.close()


wire.arguments(write, read)
