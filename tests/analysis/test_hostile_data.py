"""Metrics on data as they come: in any order, with noise, with missing points, constant, or too few."""

import math
from itertools import pairwise

import numpy as np
import pytest

from otjdd.analysis import plasticity, small_signal, synapse
from otjdd.results import outputs

VOLTAGE = np.linspace(-0.5, 0.5, 101)


def rectifying(voltage):
    """A current whose forward branch is four times the reverse one."""
    return np.where(voltage > 0, 4.0, 1.0) * 1e-9 * voltage


def mixed(x, y):
    """The points in another order, one of them without a number."""
    order = np.random.default_rng(1).permutation(len(x))
    return x[order], np.where(np.arange(len(y)) == len(y) // 3, np.nan, y)[order]


def test_points_in_any_order_tell_the_same_and_a_missing_one_is_left_out():
    f, t, d = np.geomspace(1e2, 1e6, 41), np.geomspace(1.0, 1e4, 9), np.linspace(2e-9, 4e-9, 7)
    assert small_signal.peak(*mixed(f, (f / 1e4) / (1 + (f / 1e4) ** 2))) == pytest.approx(1e4, rel=1e-3)
    between = 1.1e4  # of the frequencies
    assert small_signal.peak(*mixed(f, (f / between) / (1 + (f / between) ** 2))) == pytest.approx(between, rel=2e-3)
    assert synapse.asymmetry(*mixed(VOLTAGE, rectifying(VOLTAGE))) == pytest.approx(4.0)
    assert plasticity.loss_per_decade(*mixed(t, 1e8 * 0.9 ** np.log10(t))) == pytest.approx(-0.1)
    assert plasticity.decay_constant(*mixed(d, 1e4 * np.exp(6e9 * d))) == pytest.approx(3e9)
    assert synapse.crossing([3, 2, 1, 0], [3, 2, math.nan, 0], 1.5) == pytest.approx(1.5)


def test_asymmetry_needs_both_signs():
    forward = VOLTAGE[VOLTAGE >= 0]
    assert math.isnan(synapse.asymmetry(forward, rectifying(forward)))
    partly = VOLTAGE[VOLTAGE > -0.105]  # no current is known at -0.5 V
    assert synapse.asymmetry(partly, np.where(partly > 0.2, 50.0, 1.0) * rectifying(partly)) == pytest.approx(4.0)
    mirrored = -partly[::-1]  # and none at 0.5 V
    assert synapse.asymmetry(mirrored, np.where(mirrored < -0.2, 50.0, 1.0) * rectifying(mirrored)) == pytest.approx(
        4.0
    )


def iv_result(order):
    V = VOLTAGE[order]
    shape = {"bias_current": rectifying(V), "bias_transport_energy": 0.1 + V, "bias_tunnelling_share": 0.5 + V}
    values = {name: np.array([[row, row]]) for name, row in shape.items()}
    ds = outputs.dataset(values, {"state": ["LRS"], "temperature": [300.0, 310.0], "bias": V})
    return synapse.thermal(ds, "LRS", area=1e-12, richardson=1e6)


def test_conduction_of_a_state_is_the_same_for_a_falling_bias():
    assert iv_result(slice(None, None, -1)) == pytest.approx(iv_result(slice(None)), nan_ok=True)
    with pytest.raises(ValueError, match="one branch of voltages"):
        iv_result(np.concatenate((np.arange(101), np.arange(101)[::-1])))


def test_peak_of_too_few_or_constant_values():
    assert math.isnan(small_signal.peak(np.array([1.0, 2.0]), np.array([1.0, 2.0])))
    assert math.isnan(small_signal.peak(np.array([1.0, 2.0, 3.0]), np.ones(3)))


def test_loss_and_decay_of_unusable_points():
    assert plasticity.loss_per_decade([0.0, 1.0, 10.0], [1e8, 1e8, 0.9e8]) == pytest.approx(-0.1)
    assert plasticity.loss_per_decade([1.0, 10.0], [1e8, 1e8]) == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(plasticity.loss_per_decade([0.0, 1.0], [1e8, 1e8]))
    assert math.isnan(plasticity.decay_constant([2e-9, 2e-9], [1e4, 1e5]))


def ferroelectric_loop(noise, seed, points=2000):
    """Triangle 0, 2, -2, 2, 0 V of a film that turns at 1.15 and -0.85 V, with noise on P as a share of P_s."""
    V = np.interp(np.linspace(0, 8, points), [0, 2, 6, 8], [0, 2, -2, 0]) if seed < 0 else np.interp(
        np.linspace(0, 12, points), [0, 2, 6, 10, 12], [0, 2, -2, 2, 0])  # fmt: skip
    falls = np.concatenate((np.diff(V) < 0, [True]))
    P = 0.2 * np.tanh(6.0 * (V - np.where(falls, -0.85, 1.15)))
    P = P + 0.2 * noise * np.random.default_rng(abs(seed)).standard_normal(points)
    return outputs.dataset({"polarisation": P, "junction_voltage": V, "film_field": V / 1e-8})


@pytest.mark.parametrize("seed", range(5))
def test_a_noisy_loop_takes_each_coercive_voltage_from_its_own_branch(seed):
    found = small_signal.hysteresis(ferroelectric_loop(0.01, seed))
    assert found["coercive_voltage"] == pytest.approx(1.0, abs=0.01)
    assert found["imprint"] == pytest.approx(0.15, abs=0.01)
    assert found["field_imprint"] == pytest.approx(0.15e8, abs=0.01e8)


def test_a_loop_with_missing_rows_and_one_that_is_constant():
    ds = ferroelectric_loop(0.0, 1)
    ds["polarisation"][::97] = np.nan
    assert small_signal.hysteresis(ds)["coercive_voltage"] == pytest.approx(1.0, abs=0.01)
    ds["polarisation"][:] = 0.1
    with pytest.raises(ValueError, match="pass zero both ways"):
        small_signal.hysteresis(ds)


OTHER_RAMPS = ((3.0, 0.02), (8.0, 0.02), (0.0, 0.05), (3.0, 0.05))


def ramp(nu, noise=0.0, seed=0, points=51):
    p = np.linspace(0, 1, points)
    g = p if nu == 0 else np.expm1(-nu * p) / np.expm1(-nu)
    return 1e-6 + 9e-6 * (g + noise * np.random.default_rng(seed).standard_normal(points))


@pytest.mark.parametrize(
    ("nu", "noise"),
    [(0.0, 0.02), (8.0, 0.05), *(pytest.param(*pair, marks=pytest.mark.campaign) for pair in OTHER_RAMPS)],
)
def test_noise_does_not_bend_or_straighten_a_ramp(nu, noise):
    fits = [plasticity.curvature(ramp(nu, noise, seed)) for seed in range(100)]
    errors = np.array([(fit.nu - nu) / fit.error for fit in fits])
    assert abs(np.mean([fit.nu for fit in fits]) - nu) < max(0.05 * nu, 0.05)
    assert np.std(errors) == pytest.approx(1.0, abs=0.2)  # the stated errors are those of the fits
    shape = plasticity.nonlinearity(ramp(nu, noise), 1e-5 - ramp(nu, noise, 1))
    ends = math.hypot(shape["up_error"], shape["down_error"])
    assert 0.0 < shape["asymmetry_error"] < ends / 8  # no curve moves by more for the change of its exponent


def test_a_constant_conductance_has_no_nonlinearity():
    for flat in (np.ones(20), 1e-6 + 1e-9 * np.random.default_rng(3).standard_normal(20), np.array([1.0, 2.0])):
        shape = plasticity.nonlinearity(flat, flat)
        assert all(math.isnan(value) for value in shape.values())


def pulse_train(heights, rest=0.0, noise=0.0):
    V = np.full(40 * (len(heights) + 1), rest)
    for i, height in enumerate(heights):
        V[40 * i + 10 : 40 * i + 20] = height
    V += noise * np.random.default_rng(4).standard_normal(V.size) * (np.abs(V) <= abs(rest))
    return outputs.dataset({"voltage": V, "current": 1e-6 * V}, {"time": np.arange(V.size) * 1e-9})


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_pulses_of_any_height_have_a_peak(noise):
    heights = [0.4, 1.0, 2.0, -0.5, 0.9]
    found = plasticity.peaks(pulse_train(heights, noise=noise))
    assert found == pytest.approx(1e-6 * np.abs(heights))
    assert len(plasticity.pulses(pulse_train(np.zeros(3)))) == 0


def test_a_read_between_pulses_is_no_pulse():
    ds = pulse_train([2.0, 0.2, 2.0, 0.2])
    assert len(plasticity.pulses(ds)) == 4
    reads = ds.assign(read_time=("read", [55e-9, 135e-9]))
    assert len(plasticity.pulses(reads)) == 2


def resistance_loop(path, low_above=1.0, high_below=-1.5):
    V = np.concatenate([np.linspace(a, b, 81)[:-1] for a, b in pairwise(path)])
    R, state = [], 1e8
    for v in V:
        state = 1e5 if v >= low_above else 1e8 if v <= high_below else state
        R.append(state)
    return V, np.array(R)


@pytest.mark.parametrize("path", [(0, 2, -2, 0), (0, -2, 2, 0)])
@pytest.mark.parametrize("missing", [False, True])
def test_a_loop_begins_either_way(path, missing):
    V, R = resistance_loop(path)
    if missing:
        R[5] = np.nan
    found = synapse.loop(outputs.dataset({"read_resistance": R, "write_voltage": V}))
    assert (found["low"], found["high"], found["polarity"]) == (1e5, 1e8, 1)
    assert found["set_voltage"] == pytest.approx(1.0, abs=0.05)
    assert found["set_decades"] == pytest.approx(3.0)
    if path[1] > 0:  # the other loop begins in the high state, so that nothing is reset
        assert found["reset_voltage"] == pytest.approx(-1.5, abs=0.05)
