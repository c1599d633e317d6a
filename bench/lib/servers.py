"""Gander and nginx, ready to be measured."""
import os

from . import client, database, machine, trusted


class Gander:
    """`gander api` with the cache and its management, or without a cache on the same data as another one.

    With a catalogue: without a cache, and with callers known by the headers of whoever stands before it.
    """

    name = "Gander"
    http_version = "1.1"
    HEADERS = {
        "x-image-meta-name": "bench", "x-image-meta-is_public": "True", "x-image-meta-disk_format": "raw",
        "x-image-meta-container_format": "bare",
    }

    def __init__(self, stage, place=None, without_cache_beside=None, catalogue=None):
        self.data = without_cache_beside.data if without_cache_beside else stage.directory(place)
        self.cache = self.data / "cache"
        self.port = machine.free_port()
        flavor = "" if without_cache_beside or catalogue else "cachemanagement"
        paste = f"config_file = {trusted.PASTE}\n" if catalogue else ""
        connection = f"sqlite:///{self.data}/glance.sqlite"
        if catalogue and stage.options.database != "sqlite":
            connection = database.on(stage).of(catalogue)
        elif catalogue:
            catalogue.copy(self.data / "glance.sqlite")
        self.config = self.data / f"glance-api-{self.port}.conf"
        self.settings = (
            "[DEFAULT]\nbind_host = 127.0.0.1\n"
            f"bind_port = {self.port}\nimage_cache_dir = {self.cache}\nscrubber_datadir = {self.data}/scrubber\n"
            f"image_cache_max_size = {1 << 40}\nfilesystem_store_datadir = {self.data}/images\n"
            # Neither of the others logs requests here.
            "default_log_levels = gander::server=WARN\n"
            f"[database]\nconnection = {connection}\n[paste_deploy]\nflavor = {flavor}\n{paste}"
        )
        self.config.write_text(self.settings)
        self.command = [stage.options.binary, "api", "--config-file", self.config]
        self._start = lambda certificate=None: stage.start(self.command, self.port, certificate=certificate)
        self.process = self._start()

    def restart(self):
        """Drops what it still does for clients that are gone."""
        self.process.stop()
        self.process = self._start()

    def encrypt(self, certificate):
        """From now on it serves TLS."""
        self.process.stop()
        files = f"[DEFAULT]\ncert_file = {certificate.pem}\nkey_file = {certificate.key}\n"
        self.config.write_text(self.settings + files)
        self.process = self._start(certificate)

    def upload(self, source):
        """Makes an image of a file; the seconds that took, and the image's id."""
        headers = {**self.HEADERS, "content-type": "application/octet-stream"}
        seconds, answer = client.timed(client.send_file, self.port, "POST", "/v1/images", headers, source)
        return seconds, answer["location"].rsplit("/", 1)[1]

    def register(self, url):
        """Makes an image of what is at a URL; its id."""
        answer, _ = client.request(self.port, "POST", "/v1/images", {**self.HEADERS, "x-image-meta-location": url})
        return answer["location"].rsplit("/", 1)[1]

    def path(self, image):
        """Where the data is to be had."""
        return f"/v1/images/{image}"

    def evict(self, image):
        client.request(self.port, "DELETE", f"/v1/cached_images/{image}")

    def delete(self, image):
        client.request(self.port, "DELETE", f"/v1/images/{image}")


class Nginx:
    """Files of a directory with sendfile; with `rate` in bytes per second and connection, if any; counts its GETs.

    With a certificate it serves TLS, and HTTP/2 within.
    """

    name = "nginx"
    http_version = "1.1"

    def __init__(self, stage, root, rate=None, count=False, certificate=None):
        own = stage.directory()
        self.port = machine.free_port()
        self.log = own / "access.log"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (own / name).mkdir()
        tls = f" ssl http2; ssl_certificate {certificate.pem}; ssl_certificate_key {certificate.key}" if certificate else ""
        temporary = "".join(f"{kind.name}_temp_path {kind};" for kind in own.iterdir() if kind.is_dir())
        config = own / "nginx.conf"
        config.write_text(
            f"daemon off; {'user root;' if os.geteuid() == 0 else ''} worker_processes 2; pid {own}/nginx.pid;"
            f"error_log {own}/nginx.log warn; events {{ worker_connections 1024; }}"
            f"http {{ sendfile on; {temporary} log_format short '$request_method $uri';"
            f"access_log {f'{self.log} short' if count else 'off'}; {f'limit_rate {rate};' if rate else ''}"
            f"server {{ listen 127.0.0.1:{self.port}{tls}; root {root}; }} }}\n"
        )
        command = ["nginx", "-p", own, "-e", own / "nginx.log", "-c", config]
        self.process = stage.start(command, self.port, certificate=certificate)

    def reads(self, path):
        """How often a path was got so far, ended transfers only."""
        return self.log.read_text().splitlines().count(f"GET {path}")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"
