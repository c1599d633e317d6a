"""Many clients ask at once for an image that is not cached yet: reads of its http store, and the time of the last one.

The store is nginx with a rate per connection, as the network in front of a real store has. The rows "warm" tell what
the machine needs to deliver as much from a cache that has it all: less than that no fill can take.
"""
from lib import client, contenders, rounds
from lib.machine import MIB, Stage
from lib.servers import Nginx

TOOLS = {"nginx"}
PATH = "/image"


def run(options):
    size, rate = options.cold_mib * MIB, options.link_mbit * 1_000_000 // 8
    kinds = ((1, "cold"), (options.clients, "cold"), (options.clients, "warm"))
    with Stage(options) as stage:
        served = stage.directory()
        client.random_file(served / PATH[1:], size)
        servers = [kind(stage) for kind in contenders.kinds(options)]
        origins = {server: Nginx(stage, served, rate=rate, count=True) for server in servers}
        images = {server: server.register(origins[server].url(PATH)) for server in servers}
        found = rounds.interleaved(
            options.rounds,
            {
                (server, *kind): lambda s=server, k=kind: measure(s, images[s], *k, size)
                for server in servers
                for kind in kinds
            },
        )
        reads = {server: origins[server].reads(PATH) for server in servers}
    row = rounds.table(
        f"{options.cold_mib} MiB from an http store of {options.link_mbit} Mbit/s per connection", "server",
        "last client, s", "x one cold client", "server CPU s/client",
    )
    for (server, clients, state), its in found.items():
        alone = found[server, 1, "cold"]["seconds"]
        row(f"{clients} clients, {state}", server.name, its["seconds"], its["seconds"] / alone, its["cpu"])
    print()
    for server in servers:
        # Every measurement begins with an eviction, so each of them is one fill.
        print(f"reads of the store by {server.name}: {reads[server]} for {len(kinds) * options.rounds} fills")


def measure(server, image, clients, state, size):
    server.evict(image)
    if state == "warm":
        client.download_all(server, server.path(image), 1, size)
    costs = rounds.Costs(server)
    seconds = client.download_all(server, server.path(image), clients, size)
    return {"seconds": seconds, **costs.per(clients)}
