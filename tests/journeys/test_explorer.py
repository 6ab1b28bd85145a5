"""The explorer as a process: reached by its address alone, it shows a case beside data, moves device and drive, answers
whatever it is sent, and outlives its workers.
"""

import http.client
import json
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from otjdd.case.case import load_case, parse_case
from otjdd.cli.arguments import changes_of

CASE = """base = "rv-loop.toml"
title = "Four writes"
columns = { count = 1 }
device = { film = { cells = 12, electrons = "none" } }
drive = { step = "2 V" }
"""
DATA = "V (V),R (ohm)\n-4,3.3e8\n-2,3.1e8\n2,4.5e4\n"
TAB = "?tab=0123456789abcdef"
OWN = {"experiment": "own", "values": {}, "final": True}
NO_MESSAGES = (
    b"", b"[]", b"{}", b"\xff\xfe", b"[" * 30000 + b"]" * 30000, b'{"experiment":["loop"],"values":{}}',
    b'{"experiment":"own","values":{"thickness":"x"}}', b'{"experiment":"own","values":{"thickness":%s}}' % (b"9" * 4000),
)  # fmt: skip


def begun(folder, *words) -> subprocess.Popen:
    """An explorer that begins, with signals as in a terminal: nohup has them ignored. Its temporary folder is tmp."""

    def as_in_a_terminal():
        import resource

        resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))  # as on macOS
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)

    return subprocess.Popen(
        [sys.executable, "-m", "otjdd", "explore", "--no-browser", *words], cwd=folder, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(folder / "tmp")}, preexec_fn=as_in_a_terminal if os.name == "posix" else None,
    )  # fmt: skip


class Served:
    """An explorer of a small case: its process, its address, and the cookie of who opened it."""

    def __init__(self, folder):
        (folder / "small.toml").write_text(CASE)
        (folder / "rv.csv").write_text(DATA)
        (folder / "tmp").mkdir()
        self.temporary = folder / "tmp"
        self.process = begun(folder, "small.toml", "rv.csv")
        self.address = urlsplit(re.search(r"http://\S+/", self.process.stderr.readline())[0])
        self.cookie = ""
        self.cookie = self.ask("GET", self.address.path)[2].getheader("set-cookie").partition(";")[0]

    def ask(self, method, path, body=None):
        """Status, body and response of a request."""
        with closing(http.client.HTTPConnection(self.address.netloc)) as connection:
            connection.request(method, path, body, {"Cookie": self.cookie} if self.cookie else {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer

    def move(self, **values) -> dict:
        """Answer to a move of sliders: `own-read` is that of the read voltage in the case's own drive."""
        return json.loads(self.ask("POST", f"/move{TAB}", json.dumps(OWN | {"values": values}))[1])

    def pulse(self, voltage, width) -> dict:
        """Answer to a pulse [V], [s] by hand."""
        return json.loads(self.ask("POST", f"/pulse{TAB}", json.dumps({"voltage": voltage, "width": width}))[1])

    def workers(self) -> list[psutil.Process]:
        started = psutil.Process(self.process.pid).children(recursive=True)
        return [process for process in started if process.ppid() != self.process.pid]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("explorer"))
    yield served
    if served.process.poll() is None:
        served.process.kill()
        served.process.communicate()


def test_a_case_is_shown_beside_data_and_its_drive_is_moved(served):
    start = json.loads(served.ask("GET", f"/start{TAB}")[1])
    drives = {name: [row["label"] for row in rows] for name, _, rows in start["experiments"]}
    assert drives["own"] == ["Voltage", "Second voltage", "Width", "Read voltage"]
    assert "Ramp up and down" in drives["loop"]
    assert start["settings"]["experiment"] == "own"
    first, moved = served.move(), served.move(**{"own-read": 0.2, "own-voltage": 2.0, "compliance": 0.1})
    assert first["points"] == "black circles: rv.csv"
    assert first["summary"] != moved["summary"]
    for words in ("drive.read.voltage=0.2 V", "drive.path[1]=2 V", "circuit.compliance=0.1 mA"):
        assert f"--set '{words}'" in moved["command"]
    outside = served.move(thickness=9.0)
    assert outside == {"problem": "Film thickness: 1.2 to 5 nm here; a case file goes further", "slider": "thickness"}


@pytest.mark.skipif(os.name != "posix", reason="handles of Unix")
def test_more_half_requests_than_handles_keep_nobody_from_an_answer(served):
    place = served.address.hostname, served.address.port
    with ExitStack() as clients:
        for _ in range(300):
            clients.enter_context(socket.create_connection(place)).sendall(b"GET / HT")
        assert served.ask("GET", f"/start{TAB}")[0] == 200
    assert served.ask("GET", f"/start{TAB}")[0] == 200
    assert not select.select([served.process.stderr], [], [], 0.0)[0]  # no word of it


def test_a_worker_that_is_killed_while_it_waits_is_replaced(served):
    first = served.move()
    assert not first.get("problem")
    assert first["pictures"]["curve"].startswith("<?xml")
    killed = served.workers()
    for worker in killed:
        worker.kill()
    psutil.wait_procs(killed)
    assert served.move()["summary"] == first["summary"]


def test_whatever_is_sent_is_answered_in_words(served):
    for body in NO_MESSAGES:
        status, said, _ = served.ask("POST", f"/move{TAB}", body)
        assert status == 400
        assert said.startswith(b"expect")
    for method, path, status in (
        ("OPTIONS", "*", 400), ("GET", "foo", 400), ("GET", "/..%2fsmall.toml", 404), ("GET", "/download/small.toml", 400),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404), ("GET", "/", 200),
    ):  # fmt: skip
        assert served.ask(method, path)[0] == status
    with socket.create_connection((served.address.hostname, served.address.port)) as client:  # which hangs up
        client.sendall(f"POST /move{TAB} HTTP/1.1\r\nHost: {served.address.netloc}\r\n".encode())
        client.sendall(f"Cookie: {served.cookie}\r\nContent-Length: 99\r\n\r\n".encode())
    assert served.ask("GET", f"/start{TAB}")[0] == 200


