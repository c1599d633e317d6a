"""Callers that are identified by headers, as behind a proxy that has asked the identity service."""
import pathlib

from .catalogue import PROJECT

# The pipelines of today without `authtoken`.
PASTE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "v2" / "exchanges" / "paste.ini"
_IDENTIFIED = {
    "X-Identity-Status": "Confirmed", "X-Auth-Token": "a-token", "X-User-Id": "2" * 32, "X-Project-Id": PROJECT,
    "Accept": "application/json",
}
MEMBER = {**_IDENTIFIED, "X-Roles": "member,reader"}
ADMIN = {**_IDENTIFIED, "X-Roles": "admin,member,reader"}
