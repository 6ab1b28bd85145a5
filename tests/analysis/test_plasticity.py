"""Measures of plasticity against responses whose answers are known."""

import numpy as np
import pytest

from otjdd.analysis import fits, plasticity
from otjdd.results import outputs

WIDTH, PERIOD, TAU = 50e-9, 1e-6, 0.8e-6


def response(count=10, height=0.6, rest=0.1):
    """A train through an instrument of one time constant: each pulse adds 1 nA, which decays with TAU."""
    t = np.unique(np.concatenate([np.linspace(0, 60 * WIDTH, 61)] + [5e-6 + k * PERIOD + np.linspace(0, PERIOD, 201)
                                  for k in range(count + 9)]))  # fmt: skip
    start = 5e-6 + PERIOD * np.arange(count)
    under = ((t[:, None] > start) & (t[:, None] <= start + WIDTH)).any(axis=1)
    since = t[:, None] - start
    current = 2e-10 + np.sum(np.where(since > 0, 1e-9 * np.exp(-since / TAU), 0), axis=1)
    return outputs.dataset({"voltage": np.where(under, height, rest), "current": current}, {"time": t})


def test_negative_pulses_are_found_too_and_edges_end_at_half_of_a_height():
    assert len(plasticity.pulses(response(4, height=-2.5, rest=0.0))) == 4
    ramped = outputs.dataset({"voltage": [0, 0.8, 2, 2, 0.8, 0, 0.8, 0, 0]}, {"time": np.arange(9.0)})
    assert plasticity.pulses(ramped) == [slice(2, 4), slice(6, 7)]
    assert plasticity.pulses(ramped, least=0.5) == [slice(2, 4)]
    assert plasticity.pulses(ramped.assign(read_time=("read", [6.0]))) == [slice(2, 4)]  # below half a read is one


def test_paired_pulses_add_what_is_left_of_the_ones_before():
    left = np.exp(-PERIOD / TAU)
    peaks = plasticity.peaks(response())
    first = peaks[0] - 2e-10
    found = plasticity.facilitation(peaks)
    assert found["ppf"] == pytest.approx(left * first / peaks[0], rel=1e-6)
    assert found["ptp"] == pytest.approx(left * (1 - left**9) / (1 - left) * first / peaks[0], rel=1e-6)


def test_the_relaxation_begins_where_the_last_pulse_ends():
    t, current = plasticity.relaxation(response(1))
    assert t[0] > 0
    assert fits.exponential(t, current).scale == pytest.approx(TAU, rel=1e-4)


def test_a_pulse_spends_what_it_conducts_and_what_it_charges():
    t = np.array([0, 1e-12, 10e-9, 20e-9, 20.001e-9, 30e-9])
    V = np.array([0, 2.0, 2.0, 2.0, 0, 0])
    charge = 1e-10 * V  # 100 pF
    displaced = np.concatenate(([0], np.diff(charge) / np.diff(t)))
    ds = outputs.dataset({"voltage": V, "conduction_current": 1e-3 * V, "displacement_current": displaced}, {"time": t})
    found = plasticity.spike_energy(ds, 0.0, 20e-9)
    assert found["conduction"] == pytest.approx(2.0 * 2e-3 * 20e-9, rel=1e-3)
    assert found["charging"] == pytest.approx(1e-10 * 2.0**2)


@pytest.mark.parametrize("nu", [-3.0, 0.0, 2.0, 6.0])
def test_nonlinearity_gives_back_its_exponent(nu):
    p = np.linspace(0, 1, 21)
    g = p if nu == 0 else np.expm1(-nu * p) / np.expm1(-nu)
    up, down = 1e-6 + 9e-6 * g, 10e-6 - 9e-6 * g
    found = plasticity.nonlinearity(up, down)
    of_less = plasticity.nonlinearity(1e-6 * up, 1e-6 * down)  # of small devices the same
    assert (of_less["up"], of_less["down"]) == pytest.approx((nu, nu), abs=1e-5)
    up[7] = down[3] = np.nan  # a read that failed
    assert plasticity.nonlinearity(up, down) == pytest.approx(found, rel=1e-3, abs=1e-3)
    assert (found["up"], found["down"]) == pytest.approx((nu, nu), abs=1e-5)


def test_a_loss_is_told_for_each_decade_and_a_decay_constant_for_each_thickness():
    t = np.array([1.0, 10.0, 1e4])
    assert plasticity.loss_per_decade(t, 1e8 * 0.9 ** np.log10(t)) == pytest.approx(-0.1)
    d = np.array([2.0, 2.8, 4.0]) * 1e-9
    assert plasticity.decay_constant(d, 1e4 * np.exp(2 * 3e9 * d)) == pytest.approx(3e9)
