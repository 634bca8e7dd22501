"""Certificates of a test cluster, made by openssl: good ones and bad ones."""

import os
import subprocess

from jars import require
from process import KafkaError

HERE_NAMES = "subjectAltName=IP:127.0.0.1,DNS:localhost"
OTHER_NAMES = "subjectAltName=DNS:broker.elsewhere.example"


def openssl(folder, *arguments):
    done = subprocess.run(
        [require("openssl", "makes certificates"), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise KafkaError("openssl %s failed: %s" % (arguments[0], done.stdout.strip()[-300:]))


def authority(folder, name):
    """NAME.pem and NAME.key: a certificate authority."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", name + ".key", "-out", name + ".pem", "-days", "3650",
            "-subj", "/CN=millrace test authority " + name,
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip


def certificate(folder, name, subject, names, days):
    """NAME.pem and NAME.key signed by the authority `ca`, and both in NAME.store.pem.

    With negative `days` it ended that long ago."""
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + subject)  # fmt: skip
    extensions = os.path.join(folder, name + ".ext")
    with open(extensions, "w", encoding="ascii") as file:
        file.write(names + "\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", name + ".pem", "-days", str(days),
            "-extfile", extensions)  # fmt: skip
    with open(os.path.join(folder, name + ".store.pem"), "w", encoding="ascii") as store:
        for part in (name + ".key", name + ".pem", "ca.pem"):
            with open(os.path.join(folder, part), encoding="ascii") as file:
                store.write(file.read())
    os.remove(extensions)
    os.remove(os.path.join(folder, name + ".csr"))


def make_all(folder):
    os.makedirs(folder, mode=0o700, exist_ok=True)
    authority(folder, "ca")
    authority(folder, "other-ca")
    certificate(folder, "broker", "broker", HERE_NAMES, 3650)
    certificate(folder, "expired", "broker", HERE_NAMES, -1)
    certificate(folder, "wrong-host", "broker", OTHER_NAMES, 3650)
    certificate(folder, "client", "client", HERE_NAMES, 3650)
