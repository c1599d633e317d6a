"""A proxy on the loopback that knows tokens, for a command that can send a token but no identity headers."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What concerns one connection only, and what is made anew for the other one.
OWN = {"connection", "host", "transfer-encoding", "content-length", "x-auth-token"}


class Front(ThreadingHTTPServer):
    """Passes requests on to an image server, with the identity of the caller whose token they bear."""

    daemon_threads = True

    def __init__(self, server, callers):
        """Takes the endpoint of the image server, and the callers by their tokens."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind, self.callers = urlsplit(server).netloc, callers
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def endpoint(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Tells nothing."""

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def pass_on(self):
        body = self.body()
        if "/projects" in self.path or "/tenants" in self.path:
            # As an identity service answers most users: the client then takes what it was given for the id.
            return self.answer(403, {}, b"")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
        caller = self.server.callers.get(self.headers.get("X-Auth-Token"))
        connection = http.client.HTTPConnection(self.server.behind)
        connection.request(self.command, self.path, body or None, headers | (caller.headers if caller else {}))
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        self.answer(reply.status, dict(reply.getheaders()), data)

    def answer(self, status, headers, data):
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in OWN:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_DELETE = do_GET = do_PATCH = do_POST = do_PUT = pass_on
