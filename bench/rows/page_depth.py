"""The first page of a list, one in the middle, and the last one, asked for by one client: the ratio of their times."""
from lib import load, rounds, trusted
from lib.catalogue import Catalogue
from lib.contenders import kinds
from lib.machine import Stage

from .operations import PAGE

TOOLS = {"wrk"}
ORDERS = {"latest first": "", "by name": "&sort=name:asc"}
DEPTHS = ("first", "middle", "last")


def run(options):
    with Stage(options) as stage:
        large = Catalogue(options.binary, options.catalogues or stage.directory(), options.images)
        servers = [kind(stage, catalogue=large) for kind in kinds(options)]
        measures = {
            (server, order, depth): lambda s=server, o=order, d=depth: measure(s, path(large, o, d), options)
            for server in servers for order in ORDERS for depth in DEPTHS
        }
        found = rounds.interleaved(options.rounds, measures)
    row = rounds.table(
        f"page of {PAGE} of {options.images} images, 1 connection", "server", "ms", "x first page", "p99 ms", "x first page"
    )
    for (server, order, depth), its in found.items():
        first = found[server, order, DEPTHS[0]]
        row(
            f"{order}, {depth} page", server.name, its["ms"], rounds.ratio(its["ms"], first["ms"]), its["p99"],
            rounds.ratio(its["p99"], first["p99"]),
        )


def path(large, order, depth):
    visible = large.visible()
    if order == "by name":
        names = {image: f"image {number}" for number, (image, _) in enumerate(large.images)}
        visible.sort(key=names.get)
    marker = {"first": None, "middle": visible[len(visible) // 2], "last": visible[-PAGE - 1]}[depth]
    return f"/v2/images?limit={PAGE}{ORDERS[order]}{f'&marker={marker}' if marker else ''}"


def measure(server, address, options):
    figures = load.wrk(server, address, 1, options.seconds, trusted.MEMBER)
    load.settle(server)
    return {"ms": rounds.ratio(1000, figures["per_second"]), **figures}
