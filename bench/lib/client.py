"""Clients that cost next to nothing: what they receive the kernel drops, what they send the kernel reads."""
import http.client
import json
import os
import socket
import sys
import threading
import time

BLOCK = 1 << 20
# Received before a download wakes up, unless it ends: without it the client takes as much CPU time as nginx.
ENOUGH = 256 << 10
PATIENCE = 900


def request(port, method, path, headers=None, body=None):
    """Status, headers and body of a small exchange; an error of the server ends the run."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status >= 300:
        sys.exit(f"{method} {path}: {response.status} {text[:300]}")
    return response.headers, json.loads(text) if text.startswith(b"{") else None


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def begin(connection, path, version):
    """Asks for a body; gives how much of it came along with the head."""
    connection.sendall(f"GET {path} HTTP/{version}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        if not (part := connection.recv(4096)):
            break
        head += part
    status, _, rest = head.partition(b"\r\n")
    if status.split()[1:2] != [b"200"]:
        sys.exit(f"GET {path}: {status}")
    return len(rest.split(b"\r\n\r\n", 1)[1])


def discard(connection, buffer):
    """Takes what is there; gives how much it was."""
    # MSG_TRUNC on a TCP socket: the kernel drops the bytes and only tells how many they were.
    return connection.recv_into(buffer, len(buffer), socket.MSG_TRUNC)


def download(port, path, version="1.1"):
    """Bytes of the body."""
    with connect(port) as connection:
        received = begin(connection, path, version)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, ENOUGH)
        nothing = bytearray(BLOCK)
        while count := discard(connection, nothing):
            received += count
        return received


def side_by_side(count, job):
    """Seconds until the last of this many threads has done the job."""
    faults = []

    def guarded():
        try:
            job()
        except (OSError, SystemExit) as fault:
            faults.append(fault)

    threads = [threading.Thread(target=guarded) for _ in range(count)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if faults:
        sys.exit(f"{len(faults)} of {count} clients failed, one of them so: {faults[0]}")
    return seconds


def download_all(server, path, connections, size):
    """Seconds until the last of `connections` has all `size` bytes."""

    def one():
        if (got := download(server.port, path, server.http_version)) != size:
            sys.exit(f"{got} bytes instead of {size}")

    return side_by_side(connections, one)


def send_file(port, method, path, headers, source):
    """Sends a file as a request's body; the headers of the answer."""
    size = os.path.getsize(source)
    head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": size}.items())
    with connect(port) as connection, open(source, "rb") as file:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\n".encode())
        connection.sendfile(file)
        response = http.client.HTTPResponse(connection)
        response.begin()
        text = response.read()
        if response.status >= 300:
            sys.exit(f"{method} {path}: {response.status} {text[:300]}")
        return response.headers


def timed(job, *arguments):
    """Seconds that a job took, and what it gave."""
    started = time.perf_counter()
    given = job(*arguments)
    return time.perf_counter() - started, given


def random_file(path, size):
    """A file of data that nothing can compress."""
    with open(path, "wb") as file:
        block = os.urandom(min(size, 16 * BLOCK))
        for offset in range(0, size, len(block)):
            file.write(block[: size - offset])
    return path
