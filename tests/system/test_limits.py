"""Signals and limits end a run as Ctrl-C does: soon, with what was computed on disk, and with an exit code of their own."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from commands import ALONE, otjdd
from devices import needs_speed

from otjdd.errors import Stopped
from otjdd.results import store
from otjdd.solver.model_limits import ending
from otjdd.system import limits

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of Unix")

ENDLESS = """
base = "li2019.toml"
title = "endless"
drive = { kind = "train", voltage = "2.2 V", width = "50 ns", count = 20000, period = "10 us", read_each = true }
columns = { count = 1, spread = {} }
device.film.cells = 12
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "endless.toml").write_text(ENDLESS)
    return tmp_path


def start(folder, *words, stderr=subprocess.PIPE):
    return subprocess.Popen([*ALONE, *words], cwd=folder, stderr=stderr, stdout=subprocess.PIPE, text=True)


def until(words: bytes, terminal: int) -> bytes:
    """Text of a terminal until it shows these words (a pattern)."""
    shown = b""
    while not re.search(words, shown):
        shown += os.read(terminal, 4096)
    return shown


def kept(folder):
    """Number of instants in the result, and what its status says."""
    ds = store.read(folder / "endless.nc")
    return ds.sizes["time"], ds.attrs["solver_status"]


@needs_speed
@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        pytest.param(signal.SIGINT, 130, "", marks=pytest.mark.campaign),
        pytest.param(signal.SIGTERM, 143, " by SIGTERM", marks=pytest.mark.campaign),
        (signal.SIGHUP, 143, " by SIGHUP"),
        pytest.param(signal.SIGXCPU, 143, " by SIGXCPU", marks=pytest.mark.campaign),
    ],
)
def test_a_signal_leaves_what_was_computed(folder, number, code, words):
    import pty

    ours, theirs = pty.openpty()
    with start(folder, "run", "endless.toml", stderr=theirs) as process:
        os.close(theirs)
        try:
            until(rb" [1-9]\d?%", ours)  # a fast machine never shows 1 %
            process.send_signal(number)
            told = until(b"interrupted" + words.encode(), ours)
            process.wait()
        finally:
            process.kill()
    os.close(ours)
    assert process.returncode == code, told
    assert b"What was computed until then is in endless.nc." in told
    count, status = kept(folder)
    assert count > 10
    assert status == f"interrupted{words}"


PROFILES = ["--set", "drive.count=10", "--set", "record.profiles=8"]
AT_THE_THIRD_PROFILE = """
import os, signal
from otjdd.solver import collect
signal.signal(signal.SIGINT, signal.default_int_handler)
profile, instants = collect.snapshot, []

def snapshot(case, moving, state, constant):
    instants.append(state.time)
    if len(instants) == 3:
        os.kill(os.getpid(), {number})
    return profile(case, moving, state, constant)

collect.snapshot = snapshot
from otjdd.__main__ import main
main()
"""


@needs_speed
@pytest.mark.campaign
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_profiles_are_computed_leaves_steps_reads_and_a_checkpoint(folder, number):
    words, code = ["run", "endless.toml", *PROFILES], AT_THE_THIRD_PROFILE.format(number=int(number))
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], done.stderr
    assert "The same command with --resume continues from the last checkpoint." in done.stderr
    ended = store.read(folder / "endless.nc")
    assert (ended.sizes["read"], ended.sizes["snapshot"]) == (10, 2)
    assert otjdd(folder, *words, "--resume").returncode == 0
    resumed = store.read(folder / "endless.nc")
    assert resumed.sizes["snapshot"] == 8
    np.testing.assert_array_equal(resumed.read_current, ended.read_current)


@needs_speed
@pytest.mark.campaign
def test_a_memory_limit_ends_a_run(folder):
    with start(folder, "run", "endless.toml", "--max-memory", "0.4") as process:
        try:
            _, told = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 6, told
    assert "memory limit of 0.4 GiB" in told


def test_an_interruption_within_a_kernel_is_one():
    interrupted, wrapped = KeyboardInterrupt(), SystemError("returned a result with an exception set")
    wrapped.__cause__ = interrupted
    assert limits.interruption(interrupted) is limits.interruption(wrapped) is interrupted
    assert limits.interruption(SystemError()) is None
    wrapped.__cause__ = TimeoutError()  # raised by a handler of the program that calls otjdd
    with pytest.raises(TimeoutError):
        ending(wrapped)
    assert limits.interruption(ValueError()) is None


@pytest.mark.parametrize("number", limits.ENDING)
def test_what_is_shielded_is_done_before_the_signal_comes_through(number):
    done = []
    with pytest.raises(KeyboardInterrupt), limits.heeding_signals():  # noqa: PT012
        with limits.shielded():
            signal.raise_signal(number)
            done.append("written")
        done.append("not reached")
    assert done == ["written"]


def wait():
    """Wait for what another thread sends, which ends a long sleep."""
    time.sleep(200)


def test_a_limit_tells_itself_from_a_signal():
    with pytest.raises(Stopped, match="time limit") as stopped, limits.limits(0.05, 2**40):
        wait()
    assert stopped.value.limit
    with pytest.raises(Stopped, match="memory limit") as stopped, limits.limits(None, 2**20):
        wait()
    assert stopped.value.limit
    with pytest.raises(Stopped, match="SIGTERM") as stopped, limits.limits(60.0, 2**40):
        signal.raise_signal(signal.SIGTERM)
    assert not stopped.value.limit


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.campaign)])
def test_an_interruption_that_a_callback_of_c_swallows_is_raised_again(number, capfd):
    import ctypes

    swallowed, hook = [], sys.unraisablehook

    def callback():
        swallowed.append(number)
        signal.raise_signal(number)
        time.sleep(0.001)  # where the exception rises, with nobody but C above it

    def work():
        called = ctypes.CFUNCTYPE(None)(callback)
        called()
        called()
        assert swallowed == [number] * 2
        wait()

    with pytest.raises(KeyboardInterrupt) as raised, limits.heeding_signals():
        work()
    assert sys.unraisablehook is hook
    assert isinstance(raised.value, Stopped) == (number == signal.SIGTERM)
    assert capfd.readouterr().err == ""


def test_a_signal_that_comes_while_a_kernel_makes_its_result_is_heeded_behind_that_call(monkeypatch):
    """Sent again after a moment it would come within the next call of a kernel, again and again."""
    monkeypatch.setattr(limits, "called_by_machine_code", lambda frame: frame.f_code.co_name == "making_a_result")

    def making_a_result():
        signal.raise_signal(signal.SIGTERM)

    timers, later = [], limits.interrupt_later
    monkeypatch.setattr(limits, "interrupt_later", lambda *words: timers.append(later(*words)) or timers[-1])
    with limits.heeding_signals():
        making_a_result()
        with pytest.raises(Stopped):
            limits.heed_pending()
        timers[0].join()  # it sends no second one, into what keeps the result
