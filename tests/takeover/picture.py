"""What is to be seen of the images and of the cache, and where two such pictures differ."""

import hashlib
import os
import sqlite3
import time

import sqlalchemy

from cloud import PATCH
from population import IMPORTED, TAKES_LONG, cached, tasks

LISTS = [
    "", "visibility=all", "visibility=public", "visibility=community", "visibility=shared", "visibility=private",
    "os_hidden=true", "member_status=all", "member_status=pending", "visibility=shared&member_status=rejected", "tag=big",
    "status=deactivated", "sort=name:asc,size:desc,id:asc", "size_min=1&size_max=5000", "protected=true",
]


def of_api(server, all_of, heaped=False):
    """What each person is told of each image, and of lists of them. Nothing is left out but the order of tags, which are a
    set, and which Glance tells in another order after each start; and where a changed row goes to the end of the `heaped`
    ones, that of members and locations, which Glance asks for in no order."""
    seen = {}
    for name, caller in all_of.people.items():
        for query in LISTS:
            answer = caller.ask(server, "GET", f"/v2/images?limit=500&{query}", 200)
            seen[f"{name}: list {query}"] = [_unordered(image) for image in answer.json()["images"]]
        for title, image in all_of.images.items():
            for part in ["", "/members"]:
                answer = caller.ask(server, "GET", f"/v2/images/{image}{part}", (200, 403, 404))
                in_order = _unordered if heaped else _in_order
                told = in_order(answer.json()) if answer.status_code == 200 else None
                seen[f"{name}: {title}{part}"] = (answer.status_code, told)
    return seen


def of_refusals(server, all_of):
    """What comes of what people may not do, and of what cannot be done."""
    seen = {}
    json, data = {"Content-Type": PATCH}, {"Content-Type": "application/octet-stream"}
    rename, four_bytes = [{"op": "replace", "path": "/name", "value": "theirs"}], "\U0001d11e"
    attempts = [
        ("PATCH", "", {"json": rename, "headers": json}), ("PUT", "/file", {"data": b"theirs", "headers": data}),
        ("PUT", "/stage", {"data": b"theirs", "headers": data}), ("DELETE", "", {}), ("PUT", "/tags/theirs", {}),
        ("POST", "/members", {"json": {"member": "0" * 32}}), ("DELETE", "/members/" + "0" * 32, {}),
        ("POST", "/actions/deactivate", {}), ("POST", "/actions/reactivate", {}),
    ]
    of_alice = ["private of alice", "community of alice", "chosen", "for many", "protected", "all at once", "empty", "big"]
    for name in ["rolf", "bob", "carol", "sven"]:
        for title in of_alice:
            for method, path, said in attempts:
                answer = all_of.people[name].ask(server, method, f"/v2/images/{all_of.images[title]}{path}", **said)
                seen[f"{name}: {method} {title}{path}"] = answer.status_code
    rolf, alice = all_of.people["rolf"], all_of.people["alice"]
    seen["rolf: create"] = rolf.ask(server, "POST", "/v2/images", json={"name": "rolf's"}).status_code
    for field in ["name", "property", four_bytes]:
        answer = alice.ask(server, "POST", "/v2/images", json={field: f"{four_bytes} of four bytes"})
        seen[f"create with {field} of four bytes"] = answer.status_code
    for change in [("replace", "/name", four_bytes), ("add", "/property", four_bytes), ("replace", "/tags", [four_bytes])]:
        document = [dict(zip(("op", "path", "value"), change))]
        path = f"/v2/images/{all_of.images['big']}"
        seen[f"change {change}"] = alice.ask(server, "PATCH", path, json=document, headers=json).status_code
    return seen


def of_tasks(server, all_of):
    """What Glance tells of its tasks."""
    told = {name: caller.ask(server, "GET", "/v2/tasks", (200, 403)).text for name, caller in all_of.people.items()}
    return told | {title: tasks(server, all_of, title) for title in IMPORTED}


def _in_order(told):
    return {**told, "tags": sorted(told["tags"])} if "tags" in told else told


def _unordered(told):
    """In lists Glance asks PostgreSQL for locations in no order at all, and calls direct the one that comes first."""
    told = _in_order(told)
    if len(told.get("locations", [])) > 1:
        del told["direct_url"]
        told["locations"] = sorted(told["locations"], key=lambda location: location["url"])
    if "members" in told:
        told["members"] = sorted(told["members"], key=lambda member: member["member_id"])
    return told


