"""The second process of a first run: it leaves the time step in the cache, and nothing depends on it."""

import os
import subprocess
import sys

import pytest
from devices import needs_speed

from otjdd.physics import jit_cache
from otjdd.solver import compile_ahead, integrate, self_check


@needs_speed
def test_the_second_process_leaves_a_time_step_that_the_first_one_takes(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", compile_ahead.SECOND], env=environment, check=True, timeout=250)
    (entry,) = tmp_path.glob("otjdd/*/rosenbrock.rosenbrock_step-*")
    before = entry.read_bytes()
    loads = (
        "from otjdd.solver import compile_ahead, self_check; from otjdd.physics.rosenbrock import rosenbrock_step as step;"
        "compile_ahead.compile_step(self_check.begin()); assert step.signatures and not step.stats.cache_misses"
    )
    subprocess.run([sys.executable, "-c", loads], env=environment, check=True, timeout=250)
    assert entry.read_bytes() == before


@pytest.mark.parametrize("program", ["no-such-program", sys.executable])
def test_a_second_process_that_fails_costs_nothing_else(monkeypatch, program):
    jumps = []
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(compile_ahead, "SECOND", "raise SystemExit(1)")
    monkeypatch.setattr(integrate, "jump", lambda run, voltage: jumps.append(voltage))
    compile_ahead.compile_kernels(None)
    assert jumps == [0.1]


def test_a_second_process_ends_with_the_first_ones_work(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        compile_ahead.subprocess, "Popen", lambda *words, **how: started.append(popen(*words, **how)) or started[0]
    )
    monkeypatch.setattr(compile_ahead, "SECOND", "import time; time.sleep(100)")
    with pytest.raises(KeyboardInterrupt), compile_ahead.second_process():
        raise KeyboardInterrupt
    assert started[0].poll() is not None


@needs_speed
def test_a_cache_with_something_in_it_is_not_filled_ahead(monkeypatch):
    monkeypatch.setattr(compile_ahead, "compile_kernels", lambda run: pytest.fail("compiled ahead"))
    self_check.trust.cache_clear()
    self_check.answer()
    assert not jit_cache.is_empty()
    self_check.trust()
