"""The filling of a trap in time against rate equations integrated anew, with rates that change by decades within a step."""

import itertools
import math

import numpy as np
import pytest
from devices import SMALL, begin, case, needs_speed
from scipy.integrate import solve_ivp

from otjdd.mechanisms.electrons.stack import MISSING
from otjdd.mechanisms.traps import kinetic
from otjdd.mechanisms.traps.kinetic import error_by_curvature, error_of_filling, mean_trap_rate, move
from otjdd.solver import integrate

START = np.array([3e5, 2e2, 4e4, 7e3])  # 1/s: captures from both electrodes, emissions to both
END = np.array([2e7, 1e3, 5e3, 3e5])


def moment(rate: np.ndarray):
    """The moment of rates (4,) [1/s], at the bias that their detailed balance has."""
    c_left, c_right, e_left, e_right = rate
    there = min(rate) > 0.0
    return kinetic.moment_of_rates(rate, math.log(e_left * c_right / (c_left * e_right)) if there else 0.0)


def rest(rate: np.ndarray) -> float:
    """Filled share of rest."""
    return float(moment(rate).filled)


def ramp(numbers: int) -> np.ndarray:
    """Rates (numbers + 1, 4) [1/s] from START to END whose logarithms are straight lines."""
    return np.exp(np.linspace(np.log(START), np.log(END), numbers + 1))


def away_at_end(rate: np.ndarray, end_rate: np.ndarray, away: float, step: float):
    """Distance of the filling from rest at the end of a step [s], and the electrons taken from the left and the right."""
    return move(moment(rate), moment(end_rate), away, step)[:3]


def filled(start: np.ndarray, end: np.ndarray, filling: float, step: float) -> np.ndarray:
    """Filled share at the end of a step, and electrons from the left and the right, by an integrator of stiff equations."""

    def slope(t, y):
        c_left, c_right, e_left, e_right = start * (end / start) ** (t / step)
        left, right = c_left * (1.0 - y[0]) - e_left * y[0], c_right * (1.0 - y[0]) - e_right * y[0]
        return left + right, left, right

    return solve_ivp(slope, (0.0, step), [filling, 0.0, 0.0], "Radau", rtol=1e-9, atol=1e-13).y[:, -1]


