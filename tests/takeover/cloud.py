"""People of several projects, known to a real Keystone, and how they talk to the image service."""

import subprocess
import sys

import requests

import servers

DOMAIN = {"id": "default"}
# Who, in which project, in which roles.
PEOPLE = {
    "admin": ("admin", ["admin"]),
    "alice": ("red", ["member", "reader"]),
    "bob": ("blue", ["member", "reader"]),
    "carol": ("green", ["member", "reader"]),
    # In alice's project, where he may only look; and somebody with whom nobody shares anything.
    "rolf": ("red", ["reader"]),
    "sven": ("black", ["member", "reader"]),
}
PATCH = "application/openstack-images-v2.1-json-patch"


class Caller:
    """Somebody with a token."""

    def __init__(self, keystone, name, project):
        identity = {"methods": ["password"], "password": {"user": {"name": name, "domain": DOMAIN, "password": "secret"}}}
        scope = {"project": {"name": project, "domain": DOMAIN}}
        answer = requests.post(f"{keystone}/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})
        answer.raise_for_status()
        self.name = name
        self.token = answer.headers["X-Subject-Token"]
        self.project = answer.json()["token"]["project"]["id"]

    def ask(self, server, method, path, expect=None, **options):
        """The answer. With `expect`, it is an error if its status is another."""
        headers = {"X-Auth-Token": self.token, **options.pop("headers", {})}
        # One connection each, as Glance closes them, and as the next server on the port must not meet one of the last.
        headers["Connection"] = "close"
        answer = requests.request(method, server + path, headers=headers, timeout=60, **options)
        if expect is not None and answer.status_code not in (expect if isinstance(expect, tuple) else (expect,)):
            raise AssertionError(f"{self.name}: {method} {path}: {answer.status_code}, not {expect}: {answer.text[:500]}")
        return answer

    def create(self, server, **record):
        """Makes a record of an image; its id."""
        record = {"disk_format": "raw", "container_format": "bare", **record}
        return self.ask(server, "POST", "/v2/images", 201, json=record).json()["id"]

    def upload(self, server, image, data, expect=204, store=None):
        headers = {"Content-Type": "application/octet-stream", **({"x-image-meta-store": store} if store else {})}
        return self.ask(server, "PUT", f"/v2/images/{image}/file", expect, data=data, headers=headers)

    def change(self, server, image, *changes, expect=200):
        """Changes by operation, path and value: ("replace", "/name", "x")."""
        document = [dict(zip(("op", "path", "value"), change)) for change in changes]
        return self.ask(server, "PATCH", f"/v2/images/{image}", expect, json=document, headers={"Content-Type": PATCH})


class Cloud:
    """A Keystone in which the image service and some people are known."""

    def __init__(self, keystone):
        self.keystone = f"http://127.0.0.1:{keystone.port}/v3"
        catalogue = [sys.executable, servers.ROOT / "tests/services/image-catalog.py", self.keystone]
        subprocess.run([*catalogue, "http://images.test", "http://images.test"], check=True)
        admin = Caller(self.keystone, "admin", "admin")
        roles = {role["name"]: role["id"] for role in self._tell(admin, "GET", "roles")["roles"]}
        projects = {}
        for name, (project, names) in PEOPLE.items():
            if name == "admin":
                continue
            if project not in projects:
                described = {"name": project, "domain_id": "default"}
                projects[project] = self._tell(admin, "POST", "projects", project=described)["project"]["id"]
            where = projects[project]
            described = {"name": name, "password": "secret", "domain_id": "default"}
            who = self._tell(admin, "POST", "users", user=described)["user"]["id"]
            for role in names:
                admin.ask(self.keystone, "PUT", f"/projects/{where}/users/{who}/roles/{roles[role]}", 204)
        self.people = {name: Caller(self.keystone, name, project) for name, (project, _) in PEOPLE.items()}

    def _tell(self, admin, method, path, **body):
        return admin.ask(self.keystone, method, f"/{path}", (200, 201), json=body or None).json()
