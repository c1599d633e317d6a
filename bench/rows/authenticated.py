"""A show by a token that Keystone has judged before, of one without any identity: the ratio of their CPU.

Keystone is a real one, which `tests/services/keystone` installs from PyPI.
"""
import http.client
import json
import pathlib

from lib import client, load, machine, rounds
from lib.machine import Stage

TOOLS = {"wrk"}
SERVICE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "services" / "keystone"
ADMIN = {"name": "admin", "domain": {"id": "default"}, "password": "secret"}
PROJECT = {"project": {"name": "admin", "domain": {"id": "default"}}}
JSON = {"Content-Type": "application/json"}


class Server:
    """`gander api` without a cache in this flavor."""

    def __init__(self, stage, name, flavor, section):
        self.name, self.port = name, machine.free_port()
        data = stage.directory()
        config = data / "glance-api.conf"
        config.write_text(
            f"[DEFAULT]\nbind_host = 127.0.0.1\nbind_port = {self.port}\nfilesystem_store_datadir = {data}/images\n"
            f"[database]\nconnection = sqlite:///{data}/glance.sqlite\n[paste_deploy]\nflavor = {flavor}\n{section}"
        )
        self.start = lambda: stage.start([stage.options.binary, "api", "--config-file", config], self.port)
        self.process = self.start()

    def restart(self):
        self.process.stop()
        self.process = self.start()

    def register(self, headers):
        fields = {f"property{number}": "value" * 4 for number in range(10)}
        body = json.dumps({"name": "i", "disk_format": "raw", "container_format": "bare", "tags": ["a"], **fields})
        answer, _ = client.request(self.port, "POST", "/v2/images", {**JSON, **headers}, body)
        return answer["location"].split(str(self.port))[1]


def run(options):
    with Stage(options) as stage:
        port = machine.free_port()
        stage.start([SERVICE, stage.directory() / "data", str(port)], port)
        token = {"X-Auth-Token": log_in(port)}
        section = (
            f"[keystone_authtoken]\nauth_url = http://127.0.0.1:{port}\nusername = admin\npassword = secret\n"
            "project_name = admin\n"
        )
        servers = [Server(stage, "nobody is asked", "", ""), Server(stage, "by Keystone", "keystone", section)]
        paths = {server: server.register(token) for server in servers}
        measures = {
            (server, connections): lambda s=server, c=connections: load.wrk(s, paths[s], c, options.seconds, token)
            for server in servers for connections in options.connections
        }
        found = rounds.interleaved(options.rounds, measures)
    row = rounds.table("show", "connections", "requests per CPU second", "CPU of one without identity", "errors")
    for (server, connections), its in found.items():
        plain = found[servers[0], connections]
        row(server.name, str(connections), its["per_cpu"], rounds.ratio(plain["per_cpu"], its["per_cpu"]), its["errors"])


def log_in(port):
    """A token of the admin."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    identity = {"methods": ["password"], "password": {"user": ADMIN}}
    connection.request("POST", "/v3/auth/tokens", json.dumps({"auth": {"identity": identity, "scope": PROJECT}}), JSON)
    return connection.getresponse().headers["X-Subject-Token"]
