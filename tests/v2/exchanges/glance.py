"""Starts a real Glance from PyPI, fresh for each file of exchanges, and the web server it may be sent to."""

import contextlib
import http.server
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import venv

HERE = pathlib.Path(__file__).parent
PACKAGES = ["glance==33.0.0", "uwsgi==2.0.31", "setuptools"]
ORIGIN_DATA = bytes(5120)


def install(directory):
    """A virtual environment with Glance in it; made on first use."""
    python = directory / "bin" / "python"
    if not (directory / "bin" / "uwsgi").exists():
        venv.create(directory, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return directory


def empty_database(environment):
    """A database that `glance-manage db sync` has made; copied for each start."""
    database = environment / "empty.sqlite"
    if not database.exists():
        conf = environment / "sync.conf"
        conf.write_text(f"[database]\nconnection = sqlite:///{database}\n")
        command = [environment / "bin" / "glance-manage", "--config-file", conf, "db", "sync"]
        subprocess.run(command, check=True, capture_output=True)
    return database


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def configuration(work, flavor, options):
    lines = ["[DEFAULT]", "debug = True", "transport_url = fake://"]
    defaults = {
        "log_file": work / "api.log",
        "node_staging_uri": f"file://{work}/staging",
        "image_cache_dir": work / "cache",
    }
    options = {name: value for name, value in {**defaults, **options}.items() if value is not None}
    # Files cannot know the directory; the options that name it do so as answers are kept.
    options = {name: str(value).replace("${work}", str(work)) for name, value in options.items()}
    lines += [f"{name} = {value}" for name, value in options.items() if "." not in name]
    lines += ["[database]", f"connection = sqlite:///{work}/glance.sqlite"]
    lines += ["[glance_store]", "stores = file,http", "default_store = file"]
    lines += [f"filesystem_store_datadir = {work}/images"]
    lines += ["[paste_deploy]", f"config_file = {HERE}/paste.ini", f"flavor = {flavor}"]
    lines += ["[oslo_concurrency]", f"lock_path = {work}"]
    for name, value in options.items():
        if "." in name:
            section, name = name.split(".")
            lines += [f"[{section}]", f"{name} = {value}"]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def running(environment, flavor, options):
    """Host and port, and the directory, of a Glance with an empty database and these options."""
    with tempfile.TemporaryDirectory(prefix="glance-") as name:
        work = pathlib.Path(name)
        for directory in ["images", "staging", "cache"]:
            (work / directory).mkdir()
        shutil.copy(empty_database(environment), work / "glance.sqlite")
        (work / "glance-api.conf").write_text(configuration(work, flavor, options))
        authority = f"127.0.0.1:{free_port()}"
        # What the sample of Glance says, but one process.
        flags = ["--processes=1", "--threads=8", "--enable-threads", "--lazy-apps", "--http-auto-chunked",
                 "--http-chunked-input", "--http-raw-body", "--buffer-size=65535", "--die-on-term", "--master",
                 "--need-app", "--add-header=Connection: close", "--module=glance.wsgi.api:application"]
        command = [environment / "bin" / "uwsgi", f"--http-socket={authority}", *flags]
        with open(work / "uwsgi.log", "wb") as log:
            variables = {**os.environ, "OS_GLANCE_CONFIG_DIR": name}
            server = subprocess.Popen(command, stdout=log, stderr=log, env=variables, cwd=name)
        try:
            wait_for(server, authority, work)
            yield authority, name
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            if keep := os.environ.get("KEEP_LOGS"):
                shutil.copy(work / "api.log", keep)


def wait_for(server, authority, work):
    host, port = authority.split(":")
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit(f"Glance did not start: {(work / 'api.log').read_text()[-600:]}")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=30) as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            if stream.recv(5) == b"HTTP/":
                return
        time.sleep(0.1)
    raise SystemExit("Glance does not answer")


class _Origin(http.server.BaseHTTPRequestHandler):
    """Serves the same zeros under every path that contains `images`; everything else is 404."""

    def do_HEAD(self):
        found = "images" in self.path
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(ORIGIN_DATA) if found else 0))
        self.end_headers()
        return found

    def do_GET(self):
        if self.do_HEAD():
            self.wfile.write(ORIGIN_DATA)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def origin():
    """Host and port of the web server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Origin)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield "127.0.0.1:{}".format(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
