"""Databases full of images, in Glance's own tables as `gander manage db sync` makes them."""
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import time

# The project that asks, and those of others.
PROJECT = "1" * 32
OTHERS = [f"{number:032x}" for number in range(2, 102)]
PROPERTIES = 10
# Every image has `bench_common` with one of 10 values, and `bench_rare` with a value that this many images share.
COMMON = 10
RARE = 100
# Of 20 images: 10 public ones, 4 of the asking project (2 private, 2 shared), 2 community ones, 4 private ones of others.
KINDS = ["public"] * 10 + ["own private"] * 2 + ["own shared"] * 2 + ["community"] * 2 + ["private"] * 4
VISIBLE = {"public", "own private", "own shared"}
FIRST_SECOND = 1_600_000_000
BATCH = 20_000
# How the names of these indexes begin.
OURS = "gander_"


class Catalogue:
    """A database of `size` images in a file, none of them with data. The same size gives the same images."""

    def __init__(self, binary, directory, size):
        self.size = size
        self.file = pathlib.Path(directory) / f"catalogue-{size}.sqlite"
        rng = random.Random(size)
        self.images = [(f"{rng.getrandbits(128):032x}", rng.choice(KINDS)) for _ in range(size)]
        self.images = [(dashed(number), kind) for number, kind in self.images]
        if not self.file.exists():
            self._make(binary)

    def visible(self):
        """Ids that the asking project may list, latest first: the order of a list that names none."""
        return [image for image, kind in reversed(self.images) if kind in VISIBLE]

    def copy(self, to, only_of_glance=False):
        """Gives a server a copy of its own, if wanted without the indexes that only Gander makes."""
        shutil.copyfile(self.file, to)
        if only_of_glance:
            with sqlite3.connect(to) as database:
                for (name,) in database.execute(f"SELECT name FROM sqlite_master WHERE name LIKE '{OURS}%'").fetchall():
                    database.execute(f"DROP INDEX {name}")
            database.close()

    def _make(self, binary):
        half = self.file.with_suffix(".half")
        for file in self.file.parent.glob(half.name + "*"):
            file.unlink()
        config = self.file.with_suffix(".conf")
        config.write_text(f"[database]\nconnection = sqlite:///{half}\n")
        subprocess.run([binary, "manage", "--config-file", config, "db", "sync"], check=True, stdout=subprocess.DEVNULL)
        config.unlink()
        with sqlite3.connect(half) as database:
            self._fill(database)
        # Nothing may be left in a log beside the file that is copied.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        os.rename(half, self.file)

    def _fill(self, database):
        database.execute("PRAGMA synchronous = OFF")
        # Indexes are made anew, sorted: much faster than entry by entry.
        indexes = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL").fetchall()
        for name, _ in indexes:
            database.execute(f"DROP INDEX {name}")
        for start in range(0, self.size, BATCH):
            numbers = range(start, min(start + BATCH, self.size))
            rows = [self._row(number) for number in numbers]
            insert(database, "images", rows)
            insert(database, "image_properties", [row for number in numbers for row in self._properties(number)])
            insert(database, "image_tags", [{**self._child(number), "value": f"tag-{number % 5}"} for number in numbers])
            insert(database, "image_locations", [
                {**self._child(number), "value": f"file:///nowhere/{self.images[number][0]}", "meta_data": "{}",
                 "status": "active"} for number in numbers
            ])
        for _, statement in indexes:
            database.execute(statement)

    def _row(self, number):
        image, kind = self.images[number]
        return {
            "id": image, "name": f"image {number}", "size": 1 << 20, "status": "active", **times(number), "deleted": 0,
            "disk_format": "qcow2", "container_format": "bare", "checksum": f"{number:032x}", "min_disk": 0, "min_ram": 0,
            "owner": PROJECT if kind.startswith("own") else OTHERS[number % len(OTHERS)], "protected": 0,
            "virtual_size": 1 << 30, "visibility": kind.split()[-1], "os_hidden": 0, "os_hash_algo": "sha512",
            "os_hash_value": f"{number:0128x}",
        }

    def _child(self, number):
        return {"image_id": self.images[number][0], **times(number), "deleted": 0}

    def _properties(self, number):
        values = {"bench_common": f"value-{number % COMMON}", "bench_rare": f"value-{number * 7919 % self.size // RARE}"}
        values.update({f"hw_property_{place}": f"{place} of {number}" for place in range(PROPERTIES - len(values))})
        return [{**self._child(number), "name": name, "value": value} for name, value in values.items()]


def dashed(digits):
    """32 digits as a random UUID."""
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def times(number):
    """One image a minute."""
    text = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.gmtime(FIRST_SECOND + 60 * number))
    return {"created_at": text, "updated_at": text}


def insert(database, table, rows):
    names = list(rows[0])
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    database.executemany(statement, [tuple(row.values()) for row in rows])
