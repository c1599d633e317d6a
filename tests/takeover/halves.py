"""What a server leaves half-way when it is killed: images that wait for data which does not come."""

import socket
import time

import sqlalchemy

from population import TAKES_LONG, data, stage

ANNOUNCED = 1_000_000


def begin(server, all_of, who, kinds):
    """Begins work of each kind on an image of alice's, which `who` will not end; what must be kept until it is killed."""
    streams = []
    for kind in kinds:
        name = f"{kind}, left by {who}"
        all_of.make(server, name)
        streams.append(_KINDS[kind][0](server, all_of, name))
        _wait_for(server, all_of, name, _KINDS[kind][1])
    return streams


def kill_image(database, image):
    """Gives it the status of an upload that failed by v1."""
    engine = sqlalchemy.create_engine(database)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE images SET status = 'killed' WHERE id = :id"), {"id": image})
    engine.dispose()


def _wait_for(server, all_of, name, status):
    deadline = time.monotonic() + TAKES_LONG
    while (now := all_of.ask(server, "GET", name).json()["status"]) != status:
        assert time.monotonic() < deadline, f"{name} is {now}, not {status}"
        time.sleep(0.02)


def _half(path):
    """Half of the data, by this way."""

    def send(server, all_of, name):
        host, port = server.removeprefix("http://").split(":")
        stream = socket.create_connection((host, int(port)))
        head = [
            f"PUT /v2/images/{all_of.images[name]}/{path} HTTP/1.1", f"Host: {host}:{port}", f"Content-Length: {ANNOUNCED}",
            "Content-Type: application/octet-stream", f"X-Auth-Token: {all_of.people['alice'].token}", "", "",
        ]
        stream.sendall("\r\n".join(head).encode() + data(name, ANNOUNCED // 2))
        return stream

    return send


def _prove(server, all_of, name):
    proof = {"os_hash_algo": "sha256", "os_hash_value": "0" * 64}
    place = {"url": f"{all_of.web}/stalling", "validation_data": proof}
    all_of.ask(server, "POST", name, "/locations", expect=202, json=place)


def _download(server, all_of, name):
    method = {"name": "web-download", "uri": f"{all_of.web}/stalling"}
    all_of.ask(server, "POST", name, "/import", expect=202, json={"method": method})


# How it begins, and the status that the image has then.
_KINDS = {
    "half an upload": (_half("file"), "saving"),
    "half staged": (_half("stage"), "uploading"),
    "staged": (stage, "uploading"),
    "being proved": (_prove, "importing"),
    "being imported": (_download, "importing"),
}
EVERYBODYS = ["half an upload", "half staged", "staged", "being proved"]
GLANCES = [*EVERYBODYS, "being imported"]
