"""Cold GET through the cache against the same GET by a server without a cache on the same database and store."""
from lib import client, rounds
from lib.machine import GIB, MIB, Stage, filesystem
from lib.servers import Gander, Nginx

TOOLS = {"nginx"}


def run(options):
    size = options.cold_mib * MIB
    with Stage(options) as stage:
        served = stage.directory()
        source = client.random_file(served / "image", size)
        caching = Gander(stage)
        direct = Gander(stage, without_cache_beside=caching)
        fast, slow = Nginx(stage, served), Nginx(stage, served, rate=options.link_mbit * 1_000_000 // 8)
        images = {
            "http": caching.register(fast.url("/image")),
            f"http of {options.link_mbit} Mbit/s": caching.register(slow.url("/image")),
            "file": caching.upload(source)[1],
        }
        found = rounds.interleaved(
            options.rounds,
            {
                (store, server): lambda i=image, s=server: measure(s, i, size, evict=s is caching)
                for store, image in images.items()
                for server in (caching, direct)
            },
        )
        place = filesystem(caching.data)
    row = rounds.table(
        f"cold GET, {options.cold_mib} MiB, cache on {place}", "with cache, GiB/s", "without, GiB/s", "ratio",
        "CPU s/GiB with", "CPU s/GiB without",
    )
    for store in images:
        on, off = found[store, caching], found[store, direct]
        row(f"store: {store}", on["speed"], off["speed"], on["speed"] / off["speed"], on["cpu"], off["cpu"])


def measure(server, image, size, evict):
    if evict:
        server.evict(image)
    costs, gib = rounds.Costs(server), size / GIB
    seconds = client.download_all(server, server.path(image), 1, size)
    return {"speed": gib / seconds, **costs.per(gib)}