def test_pulses_at_once_follow_each_other_and_the_command_does_what_the_page_shows(served):
    assert not served.move().get("problem")
    with ThreadPoolExecutor(3) as threads:
        pulses = [threads.submit(served.pulse, voltage, 1e-6) for voltage in (1.0, 1.1, 1.2)]
        answers = [pulse.result() for pulse in pulses]
    numbers = [answer["pulses"] for answer in answers if not answer.get("superseded")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    shown = served.pulse(-1.0, 1e-6)
    words = shlex.split(shown["command"])
    assert words[:3] == ["otjdd", "run", "small.toml"]
    typed = load_case(served.temporary.parent / "small.toml", changes_of(words[4:-2:2]))
    downloaded = parse_case(served.ask("GET", f"/download/case.toml{TAB}")[1].decode(), served.temporary.parent)
    assert len(typed.drive.parts) == shown["pulses"] + 1
    assert typed.digest == downloaded.digest


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_explorer_that_is_ended_while_it_starts_leaves_nothing(number):
    with tempfile.TemporaryDirectory() as short:  # the path of a socket has at most some hundred letters
        folder = Path(short)
        (folder / "small.toml").write_text(CASE)
        (folder / "tmp").mkdir()
        with begun(folder, "small.toml") as process:
            address = process.stderr.readline()
            if number == signal.SIGKILL:  # once there are processes and their sockets
                while process.poll() is None and len(psutil.Process(process.pid).children(recursive=True)) < 2:
                    time.sleep(0.02)
                assert process.poll() is None, address + process.stderr.read()
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            message = process.communicate()[1]
        psutil.wait_procs(children)
        assert [*(folder / "tmp").iterdir()] == []
    if number == signal.SIGTERM:
        # a worker that was just starting may print a traceback behind it: its parent took the semaphores along
        assert (process.returncode, message.splitlines()[0]) == (143, "interrupted by SIGTERM")


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals of Unix")
def test_it_ends_with_its_terminal_and_leaves_nothing(served):
    served.process.send_signal(signal.SIGHUP)
    said = served.process.communicate()[1]
    assert served.process.returncode == 0
    assert set(said.splitlines()) == {"a process was ended from outside before its next job; another takes its place"}
    assert [*served.temporary.iterdir()] == []


@pytest.mark.parametrize("words", [("explore", "--no-browser", "small.toml"), ("study", "small.toml", "-o", "out")])
def test_a_place_where_no_process_can_be_started_ends_the_command_in_words(tmp_path, words):
    place = tmp_path / ("long" * 20)
    place.mkdir()
    (tmp_path / "small.toml").write_text(CASE + 'study = { grid = { "drive.step" = ["1 V", "2 V"] } }\n')
    done = subprocess.run(
        [sys.executable, "-m", "otjdd", *words], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"TMPDIR": str(place)},
    )  # fmt: skip
    assert done.returncode == 5
    assert "set TMPDIR to a shorter one" in done.stderr
    assert "Traceback" not in done.stderr
