"""The second process of a first run: it leaves the time step in the cache, and nothing depends on it."""

import os
import subprocess
import sys

import pytest
from devices import needs_speed

from otjdd import ahead, compiled, integrate, known


@needs_speed
def test_the_second_process_leaves_a_time_step_that_the_first_one_takes(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", ahead.SECOND], env=environment, check=True, timeout=250)
    (entry,) = tmp_path.glob("otjdd/*/rosenbrock.rosenbrock_step-*")
    before = entry.read_bytes()
    loads = (
        "from otjdd import ahead, known; from otjdd.physics.rosenbrock import rosenbrock_step as step;"
        "ahead.compile_step(known.begin()); assert step.signatures and not step.stats.cache_misses"
    )
    subprocess.run([sys.executable, "-c", loads], env=environment, check=True, timeout=250)
    assert entry.read_bytes() == before


@pytest.mark.parametrize("program", ["no-such-program", sys.executable])
def test_a_second_process_that_fails_costs_nothing_else(monkeypatch, program):
    jumps = []
    monkeypatch.setattr(ahead.sys, "executable", program)
    monkeypatch.setattr(ahead, "SECOND", "raise SystemExit(1)")
    monkeypatch.setattr(integrate, "jump", lambda run, voltage: jumps.append(voltage))
    ahead.compile_kernels(None)
    assert jumps == [0.1]


def test_a_second_process_ends_with_the_first_ones_work(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        ahead.subprocess, "Popen", lambda *words, **how: started.append(popen(*words, **how)) or started[0]
    )
    monkeypatch.setattr(ahead, "SECOND", "import time; time.sleep(100)")
    with pytest.raises(KeyboardInterrupt), ahead.second_process():
        raise KeyboardInterrupt
    assert started[0].poll() is not None


@needs_speed
def test_a_cache_with_something_in_it_is_not_filled_ahead(monkeypatch):
    monkeypatch.setattr(ahead, "compile_kernels", lambda run: pytest.fail("compiled ahead"))
    known.trust.cache_clear()
    known.answer()
    assert not compiled.is_empty()
    known.trust()
