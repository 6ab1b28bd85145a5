"""Attacks on the explorer: killed workers, malformed requests, its address, its folders, and signals at its first start.

As in `attack`, each part is a function (quick, folder) -> (text of what was observed, True if that is right).
"""

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from otjdd.system import interpreter
from validation.reliability.attack import HEEDING, counted, lay_out, marked, told

CASE = """base = "rv-loop.toml"
columns = { count = 1 }
device = { film = { cells = 12, electrons = "none" } }
drive = { step = "2 V" }
"""
TAB = "?tab=0123456789abcdef"
OWN = {"experiment": "own", "values": {}, "final": True}
PATIENCE = 10.0  # s, within which an explorer has to end that gets a signal while it compiles


class Explorer:
    """An explorer of a small case: its process, its address, and the cookie of its page."""

    def __init__(self, folder: Path, *words: str, **changes: str):
        lay_out(folder, {"small.toml": CASE})
        self.temporary = Path(tempfile.mkdtemp())  # a path short enough for sockets
        weakref.finalize(self, shutil.rmtree, self.temporary, True)
        command = interpreter.command(HEEDING, "explore", *(words or ("--no-browser",)), "small.toml")
        environment = os.environ | {"TMPDIR": str(self.temporary)} | changes
        self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment)
        self.address, self.cookie = urlsplit(re.search(r"http://\S+/", self.process.stderr.readline())[0]), ""

    def enter(self) -> None:
        """Exchange the address for the cookie."""
        self.cookie = self.ask("GET", self.address.path)[2].partition(";")[0]

    def ask(self, method: str, path: str, body: bytes | str | None = None) -> tuple[int, bytes, str]:
        """Status, body and cookie of an answer."""
        with contextlib.closing(http.client.HTTPConnection(self.address.netloc, timeout=300)) as connection:
            connection.request(method, path, body, {"Cookie": self.cookie} if self.cookie else {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("set-cookie") or ""

    def move(self) -> dict:
        """Answer to a move of sliders."""
        return json.loads(self.ask("POST", f"/move{TAB}", json.dumps(OWN))[1])

    def workers(self) -> list[psutil.Process]:
        """The processes that compute: children of the process from which they are forked."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in started if process.ppid() != self.process.pid]

    def end(self, number: int, timeout: float = 60.0) -> str:
        """Send a signal, wait for the end of the process, and return its output."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=timeout)[1]


def messages(rng: random.Random, count: int):
    """(method, path, body) of requests that no page sends."""
    good = json.dumps(OWN | {"values": {"thickness": 2.9}}).encode()
    whole = (
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 30_000 + b"]" * 30_000,
        b'{"experiment":["loop"],"values":{}}',
        b"9" * 4000,
    )
    yield from (("POST", f"/{name}{TAB}", body) for name in ("move", "pulse", "forget", "frames") for body in whole)
    yield from (("OPTIONS", "*", None), ("GET", "foo", None), ("GET", "/%2e%2e/etc/passwd", None), ("BREW", "/", None))
    for _ in range(count):
        body = bytearray(good)
        for _ in range(rng.choice((1, 3))):
            body[rng.randrange(len(body))] = rng.randrange(256)
        yield "POST", f"/{rng.choice(('move', 'pulse'))}{TAB}", bytes(body)


def explored(quick: bool, folder: Path, seed: int = 16) -> tuple[str, bool]:
    """Killed workers, requests that no page sends, four signals: the explorer goes on, and leaves nothing after its end."""
    rng, kills, wrong, count = random.Random(seed), 2 if quick else 20, [], 20 if quick else 300
    explorer = Explorer(folder / "first")
    explorer.enter()
    first = explorer.move()["summary"]
    for k in range(kills):
        there = explorer.workers()
        chosen = there if k % 2 else [rng.choice(there)]
        for worker in chosen:
            worker.kill()
        psutil.wait_procs(chosen, timeout=3)
        answer = explorer.move()
        wrong += [] if answer.get("summary") == first else [f"after a kill: {answer}"[:200]]
    for method, path, body in messages(rng, count):
        status, said, _ = explorer.ask(method, path, body)
        wrong += [f"{method} {path}: {status} {said[:100]!r}"] if status >= 500 or b"Traceback" in said else []
    wrong += [] if explorer.move().get("summary") == first else ["the page no longer answers"]
    said = explorer.end(signal.SIGINT)
    known = "a process was ended from outside before its next job; another takes its place"
    wrong += [line for line in said.splitlines() if line != known]
    wrong += [f"left {[*explorer.temporary.iterdir()]}"] if any(explorer.temporary.iterdir()) else []
    wrong += ends(folder)
    said = f"{kills} kills of workers of the explorer, {count + 25} messages that no page sends, ends by 4 signals: "
    return f"{said}{len(wrong)} wrong" + told(wrong[:5]), not wrong


def ends(folder: Path) -> list[str]:
    """Faults after each of four signals: processes and folders that are left, or a token in a command line."""
    wrong = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        name = f"explorer-{os.getpid()}-{number}"
        browser = folder / "browser"
        browser.write_text(f'#!/bin/sh\necho "$@" >> {folder / "opened"}\nsleep 5\n')
        browser.chmod(0o700)
        explorer = Explorer(folder / f"end{number}", "--port", "0", OTJDD_MARK=name, BROWSER=str(browser))
        explorer.enter()
        explorer.move()
        token = explorer.address.path.strip("/")
        lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
        wrong += [f"the token in {line}" for line in lines if token in line]
        explorer.end(number)
        deadline = time.monotonic() + 5.0
        while (left := [pid for pid in marked(name) if not of_browser(pid)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        wrong += [f"signal {number}: {len(left)} processes left"] if left else []
        folders = [path.name for path in explorer.temporary.iterdir()]
        wrong += [f"signal {number}: left {folders}"] if folders else []
    return wrong


def of_browser(pid: int) -> bool:
    """True for the process of the browser and its children."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return any("browser" in " ".join(each.cmdline()) for each in (process, *process.parents()))
    return True


def first_starts(quick: bool, folder: Path, seed: int = 17) -> tuple[str, bool]:
    """Ctrl-C and SIGTERM to an explorer that compiles its kernels: it and all its processes have to end soon."""
    rng, found, longest, count = random.Random(seed), Counter(), 0.0, 2 if quick else 12
    for k in range(count):
        number, name = (signal.SIGINT, signal.SIGTERM)[k % 2], f"first-{os.getpid()}-{k}"
        explorer = Explorer(folder / f"{k}", OTJDD_MARK=name, NUMBA_CACHE_DIR=str(folder / f"cache{k}"))
        time.sleep(rng.uniform(0.5, 30.0))
        began = time.monotonic()
        try:
            said = explorer.end(number, 3 * PATIENCE)
        except subprocess.TimeoutExpired:
            explorer.process.kill()
            explorer.process.communicate()
            found["hangs"] += 1
            continue
        longest = max(longest, time.monotonic() - began)
        deadline = time.monotonic() + PATIENCE
        while (left := marked(name)) and time.monotonic() < deadline:
            time.sleep(0.1)
        what = f"{len(left)} processes left" if left else "said " + said[-200:] if "Traceback" in said else "ended"
        found[what] += 1
    said = f"{count} signals (SIGINT, SIGTERM) to explorers that compile their kernels: {counted(found)}"
    return f"{said}, within {longest:.1f} s", set(found) == {"ended"} and longest < PATIENCE


EXPLORER = {"explorer": explored, "explorer-start": first_starts}
