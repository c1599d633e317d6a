"""Show, lists, create and delete at several numbers of connections, against Python Glance."""
import re

from lib import load, rounds, trusted
from lib.catalogue import Catalogue
from lib.contenders import kinds
from lib.machine import Stage

TOOLS = {"wrk"}
SMALL = 3
PAGE = 25
SHOWN = 1000


class Operation:
    """A kind of request: of which catalogue, and what `load.wrk` is told."""

    def __init__(self, name, size, path, headers, script=None, arguments=()):
        self.name, self.size, self.path, self.headers = name, size, path, headers
        self.script, self.arguments = script, arguments


def run(options):
    with Stage(options) as stage:
        place = options.catalogues or stage.directory()
        catalogues = [Catalogue(options.binary, place, size) for size in (SMALL, options.images)]
        servers = {
            (kind, catalogue.size): kind(stage, catalogue=catalogue)
            for kind in kinds(options) for catalogue in catalogues
        }
        operations = all_operations(catalogues[1], stage.directory())
        chosen = [operation for operation in operations if re.search(options.only, operation.name)]
        measures = {
            (operation, connections, kind): lambda o=operation, c=connections, s=servers[kind, operation.size]:
                measure(o, c, s, options)
            for operation in chosen for connections in options.connections for kind in kinds(options)
        }
        found = rounds.interleaved(options.rounds, measures)
    row = rounds.table(
        f"of {options.images} images", "connections", "server", "requests/CPU s", "x Glance", "requests/s", "x Glance",
        "p99 ms", "CPUs busy", "errors",
    )
    for (operation, connections, kind), its in found.items():
        glance = found.get((operation, connections, kinds(options)[-1]), its)
        row(
            operation.name, str(connections), kind.name,
            its["per_cpu"], rounds.ratio(its["per_cpu"], glance["per_cpu"]),
            its["per_second"], rounds.ratio(its["per_second"], glance["per_second"]),
            its["p99"], its["busy"], its["errors"],
        )


def all_operations(large, directory):
    visible = large.visible()
    paths = directory / "paths"
    paths.write_text("\n".join(f"/v2/images/{image}" for image in visible[:: max(len(visible) // SHOWN, 1)]))
    first = f"/v2/images?limit={PAGE}"
    size, member, admin = large.size, trusted.MEMBER, trusted.ADMIN
    return [
        Operation("show", size, "/", member, "paths.lua", [paths]),
        Operation(f"list of {SMALL}", SMALL, "/v2/images", member),
        Operation("list, first page", size, first, member),
        Operation("list, last page", size, f"{first}&marker={visible[-PAGE - 1]}", member),
        Operation("list, property of every 10th", size, f"{first}&bench_common=value-3", member),
        Operation("list, property of 100", size, f"{first}&bench_rare=value-3", member),
        Operation("create + delete", size, "/", member, "pairs.lua"),
        Operation("show, admin", size, "/", admin, "paths.lua", [paths]),
        Operation("list, first page, admin", size, first, admin),
    ]


def measure(operation, connections, server, options):
    figures = load.wrk(
        server, operation.path, connections, options.seconds, operation.headers, operation.script, operation.arguments
    )
    load.settle(server)
    return figures
