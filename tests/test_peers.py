"""Other integrators agree with otjdd on the same equations; bookkeeping of the comparison. Nothing is timed."""

import numpy as np
import pytest

pytest.importorskip("sksundae")

from devices import needs_speed

from validation.benchmarks.peers import codes, compare, equations, problems

SMALL = {"conditioning": lambda: problems.conditioning(40, 5.0), "pulses": lambda: problems.pulses(24, 5.0, count=1)}


@pytest.fixture(params=["conditioning", pytest.param("pulses", marks=pytest.mark.campaign)], scope="module")
def problem(request):
    return SMALL[request.param]()


@pytest.fixture
def lumpy(problem):
    """Concentrations (N,) without any smoothness."""
    return problem.c[0] * np.exp(np.random.default_rng(1).standard_normal(problem.c.size))


def rate(rates, y, voltage):
    r = np.empty_like(y)
    rates(y, voltage, r)
    return r


@needs_speed
def test_ida_agrees_with_otjdd_when_both_are_strict(problem):
    ours, _ = codes.otjdd(problem)(1e-8)
    theirs, _ = codes.ida(problem)(1e-8)
    assert problems.distance(problem, theirs, ours) < 2e-6


@pytest.mark.campaign
@needs_speed
def test_lsoda_agrees_up_to_the_relaxation_of_its_potential(problem):
    ours, _ = codes.otjdd(problem)(1e-8)
    theirs, _ = codes.lsoda(problem)(1e-7)
    assert problems.distance(problem, theirs, ours) < 1e-3


@pytest.mark.campaign
@needs_speed
def test_rate_of_the_potential_keeps_poisson_solved(problem, lumpy):
    rates, _ = equations.kernels(problem)
    y, dy = equations.consistent(problem, lumpy, 0.8)
    moment = 1e-5 / np.abs(dy[::2]).max()
    still, moved = y.copy(), y + moment * dy
    still[::2] = moved[::2]
    missing = [np.abs(rate(rates, state, 0.8)[1::2]).max() for state in (still, moved)]
    assert missing[1] < 1e-3 * missing[0]


@pytest.mark.campaign
@needs_speed
def test_banded_jacobian_is_the_derivative_of_the_rates(problem, lumpy):
    rates, bands = equations.kernels(problem)
    y, _ = equations.consistent(problem, lumpy, 0.8)
    n, low, up = y.size, equations.LOWER, equations.UPPER
    B = np.empty((low + up + 1, n))
    bands(y, 0.8, B)
    for column in range(n):
        step = np.zeros(n)
        step[column] = 1e-6 * max(abs(y[column]), 1e-2)
        slope = (rate(rates, y + step, 0.8) - rate(rates, y - step, 0.8)) / (2.0 * step[column])
        inside = np.arange(max(0, column - up), min(n, column + low + 1))
        found = np.zeros(n)
        found[inside] = B[inside - column + up, column]
        for part in (slice(0, n, 2), slice(1, n, 2)):  # rates and charges have different units
            np.testing.assert_allclose(found[part], slope[part], atol=2e-6 * np.abs(slope[part]).max())


@pytest.mark.campaign
def test_staircase_of_pulses_has_every_edge_once_and_ends_at_zero():
    problem = problems.pulses(24, count=3)
    pieces = list(problems.segments(problem))
    assert [voltage for _, _, voltage, _ in pieces] == [2.2, 0.0] * 3 + [-2.5, 0.0] * 3
    np.testing.assert_allclose([t1 - t0 for t0, t1, _, _ in pieces], [50e-9, 1e-6] * 6, rtol=1e-9)
    assert [list(outputs) for *_, outputs in pieces] == [[t1] for _, t1, _, _ in pieces]


@pytest.mark.campaign
def test_a_lucky_tolerance_is_not_chosen():
    errors = {1e-1: 1e-5, 1e-2: 1e-2, 1e-3: 9e-4, 1e-4: 5e-4}
    ladder = [compare.Setting(rtol, 1e-2, error, "") for rtol, error in errors.items()]
    assert compare.loosest(ladder, 1e-3) == ladder[2]
    assert compare.loosest(ladder, 1e-4) is None


@pytest.mark.campaign
def test_the_absolute_tolerance_that_costs_least_is_chosen(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(compare, "process_time", lambda: clock[0])
    monkeypatch.setattr(compare, "REPEAT", 0.0)
    ladders = [
        [compare.Setting(rtol, share, error, "") for rtol in (1e-2, 1e-3)]
        for share, error in ((1e-1, 1e-3), (1e-2, 1e-3), (1e-3, 1.0))
    ]
    cost = {1e-1: 0.02, 1e-2: 0.0, 1e-3: 0.0}

    def solve(rtol: float, share: float) -> None:
        clock[0] += cost[share]

    chosen = compare.soonest(solve, ladders, 1e-3)
    assert chosen == ladders[1][0]
    assert compare.soonest(None, ladders, 1e-4) is None


@pytest.mark.campaign
def test_table_counts_in_units_of_otjdd():
    setting = compare.Setting(1e-3, 1e-2, 5e-4, "9 steps")
    row = compare.Row("pulses", 100, 1e-3, "otjdd", setting, 0.002, 0.001)
    (found,) = compare.rows_of([row, row._replace(code="SUNDIALS IDA", seconds=0.014, kernels=float("nan"))])
    assert found == ("pulses", "100", "1e-03", "2.00", "9", "14.00 (7.0)", "")
