"""GET of a small cached image over kept connections, against nginx's static file: requests per server CPU second."""
import re
import subprocess
import sys

from lib import contenders, rounds
from lib.machine import Stage

TOOLS = {"nginx", "wrk"}


def run(options):
    with Stage(options) as stage:
        paths = contenders.with_cached_image(stage, options.small_kib << 10)
        found = rounds.interleaved(
            options.rounds, {server: lambda s=server: measure(s, paths[s], options) for server in paths}
        )
    row = rounds.table(
        f"cached GET, {options.small_kib} KiB, {options.keepalive} kept connections", "requests/CPU s", "x nginx",
        "requests/s", "server CPUs busy", "errors",
    )
    nginx = contenders.figures_of("nginx", found)
    for server, its in found.items():
        row(
            server.name, its["per_cpu"], rounds.ratio(its["per_cpu"], nginx["per_cpu"]), its["per_second"], its["busy"],
            its["errors"],
        )


def measure(server, path, options):
    url = f"http://127.0.0.1:{server.port}{path}"
    command = ["wrk", "-t2", f"-c{options.keepalive}", f"-d{options.wrk_seconds}s", url]
    costs = rounds.Costs(server)
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    cpu = costs.per(1)["cpu"]
    if "Non-2xx" in output:
        sys.exit(f"{server.name}: {output}")
    total = re.search(r"(\d+) requests in ([\d.]+)s", output)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    requests, seconds = int(total[1]), float(total[2])
    return {
        "per_cpu": rounds.ratio(requests, cpu),
        "per_second": requests / seconds,
        "busy": cpu / seconds,
        "errors": sum(map(int, broken.groups())) if broken else 0,
    }
