#!/usr/bin/env python3
"""Certificates for tests:

    tests/services/certificates.py DIRECTORY

Writes an authority (ca.pem) and what it has signed, or not, for servers and for a client: NAME.pem and NAME.key each. Ends
with 77 if there is no openssl.
"""

import os
import shutil
import subprocess
import sys

# Name, what it is for, who has signed it: the authority, one that nobody knows, or itself.
CERTIFICATES = [
    ("good", "IP:127.0.0.1,DNS:localhost", "ca"),
    ("other-name", "DNS:keystone.example", "ca"),
    ("self-signed", "IP:127.0.0.1", None),
    ("client", "DNS:gander.example", "ca"),
    ("foreign-client", "DNS:gander.example", "foreign-ca"),
]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def files(directory, name):
    return f"{directory}/{name}.pem", f"{directory}/{name}.key"


def certificate(directory, name, names, signer):
    pem, key = files(directory, name)
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    about = ["-subj", f"/CN={name}", "-days", "2", "-out", pem]
    if names is None:
        extensions = ["-addext", "basicConstraints=critical,CA:TRUE"]
    else:
        extensions = ["-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE"]
    authority = []
    if signer:
        of, by = files(directory, signer)
        authority = ["-CA", of, "-CAkey", by]
    openssl("req", "-x509", *new, *about, *extensions, *authority)


def of_version_1(directory):
    """As `openssl x509` makes them of a request, with an RSA key, and of 2012's name and digest."""
    pem, key = files(directory, "version-1")
    request = f"{directory}/version-1.csr"
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=127.0.0.1", "-out", request)
    of, by = files(directory, "ca")
    openssl("x509", "-req", "-in", request, "-CA", of, "-CAkey", by, "-CAcreateserial", "-sha1", "-days", "2", "-out", pem)


def make(directory):
    if not shutil.which("openssl"):
        sys.exit(77)
    os.makedirs(directory, exist_ok=True)
    for authority in ("ca", "foreign-ca"):
        certificate(directory, authority, None, None)
    for name, names, signer in CERTIFICATES:
        certificate(directory, name, names, signer)
    of_version_1(directory)


if __name__ == "__main__":
    make(sys.argv[1])