@pytest.mark.parametrize("step", [1e-12, 1e-7, 3e-6, 1e4])
@pytest.mark.parametrize("filling", [0.0, 0.7, 1.0])
def test_constant_rates_are_followed_exactly_in_one_step(step, filling):
    away, left, right = away_at_end(START, START, filling - rest(START), step)
    exact = filled(START, START, filling, step)
    assert rest(START) + away == pytest.approx(exact[0], abs=1e-9)
    assert (left, right) == pytest.approx(exact[1:], rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("step", [1e-8, 1e-7, 3e-6, 1e-4])
def test_rates_that_change_by_decades_are_followed_in_steps_and_electrons_are_counted(step):
    numbers = 400
    rates = ramp(numbers)
    away, left, right = 0.9 - rest(START), 0.0, 0.0
    for before, after in itertools.pairwise(rates):
        away, more_left, more_right = away_at_end(before, after, away, step / numbers)
        left, right = left + more_left, right + more_right
    exact = filled(START, END, 0.9, step)
    assert rest(END) + away == pytest.approx(exact[0], abs=1e-5)
    assert left == pytest.approx(exact[1], rel=1e-3, abs=1e-5)
    assert left + right == pytest.approx(rest(END) + away - 0.9, abs=1e-13)


@pytest.mark.parametrize(("step", "ratio"), [(3e-6, 0.4), (1e-7, 0.26)])
def test_errors_of_a_step_and_of_what_each_electrode_gave_fall_as_its_square_at_least(step, ratio):
    off = []
    for numbers in (8, 16, 32):
        rates, away, left = ramp(numbers), 0.9 - rest(START), 0.0
        for before, after in itertools.pairwise(rates):
            away, more, _ = away_at_end(before, after, away, step / numbers)
            left += more
        off.append(np.abs(np.subtract((rest(END) + away, left), filled(START, END, 0.9, step)[:2])))
    assert (off[1] < ratio * off[0]).all()
    assert (off[2] < ratio * off[1]).all()


def test_what_a_trap_near_rest_exchanges_loses_no_digits():
    """A trap that the left electrode fills 1e20 times as fast as the right one empties it."""
    fast = np.array([1e14, 1e-6, 1e2, 1e-6])
    passed = (1e14 * 1e-6 - 1e2 * 1e-6) / (1e14 + 1e2 + 2e-6)
    assert moment(fast).passing == pytest.approx(passed, rel=1e-10)
    less = fast * [1.0, 1.0, 0.999, 0.999]
    moved = move(moment(fast), moment(less), 0.0, 1.0)
    assert moved.from_left + moved.from_right == pytest.approx(1e-12 * 1e-3, rel=1e-3)
    stays, _, _ = away_at_end(fast, START, 0.0, 0.0)  # a jump of the voltage: the filling stays
    assert stays + rest(START) == pytest.approx(1.0, abs=1e-11)


@pytest.mark.parametrize("bias", [0.0, 1e-13, -3e-12])
def test_what_passes_at_a_small_bias_is_not_the_round_off_of_two_flows(bias):
    for occupied in np.geomspace(1e-9, 1e3, 7):
        rate = np.array(
            [1e14 / 3.0, 7e-3, occupied * 1e14 / 3.0, occupied * 7e-3]
        )  # but for e^bias in detailed balance
        expected = -rate[0] * rate[3] / rate.sum() * math.expm1(bias)
        assert kinetic.moment_of_rates(rate, bias).passing == pytest.approx(expected, rel=1e-9)


def test_rates_of_zero_leave_the_filling_as_it_is():
    none = np.zeros(4)
    away, left, right = away_at_end(none, none, 0.3 - rest(none), 1e10)
    assert (away + rest(none), left, right) == pytest.approx((0.3, 0.0, 0.0), abs=1e-12)


@pytest.mark.parametrize("ratio", [1.0, 1.0 + 1e-9, 1.12, 1.14, 3.0, 1e-3, 1e40])
def test_the_mean_of_an_exponential_is_exact(ratio):
    log_ratio = math.log1p(ratio - 1.0)
    exact = 2.0 * (math.expm1(log_ratio) / log_ratio if log_ratio else 1.0)
    assert mean_trap_rate(2.0, 2.0 * ratio) == pytest.approx(exact, rel=2e-14)


def test_an_error_counts_by_what_is_filled_or_empty():
    assert error_of_filling(1e-3, 0.5) == pytest.approx(1e-3 / 0.51)
    assert error_of_filling(-1e-3, 1.0) == pytest.approx(0.1)
    assert math.isfinite(error_of_filling(1e-3, 1.0 + 1e-12))


def test_a_rate_that_begins_within_a_step_is_finite():
    """An electrode gives no electrons of the energy of a trap, until its band ends below that."""
    none, some = np.array([1e3, 0.0, 1e2, 0.0]), np.array([1e3, 1.0, 1e2, 1.0])
    for before, after in ((none, some), (some, none)):
        for step in (0.0, 1e-6, 1e3):
            end, left, right = away_at_end(before, after, 0.5 - rest(before), step)
            moved = rest(after) + end - 0.5
            assert left + right == pytest.approx(moved, abs=1e-12)
            assert 0.0 <= rest(after) + end <= 1.0 + 1e-12
        assert error_by_curvature(before, after, np.array([0.0, 1e6, 0.0, 1e6]), 0.5, 1e-6, 1.0) < 1.0


@pytest.fixture(scope="module")
def held():
    """A settled run of a film with electrons, whose middle is far from a depletion layer; shares at three places."""
    dense = {"device__film__electrons": "balance", "device__film__density_of_states": "1e26 1/m^3"}
    run = begin(case(**SMALL, **dense, device__film__thickness="6 nm"), voltage=0.4)
    x = np.array([0.1, 0.5, 0.9]) * 6e-9
    return run, x, kinetic.voltage_shares(run.junction, run.state, 0, x)


@needs_speed
def test_the_share_of_a_voltage_is_the_difference_of_two_bands(held):
    """Also behind a stack that did not close, whose residuals are no numbers."""
    run, x, share = held
    run.state.lines[MISSING] = math.nan
    np.testing.assert_array_equal(kinetic.voltage_shares(run.junction, run.state, 0, x), share)
    ends = []
    for V in (0.4 - 1e-4, 0.4 + 1e-4):
        integrate.jump(run, V)
        ends.append(run.state.band[0].copy())
    integrate.jump(run, 0.4)
    nodes = np.cumsum(run.junction.columns.distance[0])
    own = 1.0 + np.interp(x, nodes[:-1], (ends[1] - ends[0])[1:-1] / 2e-4)
    np.testing.assert_allclose(share, own, atol=2e-3)


@needs_speed
def test_a_singular_stack_has_no_share_of_a_voltage(held):
    run, x, _ = held
    band = run.state.band[0].copy()
    run.state.band[0, 3] = math.nan
    assert np.isnan(kinetic.voltage_shares(run.junction, run.state, 0, x)).all()
    run.state.band[0] = band
