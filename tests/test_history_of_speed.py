"""Comparison of this checkout with a commit: its errors, its processes, its table. Nothing is timed."""

import subprocess
import sys

import pytest

from validation.peers import history, reference, states

pytestmark = pytest.mark.campaign


def test_extrapolation_removes_an_error_of_second_order():
    exact, h = 2.7e4, 0.1
    coarse, fine = ([exact * 2.718281828459045 ** (3 * step * step)] for step in (h, h / 2))
    assert reference.extrapolated(coarse, fine) == pytest.approx([exact], rel=1e-12)


def test_errors_are_relative_and_the_largest_of_all():
    assert reference.errors([1.0, 1.01, 2.0], [1.0, 1.0, 2.0]) == pytest.approx((0.00995, 0.00995 / 3**0.5), rel=1e-3)


@pytest.mark.parametrize("name", [*history.SHIPPED, history.LONG])
def test_a_converged_read_is_kept_for_every_read_of_a_case(name):
    from otjdd.case.case import load_case

    assert len(reference.read(name)) == load_case(reference.CASES / f"{name}.toml").drive.waveform().read_count


def test_the_ladders_pair_estimates_with_coarse_grids_and_climb():
    for family in history.ladders():
        cells = [setting["device.film.cells"] for setting in family]
        assert cells == sorted(cells)
        for setting in family:
            assert ("numerics.error" in setting) == (setting["device.film.cells"] < 100)


class Recorded:
    """A state of the code whose runs are known beforehand."""

    name = "recorded"

    def run(self, case, changes):
        if "numerics.error" in changes:
            return None
        cells = changes.get("device.film.cells", 100)
        reads = [R * 2.718281828459045 ** (9.0 / cells**2) for R in reference.read(case.stem)]
        return states.Ran(reads, 1e-3 * cells, 2e-3 * cells, {"accepted": 7, "rejected": 1, "currents": 5})


def test_the_cheapest_setting_is_the_fastest_that_reaches_the_target():
    exact = reference.read("rv-loop")
    assert history.cheapest(Recorded(), "rv-loop", exact, 9.0 / 200**2 * 1.01)["device.film.cells"] == 200


def test_where_no_setting_reaches_the_target_the_nearest_is_taken():
    assert history.cheapest(Recorded(), "rv-loop", reference.read("rv-loop"), 1e-9)["device.film.cells"] == max(
        history.CELLS
    )


def test_the_long_train_is_judged_by_converged_reads_too():
    reads = [1.02 * R for R in reference.read(history.LONG)]
    row = history.row(history.LONG, "recorded", {}, [states.Ran(reads, 0.5, 0.25, {})])
    assert (row.seconds, row.wall) == (0.5, 0.25)
    assert (row.error, row.rms) == pytest.approx((0.0198, 0.0198), rel=1e-3)


def test_states_run_in_turn_are_judged_by_the_converged_reads():
    (row, again) = history.timed([(Recorded(), {}), (Recorded(), {"device.film.cells": 300})], "rv-loop", 2)
    assert (row.error, again.error) == pytest.approx((9.0 / 100**2, 9.0 / 300**2))
    assert (again.seconds, again.wall) == pytest.approx((0.3, 0.6))
    assert row.against == "converged reads"


def test_a_state_is_judged_by_its_own_limit_where_that_is_asked_for():
    own, strict = reference.converged(Recorded(), "rv-loop", reference.OWN)
    assert strict < 1e-9
    assert own == pytest.approx(reference.read("rv-loop"), rel=1e-9)
    off = [R * 1.01 for R in own]
    (row,) = history.timed([(Recorded(), {})], "rv-loop", 1, {"recorded": off})
    assert row.against == "its own limit"
    assert row.error == pytest.approx(0.00995 - 9.0 / 100**2, rel=1e-3)


def test_this_checkout_runs_in_a_process_and_refuses_what_it_does_not_know(tmp_path):
    case = tmp_path / "case.toml"
    case.write_text('base = "li2019.toml"\ntitle = "curve"\n')
    with states.running("here", states.ROOT, tmp_path) as here:
        assert here.run(case, {"numerics.there_is_no_such_key": 1}) is None


def test_a_process_that_ends_is_told(tmp_path):
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        with pytest.raises(RuntimeError, match=r"gone ended with case\.toml"):
            states.State("gone", tmp_path, process).run(tmp_path / "case.toml", {})
