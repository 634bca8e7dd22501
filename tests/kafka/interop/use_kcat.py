"""kcat, as people use it in a shell; this program only translates the messages."""

import re
import subprocess
import tempfile

import wire

LIMITS = ["-X", "message.max.bytes=8388608"]
DELIMITER = b"\x1f"
# kcat prints headers as name=value,name=value and escapes nothing: a comma in a value stays one
# where no name follows.
NEXT_HEADER = re.compile(r",(?=[^\W\d][\w.-]*=)")


def run(command, **options):
    return subprocess.run(command, check=True, timeout=wire.READ_SECONDS_MAX, **options)


def write(bootstrap, topic, compression):
    for row in wire.messages():
        command = ["kcat", "-P", "-b", bootstrap, "-t", topic, "-Z", *LIMITS]
        command += ["-X", "partitioner=murmur2_random"]
        command += [] if compression == "none" else ["-z", compression]
        command += [] if row["partition"] is None else ["-p", str(row["partition"])]
        for name, value in row["headers"]:
            command += ["-H", name if value is None else name.encode() + b"=" + value]
        if row["value"] is None:  # a line with a key only
            line = row["key"] + DELIMITER + b"\n"
            run([*command, "-K", DELIMITER], input=line)
            continue
        command += [] if row["key"] is None else ["-k", row["key"]]
        with tempfile.NamedTemporaryFile() as file:  # one file is one message
            file.write(row["value"])
            file.flush()
            run([*command, file.name])


def parsed(data):
    """Messages of the form "partition,key size,value size,headers\\n" key value "\\n"."""
    while data:
        head, data = data.split(b"\n", 1)
        partition, key_size, value_size, listed = head.split(b",", 3)
        pieces = []
        for size in (int(key_size), int(value_size)):
            pieces.append(None if size < 0 else data[:size])
            data = data[max(size, 0) :]
        headers = []
        for item in NEXT_HEADER.split(listed.decode()) if listed else []:
            name, _, value = item.partition("=")
            headers.append((name, None if value == "NULL" else value.encode()))
        yield int(partition), pieces[0], pieces[1], headers
        data = data[1:]


def read(bootstrap, topic, count):
    command = ["kcat", "-C", "-q", "-u", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e"]
    command += ["-X", "isolation.level=read_committed", "-f", "%p,%K,%S,%h\\n%k%s\\n"]
    for message in parsed(run(command, stdout=subprocess.PIPE).stdout):
        wire.put(*message)


wire.arguments(write, read)
