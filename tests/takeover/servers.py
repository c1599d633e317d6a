"""Starts and ends the servers: Keystone, databases, Glance as it is deployed (uWSGI), Gander."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV = pathlib.Path(sys.prefix)
UNAVAILABLE = 77
# What the sample of Glance says, but for the number of processes.
UWSGI = [
    "--processes=2", "--threads=4", "--enable-threads", "--lazy-apps", "--thunder-lock", "--http-auto-chunked",
    "--http-chunked-input", "--http-raw-body", "--buffer-size=65535", "--die-on-term", "--exit-on-reload", "--master",
    "--need-app", "--add-header=Connection: close", "--module=glance.wsgi.api:application",
]


def free_port():
    """A port that the kernel will not give to anybody else for a while: it has had a connection that this side closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        return listener.getsockname()[1]


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return stream.recv(5) == b"HTTP/"
    except OSError:
        return False


class Server:
    """A program that serves on a port until it is stopped."""

    def __init__(self, command, port, log, **environment):
        self.port = port
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={**os.environ, **environment}, start_new_session=True,
            )
        # The first Keystone installs itself before.
        for _ in range(6000):
            if answers(port):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        status = self.process.poll()
        self.stop()
        print(log.read_text()[-2000:], file=sys.stderr)
        sys.exit(UNAVAILABLE if status == UNAVAILABLE else f"does not start: {command}")

    def stop(self):
        """Asks it to end, as an operator does, and waits for that."""
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        """Ends it and its children where they are."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


def keystone(work):
    port = free_port()
    return Server([ROOT / "tests/services/keystone", work / "keystone", port], port, work / "keystone.log")


def glance(node):
    """A Glance of PyPI with the configuration of this node."""
    command = [VENV / "bin" / "uwsgi", f"--http-socket=127.0.0.1:{node.port}", *UWSGI]
    return Server(command, node.port, node.directory / "glance.log", OS_GLANCE_CONFIG_DIR=str(node.directory))


def gander(program, node):
    """A Gander with the same."""
    command = [program, "api", "--config-file", node.directory / "glance-api.conf"]
    return Server(command, node.port, node.directory / "gander.log", HOME=str(node.directory))


def glance_manage(node, *words):
    tool(VENV / "bin" / "glance-manage", "--config-file", node.directory / "glance-api.conf", "db", *words)


def tool(*command):
    """Runs a command that must succeed."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} fails: {done.stderr[-2000:]}")


class DatabaseServer:
    """A private MariaDB or PostgreSQL with an empty database."""

    def __init__(self, kind):
        self.port = free_port()
        self.kind = kind
        self.process = subprocess.Popen(
            [ROOT / "crates/testdb/serve", kind, str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if not self.process.stdout.readline().startswith("ready "):
            sys.exit(UNAVAILABLE if self.process.wait() == UNAVAILABLE else f"{kind} does not start")
        self._tell("create glance")

    def _tell(self, command):
        print(command, file=self.process.stdin, flush=True)
        if self.process.stdout.readline().strip() != "done":
            raise AssertionError(f"{self.kind} cannot {command}")

    @property
    def url(self):
        """As operators write it for SQLAlchemy."""
        if self.kind == "postgresql":
            return f"postgresql+psycopg2://glance@127.0.0.1:{self.port}/glance"
        return f"mysql+pymysql://glance:gl%40nce@127.0.0.1:{self.port}/glance?charset=utf8"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
