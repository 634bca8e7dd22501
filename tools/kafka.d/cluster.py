"""One cluster of real brokers on this machine, described by files in a folder of its own."""

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import uuid

import certificates
import jars
import settings
from process import KafkaError, PidFile, answers, free_ports, locked, wait_until

START_SECONDS_MAX = 90
STOP_SECONDS_MAX = 30
DOWN_SECONDS_MAX = 5  # the data goes anyway
START_TRIES = 3
JAVA_QUICK = ["-XX:TieredStopAtLevel=1"]  # starts sooner, costs more in a long run
KCAT_SECONDS = 2


class Cluster:
    """Reads and writes the files of one cluster; to change it, callers hold `exclusive`."""

    def __init__(self, cache, name):
        self.cache = cache
        self.name = name
        self.folder = os.path.join(cache, "run", name)
        self.description = os.path.join(self.folder, "cluster.json")
        self.options = None
        self.ports = None
        self.passwords = {}

    def exclusive(self):
        return locked(os.path.join(self.cache, "run", self.name + ".lock"))

    # -- what it is

    def exists(self):
        return os.path.exists(self.description)

    def load(self):
        try:
            with open(self.description, encoding="utf-8") as file:
                data = json.load(file)
        except FileNotFoundError:
            text = "there is no cluster '%s'; start it with: tools/kafka up --name %s"
            raise KafkaError(text % (self.name, self.name), 69) from None
        self.options, self.ports = data["options"], data["ports"]
        self.passwords = data["passwords"]

    def save(self):
        data = {"options": self.options, "ports": self.ports, "passwords": self.passwords}
        partial = self.description + ".partial"
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(data, file, indent=1)
        os.rename(partial, self.description)

    def nodes(self):
        return range(1, self.options["nodes"] + 1)

    def node_folder(self, node):
        return os.path.join(self.folder, "node-%d" % node)

    def pid_file(self, node):
        return PidFile(os.path.join(self.node_folder(node), "pid"))

    def running_nodes(self):
        return [node for node in self.nodes() if self.pid_file(node).running()]

    def require_node(self, node):
        if node not in self.nodes():
            text = "cluster '%s' has no node %d (it has 1 to %d)"
            raise KafkaError(text % (self.name, node, self.options["nodes"]), 64)

    def bootstrap(self, listener="PLAINTEXT"):
        return ",".join("127.0.0.1:%d" % self.ports[str(node)][listener] for node in self.nodes())

    def state(self):
        running = len(self.running_nodes())
        return "running" if running == len(self.nodes()) else "partly" if running else "stopped"

    def report(self):
        """All that a test needs, for --json."""
        result = {
            "name": self.name,
            "state": self.state(),
            "version": self.options["version"],
            "bootstrap": self.bootstrap(),
            "folder": self.folder,
            "nodes": [
                {
                    "id": node,
                    "pid": self.pid_file(node).running(),
                    "port": self.ports[str(node)]["PLAINTEXT"],
                    "log": os.path.join(self.node_folder(node), "server.log"),
                }
                for node in self.nodes()
            ],
        }
        if self.options["proxied"]:
            pairs = zip(self.nodes(), self.options["proxied"])
            result["proxied"] = [
                {"id": node, "listens": self.ports[str(node)]["PROXIED"], "advertised": port}
                for node, port in pairs
            ]
        if self.options["sasl_ssl"]:
            result["secure"] = self.secure_report()
        return result

    def secure_report(self):
        folder = os.path.join(self.folder, "secrets")
        return {
            "sasl_ssl_bootstrap": self.bootstrap("SASL_SSL"),
            "ssl_bootstrap": self.bootstrap("SSL"),
            "expired_bootstrap": self.bootstrap("EXPIRED"),
            "wrong_host_bootstrap": self.bootstrap("WRONG_HOST"),
            "mechanisms": list(settings.MECHANISMS),
            "ca_file": os.path.join(folder, "ca.pem"),
            "other_ca_file": os.path.join(folder, "other-ca.pem"),
            "client_certificate_file": os.path.join(folder, "client.pem"),
            "client_key_file": os.path.join(folder, "client.key"),
            "user": "admin",
            "password_file": os.path.join(folder, "admin.password"),
            "limited_user": "limited",
            "limited_password_file": os.path.join(folder, "limited.password"),
        }

    # -- making it

    def taken_ports(self):
        """Ports of the other clusters here, the stopped ones too."""
        found = set()
        run = os.path.join(self.cache, "run")
        for name in os.listdir(run):
            other = Cluster(self.cache, name)
            if other.exists():
                other.load()
                found.update(port for row in other.ports.values() for port in row.values())
                found.update(other.options["proxied"] or [])
        return found

    def choose_ports(self):
        """Also the ports that a proxy in front of the brokers shall have, where asked for."""
        names = settings.listeners(self.options)
        nodes = list(self.nodes())
        choose_proxied = self.options["proxied"] == "auto"
        count = len(nodes) * (len(names) + choose_proxied)
        with locked(os.path.join(self.cache, "ports.lock")):
            ports = free_ports(count, self.taken_ports())
            if choose_proxied:
                self.options["proxied"] = [ports.pop() for _ in nodes]
            self.ports = {str(node): {name: ports.pop() for name in names} for node in nodes}
            self.save()

    def create(self, options):
        """Folder, ports, certificates and settings of a new cluster; nothing runs yet."""
        os.makedirs(self.folder)
        self.options = dict(options)
        if options["sasl_ssl"]:
            self.make_secrets()
        self.choose_ports()
        secret_folder = os.path.join(self.folder, "secrets")
        for node in self.nodes():
            folder = self.node_folder(node)
            os.makedirs(folder)
            values = settings.broker(
                node, self.options, self.ports, folder, (secret_folder, self.passwords)
            )
            settings.write(os.path.join(folder, "server.properties"), values)

    def make_secrets(self):
        folder = os.path.join(self.folder, "secrets")
        certificates.make_all(folder)
        for user in settings.USERS:
            self.passwords[user] = secrets.token_urlsafe(18)
            path = os.path.join(folder, user + ".password")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(self.passwords[user] + "\n")

    # -- Java

    def library(self):
        return os.path.join(self.cache, self.options["version"], "lib")

    def class_archive(self):
        """Loaded classes as an image, which spares a third of the start; made by a first stop."""
        return os.path.join(self.cache, self.options["version"], "classes.jsa")

    def java(self, node, main, archive_flag=None):
        version = self.options["version"]
        folder = self.node_folder(node)
        logging = "file:" + os.path.join(jars.HERE, version, "log4j.properties")
        key = "log4j.configuration" if version.startswith("3.") else "log4j2.configurationFile"
        command = [
            jars.require("java", "runs Kafka"),
            "-Xms64m",
            "-Xmx%dm" % self.options["heap_mb"],
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Xshare:auto",
            "-Xlog:disable",
            "-Djava.awt.headless=true",
            "-Djava.net.preferIPv4Stack=true",
            "-D%s=%s" % (key, logging),
            "-Dmillrace.log=" + os.path.join(folder, "server.log"),
        ]
        command += JAVA_QUICK if self.options["jit"] == "quick" else []
        if archive_flag:
            command.append(archive_flag)
        return command + ["-cp", jars.class_path(self.library(), version), main]

    def archive_flag(self, node):
        archive = self.class_archive()
        if os.path.exists(archive):
            return "-XX:SharedArchiveFile=" + archive
        made = os.path.join(self.node_folder(node), "classes.jsa")
        return "-XX:ArchiveClassesAtExit=" + made if node == 1 else None

    def keep_class_archive(self):
        """Takes over what a broker that ended in an orderly way left."""
        made = os.path.join(self.node_folder(1), "classes.jsa")
        if os.path.exists(made) and not self.pid_file(1).running():
            os.replace(made, self.class_archive())

    def spawn(self, command, node, log):
        with open(os.path.join(self.node_folder(node), log), "ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.node_folder(node),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def format(self):
        """Empty data folders for all nodes."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        runs = []
        for node in self.nodes():
            folder = self.node_folder(node)
            shutil.rmtree(os.path.join(folder, "data"), ignore_errors=True)
            archive = self.class_archive()
            flag = "-XX:SharedArchiveFile=" + archive if os.path.exists(archive) else None
            command = self.java(node, "kafka.tools.StorageTool", flag)
            command += ["format", "--cluster-id=" + cluster_id]
            command += ["--config", os.path.join(folder, "server.properties")]
            for user, password in sorted(self.passwords.items()):
                for mechanism in settings.MECHANISMS[:2]:
                    credential = "%s=[name=%s,password=%s]" % (mechanism, user, password)
                    command += ["--add-scram", credential]
            runs.append((node, self.spawn(command, node, "format.log")))
        for node, process in runs:
            if process.wait() != 0:
                raise KafkaError("formatting node %d failed: %s" % (node, self.last_words(node)))

    def last_words(self, node):
        """The end of what the node said, and what to do about the well-known causes."""
        text = ""
        for name in ("format.log", "server.log", "out.log"):
            path = os.path.join(self.node_folder(node), name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += file.read()[-20000:]
        if "UnsupportedClassVersionError" in text:
            text = "Kafka %s needs a newer Java (17); see `java -version`"
            return text % self.options["version"]
        if "Could not reserve enough space" in text or "Cannot allocate memory" in text:
            return "too little memory for a heap of %d MB" % self.options["heap_mb"]
        marked = [line for line in text.splitlines() if "Exception" in line or "ERROR" in line]
        return "\n  ".join((marked or text.splitlines())[-5:])

    # -- running it

    def start_process(self, node):
        if self.pid_file(node).running():
            return None
        command = self.java(node, "kafka.Kafka", self.archive_flag(node))
        command.append(os.path.join(self.node_folder(node), "server.properties"))
        process = self.spawn(command, node, "out.log")
        self.pid_file(node).write(process.pid)
        return process

    def known_brokers(self, node):
        """How many brokers the node tells its clients about; 0 when it does not answer."""
        port = self.ports[str(node)]["PLAINTEXT"]
        if not answers(port):
            return set()
        command = ["kcat", "-L", "-J", "-m", str(KCAT_SECONDS), "-b", "127.0.0.1:%d" % port]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=KCAT_SECONDS + 5
            )
            return {broker["id"] for broker in json.loads(done.stdout)["brokers"]}
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return set()

    def start_nodes(self, nodes):
        """Starts `nodes` and waits until each of them knows all running ones."""
        jars.require("kcat", "asks the brokers whether they are ready")
        started = {node: self.start_process(node) for node in nodes}
        expected = set(self.running_nodes()) | set(nodes)
        waiting = set(nodes)
        died = []

        def ready():
            for node in sorted(waiting):
                if started[node] is not None and started[node].poll() is not None:
                    died.append(node)
                elif self.known_brokers(node) >= expected:
                    waiting.discard(node)
            return died or not waiting

        in_time = wait_until(ready, START_SECONDS_MAX)
        if died:
            raise KafkaError("node %d did not start: %s" % (died[0], self.last_words(died[0])))
        if not in_time:
            text = "node %d is not ready after %d s: %s"
            node = min(waiting)
            raise KafkaError(text % (node, START_SECONDS_MAX, self.last_words(node)), 69)

    def stop_nodes(self, nodes, seconds):
        """Orderly where that takes no longer than `seconds`; names the nodes it had to kill."""
        for node in nodes:
            self.pid_file(node).terminate()
        return [node for node in nodes if not self.pid_file(node).wait_or_kill(seconds)]

    def signal(self, node, number):
        if not self.pid_file(node).running():
            raise KafkaError("node %d of cluster '%s' does not run" % (node, self.name), 69)
        self.pid_file(node).signal(number)

    # -- whole life

    def up(self, options):
        """A running cluster, with the data it has where it exists."""
        if self.exists():
            self.load()
            self.check_same(options)
        else:
            self.remove()  # what an interrupted start left
            self.bring_up(options)
            return
        missing = [node for node in self.nodes() if node not in self.running_nodes()]
        if missing:
            jars.fetch(self.options["version"], self.library())
        for node in self.nodes():
            self.pid_file(node).signal(signal.SIGCONT)
        self.start_nodes(missing)

    def bring_up(self, options):
        jars.fetch(options["version"], os.path.join(self.cache, options["version"], "lib"))
        for attempt in range(1, START_TRIES + 1):
            self.create(options)
            try:
                self.format()
                self.start_nodes(list(self.nodes()))
                return
            except KafkaError as error:
                retry = "Address already in use" in str(error) and attempt < START_TRIES
                if not retry:
                    self.kill_all()
                    raise
                self.remove()  # another program took a port in between
            except BaseException:
                self.remove()
                raise

    def check_same(self, options):
        for key, value in options.items():
            mine = self.options[key]
            if mine != value and not (key == "proxied" and value == "auto" and mine):
                text = "cluster '%s' exists with %s %s; remove it first: tools/kafka down --name %s"
                raise KafkaError(text % (self.name, key, mine, self.name), 64)

    def reset(self):
        jars.fetch(self.options["version"], self.library())
        self.stop_nodes(list(self.nodes()), DOWN_SECONDS_MAX)
        self.keep_class_archive()
        self.format()
        self.start_nodes(list(self.nodes()))

    def kill_all(self):
        for node in self.nodes():
            self.pid_file(node).kill()

    def remove(self):
        """Ends every process of the cluster and removes its files."""
        if self.exists():
            self.load()
            self.stop_nodes(list(self.nodes()), DOWN_SECONDS_MAX)
            self.keep_class_archive()
        shutil.rmtree(self.folder, ignore_errors=True)
