"""Time from start to first answer, with an empty data directory and with an existing one."""
from lib import rounds
from lib.machine import Process, Stage
from lib.servers import Gander

TOOLS = set()


def run(options):
    found = rounds.interleaved(options.rounds, {"both": lambda: measure(options)})["both"]
    row = rounds.table("start to first answer", "ms")
    row("empty data directory", found["empty"] * 1000)
    row("existing data", found["existing"] * 1000)


def measure(options):
    with Stage(options) as stage:
        gander = Gander(stage)
        gander.process.stop()
        again = Process(gander.command, gander.port)
        again.stop()
        return {"empty": gander.process.start_seconds, "existing": again.start_seconds}
