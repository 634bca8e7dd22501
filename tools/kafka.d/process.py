"""Processes that outlive the program that started them, locks and ports."""

import contextlib
import fcntl
import os
import random
import signal
import socket
import time

POLL_SECONDS = 0.05


class KafkaError(Exception):
    """Something the user can act upon; `code` is the exit code (sysexits)."""

    def __init__(self, text, code=70):
        super().__init__(text)
        self.code = code


def wait_until(condition, seconds):
    """Polls until `condition` is true; false when that took longer than `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def started_at(pid):
    """Start of the process in ticks since boot; nothing for one that is gone or a zombie."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class PidFile:
    """Names one process by its id and its start, so that a recycled id is never taken for it."""

    def __init__(self, path):
        self.path = path

    def write(self, pid):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("%d %s\n" % (pid, started_at(pid)))

    def running(self):
        """The id of the process while it runs."""
        try:
            with open(self.path, encoding="ascii") as file:
                pid, start = file.read().split()
        except (OSError, ValueError):
            return None
        return int(pid) if str(started_at(int(pid))) == start else None

    def signal(self, number):
        pid = self.running()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def terminate(self):
        """Asks the process to end; a paused one too."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)

    def wait_or_kill(self, seconds):
        """True when the process ended by itself within `seconds`; else it is killed."""
        if wait_until(lambda: self.running() is None, seconds):
            return True
        self.kill()
        return False

    def kill(self):
        self.signal(signal.SIGKILL)
        if not wait_until(lambda: self.running() is None, 10):
            raise KafkaError("process %s does not end; is its disk stuck?" % self.running())


@contextlib.contextmanager
def locked(path):
    """Holds the lock file `path`, which is gone afterwards when nobody else waits for it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            if os.stat(path).st_ino == os.fstat(handle).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(handle)  # its last holder removed it while this one waited
    try:
        yield
    finally:
        os.unlink(path)
        os.close(handle)


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_ports(count, taken):
    """Ports nobody listens on, below those the system hands out by itself: a broker that is
    stopped for a while finds its port free again."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            first_of_system = int(file.read().split()[0])
    except (OSError, ValueError):
        first_of_system = 32768
    top = first_of_system if first_of_system > 12000 else 32768
    found = []
    for port in random.sample(range(10240, top), top - 10240):
        if len(found) == count:
            return found
        if port not in taken and is_free(port):
            found.append(port)
    raise KafkaError("no %d free ports below %d on 127.0.0.1" % (count, top), 69)
