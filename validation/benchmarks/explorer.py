"""How long the page of the explorer, a move of a slider and its release wait, and whether memory grows over moves."""

import http.client
import json
import re
import signal
import statistics
import subprocess
import sys
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from validation.benchmarks.benchmark import Asked, Benchmark

COMMAND = [sys.executable, "-c", "from otjdd.cli import main; main()", "explore", "--no-browser"]
TIMED = 20  # moves that are timed
LONG = 3  # releases, and moves that end a long run


class Page:
    """A server started with some arguments, and the requests of its page, without a browser."""

    def __init__(self, *words: str):
        began = time.perf_counter()
        self.process = subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True)
        self.address = urlsplit(re.search(r"http\S+", self.process.stderr.readline())[0])
        self.start = self.ask("start", None)
        self.opened = time.perf_counter() - began
        self.values = self.start["settings"]["values"]

    def send(self, name: str, body) -> http.client.HTTPConnection:
        """Send a message and do not wait for its answer."""
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=600)
        how = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(how[0], f"{self.address.path}{name}?tab=0123456789abcdef", how[1])
        return connection

    def ask(self, name: str, body):
        """Answer of the server. Raises AssertionError for a refusal."""
        connection = self.send(name, body)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        assert not answer.get("problem"), answer
        return answer

    def move(self, final: bool, experiment: str = "loop", **values: float) -> dict:
        """Message of a slider that moves, or is released."""
        return {"experiment": experiment, "values": self.values | values, "final": final}

    def processes(self) -> list:
        """The server and its processes."""
        import psutil

        whole = psutil.Process(self.process.pid)
        return [whole, *whole.children(recursive=True)]

    def used(self) -> float:
        """Processor time [s] of all these processes so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.processes())

    def memory(self) -> dict[int, int]:
        """Memory [bytes] of each process, without shared memory."""
        return {process.pid: process.memory_full_info().uss for process in self.processes()}

    def close(self) -> int:
        """End the server as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


class Waits(NamedTuple):
    """Waiting times [s]: for the page, the first curve, moves, releases, and moves that end a long run.

    busy : processor time of the server and all its processes for a move
    """

    page: float
    first: float
    moves: list[float]
    releases: list[float]
    ends: list[float]
    busy: float


def timed(function, *arguments) -> float:
    """Duration of a call [s]."""
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def waits() -> Waits:
    """Waiting times with the reference device and its R-V loop."""
    page = Page()
    first = timed(page.ask, "move", page.move(True))
    used = page.used()
    moves = [timed(page.ask, "move", page.move(False, thickness=2.5 + 0.01 * i)) for i in range(TIMED)]
    busy = (page.used() - used) / TIMED
    releases = [timed(page.ask, "move", page.move(True, thickness=2.5 + 0.1 * i)) for i in range(LONG)]
    ends = []
    for i in range(LONG):
        long = page.send("move", page.move(True, "stdp", thickness=2.5 + 0.1 * i))
        time.sleep(0.5)
        ends.append(timed(page.ask, "move", page.move(False, thickness=2.5 + 0.1 * i)))
        long.close()
    page.close()
    return Waits(page.opened, first, moves, releases, ends, busy)


def growth(moves: int, settled: int) -> tuple[dict[int, int], dict[int, int]]:
    """Memory of each process after some moves, and after all; every tenth is a release, every fiftieth a pulse."""
    page = Page("li2019", "--set", "device.film.cells=24", "--set", "columns.count=2")
    before = {}
    for i in range(moves):
        page.ask("move", page.move(i % 10 == 9, "retention", thickness=2.5 + 0.01 * (i % 50)))
        if i % 50 == 49:
            page.ask("pulse", {"voltage": 2.2, "width": 5e-8})
        if i + 1 == settled:
            before = page.memory()
    after = page.memory()
    page.close()
    return before, after


def rows_of(found: Waits, before: dict[int, int], after: dict[int, int], settled: int, moves: int) -> dict[str, str]:
    """The rows of the table: waiting times, and memory of each process after `settled` moves and after all."""
    grown = max(after[pid] - before[pid] for pid in before if pid in after)
    return {
        "the command to the page": f"{found.page:.1f} s",
        "the page to the first curve, five columns": f"{found.first:.1f} s",
        "a move of a slider to its figure, one column": spread(found.moves),
        "a move of a slider to its figure, one column, processor time of all processes": f"{found.busy:.2f} s",
        "a release to its figure, five columns": spread(found.releases),
        "a move to its figure when it ends a longer run": spread(found.ends),
        f"growth of the process that grows most, from {settled} to {moves} moves": f"{grown / 1e6:.1f} MB",
        f"memory of all processes after {moves} moves": f"{sum(after.values()) / 1e6:.0f} MB",
    }


def spread(seconds: list[float]) -> str:
    """Median and largest of some times."""
    return f"{statistics.median(seconds):.2f} s, at most {max(seconds):.2f} s"


def measured(asked: Asked):
    """Rows of 1000 moves."""
    moves = 100 if asked.quick else 1000
    return rows_of(waits(), *growth(moves, moves // 4), moves // 4, moves).items()


BENCHMARKS = {"explore": Benchmark("how long does a slider of the explorer wait?", measured, ("what", "value:"))}
