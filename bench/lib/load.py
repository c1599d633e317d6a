"""wrk, and what it and the server say of a round."""
import pathlib
import re
import subprocess
import time

from . import rounds

HERE = pathlib.Path(__file__).parent
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}
# A server is done with what clients no longer wait for when it takes less than this part of a CPU.
IDLE = 0.1
PAUSE, TRIES = 0.2, 5


def wrk(server, path, connections, seconds, headers=None, script=None, arguments=()):
    """Requests per second and per CPU second of the server, CPUs that it keeps busy, p99 in ms, and failures.

    `script` is a file beside this one, which is told the arguments and asks what it likes.
    """
    threads = 1 if connections == 1 else 2
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", f"{seconds + 60}s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", HERE / script]
    command += [f"http://127.0.0.1:{server.port}{path}", "--", *arguments]
    costs = rounds.Costs(server)
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    cpu = costs.per(1)["cpu"]
    total = re.search(r"(\d+) requests in ([\d.]+)(m?s)", output)
    latency = re.search(r"99%\s+([\d.]+)([a-z]+)", output)
    requests, took = int(total[1]), float(total[2]) * UNITS[total[3]] / 1e3
    return {
        "per_cpu": rounds.ratio(requests, cpu),
        "per_second": requests / took,
        "busy": cpu / took,
        "p99": float(latency[1]) * UNITS[latency[2]] if requests else float("nan"),
        "errors": _errors(output),
    }


def _errors(output):
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    return (int(refused[1]) if refused else 0) + (sum(map(int, broken.groups())) if broken else 0)


def settle(server):
    """Lets the server end what it still does for clients that are gone, or starts it anew if that takes long."""
    for _ in range(TRIES):
        costs = rounds.Costs(server)
        time.sleep(PAUSE)
        if costs.per(PAUSE)["cpu"] < IDLE:
            return
    server.restart()
