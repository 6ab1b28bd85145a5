"""Errors of the numbers of claims: of the grid, of the steps, and what the tolerance of the currents leaves."""

import math

import pytest
from small_claims import CASE, folder

from otjdd.case.case import load_case, shipped_cases
from otjdd.claims import judge, papers
from otjdd.claims.claim import ClaimTrial
from otjdd.results import outputs
from otjdd.runs import error_estimate


def test_errors_of_numbers_are_those_of_grid_and_steps():
    found = judge.figure_errors({"low": 30.0, "gone": 1.0}, {"low": 33.0}, {"low": 33.2}, {"low": 0.1, "gone": 0.1})
    assert found["low"] == pytest.approx(1.2)
    assert math.isnan(found["gone"])
    luck = judge.figure_errors({"drift": 0.0}, {"drift": 0.0}, {"drift": 0.0}, {"drift": 1e-4})
    assert luck["drift"] == 1e-4  # two runs that agree by luck: what the tolerance of the currents leaves


def spikes(*currents, tolerance=1e-4):
    """Trials of the metric "amplitudes": one read after a spike each."""
    case = load_case(shipped_cases() / "li2019.toml", {"numerics.current_tolerance": tolerance})
    reads = [{"read_time": [1.0], "read_current": [i], "read_resistance": [0.1 / i]} for i in currents]
    return [ClaimTrial("spike", float(n), case, outputs.dataset(read)) for n, read in enumerate(reads)]


def noise(trials):
    claim = papers.load_claim("ltp-amplitude")
    found = papers.figure_numbers(claim, trials)
    return found, judge.tolerance_noise(claim, trials, found)


def test_the_tolerance_of_a_current_is_found_in_the_numbers_that_hang_on_it():
    found, luck = noise(spikes(1e-9, 2e-9, 4e-9))
    assert luck["rises"] == 0.0
    one = 1e-4 / math.sqrt(3)  # root mean square of a uniform factor
    assert luck["last"] == pytest.approx(one * 4e-9, rel=0.5)
    assert luck["ratio"] == pytest.approx(math.sqrt(2) * one * found["ratio"], rel=0.5)
    assert noise(spikes(1e-9, 2e-9, tolerance=1e-2))[1]["last"] == pytest.approx(100 * one * 2e-9, rel=0.5)


def test_steps_between_equal_currents_may_rise_or_fall():
    found, luck = noise(spikes(1e-9, 4e-9, 4e-9 * (1 + 1e-7)))
    assert found["rises"] == 1.0
    assert 0.25 < luck["rises"] < 0.45  # of two steps one falls in half of the draws: 0.5 / sqrt(2)


def test_a_number_that_moved_currents_do_not_show_has_no_error(monkeypatch):
    trials = spikes(1e-9, 2e-9)
    measured = papers.figure_numbers

    def fussy(claim, moved):
        if moved[0].ds.read_current[0] != 1e-9:
            raise ValueError("no such currents")
        return measured(claim, moved)

    monkeypatch.setattr(papers, "figure_numbers", fussy)
    assert math.isnan(noise(trials)[1]["first"])


def test_a_claim_without_numbers_has_no_errors(tmp_path):
    claim = papers.load_claim("small", folder(tmp_path) / "small")
    trials = papers.planned(claim)
    failed = judge.judge("small", claim, trials, {trials[0].case.digest: "the lights went out"})
    assert judge.errors_of(failed, failed, failed) == {}


def test_runs_for_errors_have_smaller_tolerances_and_half_the_cells():
    case = load_case("rv-loop")
    of_claims, of_reads, own = judge.strict(case), error_estimate.stricter(case).numerics, case.numerics
    assert of_claims.device.film.cells == case.device.film.cells // 2
    for strict, current in ((of_claims.numerics, 0.1), (of_reads, 0.01)):
        assert (strict.rtol, strict.atol) == pytest.approx((0.1 * own.rtol, 0.1 * own.atol))
        assert strict.current_tolerance == pytest.approx(current * own.current_tolerance)


def test_errors_of_a_real_claim_cover_what_a_finer_grid_changes(tmp_path):
    for name, cells in (("stated", 48), ("finer", 192)):
        folder(tmp_path, case=CASE.replace("cells = 8", f"cells = {cells}"), name=name)
    plain, finer = judge.validate(["stated", "finer"], folder=tmp_path)
    (stated,) = judge.validate(["stated"], folder=tmp_path, errors=True)
    assert plain.values == stated.values
    off = abs(finer.values["low"] - stated.values["low"])
    assert 0.3 * off < stated.errors["low"] < 3.0 * off
