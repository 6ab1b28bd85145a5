"""The known answer: found by any accurate time stepping, tried before every first run, and not believed blindly."""

import os
from collections import Counter

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
            kernel_cache.write("small", (), bytes(10))
            kernel_cache.write("large", (), bytes(10_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    monkeypatch.setattr(kernel_cache, "COUNTS", Counter())
    monkeypatch.setattr(kernel_cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(self_check, "compile_kernels", compile_two)
    monkeypatch.setattr(self_check, "computed_answer", lambda: self_check.EXPECTED)
    self_check.verify_kernels()
    assert [path.name[:5] for path in tmp_path.iterdir()] == ["small"]
    assert f"cannot be kept in {tmp_path}, and the next run compiles them again: is the disk full?" in caplog.text
