"""GET of a cached large image, against nginx's sendfile on the same file."""
from lib import client, contenders, rounds
from lib.machine import GIB, MIB, Stage

TOOLS = {"nginx"}


def run(options):
    size = options.large_mib * MIB
    row = rounds.table(
        f"cached GET, {options.large_mib} MiB", "server", "GiB/s", "x nginx", "server CPU s/GiB", "x nginx",
        "client CPU s/GiB",
    )
    with Stage(options) as stage:
        paths = contenders.with_cached_image(stage, size)
        found = rounds.interleaved(
            options.rounds,
            {
                (server, connections): lambda s=server, n=connections: measure(s, paths[s], n, size)
                for connections in (1, 8)
                for server in paths
            },
        )
    for connections in (1, 8):
        these = {server: figures for (server, number), figures in found.items() if number == connections}
        nginx = contenders.figures_of("nginx", these)
        for server, its in these.items():
            row(
                f"{connections} connections", server.name, its["speed"], rounds.ratio(its["speed"], nginx["speed"]),
                its["cpu"], rounds.ratio(its["cpu"], nginx["cpu"]), its["client"],
            )


def measure(server, path, connections, size):
    costs, gib = rounds.Costs(server), connections * size / GIB
    seconds = client.download_all(server, path, connections, size)
    return {"speed": gib / seconds, **costs.per(gib)}
