"""Python Glance 33 from PyPI, as it is deployed: uWSGI, two processes; without an identity service.

With a catalogue it has its own rules, knows its callers by the headers of whoever stands before it, and has no cache;
otherwise it asks for nothing, and its cache is on.
"""
import json
import os
import pathlib
import subprocess
import sys

from . import client, machine, trusted

PACKAGES = ["glance==33.*", "uwsgi"]
# Without an identity service the caller has no roles, and the default rules refuse nearly everything: none are asked.
RULES = "import glance.policies, json; print(json.dumps({rule.name: '' for rule in glance.policies.list_rules()}))"
UWSGI = """[uwsgi]
module = glance.wsgi.api:application
http-socket = 127.0.0.1:{port}
processes = 2
master = true
enable-threads = true
lazy-apps = true
thunder-lock = true
die-on-term = true
exit-on-reload = true
buffer-size = 65535
http-auto-chunked = true
http-chunked-input = true
http-raw-body = true
socket-timeout = 60
add-header = Connection: close
disable-logging = true
"""
GLANCE = """[DEFAULT]
image_cache_dir = {data}/cache
image_cache_max_size = {cache_size}
worker_self_reference_url = http://127.0.0.1:{port}
node_staging_uri = file://{data}/stage
show_multiple_locations = true
[oslo_concurrency]
lock_path = {data}/locks
{access}[database]
connection = sqlite:///{data}/glance.sqlite
[import_filtering_opts]
allowed_hosts = [127.0.0.1]
allowed_ports = []
[glance_store]
stores = file,http
default_store = file
filesystem_store_datadir = {data}/images
"""
OPEN = """[oslo_policy]
policy_file = {data}/policy.json
enforce_scope = false
enforce_new_defaults = false
[paste_deploy]
flavor = cachemanagement
"""


def install(stage, venv):
    """The directory of a virtual environment that has it: the given one, or a new one that ends with the stage."""
    if venv:
        return pathlib.Path(venv)
    venv = stage.directory() / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
    return venv


class Glance:
    """A server of the v2 API with SQLite, file and http stores."""

    name = "Glance 33"
    # So that an answer without a length is not chunked, and its bytes are the image's alone.
    http_version = "1.0"

    def __init__(self, stage, place=None, catalogue=None):
        venv = stage.options.venv
        self.data = stage.directory(place)
        self.cache = self.data / "cache"
        self.port = machine.free_port()
        for name in ("cache", "images", "stage", "locks"):
            (self.data / name).mkdir()
        paste = trusted.PASTE if catalogue else venv / "etc" / "glance" / "glance-api-paste.ini"
        (self.data / "glance-api-paste.ini").write_text(paste.read_text())
        access = "" if catalogue else self._ask_nothing(venv)
        values = {"data": self.data, "port": self.port, "cache_size": 1 << 40, "access": access}
        (self.data / "glance-api.conf").write_text(GLANCE.format(**values))
        (self.data / "uwsgi.ini").write_text(UWSGI.format(**values))
        if catalogue:
            catalogue.copy(self.data / "glance.sqlite", only_of_glance=True)
        else:
            self._make_database(venv)
        environment = {**os.environ, "OS_GLANCE_CONFIG_DIR": str(self.data)}
        command = [venv / "bin" / "uwsgi", "--ini", self.data / "uwsgi.ini"]
        self._start = lambda: stage.start(command, self.port, environment)
        self.process = self._start()

    def restart(self):
        """Drops what it still does for clients that are gone."""
        self.process.stop()
        self.process = self._start()

    def _ask_nothing(self, venv):
        rules = subprocess.run([venv / "bin" / "python", "-c", RULES], check=True, stdout=subprocess.PIPE).stdout
        (self.data / "policy.json").write_bytes(rules)
        return OPEN.format(data=self.data)

    def _make_database(self, venv):
        subprocess.run(
            [venv / "bin" / "glance-manage", "--config-file", self.data / "glance-api.conf", "db", "sync"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def _create(self):
        record = {"name": "bench", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
        headers = {"content-type": "application/json"}
        _, image = client.request(self.port, "POST", "/v2/images", headers, json.dumps(record))
        return image["id"]

    def upload(self, source):
        """Makes an image of a file; the seconds that its data took, and the image's id."""
        image = self._create()
        headers = {"content-type": "application/octet-stream"}
        seconds, _ = client.timed(client.send_file, self.port, "PUT", self.path(image), headers, source)
        return seconds, image

    def register(self, url):
        """Makes an image of what is at a URL; its id."""
        image = self._create()
        change = [{"op": "add", "path": "/locations/-", "value": {"url": url, "metadata": {}}}]
        headers = {"content-type": "application/openstack-images-v2.1-json-patch"}
        client.request(self.port, "PATCH", f"/v2/images/{image}", headers, json.dumps(change))
        return image

    def path(self, image):
        """Where the data is to be had."""
        return f"/v2/images/{image}/file"

    def evict(self, image):
        client.request(self.port, "DELETE", f"/v2/cache/{image}")

    def delete(self, image):
        client.request(self.port, "DELETE", f"/v2/images/{image}")
