"""What the machine has: ports, tools, places, and processes whose CPU time and memory are read from /proc."""
import contextlib
import datetime
import http.client
import os
import pathlib
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
GIB = 1 << 30
TICKS = os.sysconf("SC_CLK_TCK")
PACKAGES = {"curl": "curl", "nginx": "nginx-light", "wrk": "wrk", "openssl": "openssl"}


def free_port():
    """A port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require(tools, install):
    """Ends with a word about what is missing, or fetches it with apt-get."""
    missing = [PACKAGES[tool] for tool in sorted(tools) if shutil.which(tool) is None]
    if not missing:
        return
    if not install:
        sys.exit(f"missing: {' '.join(missing)} (Debian packages); install them, or let --install do it (as root)")
    subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True)


def filesystem(path):
    """The type of the file system that a path is on."""
    path, best = os.path.realpath(path), ("", "?")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if (path + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best[0]):
            best = (mount, kind)
    return best[1]


def description():
    """Date, processor, cores and kernel, for the record."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    cores = len(os.sched_getaffinity(0))
    return f"{datetime.date.today()}, {cores} cores of {cpu}, Linux {platform.release()}"


def versions(tools):
    """What the measured tools say they are."""
    flags = {"curl": "--version", "nginx": "-v", "wrk": "-v", "openssl": "version"}
    outputs = [
        subprocess.run([tool, flags[tool]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        for tool in sorted(tools)
    ]
    return ", ".join(" ".join(output.split("\n")[0].removeprefix("nginx version: ").split()[:2]) for output in outputs)


class Process:
    """A server with its children."""

    def __init__(self, command, port, environment=None, certificate=None, patience=60.0):
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [str(word) for word in command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            self._until_answer(port, certificate, started + patience)
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.perf_counter() - started

    def _until_answer(self, port, certificate, deadline):
        while time.perf_counter() < deadline and self.process.poll() is None:
            with contextlib.suppress(ConnectionRefusedError):
                left = max(deadline - time.perf_counter(), 0.1)
                if certificate:
                    context = certificate.context()
                    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=left, context=context)
                else:
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=left)
                connection.request("GET", "/")
                connection.getresponse().read()
                connection.close()
                return
            time.sleep(0.001)
        sys.exit(f"{self.process.args[0]} does not answer on port {port}")

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def cpu_seconds(self):
        """User and system time so far."""
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory(self, field):
        """A field of /proc/<pid>/status in MiB: VmHWM (peak), VmRSS (now), RssAnon (without mapped files)."""
        total = 0
        for pid in self.pids():
            for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(field + ":"):
                    total += int(line.split()[1])
        return total / 1024

    def reset_peak(self):
        """VmHWM starts anew from here."""
        for pid in self.pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Stage(contextlib.ExitStack):
    """The servers and directories of one row; they end with it."""

    def __init__(self, options):
        super().__init__()
        self.options = options

    def directory(self, place=None):
        """A new directory, where --dir says or in `place`."""
        place = place or self.options.dir
        return pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="gander-bench-", dir=place)))

    def start(self, command, port, environment=None, certificate=None):
        """Runs a server until it answers: by TLS, if it has a certificate."""
        process = Process(command, port, environment, certificate)
        self.callback(process.stop)
        return process
