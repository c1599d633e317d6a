"""Upload of a large image against the digests that openssl computes on one core in the same run."""
import subprocess

from lib import client, contenders, rounds
from lib.machine import GIB, MIB, Stage, filesystem

TOOLS = {"openssl"}
MEMORY = "/dev/shm"
DIGESTS = ("md5", "sha512")


def run(options):
    size = options.upload_mib * MIB
    with Stage(options) as stage:
        source = client.random_file(stage.directory(MEMORY) / "image", size)
        servers = [kind(stage, place) for kind in contenders.kinds(options) for place in (options.dir, MEMORY)]
        places = {server: filesystem(server.data) for server in servers}
        measures = {server: lambda s=server: measure(s, source, size) for server in servers}
        measures |= {name: lambda n=name: digest(n) for name in DIGESTS}
        found = rounds.interleaved(options.rounds, measures)
    row = rounds.table(
        f"upload, {options.upload_mib} MiB", "server", "GiB/s", *(f"x {name}" for name in DIGESTS), "server CPU s/GiB",
        "client CPU s/GiB",
    )
    for contender, its in found.items():
        ratios = [its["speed"] / found[name]["speed"] for name in DIGESTS]
        if contender in DIGESTS:
            row("digest on one core", f"openssl {contender}", its["speed"], *ratios, "", "")
        else:
            row(f"data on {places[contender]}", contender.name, its["speed"], *ratios, its["cpu"], its["client"])


def measure(server, source, size):
    costs, gib = rounds.Costs(server), size / GIB
    seconds, image = server.upload(source)
    figures = {"speed": gib / seconds, **costs.per(gib)}
    server.delete(image)
    return figures


def digest(name):
    """What openssl computes in blocks of 16 KiB."""
    command = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "16384", name]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("+F:"))
    return {"speed": float(line.rsplit(":", 1)[1]) / GIB}
