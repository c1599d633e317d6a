"""What the scenarios share: who is asking, steps that are told as they go, checks, and an image of one GiB.

A scenario is called as `SCENARIO.py ENDPOINT`, ENDPOINT without a version. The server behind it believes the identity
headers that come in (the `context` filter with no `authtoken` before it), and keeps a cache with its management.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
import time
import traceback
import uuid

from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session

MIB = 1 << 20
# More than the 1,000 images that a server may put on one page.
MANY = 1050
PAGE = 100


class Caller:
    """A user of a project, made up for this run, so that the server may hold images of earlier runs."""

    def __init__(self, role="member"):
        self.project = uuid.uuid4().hex
        roles = {"member": "member,reader", "admin": "admin,member,reader"}[role]
        self.headers = {
            "X-Identity-Status": "Confirmed",
            "X-User-Id": uuid.uuid4().hex,
            "X-Tenant-Id": self.project,
            "X-Project-Id": self.project,
            "X-Roles": roles,
        }

    def session(self):
        """What clients send their requests through; it adds the identity."""
        return Session(auth=NoAuth(endpoint=endpoint()), additional_headers=dict(self.headers))


def endpoint():
    return sys.argv[1].rstrip("/")


def play(*acts):
    """Plays all acts, each a function and its arguments, also after one has failed; then ends the process."""
    failed = []
    for act, *arguments in acts:
        try:
            act(*arguments)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            failed.append(act.__name__)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


@contextlib.contextmanager
def step(what):
    """Tells what begins, and how long it took; a failure is seen below the step it belongs to."""
    print(f"{what} ...", flush=True)
    begin = time.monotonic()
    yield
    print(f"    {time.monotonic() - begin:.1f} s", flush=True)


def equal(actual, expected, what):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(kind, call, *args, **kwargs):
    """The exception of this very kind (a status, as the client tells it) with which the call fails."""
    try:
        result = call(*args, **kwargs)
        if hasattr(result, "__next__"):
            list(result)
    except kind as error:
        return error
    raise AssertionError(f"{call} was not refused with {kind.__name__}")


def eventually(what, probe, limit=30):
    """Asks again until the answer is yes: for what a server does in the background."""
    deadline = time.monotonic() + limit
    while not probe():
        true(time.monotonic() < deadline, f"not within {limit} s: {what}")
        time.sleep(0.05)


class Digests:
    """MD5, SHA-512 and size of what is fed."""

    def __init__(self):
        self.md5, self.sha512, self.size = hashlib.md5(), hashlib.sha512(), 0

    def feed(self, chunk):
        self.md5.update(chunk)
        self.sha512.update(chunk)
        self.size += len(chunk)

    def all(self):
        return self.size, self.md5.hexdigest(), self.sha512.hexdigest()


def digests(chunks):
    """Of a whole image, given in parts."""
    sums = Digests()
    for chunk in chunks:
        sums.feed(chunk)
    return sums.all()


def file_digests(path):
    with open(path, "rb") as file:
        return digests(iter(lambda: file.read(MIB), b""))


@contextlib.contextmanager
def big_image():
    """A file of 1 GiB of noise, no two MiB of which are alike, and its digests."""
    noise = os.urandom(MIB - 8)
    sums = Digests()
    with tempfile.NamedTemporaryFile(prefix="big-image-") as file:
        for number in range(1024):
            for part in (number.to_bytes(8, "big"), noise):
                file.write(part)
                sums.feed(part)
        file.flush()
        yield file.name, sums.all()


def noise(size):
    """A small image."""
    return os.urandom(size)
