"""Studies under a bad star: killed, and on a cluster; in the campaign interrupted, workers shot, the scheduler gone."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import commands
import numpy as np
import pytest
from small_studies import POINT

from otjdd.case.case import load_case
from otjdd.errors import ExitCode
from otjdd.results import store
from otjdd.studies import points, study

GRID = """\
[study.grid]
drive.voltage = { start = "1 V", stop = "2 V", count = COUNT }
"""
CASE = POINT.replace("cells = 12", "cells = 40") + GRID
TRAIN = (
    'drive = { kind = "train", voltage = "2.2 V", width = "50 ns", count = 200, period = "10 us", read_each = true }\n#'
)
COMMAND = [sys.executable, "-c", "from otjdd.cli import main; main()"]
ENV = {name: value for name, value in os.environ.items() if name != "OTJDD_DEBUG"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "many.toml").write_text(CASE.replace("COUNT", "10"))
    (tmp_path / "endless.toml").write_text(CASE.replace("COUNT", "400").replace("drive = {", TRAIN))
    return tmp_path


def start(folder, *words, **more):
    return subprocess.Popen(
        [*COMMAND, "study", *map(str, words)], cwd=folder, env=ENV, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **more,
    )  # fmt: skip


def otjdd(folder, *words):
    done = commands.otjdd(folder, "study", *words)
    return done.returncode, done.stdout, done.stderr


def finished(out) -> set[str]:
    """Names of the points that are on disk."""
    held = out / points.FOLDER
    return {p.name for p in held.iterdir() if not p.name.startswith(".")} if held.is_dir() else set()


def wait_for(condition):
    while not condition():  # however busy the machine is
        time.sleep(0.02)


def test_what_a_folder_holds_is_told(folder):
    failing = otjdd(folder, "many.toml", "-o", "out", "--shard", "1/5", "--set", "numerics.max_steps=3")
    assert failing[0] == ExitCode.FAILED
    code, out, _ = otjdd(folder, "--status", "out")
    assert code == 0
    assert "8 missing" in out
    assert "failed: " in out
    assert "max_steps" in out
    next(iter((folder / "out" / "points").iterdir())).write_bytes(b"nonsense")
    assert "1 damaged" in otjdd(folder, "--status", "out")[1]
    assert otjdd(folder, "--status", "nowhere")[0] == 5


def heed():
    """A shell's background job ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.campaign
