"""The explorer as a process: reached by its address alone, it shows a case beside data, moves device and drive, answers
whatever it is sent, and outlives its workers.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import psutil
import pytest

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


class Served:
    """An explorer of a small case: its process, its address, and the cookie of who opened it."""

    def __init__(self, folder):
        (folder / "small.toml").write_text(CASE)
        (folder / "rv.csv").write_text(DATA)
        (folder / "tmp").mkdir()
        self.temporary = folder / "tmp"
        words = [sys.executable, "-m", "otjdd", "explore", "--no-browser", "small.toml", "rv.csv"]
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL) if hasattr(signal, "SIGHUP") else None
        self.process = subprocess.Popen(  # with the default action: below nohup it would inherit an ignored signal
            words, cwd=folder, stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder / "tmp")}
        )
        if before is not None:
            signal.signal(signal.SIGHUP, before)
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
