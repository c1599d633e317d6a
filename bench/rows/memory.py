"""Peak memory per stream: downloads of a huge image by clients that hardly read, and uploads side by side.

The image is a sparse file at an http location; the same file stands in the cache directory, which makes it an entry once
it was read to its end and proved to be the image.
"""
import contextlib
import hashlib
import selectors
import sqlite3
import sys
import threading
import time

from lib import client, rounds
from lib.machine import GIB, MIB, Stage
from lib.servers import Gander, Nginx

TOOLS = {"nginx"}
# A client takes this much at a time, and all of them together pause this long in between.
SIP = 64 << 10
PAUSE = 0.05


def run(options):
    row = rounds.table(
        "memory in MiB, worst of the rounds", "streams", "idle VmRSS", "peak (VmHWM)", "per stream", "idle RssAnon",
        "peak RssAnon", "per stream",
    )
    downloads = [measure_downloads(options) for _ in range(options.memory_rounds)]
    show(row, f"downloads of {options.sparse_gib} GiB, slow readers", options.downloads, downloads)
    uploads = [measure_uploads(options) for _ in range(options.memory_rounds)]
    show(row, f"uploads of {options.each_mib} MiB", options.uploads, uploads)


def show(row, what, streams, peaks):
    worst = max(peaks, key=lambda peak: peak.total - peak.idle_total)
    row(
        what, streams, worst.idle_total, worst.total, (worst.total - worst.idle_total) / streams,
        worst.idle_anonymous, worst.anonymous, (worst.anonymous - worst.idle_anonymous) / streams,
    )


class Peak:
    """Memory of a process while the block runs. The kernel keeps the peak of the whole; of RssAnon we take samples."""

    def __init__(self, process):
        self.process = process
        self.idle_total, self.idle_anonymous = process.memory("VmRSS"), process.memory("RssAnon")
        self.anonymous = self.idle_anonymous
        self.over = threading.Event()
        self.sampler = threading.Thread(target=self._sample)

    def _sample(self):
        while not self.over.wait(0.01):
            self.anonymous = max(self.anonymous, self.process.memory("RssAnon"))

    def __enter__(self):
        self.process.reset_peak()
        self.sampler.start()
        return self

    def __exit__(self, *_):
        self.total = self.process.memory("VmHWM")
        self.over.set()
        self.sampler.join()


def measure_downloads(options):
    with Stage(options) as stage:
        served = stage.directory()
        gander = Gander(stage)
        origin = Nginx(stage, served, count=True)
        sparse(served / "image", options.sparse_gib)
        image = gander.register(origin.url("/image"))
        note_checksum(gander.data / "glance.sqlite", image, options.sparse_gib)
        sparse(gander.cache / image, options.sparse_gib)
        client.request(gander.port, "GET", gander.path(image), {"range": "bytes=0-0"})
        with Peak(gander.process) as peak:
            sip(gander, gander.path(image), options)
        if (gander.cache / "incomplete" / image).exists() or origin.reads("/image"):
            sys.exit("the planted entry was not taken for one")
        return peak


def sparse(path, gib):
    with open(path, "wb") as file:
        file.truncate(gib * GIB)


def note_checksum(database, image, gib):
    """Notes the MD5 of that many zeros: v1 takes none from clients for what lies elsewhere."""
    digest, block = hashlib.md5(), bytes(MIB)
    for _ in range(gib * 1024):
        digest.update(block)
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE images SET checksum = ? WHERE id = ?", (digest.hexdigest(), image))


def sip(server, path, options):
    """Opens all downloads, and reads a little of each now and then."""
    connections = [client.connect(server.port) for _ in range(options.downloads)]
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            client.begin(connection, path, server.http_version)
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ)
        buffer, deadline = bytearray(SIP), time.monotonic() + options.hold_seconds
        while time.monotonic() < deadline:
            for key, _ in selector.select(0):
                if not client.discard(key.fileobj, buffer):
                    sys.exit("a download ended early")
            time.sleep(PAUSE)
    for connection in connections:
        connection.close()


def measure_uploads(options):
    with Stage(options) as stage:
        source = client.random_file(stage.directory() / "image", options.each_mib * MIB)
        gander = Gander(stage)
        with Peak(gander.process) as peak:
            client.side_by_side(options.uploads, lambda: gander.upload(source))
        return peak