def of_downloads(server, all_of):
    """Who gets which data. Waits until the cache has counted what it served."""
    admin = all_of.people["admin"]
    hits = {entry["image_id"]: entry["hits"] for entry in cached(admin, server)}
    seen = {}
    for title, image in all_of.images.items():
        if _status(server, admin, image) == "importing":
            # Glance gives what is not proved yet, as far as it comes; Gander gives nothing.
            continue
        for name, caller in all_of.people.items():
            answer = caller.ask(server, "GET", f"/v2/images/{image}/file", (200, 204, 403, 404))
            told = {header: answer.headers.get(header) for header in ["Content-Type", "Content-MD5"]}
            digest = hashlib.sha256(answer.content).hexdigest()
            seen[f"{name}: data of {title}"] = (answer.status_code, told, digest) if answer.ok else answer.status_code
            if answer.ok:
                whole = all_of.data.get(title, b"") if answer.status_code == 200 else b""
                assert answer.content == whole, f"{name}: {title} is not what was uploaded"
            if answer.status_code == 200 and _status(server, admin, image) == "active":
                # The first one puts it there, the others find it. (What is deactivated is not served from there, but Glance
                # puts it there.)
                hits[image] = hits[image] + 1 if image in hits else 0
    wait_for_hits(server, admin, hits)
    return seen


def _status(server, admin, image):
    answer = admin.ask(server, "GET", f"/v2/images/{image}", (200, 404))
    return answer.json()["status"] if answer.ok else "gone"


def wait_for_hits(server, admin, expected):
    """Glance counts a hit when the client has all of the data already. What else is in the cache does not matter."""
    deadline = time.monotonic() + TAKES_LONG
    while True:
        counted = {entry["image_id"]: entry["hits"] for entry in cached(admin, server) if entry["image_id"] in expected}
        if counted == expected:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"hits: {differences(expected, counted)}")
        time.sleep(0.05)


def of_cache(server, admin, driver):
    """What the server tells of its cache. The order means nothing: drivers have none."""
    told = admin.ask(server, "GET", "/v2/cache", 200).json()
    if driver == "xattr":
        # The times are those of the files, which Glance tells in whole seconds.
        for entry in told["cached_images"]:
            entry.update({time: int(entry[time]) for time in ["last_accessed", "last_modified"]})
    return {
        "queued": sorted(told["queued_images"]),
        **{f"entry {entry['image_id']}": entry for entry in told["cached_images"]},
    }


def of_files(directory):
    """Every file below a directory by its digest, and by its extended attributes."""
    seen = {}
    for place, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(place, name)
            if ".db" in name:
                continue
            # The time of the last access is what one of the drivers goes by.
            with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOATIME)) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            attributes = {attribute: os.getxattr(path, attribute) for attribute in os.listxattr(path)}
            seen[os.path.relpath(path, directory)] = (digest, attributes)
    return seen


def of_index(node):
    """The rows of the cache's index, if it is a table."""
    if node.driver == "centralized_db":
        return dict.fromkeys(of_database(node.database)["cached_images"])
    path = node.cache / "cache.db"
    if not path.exists():
        return {}
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT image_id, last_accessed, last_modified, size, hits, checksum FROM cached_images")
        return {row[0]: row[1:] for row in rows}


def of_database(url):
    """Every row of every table, by the table's name."""
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            tables = sqlalchemy.inspect(connection).get_table_names()
            quote = engine.dialect.identifier_preparer.quote
            rows = {table: connection.execute(sqlalchemy.text(f"SELECT * FROM {quote(table)}")) for table in sorted(tables)}
            return {table: sorted((repr(tuple(row)) for row in found)) for table, found in rows.items()}
    finally:
        engine.dispose()


def differences(before, after, path=""):
    """Where two pictures differ, a line each."""
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for key in sorted({*before, *after}, key=str):
            there = f"{path}/{key}"
            if key not in after:
                found.append(f"{there}: is missing, was {before[key]!r:.300}")
            elif key not in before:
                found.append(f"{there}: is new: {after[key]!r:.300}")
            else:
                found += differences(before[key], after[key], there)
        return found
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)) and len(before) == len(after):
        return [line for number, pair in enumerate(zip(before, after)) for line in differences(*pair, f"{path}/{number}")]
    return [] if before == after else [f"{path}: {before!r:.400} is now {after!r:.400}"]
