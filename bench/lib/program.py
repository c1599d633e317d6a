"""What the programs of this directory have in common: their rows, tools, build, and end."""
import argparse
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile

from . import glance, machine

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Arguments(argparse.ArgumentParser):
    """The command line of a program that measures some of `rows`, which are modules by name."""

    def __init__(self, about, rows):
        lines = "\n".join(f"  {name:14} {row.__doc__.splitlines()[0]}" for name, row in rows.items())
        super().__init__(
            description=f"{about}\nrows:\n{lines}", formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self.rows = rows
        self.add_argument("rows", nargs="*", metavar="ROW", help=f"{', '.join(rows)}; none: all of them")
        self.add_argument("--quick", action="store_true", help="small sizes and one round, to see whether it works")
        self.number("--rounds", 9, "rounds of each contender")
        self.add_argument("--binary", help="gander to measure, instead of the release build that is made now")
        self.add_argument("--dir", default=tempfile.gettempdir(), help="where data and caches lie [%(default)s]")
        self.add_argument("--glance", action="store_true", help="measure Python Glance 33 from PyPI too")
        self.add_argument("--venv", metavar="DIR", help="virtual environment that has it already, instead of a new one")
        self.add_argument("--install", action="store_true", help="install missing tools with apt-get")

    def number(self, option, default, text):
        self.add_argument(option, type=int, default=default, metavar="N", help=f"{text} [{default}]")

    def options(self, quick):
        """What is given; `quick` is what --quick changes: whether everything works, not how fast it is."""
        options = self.parse_args()
        if options.quick:
            vars(options).update(quick)
        options.rows = options.rows or list(self.rows)
        if unknown := set(options.rows) - set(self.rows):
            self.error(f"no such row: {', '.join(unknown)}")
        return options


def run(options, rows):
    """Measures the rows that `options` names."""
    # Whatever ends this run, what it started ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    tools = set().union(*(rows[name].TOOLS for name in options.rows))
    machine.require(tools, options.install)
    options.binary = pathlib.Path(options.binary or _release_build()).resolve()
    with machine.Stage(options) as stage:
        if options.glance:
            options.venv = glance.install(stage, options.venv)
        print(f"{machine.description()}; {machine.versions(tools)}", flush=True)
        print(f"{options.rounds} rounds; data on {machine.filesystem(options.dir)}", flush=True)
        for name in options.rows:
            rows[name].run(options)


def _release_build():
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "gander"
