"""GET of a cached large image by TLS, HTTP/1.1 and HTTP/2, against nginx with the same file, key and client (curl)."""
import subprocess
import sys
import time

from lib import client, contenders, rounds
from lib.certificate import Certificate
from lib.machine import GIB, MIB, Stage
from lib.servers import Gander, Nginx

TOOLS = {"nginx", "openssl", "curl"}
PROTOCOLS = {"HTTP/1.1": "--http1.1", "HTTP/2": "--http2"}


def run(options):
    size = options.large_mib * MIB
    with Stage(options) as stage:
        certificate = Certificate(stage)
        gander = Gander(stage)
        _, image = gander.upload(client.random_file(stage.directory() / "image", size))
        client.download_all(gander, gander.path(image), 1, size)
        gander.encrypt(certificate)
        paths = {gander: gander.path(image), Nginx(stage, gander.cache, certificate=certificate): f"/{image}"}
        found = rounds.interleaved(
            options.rounds,
            {
                (server, protocol, connections): lambda s=server, p=protocol, n=connections: measure(
                    s, paths[s], PROTOCOLS[p], n, size, certificate
                )
                for protocol in PROTOCOLS
                for connections in (1, 8)
                for server in paths
            },
        )
    row = rounds.table(
        f"cached GET by TLS, {options.large_mib} MiB", "connections", "server", "GiB/s", "x nginx", "server CPU s/GiB",
        "x nginx",
    )
    for protocol in PROTOCOLS:
        for connections in (1, 8):
            these = {server: its for (server, *which), its in found.items() if which == [protocol, connections]}
            nginx = contenders.figures_of("nginx", these)
            for server, its in these.items():
                row(
                    protocol, connections, server.name, its["speed"], rounds.ratio(its["speed"], nginx["speed"]),
                    its["cpu"], rounds.ratio(its["cpu"], nginx["cpu"]),
                )


def measure(server, path, protocol, connections, size, certificate):
    url = f"https://127.0.0.1:{server.port}{path}"
    command = ["curl", "--silent", protocol, "--cacert", certificate.pem, "--output", "/dev/null"]
    command += ["--write-out", "%{size_download}", url]
    costs, gib, started = rounds.Costs(server), connections * size / GIB, time.perf_counter()
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(connections)]
    got = [process.communicate()[0] for process in running]
    seconds = time.perf_counter() - started
    if got != [str(size)] * connections:
        sys.exit(f"{server.name}: {got} bytes instead of {size}")
    return {"speed": gib / seconds, "cpu": costs.per(gib)["cpu"]}
