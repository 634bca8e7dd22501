"""Processes and topics seen from outside: CPU time and memory from the kernel, progress from the
broker."""

import os
import signal
import subprocess
import time

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 3
POLL_SECONDS = 0.02
FIRST_POLL_SECONDS = 0.002  # until the first prediction is there
STOP_SECONDS_MAX = 60
READ_SECONDS_MAX = 120
CALL_SECONDS_MAX = 30
QUIET = {"log_level": 0}  # that the broker goes away at the end is no news
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """Why there is no figure."""


class Process:
    """A scoring program under test; its output goes to a file in `folder`, as does all else that
    it leaves."""

    def __init__(self, command, folder, name):
        self.log_path = os.path.join(folder, name + ".log")
        self.started = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "TMPDIR": folder},
            )

    def cpu_seconds(self):
        """User and system time of all its threads, those that ended too."""
        with open("/proc/%d/stat" % self.child.pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def peak_mb(self):
        with open("/proc/%d/status" % self.child.pid, encoding="ascii") as file:
            line = next(line for line in file if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def require_running(self):
        if self.child.poll() is not None:
            text = "ended with %d; its output is in %s" % (self.child.returncode, self.log_path)
            raise Failure(text)

    def stop(self):
        """Asks it to end, and makes it."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()


class Broker:
    """Topics, positions and messages of one Kafka cluster."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
        self.watcher = self.consumer()

    def close(self):
        self.watcher.close()

    def consumer(self):
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "peers-watcher",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                **QUIET,
            }
        )

    def create(self, topic):
        for future in self.admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
            future.result(CALL_SECONDS_MAX)
        deadline = time.monotonic() + CALL_SECONDS_MAX
        while not self.has_leaders(topic):
            if time.monotonic() > deadline:
                raise Failure("%s has no leaders" % topic)
            time.sleep(POLL_SECONDS)

    def has_leaders(self, topic):
        """Asks the broker, which also renews what the client knows about the topic."""
        self.watcher.list_topics(topic, CALL_SECONDS_MAX)
        try:
            return self.written(topic) == 0
        except KafkaException:
            return False

    def delete(self, topic):
        for future in self.admin.delete_topics([topic]).values():
            future.result(CALL_SECONDS_MAX)

    def written(self, topic):
        """Records in a topic from which nothing was removed; commit markers count."""
        ends = [
            self.watcher.get_watermark_offsets(TopicPartition(topic, part), CALL_SECONDS_MAX)[1]
            for part in range(PARTITIONS)
        ]
        return sum(ends)

    def committed(self, group, topic):
        """Committed positions of the group by partition; 0 where there is none."""
        parts = [TopicPartition(topic, part) for part in range(PARTITIONS)]
        request = [ConsumerGroupTopicPartitions(group, parts)]
        answer = self.admin.list_consumer_group_offsets(request)[group].result(CALL_SECONDS_MAX)
        found = {part.partition: part.offset for part in answer.topic_partitions}
        return {part: found[part] if found[part] != OFFSET_INVALID else 0 for part in found}

    def read(self, topic):
        """Yields (partition, offset, key, value) of every committed record."""
        consumer = self.consumer()
        consumer.assign([TopicPartition(topic, part, 0) for part in range(PARTITIONS)])
        open_partitions = set(range(PARTITIONS))
        deadline = time.monotonic() + READ_SECONDS_MAX
        while open_partitions:
            if time.monotonic() > deadline:
                raise Failure("cannot read %s to its end" % topic)
            for message in consumer.consume(10_000, timeout=0.1):
                if message.error():
                    open_partitions.discard(message.partition())
                else:
                    yield message.partition(), message.offset(), message.key(), message.value()
        consumer.close()


class Run:
    """What was seen of one process from its start to its last prediction.

    CPU time counts from the prediction number `warm` on, until `total` are there."""

    def __init__(self, process, broker, topic, warm, total, seconds_max):
        self.first_s = None
        samples = []
        deadline = time.monotonic() + seconds_max
        written = 0
        while written < total:
            process.require_running()
            if time.monotonic() > deadline:
                text = "%d of %d predictions within %d s; its output is in %s"
                raise Failure(text % (written, total, seconds_max, process.log_path))
            time.sleep(FIRST_POLL_SECONDS if self.first_s is None else POLL_SECONDS)
            before = process.cpu_seconds()
            written = broker.written(topic)
            if written > 0 and self.first_s is None:
                self.first_s = time.monotonic() - process.started
            if written >= warm:
                cpu = (before + process.cpu_seconds()) / 2
                samples.append((written, cpu, time.monotonic()))
        self.cpu_us = self._cpu_us(samples[0], samples[-1])
        middle = min(samples, key=lambda s: abs(s[0] - (samples[0][0] + samples[-1][0]) / 2))
        # Far from 1, it was not warm yet.
        self.late_to_early = self._cpu_us(middle, samples[-1]) / self._cpu_us(samples[0], middle)
        messages, _, seconds = (b - a for a, b in zip(samples[0], samples[-1]))
        self.rate_per_s = messages / seconds
        self.peak_mb = process.peak_mb()

    @staticmethod
    def _cpu_us(first, last):
        if last[0] == first[0] or last[1] == first[1]:
            raise Failure("too few messages to measure; more by MESSAGES=")
        return (last[1] - first[1]) / (last[0] - first[0]) * 1e6
