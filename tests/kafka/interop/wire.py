"""What the clients here share: messages as lines of JSON, bytes in base64 (../README.md)."""

import base64
import json
import sys

READ_SECONDS_MAX = 60


def decoded(text):
    return None if text is None else base64.b64decode(text)


def encoded(data):
    return None if data is None else base64.b64encode(data).decode()


def messages():
    """Messages on standard input: dictionaries with partition, key, value and headers."""
    for line in sys.stdin:
        row = json.loads(line)
        row["key"], row["value"] = decoded(row["key"]), decoded(row["value"])
        row["headers"] = [(name, decoded(value)) for name, value in row["headers"]]
        yield row


def put(partition, key, value, headers):
    row = {
        "partition": partition,
        "key": encoded(key),
        "value": encoded(value),
        "headers": [[name, encoded(data)] for name, data in headers],
    }
    print(json.dumps(row))


def arguments(write, read):
    """Runs `write BOOTSTRAP TOPIC COMPRESSION` or `read BOOTSTRAP TOPIC COUNT`."""
    command, bootstrap, topic, last = sys.argv[1:5]
    if command == "write":
        write(bootstrap, topic, last)
    else:
        read(bootstrap, topic, int(last))
