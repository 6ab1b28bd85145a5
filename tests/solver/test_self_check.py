"""The known answer: found by any accurate time stepping, tried before every first run, and not believed blindly.

Before it kernels are compiled in two processes: the second leaves the time step in the cache, and nothing depends on it.
"""

import gc
import os
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from devices import needs_speed

from otjdd.compiler import kernel_cache
from otjdd.errors import KernelError
from otjdd.solver import self_check, simulate


@pytest.fixture(autouse=True)
def fresh():
    self_check.verify_kernels.cache_clear()
    yield
    self_check.verify_kernels.cache_clear()


@needs_speed
@pytest.mark.parametrize("rtol", [1e-5, 1e-6, 1e-8])
def test_the_answer_does_not_depend_on_the_time_steps(rtol):
    found = self_check.computed_answer(**{"numerics.rtol": rtol, "numerics.current_tolerance": 1e-6})
    assert found == pytest.approx(self_check.EXPECTED, rel=30 * rtol)
    assert self_check.difference_from_known(found) == ""


@pytest.mark.parametrize("name", self_check.KnownNumbers._fields)
@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_every_part_of_the_answer_counts(name, value):
    assert name.replace("_", " ") in self_check.difference_from_known(self_check.EXPECTED._replace(**{name: value}))


@needs_speed
def test_kernels_that_give_wrong_numbers_simulate_nothing_and_are_forgotten(monkeypatch):
    forgotten = []
    monkeypatch.setattr(self_check, "computed_answer", lambda: self_check.EXPECTED._replace(conductance=0.0))
    monkeypatch.setattr(kernel_cache, "forget", lambda: forgotten.append(True))
    with pytest.raises(KernelError, match=r"conductance 0, known to be 0\.00839.*the next command compiles them again"):
        simulate.simulate_junction(self_check.parse_case(self_check.CASE))
    assert forgotten == [True]


@needs_speed
def test_a_cold_start_says_that_kernels_are_compiled(monkeypatch, caplog):
    self_check.verify_kernels()
    assert caplog.records == []
    self_check.verify_kernels.cache_clear()
    monkeypatch.setattr(kernel_cache, "is_empty", lambda: True)
    self_check.verify_kernels()
    assert "compiling the kernels" in caplog.text


@needs_speed
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="the system knows no largest size of files")
def test_kernels_that_cannot_all_be_kept_are_told(monkeypatch, caplog, tmp_path):
    """A disk that is nearly full takes the small kernels alone: here no file may be larger than 1 kB."""
    import resource

    def compile_two(begin):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            kernel_cache.write_entry("small", (), bytes(10))
            kernel_cache.write_entry("large", (), bytes(10_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    monkeypatch.setattr(kernel_cache, "COUNTS", Counter())
    monkeypatch.setattr(kernel_cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(self_check, "compile_kernels", compile_two)
    monkeypatch.setattr(self_check, "computed_answer", lambda: self_check.EXPECTED)
    self_check.verify_kernels()
    assert [path.name[:5] for path in tmp_path.iterdir()] == ["small"]
    assert f"cannot be kept in {tmp_path}, and the next run compiles them again: is the disk full?" in caplog.text


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
