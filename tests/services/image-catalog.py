"""Tells a Keystone of tests/services/keystone about the image service, and makes the service's own user.

    python image-catalog.py KEYSTONE IMAGES OTHER_IMAGES

OTHER_IMAGES is a second server of the same images, which Tempest wants to know as `image_remote`.
"""

import sys

import requests

keystone, images, other_images = sys.argv[1:]
session = requests.Session()
session.trust_env = False


def ask(method, path, **body):
    answer = session.request(method, f"{keystone}/{path}", json=body or None)
    answer.raise_for_status()
    return answer


domain = {"id": "default"}
identity = {"methods": ["password"], "password": {"user": {"name": "admin", "domain": domain, "password": "secret"}}}
scope = {"project": {"name": "admin", "domain": domain}}
token = ask("POST", "auth/tokens", auth={"identity": identity, "scope": scope})
session.headers["X-Auth-Token"] = token.headers["X-Subject-Token"]
project = token.json()["token"]["project"]["id"]

for name, kind, url in [("glance", "image", images), ("glance_remote", "image_remote", other_images)]:
    service = ask("POST", "services", service={"name": name, "type": kind}).json()["service"]["id"]
    for interface in ["public", "internal", "admin"]:
        endpoint = {"service_id": service, "interface": interface, "region_id": "RegionOne", "url": url}
        ask("POST", "endpoints", endpoint=endpoint)

user = {"name": "glance", "password": "secret", "domain_id": "default"}
glance = ask("POST", "users", user=user).json()["user"]["id"]
role = ask("GET", "roles?name=admin").json()["roles"][0]["id"]
ask("PUT", f"projects/{project}/users/{glance}/roles/{role}")
