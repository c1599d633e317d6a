"""The p99 of a page when the catalogue grows to a hundred times its size; Gander only."""
from lib import load, rounds, trusted
from lib.catalogue import Catalogue
from lib.machine import Stage
from lib.servers import Gander

from .operations import PAGE

TOOLS = {"wrk"}


def run(options):
    with Stage(options) as stage:
        place = options.catalogues or stage.directory()
        sizes = (options.grown // 100, options.grown)
        catalogues = {size: Catalogue(options.binary, place, size) for size in sizes}
        servers = {size: Gander(stage, catalogue=catalogues[size]) for size in sizes}
        pages = {size: paths(catalogues[size]) for size in sizes}
        measures = {
            (page, connections, size): lambda p=page, c=connections, s=size:
                load.wrk(servers[s], pages[s][p], c, options.seconds, trusted.MEMBER)
            for page in pages[sizes[0]] for connections in options.connections for size in sizes
        }
        found = rounds.interleaved(options.rounds, measures)
    row = rounds.table(
        f"page of {PAGE}", "connections", *(f"p99 ms of {size} images" for size in sizes), "ratio",
        *(f"requests/CPU s of {size}" for size in sizes), "errors",
    )
    for page in pages[sizes[0]]:
        for connections in options.connections:
            small, large = (found[page, connections, size] for size in sizes)
            row(
                page, str(connections), small["p99"], large["p99"], rounds.ratio(large["p99"], small["p99"]),
                small["per_cpu"], large["per_cpu"], small["errors"] + large["errors"],
            )


def paths(catalogue):
    first = f"/v2/images?limit={PAGE}"
    return {
        "first page": first,
        "last page": f"{first}&marker={catalogue.visible()[-PAGE - 1]}",
        "first page by name": f"{first}&sort=name:asc",
        "property of every 10th": f"{first}&bench_common=value-3",
        "property of 100": f"{first}&bench_rare=value-3",
    }
