"""Sends the request of a step and puts the answer into the form in which it is kept."""

import hashlib
import json
import pathlib
import re
import socket
import time

SETUP = json.loads((pathlib.Path(__file__).parent / "setup.json").read_text())
KEPT = ["Content-Type", "Location", "Content-MD5", "Content-Range", "Allow", "Accept-Patch", "WWW-Authenticate",
        "OpenStack-image-import-methods", "OpenStack-image-store-ids"]
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b20[2-8]\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)?")
# What the validator says about a schema names Python's types and prints its dictionaries.
SCHEMA = re.compile(r"(does not match schema (?:'|&#x27;)\w+(?:'|&#x27;): )[\s\S]*?(<br /><br />|\Z)")
# Glance names them in any order.
FORMATS = re.compile(r"(Multiple formats detected: )[\w,]+")
STORE = re.compile(r"file://[^\s\"]*/images/")
CLOCKS = ("last_accessed", "last_modified")


class Player:
    """Plays the steps of one file against one server."""

    def __init__(self, authority, origin, variables):
        self.authority = authority
        self.variables = {**variables, "host": authority, "origin": origin}

    def play(self, step):
        """The answer to this step, as it is kept."""
        deadline = time.monotonic() + 20
        while True:
            answer, plain = self.once(step)
            if all(pointer(plain, where) == value for where, value in step.get("until", {}).items()):
                return answer
            if time.monotonic() > deadline:
                raise SystemExit(f"{step['name']}: never came: {step['until']}, but {answer}")
            time.sleep(0.05)

    def once(self, step):
        try:
            status, headers, data = self.exchange(step)
        except (ConnectionError, EOFError):
            return {"dropped": True}, None
        kind = headers.get("content-type", "")
        is_json = data and kind.startswith("application/json")
        plain = json.loads(data) if is_json else None
        for name, where in step.get("save", {}).items():
            self.variables[name] = pointer(plain, where)
        answer = {"status": status}
        kept = {name: self.normal(headers[name.lower()]) for name in KEPT if name.lower() in headers}
        if kind == "application/octet-stream" and "content-length" in headers:
            kept["Content-Length"] = headers["content-length"]
        answer["headers"] = kept
        if "x-openstack-request-id" not in headers:
            answer["request_id"] = False
        if is_json:
            answer["json"] = self.normal(without_prose(plain))
            if step.get("brief") and "images" in answer["json"]:
                answer["json"]["images"] = [image["id"] for image in answer["json"]["images"]]
        elif kind == "application/octet-stream":
            answer["data"] = {"size": len(data), "md5": hashlib.md5(data).hexdigest()}
        else:
            answer["text"] = self.normal(data.decode()).rstrip()
        return answer, plain

    def exchange(self, step):
        path = self.filled(step["path"])
        headers = dict(SETUP["headers"])
        if who := SETUP["identities"][step["as"]]:
            headers.update({**SETUP["identified"], **who})
        headers.update(step.get("headers", {}))
        data = self.body(step["body"]) if "body" in step else b""
        if step.get("chunked"):
            headers["Transfer-Encoding"] = "chunked"
            data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in pieces(data)) + b"0\r\n\r\n"
        elif "body" in step:
            headers.setdefault("Content-Length", str(len(data)))
        lines = [f"{step['method']} {path} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{name}: {self.filled(value)}" for name, value in headers.items() if value is not None]
        head = "\r\n".join([*lines, "Connection: close", "", ""]).encode()
        host, port = self.authority.split(":")
        with socket.create_connection((host, int(port)), timeout=60) as stream:
            try:
                stream.sendall(head + data)
            except ConnectionError:
                pass  # An early refusal; it is there to be read.
            received = bytearray()
            try:
                while block := stream.recv(65536):
                    received += block
            except ConnectionResetError:
                pass
        return parse(bytes(received), step["method"])

    def body(self, parts):
        """Text, zeros, hexadecimal bytes, something repeated, or JSON; or a list of these, one after the other."""
        if isinstance(parts, list):
            return b"".join(self.body(part) for part in parts)
        (kind, value), = parts.items()
        match kind:
            case "json":
                return self.filled(json.dumps(value, ensure_ascii=False)).encode()
            case "text":
                return self.filled(value).encode()
            case "hex":
                return bytes.fromhex(value)
            case "zeros":
                return bytes(value)
            case "repeat":
                return value[0].encode() * value[1]
        raise SystemExit(f"unknown kind of body: {kind}")

    def filled(self, text):
        return re.sub(r"\$\{(\w+)\}", lambda found: str(self.variables[found[1]]), text)

    def normal(self, value):
        """Without what differs from run to run; what the file gives or has saved is called by its name."""
        if isinstance(value, dict):
            return {self.normal(key): "<clock>" if key in CLOCKS else
                    sorted(self.normal(item), key=str) if key == "tags" and isinstance(item, list) else
                    self.normal(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.normal(item) for item in value]
        if not isinstance(value, str):
            return value
        for name, known in self.variables.items():
            if len(str(known)) > 8:
                value = value.replace(str(known), "${%s}" % name)
        value = UUID.sub("<uuid>", STORE.sub("file://<store>/", value))
        value = TIME.sub(lambda found: "<time%s%s>" % (".micro" if found[1] else "", found[2] or ""), value)
        value = FORMATS.sub(r"\1<formats>", value)
        return SCHEMA.sub(r"\1<explanation>\2", value)


def pieces(data):
    return [data[start:start + 1000] for start in range(0, len(data), 1000)]


def pointer(value, where):
    """What a JSON pointer leads to; nothing where it leads nowhere."""
    for part in where.split("/")[1:]:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (LookupError, TypeError, ValueError):
            return None
    return value


def without_prose(value):
    """The descriptions of a schema are free text."""
    if isinstance(value, dict):
        return {key: without_prose(item) for key, item in value.items()
                if not (key == "description" and isinstance(item, str))}
    if isinstance(value, list):
        return [without_prose(item) for item in value]
    return value


def parse(received, method):
    head, end, data = received.partition(b"\r\n\r\n")
    if not end:
        raise EOFError
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    headers = {name.lower(): value for name, value in headers.items()}
    if headers.get("transfer-encoding") == "chunked":
        whole = bytearray()
        while data:
            size, _, data = data.partition(b"\r\n")
            whole += data[:int(size, 16)]
            data = data[int(size, 16) + 2:]
        data = bytes(whole)
    if method == "HEAD" or status == 204:
        data = b""
    return status, headers, data