def test_a_worker_that_is_killed_costs_its_point_alone(folder):
    import psutil

    process = start(folder, "endless.toml", "-o", "out", "--workers", "2", preexec_fn=heed)
    wait_for(lambda: len(finished(folder / "out")) > 3)
    workers = [p for p in psutil.Process(process.pid).children(recursive=True) if len(p.parents()) and p.num_threads()]
    leaf = [p for p in workers if not p.children() and "resource_tracker" not in " ".join(p.cmdline())]
    before = len(finished(folder / "out"))
    leaf[-1].kill()
    wait_for(lambda: len(finished(folder / "out")) > before + 8)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()
    ds = store.read(folder / "out" / "study.nc")
    assert 0 < int((ds.status == 1).sum()) <= 8
    assert "killed by signal 9" in str(ds.reason.values[ds.status.values == 1][0])


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def cluster(folder):
    """A dask scheduler and two workers, processes of their own on loopback: (address, scheduler, workers)."""
    pytest.importorskip("distributed")
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "distributed.cli."]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "start_new_session": True}
    scheduler = subprocess.Popen([*dask[:2], dask[2] + "dask_scheduler", "--host", address, "--no-dashboard"], **quiet)
    worker = [*dask[:2], dask[2] + "dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    workers = [subprocess.Popen(worker, **quiet) for _ in range(2)]
    yield address, scheduler, workers
    for process in (scheduler, *workers):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_all_arrays_of_a_study_are_exported(folder):
    (folder / "loop.toml").write_text(
        'base = "rv-loop.toml"\ncolumns = { count = 1, spread = {} }\ndevice.film.cells = 12\n'
        'drive.step = "2 V"\n[study.grid]\n'
        '"device.film.thickness" = ["2.6 nm", "2.8 nm"]\n"temperature" = ["290 K", "300 K"]\n'
    )
    assert otjdd(folder, "loop.toml", "-o", "out", "--workers", 1)[0] == 0
    done = commands.otjdd(folder, "export", "out", "-o", "points.csv")
    assert "left out: read_resistance, which --over read tabulates" in done.stderr
    assert commands.otjdd(folder, "export", "out", "-o", "reads.csv", "--over", "read").returncode == 0
    ds = store.read(folder / "out" / "study.nc")
    table = np.genfromtxt(folder / "reads.csv", delimiter=",", names=True)
    assert len(table) == ds.read_resistance.size
    first = ds.read_resistance.sel({"device.film.thickness": 2.6e-9, "temperature": 300.0}).values
    rows = (np.abs(table["devicefilmthickness_m"] - 2.6e-9) < 1e-12) & (table["temperature_K"] == 300.0)
    np.testing.assert_array_equal(table["read_resistance_ohm"][rows], first)


@contextlib.contextmanager
def speaking(words: bytes):
    """Port of a server that says these words to whoever connects, and no others."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        clients = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    clients.append(server.accept()[0])
                    clients[-1].sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        for client in clients:
            client.close()


@pytest.mark.parametrize(
    ("scheme", "words", "said"),
    [
        ("tcp", None, "Connection refused"),
        ("tls", None, "tls:// needs certificates"),
        ("tcp", b"SSH-2.0-OpenSSH_9.6\r\n", "something else answers (b'SSH-2.0-')"),
        ("tcp", b"", "it said nothing for 0.5 s"),
        ("smoke", b"", "no dask scheduler at smoke://"),
    ],
)
def test_what_is_no_scheduler_is_told_and_leaves_no_folder(folder, monkeypatch, scheme, words, said):
    pytest.importorskip("distributed")
    monkeypatch.setattr("otjdd.studies.jobs.PATIENCE", 0.5)
    with contextlib.nullcontext(free_port()) if words is None else speaking(words) as port:
        code, _, told = otjdd(folder, "many.toml", "-o", "out", "--scheduler", f"{scheme}://127.0.0.1:{port}")
    assert code == 5
    assert said in told
    assert not (folder / "out").exists()


def is_served(port: int) -> bool:
    """True when a port of this machine takes connections."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.campaign
def test_a_scheduler_without_workers_ends_the_study_in_words(folder, monkeypatch, cluster, caplog):
    address, _, workers = cluster
    for worker in workers:
        worker.kill()
        worker.wait()
    wait_for(lambda: is_served(int(address.rpartition(":")[2])))
    monkeypatch.setattr("otjdd.studies.jobs.TOLD_AFTER", 0.5)
    monkeypatch.setattr("otjdd.studies.jobs.WITHOUT_WORKERS", 2.0)
    code, _, told = otjdd(folder, "many.toml", "-o", "out", "--scheduler", address)
    assert code == 5
    assert f"waiting for workers: the scheduler at {address} has none" in caplog.text
    assert f"the scheduler at {address} had no worker for 2 s" in told


@pytest.mark.campaign
def test_a_result_that_is_lost_on_its_way_from_a_cluster_is_computed_again(folder, cluster, monkeypatch):
    from distributed import Client

    address, submit, lost = cluster[0], Client.submit, []
    wait_for(lambda: is_served(int(address.rpartition(":")[2])))

    def submit_and_lose_the_third(client, *arguments, **options):
        future = submit(client, *arguments, **options)
        lost.append(options["key"])
        if len(lost) == 3:
            future.cancel()
        return future

    monkeypatch.setattr(Client, "submit", submit_and_lose_the_third)
    ds = study.study(load_case(folder / "many.toml"), folder / "far", scheduler=address)
    assert (ds.status == 0).all()
    assert len(lost) == ds.status.size + 1
    assert lost[-1].rpartition("-")[0] == lost[2].rpartition("-")[0]


def test_a_cluster_gives_the_same_bytes_though_one_of_its_workers_is_killed(folder, cluster):
    address, _, workers = cluster
    process = start(folder, "many.toml", "-o", "far", "--scheduler", address)
    wait_for(lambda: len(finished(folder / "far")) > 3)
    workers[0].kill()
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "10 of 10 points" in out
    assert otjdd(folder, "many.toml", "-o", "near", "--workers", 2)[0] == 0
    assert (folder / "far" / "study.nc").read_bytes() == (folder / "near" / "study.nc").read_bytes()


@pytest.mark.campaign
def test_a_scheduler_that_goes_away_loses_no_finished_point_and_the_study_resumes(folder, cluster):
    address, scheduler, _ = cluster
    process = start(folder, "endless.toml", "-o", "out", "--scheduler", address)
    wait_for(lambda: len(finished(folder / "out")) > 4)
    scheduler.kill()
    _, err = process.communicate()
    assert process.returncode == 5, err
    assert "gone; what was finished is kept" in err.splitlines()[-1]
    held = finished(folder / "out")
    ds = store.read(folder / "out" / "study.nc")
    assert int((ds.status == 0).sum()) == len(held) > 4
    before = {name: (folder / "out" / "points" / name).stat().st_mtime_ns for name in held}
    again = start(folder, "endless.toml", "-o", "out", "--resume", preexec_fn=heed)
    wait_for(lambda: len(finished(folder / "out")) > len(held) + 5)
    os.killpg(again.pid, signal.SIGINT)
    again.communicate()
    assert before == {name: (folder / "out" / "points" / name).stat().st_mtime_ns for name in held}


@pytest.mark.campaign
def test_a_scheduler_that_is_made_here_talks_to_its_own_study_only(folder):
    """Without a certificate nobody can submit code to it, not even over the loopback of the same machine."""
    pytest.importorskip("distributed")
    process = start(folder, "endless.toml", "-o", "out", "--scheduler", "local", "--workers", "1")
    try:
        wait_for(lambda: listening(process.pid) and finished(folder / "out"))
        for port in listening(process.pid):
            # dask itself speaks first, to whoever connects; its server of pages has no page
            assert answer(port, encrypted=False)[:12] in (b"", b"HTTP/1.1 404")
            assert answer(port, encrypted=True) == b""
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130


def answer(port: int, encrypted: bool) -> bytes:
    """Answer of a port of this machine to somebody without a certificate, but for an alert of TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        try:
            with context.wrap_socket(connection) if encrypted else connection as channel:
                if not encrypted:
                    channel.sendall(b"GET /info/main/workers.html HTTP/1.1\r\nHost: localhost\r\n\r\n")
                said = channel.recv(64)
        except (ssl.SSLError, ConnectionError, TimeoutError):
            return b""
    return b"" if said[:1] == b"\x15" else said


def listening(pid: int) -> list[int]:
    """Ports of TCP on which a process listens, at any address."""
    import psutil

    return [c.laddr.port for c in psutil.Process(pid).net_connections("tcp") if c.status == "LISTEN"]
