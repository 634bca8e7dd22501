"""Makes a topic with settings that `millrace topics create` leaves to the broker.

make_topic.py BOOTSTRAP TOPIC NAME=VALUE..."""

import sys

from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, topic, *settings = sys.argv[1:]
config = dict(setting.split("=", 1) for setting in settings)
admin = AdminClient({"bootstrap.servers": bootstrap})  # must outlive its answer
made = admin.create_topics(
    [NewTopic(topic, num_partitions=1, replication_factor=1, config=config)]
)
made[topic].result(timeout=30)
