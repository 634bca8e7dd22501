"""server.properties of a test broker: fast to start, quick to clean up, loopback only."""

import os

ALWAYS = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": 1,
    # Tests want to see the effect, not to wait for it.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "broker.heartbeat.interval.ms": 500,
    "broker.session.timeout.ms": 4000,
    "log.initial.task.delay.ms": 100,
    "log.retention.check.interval.ms": 500,
    "log.segment.delete.delay.ms": 100,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    "controlled.shutdown.retry.backoff.ms": 200,
    # Small.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "num.io.threads": 4,
    "num.network.threads": 2,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 8 << 20,
}

PROTOCOLS = {
    "PLAINTEXT": "PLAINTEXT",
    "CONTROLLER": "PLAINTEXT",
    "PROXIED": "PLAINTEXT",
    "SASL_SSL": "SASL_SSL",
    "SSL": "SSL",
    "EXPIRED": "SASL_SSL",
    "WRONG_HOST": "SASL_SSL",
}
SECURE_LISTENERS = ("SASL_SSL", "SSL", "EXPIRED", "WRONG_HOST")
STORES = {"EXPIRED": "expired", "WRONG_HOST": "wrong-host"}
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
USERS = ("admin", "limited")


def listeners(options):
    """Names of the listeners of each node."""
    names = ["PLAINTEXT", "CONTROLLER"]
    if options["proxied"]:
        names.append("PROXIED")
    return names + (list(SECURE_LISTENERS) if options["sasl_ssl"] else [])


def address(name, port):
    return "%s://127.0.0.1:%d" % (name, port)


def security(folder, passwords):
    """SASL and TLS of the listeners that have them, and who may do what.

    Brokers talk plaintext among themselves, as the user ANONYMOUS, who may therefore do
    everything; `limited` may nothing."""
    module = "org.apache.kafka.common.security."
    users = " ".join('user_%s="%s"' % item for item in sorted(passwords.items()))
    result = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:admin;User:client;User:ANONYMOUS",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "ssl.principal.mapping.rules": r"RULE:^CN=([^,]+).*$/$1/,DEFAULT",
    }
    for name in SECURE_LISTENERS:
        prefix = "listener.name.%s." % name.lower()
        store = os.path.join(folder, STORES.get(name, "broker") + ".store.pem")
        result[prefix + "ssl.keystore.type"] = "PEM"
        result[prefix + "ssl.keystore.location"] = store
        result[prefix + "ssl.truststore.type"] = "PEM"
        result[prefix + "ssl.truststore.location"] = os.path.join(folder, "ca.pem")
        if PROTOCOLS[name] == "SSL":
            result[prefix + "ssl.client.auth"] = "required"
            continue
        for mechanism in MECHANISMS[:2]:
            key = prefix + mechanism.lower() + ".sasl.jaas.config"
            result[key] = module + "scram.ScramLoginModule required;"
        plain = module + "plain.PlainLoginModule required " + users + ";"
        result[prefix + "plain.sasl.jaas.config"] = plain
    return result


def broker(node, options, ports, folder, secrets):
    """Settings of `node`; `ports` maps node -> listener -> port, `secrets` is a folder and the
    users' passwords."""
    own = ports[str(node)]
    names = listeners(options)
    direct = [name for name in names if name not in ("CONTROLLER", "PROXIED")]
    advertised = [address(name, own[name]) for name in direct]
    if options["proxied"]:
        advertised.append(address("PROXIED", options["proxied"][node - 1]))
    replicas = min(3, options["nodes"])
    in_sync = max(1, replicas - 1)
    controllers = [(other, row["CONTROLLER"]) for other, row in sorted(ports.items())]
    voters = ["%s@127.0.0.1:%d" % pair for pair in controllers]
    result = dict(ALWAYS)
    result.update(
        {
            "node.id": node,
            "controller.quorum.voters": ",".join(voters),
            "listeners": ",".join(address(name, own[name]) for name in names),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": ",".join(
                "%s:%s" % (name, PROTOCOLS[name]) for name in names
            ),
            "log.dirs": os.path.join(folder, "data"),
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
        }
    )
    if options["sasl_ssl"]:
        result.update(security(*secrets))
    return result


def write(path, values):
    """A Java properties file; a backslash would begin an escape there."""
    with open(path, "w", encoding="ascii") as file:
        for key, value in sorted(values.items()):
            file.write("%s=%s\n" % (key, str(value).replace("\\", "\\\\")))
    os.chmod(path, 0o600)
