"""main.py GANDER [PART ...]: Gander in the place of a real Glance and beside it. Told by `run`."""

import contextlib
import pathlib
import shutil
import sys
import tempfile
import time

import servers
from alternation import Alternation
from cloud import Cloud
from population import origin
from rolling import Rolling

# Which database, and where the index of the cache is: chosen for the sake of variety, but for the one that is in the
# database, too. (The two nodes of the last part have theirs in MariaDB.)
ALTERNATIONS = {
    "sqlite": ("sqlite", "sqlite"),
    "centralized": ("sqlite", "centralized_db"),
    "mysql": ("mysql", "xattr"),
    "postgresql": ("postgresql", "centralized_db"),
    # With several stores the database does not matter any more than with one.
    "stores": ("sqlite", "sqlite"),
}
PARTS = [*ALTERNATIONS, "rolling"]


@contextlib.contextmanager
def database(kind, work):
    if kind == "sqlite":
        yield f"sqlite:///{work}/glance.sqlite"
        return
    with servers.DatabaseServer(kind) as server:
        yield server.url


def run(part, work, cloud, web, program):
    """What differs, a line each."""
    work.mkdir()
    kind, driver = ALTERNATIONS.get(part, ("mysql", None))
    with database(kind, work) as url:
        if part == "rolling":
            test = Rolling(work, url, cloud, web, program)
        else:
            test = Alternation(work, url, driver, cloud, web, program, several_stores=part == "stores")
        try:
            test.run()
        except AssertionError as failure:
            test.found.append(f"stopped: {failure}")
        return test.found


def main(program, *parts):
    if unknown := set(parts) - set(PARTS):
        sys.exit(f"there is no part {', '.join(unknown)}: {', '.join(PARTS)}")
    work = pathlib.Path(tempfile.mkdtemp(prefix="takeover."))
    failed = True
    try:
        with servers.keystone(work) as keystone, origin() as web:
            cloud = Cloud(keystone)
            differing = [part for part in parts or PARTS if not _same(part, work / part, cloud, web, program)]
        failed = bool(differing)
    except SystemExit as end:
        failed = end.code != servers.UNAVAILABLE
        raise
    finally:
        if failed:
            print(f"logs are in {work}", file=sys.stderr)
        else:
            shutil.rmtree(work)
    sys.exit(f"differs: {', '.join(differing)}" if differing else 0)


def _same(part, work, cloud, web, program):
    began = time.monotonic()
    found = run(part, work, cloud, web, program)
    for line in found:
        print(f"    {line}")
    print(f"{part}: {len(found)} differences, in {time.monotonic() - began:.0f} s", flush=True)
    return not found


if __name__ == "__main__":
    main(*sys.argv[1:])
