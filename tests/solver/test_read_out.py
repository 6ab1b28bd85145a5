import math

import numpy as np
import pytest

from otjdd.case.device import Circuit
from otjdd.solver.time_series import read_out

TAU = 3e-6
SLOW = Circuit(time_constant=TAU)


def test_an_ideal_instrument_shows_the_sum():
    shown = read_out([0, 1, 2], [1.0, 2.0, 3.0], [9.0, 0.5, -0.5], Circuit())
    assert shown.tolist() == [1.0, 2.5, 2.5]


def test_an_exponential_input_agrees_with_an_independent_integrator():
    from scipy.integrate import solve_ivp

    def source(t):
        return 1e-7 * math.exp(-t / 1e-6) * (1 + 0.3 * math.sin(3e6 * t))

    t = np.linspace(0, 1e-5, 4001)
    shown = read_out(t, [source(x) for x in t], np.zeros(t.size), SLOW)
    exact = solve_ivp(
        lambda t, y: (source(t) - y) / TAU, (0, t[-1]), [source(0)], t_eval=t, rtol=1e-10, atol=1e-20, max_step=5e-8
    )
    np.testing.assert_allclose(shown, exact.y[0], rtol=1e-5)


def test_the_answer_to_straight_lines_does_not_depend_on_the_steps():
    coarse = np.array([0, 1e-7, 4e-6, 4e-6, 9e-6])
    linear, mean = np.array([1.0, 3.0, -1.0, 2.0, 2.0]), np.array([0, 5.0, -2.0, 0.0, 1.0])
    fine = np.unique(np.concatenate([coarse, np.linspace(0, 9e-6, 1000)]))
    # The jump at 4 us has both its sides in the fine grid too.
    fine = np.insert(fine, np.searchsorted(fine, 4e-6), 4e-6)
    jump = int(np.searchsorted(fine, 4e-6))
    before, after = fine[: jump + 1], fine[jump + 1 :]
    lines = [np.interp(before, coarse[:3], linear[:3]), np.interp(after, coarse[3:], linear[3:])]
    means = mean[np.minimum(np.searchsorted(coarse, fine), 4)]
    shown = read_out(fine, np.concatenate(lines), means, SLOW)
    at_coarse = [0, int(np.searchsorted(fine, 1e-7)), jump, jump + 1, fine.size - 1]
    np.testing.assert_allclose(shown[at_coarse], read_out(coarse, linear, mean, SLOW), rtol=1e-11)


@pytest.mark.parametrize("interval", [0.5, 1.0, 2.0])
def test_paired_pulses_facilitate_by_the_exponential_of_their_interval(interval):
    # A2/A1 - 1 = exp(-dt/tau), and for the k-th pulse the sum of the powers: the identities of a single linear pole.
    width = 50e-9
    edges = (np.arange(10)[:, None] * interval * TAU + [0, width]).ravel()
    pulses = np.tile([0.0, 1e-6], 10)
    peaks = read_out(edges, np.zeros(20), pulses, SLOW)[1::2]
    shown = peaks[1:] / peaks[0] - 1
    np.testing.assert_allclose(shown, np.cumsum(np.exp(-interval * np.arange(1, 10))), rtol=1e-10)


def test_the_instrument_clips_what_it_shows_and_keeps_what_it_remembers():
    clipped = Circuit(time_constant=TAU, range=1e-7)
    t = np.array([0, 1e-5, 1.5e-5, 5e-5])
    mean = np.array([0, 5e-7, -9e-7, 0])
    plain = read_out(t, np.zeros(4), mean, SLOW)
    shown = read_out(t, np.zeros(4), mean, clipped)
    assert plain.max() > 1e-7
    assert plain.min() < -1e-7
    np.testing.assert_array_equal(shown, np.clip(plain, -1e-7, 1e-7))


@pytest.mark.parametrize(
    ("times", "conduction", "displacement"),
    [
        ([0, 1], [0], [0, 0]),
        ([], [], []),
        ([0, 1], [0, math.nan], [0, 0]),
        ([0, 1], [0, 0], [0, math.inf]),
        ([1, 0], [0, 0], [0, 0]),
    ],
)
def test_currents_that_are_no_record_are_refused(times, conduction, displacement):
    with pytest.raises(ValueError, match=r"read-out|differ"):
        read_out(times, conduction, displacement, SLOW)
