"""The second process of a first run: it leaves the time step in the cache, and nothing depends on it."""

import gc
import subprocess
import sys
from types import SimpleNamespace

import pytest
from devices import needs_speed

from otjdd.compiler import kernel_cache
from otjdd.solver import self_check


@pytest.mark.campaign
@needs_speed
def test_the_second_process_makes_the_time_step_and_says_so(capsys):
    self_check.second(self_check.begin_between_metals)
    assert capsys.readouterr().out == "the steps are there\n"
    assert "second(self_check.begin_between_metals)" in self_check.SECOND
    before = kernel_cache.COUNTS["compiled"]
    self_check.compile_steps(self_check.begin_between_metals())
    assert kernel_cache.COUNTS["compiled"] == before


@pytest.mark.parametrize("program", ["no-such-program", sys.executable])
def test_a_second_process_that_fails_costs_nothing_else(monkeypatch, program):
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(self_check, "SECOND", "raise SystemExit(1)")
    with self_check.second_process() as wait_for_steps:
        assert not wait_for_steps()
    run = self_check.begin_known()
    self_check.compile_kernels(lambda: run)
    assert run.counts.accepted > 0
    assert gc.isenabled()


def test_the_garbage_collector_is_off_in_a_block_alone():
    with self_check.without_collector():
        assert not gc.isenabled()
        with self_check.without_collector():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_second_process_ends_with_the_first_ones_work(monkeypatch):
    started = []
    popen = subprocess.Popen
    monkeypatch.setattr(
        self_check.subprocess, "Popen", lambda *words, **how: started.append(popen(*words, **how)) or started[0]
    )
    monkeypatch.setattr(self_check, "SECOND", "import time; time.sleep(1000)")
    with pytest.raises(KeyboardInterrupt), self_check.second_process():
        raise KeyboardInterrupt
    assert started[0].poll() is not None


@needs_speed
def test_a_cache_with_something_in_it_is_not_filled_ahead(monkeypatch):
    monkeypatch.setattr(self_check, "compile_kernels", lambda run: pytest.fail("compiled ahead"))
    self_check.verify_kernels.cache_clear()
    self_check.computed_answer()
    assert not kernel_cache.is_empty()
    self_check.verify_kernels()


@needs_speed
def test_every_deferred_kernel_returns_what_its_annotation_says():
    self_check.verify_kernels()
    deferred = [kernel for kernel in kernel_cache.KERNELS.values() if kernel.deferred and "otjdd" in kernel.__module__]
    for kernel in 2 * deferred:  # twice: they call others
        for arguments in list(kernel.loaded):
            assert kernel.find(arguments)
    assert len(deferred) > 15
    assert all(kernel.addresses for kernel in deferred)


def test_a_first_run_says_what_it_compiles_how_far_it_is_and_when_it_will_end(monkeypatch, caplog, tmp_path):
    kernel = SimpleNamespace(apart=True, deferred=False)
    kernels = {"a.first": kernel, "a.second": kernel, "b.rare": SimpleNamespace(apart=True, deferred=True)}
    monkeypatch.setattr(kernel_cache, "KERNELS", kernels)
    monkeypatch.setattr(kernel_cache, "folder", lambda: tmp_path)
    (tmp_path / "a.first-0123").touch()
    (tmp_path / "b.rare-0123").touch()
    now = iter([0.0, 5.0, 5.0, 20.0, 20.0])
    monkeypatch.setattr(self_check.time, "monotonic", lambda: next(now))
    with caplog.at_level("WARNING"), self_check.telling_progress():
        for name in ("a.first", "a.second"):
            with kernel_cache.compiling(name):
                pass
    assert caplog.messages == ["compiling the kernels: 50 %, now a: second, some 20 s more"]
    assert not kernel_cache.ON_COMPILING
