"""Metrics against Datasets whose answers are known."""

import math

import numpy as np
import pytest

from otjdd.analysis import plasticity, synapse, textbook
from otjdd.constants import BOLTZMANN_EV
from otjdd.results import outputs


def reads(resistance, *, time=None, write=None):
    R = np.asarray(resistance, dtype=float)
    time = np.arange(1.0, len(R) + 1) if time is None else time
    write = np.full(len(R), np.nan) if write is None else write
    return outputs.dataset({"read_time": time, "write_voltage": write, "read_resistance": R})


def curves(current, voltage, temperatures, share=0.0, energy=0.5):
    """One state "HRS" with bias_current (temperature, bias)."""
    whole = np.broadcast_to(current, (len(temperatures), len(voltage)))[None]
    arrays = {
        "bias_current": whole,
        "bias_tunnelling_share": np.full(whole.shape, share),
        "bias_transport_energy": np.full(whole.shape, energy),
    }
    return outputs.dataset(arrays, {"state": ["HRS"], "temperature": temperatures, "bias": voltage})


LOOP_WRITES = [0.1, 0.5, 1.0, 1.5, 2.0, 1.0, 0.0, -1.0, -2.0, -3.0, -4.0, -2.0, 0.0]
LOOP_READS = [1e8, 1e8, 1e7, 1e5, 1e4, 1e4, 1e4, 1e4, 1e6, 1e7, 1e8, 1e8, 1e8]


def test_a_loop_tells_its_resistances_and_voltages():
    found = synapse.loop(reads(LOOP_READS, write=LOOP_WRITES))
    assert (found["pristine"], found["low"], found["high"]) == pytest.approx((1e8, 1e4, 1e8))
    assert found["set_voltage"] == pytest.approx(1.25)  # 1e6 between 1e7 at 1 V and 1e5 at 1.5 V
    assert found["reset_voltage"] == pytest.approx(-2.0)
    assert found["reset_over_set"] == pytest.approx(1.6)
    assert (found["set_decades"], found["reset_decades"]) == pytest.approx((4, 4))
    assert (found["set_states"], found["reset_states"]) == (2, 2)
    assert found["polarity"] == 1


@pytest.mark.parametrize(("after_highest", "polarity"), [(1e4, 1), (0.98e6, 1), (1.005e6, 0), (1.02e6, -1), (1e8, -1)])
def test_the_sign_of_a_loop_is_that_of_the_voltage_that_leaves_less_resistance(after_highest, polarity):
    """A loop from 0 V up, down and back that reads 1 Mohm after its lowest write; 1 % is the same state."""
    found = synapse.loop(reads([5e6, after_highest, 1e6, 1e6], write=[0.0, 2.0, -2.0, 0.0]))
    assert found["polarity"] == polarity
    assert (found["low"], found["high"]) == tuple(sorted((after_highest, 1e6)))
    assert found["ratio"] >= 1


def test_a_sweep_has_no_numbers_of_a_loop_of_writes_and_reads():
    with pytest.raises(ValueError, match="no read after a write"):
        synapse.loop(reads([1e6, 1e5], write=[np.nan, np.nan]))


def test_equal_resistances_are_one_state():
    assert synapse.states_between([10, 10.05, 20, 20.1, 30, 99, 1], 5, 50) == 3


def test_thermionic_curves_give_back_their_barrier():
    V, T = np.round(np.arange(-0.5, 0.51, 0.02), 10), np.array([280.0, 300.0, 320.0])
    area, richardson, barrier = 3e-10, 1.56e6, 0.55
    kT = BOLTZMANN_EV * T[:, None]
    current = area * richardson * T[:, None] ** 2 * np.exp(-barrier / kT) * np.expm1(V / kT)
    found = synapse.thermal(curves(current, V, T, share=0.2, energy=0.57), "HRS", area, richardson)
    assert found["thermionic_barrier"] == pytest.approx(barrier, abs=1e-9)
    assert found["ideality"] == pytest.approx(1, abs=1e-9)
    # the factor expm1(V/kT) takes the bias off the barrier, but for the 1
    assert found["activation_energy"] == pytest.approx(barrier - 0.1, abs=0.003)
    assert (found["transport_energy"], found["tunnelling_share"]) == (0.57, 0.2)
    assert found["asymmetry"] == pytest.approx(math.exp(0.5 / BOLTZMANN_EV / 300), rel=1e-6)


def test_an_ohmic_curve_has_no_thermionic_barrier_and_no_asymmetry():
    V = np.round(np.arange(-0.5, 0.51, 0.02), 10)
    found = synapse.thermal(curves(1e-6 * V, V, np.array([290.0, 300.0, 310.0])), "HRS", 3e-10, 1.56e6)
    assert found["asymmetry"] == pytest.approx(1)
    assert math.isnan(found["thermionic_barrier"]) or found["ideality"] > 2


def test_a_trapezoid_gives_back_its_barriers():
    V = np.round(np.arange(-0.5, 0.51, 0.02), 10)
    current = 3e-10 * textbook.gruverman(V, 0.41, 0.35, 2.8e-9, 1.0)
    found = synapse.trapezoid(curves(current, V, np.array([300.0]), share=0.9), "HRS", 2.8e-9, 3e-10)
    assert (found["barrier_metal"], found["barrier_substrate"]) == pytest.approx((0.35, 0.41), abs=1e-4)
    assert found["tunnelling_share"] == 0.9


def test_a_fowler_nordheim_line_gives_back_its_slope_and_a_bent_one_its_scatter():
    V = np.round(np.arange(-0.5, 0.51, 0.01), 10)
    safe = np.where(V > 0, V, 1.0)
    straight = np.where(V > 0, safe**2 * np.exp(-0.39 / safe), -1e-9)
    found = synapse.fowler_nordheim(curves(straight, V, np.array([300.0])), "HRS", 2.8e-9)
    assert found["slope"] == pytest.approx(-0.39)
    assert found["barrier"] == pytest.approx(0.075, abs=0.001)  # what the paper calls its barrier
    assert found["scatter"] < 1e-9
    bent = straight * np.exp(np.where(V > 0, 1000 * (safe - 0.42) ** 2, 0))
    assert synapse.fowler_nordheim(curves(bent, V, np.array([300.0])), "HRS", 2.8e-9)["scatter"] > 0.3


def test_retention_compares_with_one_second_and_tells_its_loss_by_the_decade():
    since = np.array([0.0, 0.3, 1.0, 1.2, 10.0, 9999.0])  # what changes within half a second counts for neither
    high, low = (R * base ** np.log10(np.maximum(since, 1.0)) for R, base in ((2e8, 0.9), (1e4, 1.1)))
    high[:2], low[:2] = (4e8, 7e8), (3e4, 9e3)
    found = synapse.retention(reads([*high, *low], time=np.concatenate([10 + since, 20011 + since])))
    kept = {"high_kept": 0.9 ** np.log10(9999), "low_kept": 1.1 ** np.log10(9999), "ratio": high[-1] / low[-1]}
    assert found == pytest.approx(kept | {"high_loss": -0.1, "low_loss": 0.1})


def test_potentiation_leaves_out_the_first_rounds():
    up, down = np.linspace(2e-6, 10e-6, 5), np.linspace(8e-6, 1e-6, 5)
    rounds = np.array([np.concatenate([up, down])] * 4)
    rounds[0] *= 0.1
    found = synapse.potentiation(reads(1 / rounds.ravel()), up=5, down=5, settling=1)
    assert (found["highest"], found["lowest"]) == pytest.approx((10e-6, 1e-6))
    assert (found["states_up"], found["states_down"]) == (5, 5)
    assert found["drift"] < 1e-12
    rounds[3] *= 1.2
    assert synapse.potentiation(reads(1 / rounds.ravel()), up=5, down=5, settling=1)["drift"] == pytest.approx(0.2)


def test_a_pulse_that_does_nothing_makes_no_state():
    rounds = np.array([[1, 2, 2, 3, 2, 1.0]] * 2)
    found = synapse.potentiation(reads(1 / rounds.ravel()), up=4, down=2, settling=0)
    assert (found["states_up"], found["states_down"]) == (2, 2)  # the first pulse comes from 1 as well


def test_a_threshold_lies_where_the_change_passes_five_per_cent():
    assert synapse.threshold([2.0, 1.0, 1.5], [0.5, -0.1, 0.005]) == pytest.approx(1.75)
    assert math.isnan(synapse.threshold([1.0, 2.0], [0.0, 0.01]))
    assert synapse.lasting_change(reads([2e6, 1e6])) == pytest.approx(1.0)


def test_switching_time_counts_from_the_end_of_the_first_read():
    ds = reads([1e8, 1e8, 1e6, 1e4], time=5 + np.array([0, 1e-6, 1e-4, 1e-2]))
    assert synapse.switching_time(ds, 1e5) == pytest.approx(1e-3, rel=1e-6)
    assert math.isnan(synapse.switching_time(ds, 1e3))


def test_switching_energy_is_that_of_the_source_until_then():
    t = np.linspace(0, 4, 401)
    series = {"voltage": np.full(401, 2.0), "conduction_current": np.full(401, 3.0)}
    ds = outputs.dataset(series | {"read_time": [1.0]}, {"time": t})
    assert synapse.switching_energy(ds, 2.0) == pytest.approx(12.0)
    assert synapse.switching_energy(ds, 2.005) == pytest.approx(12.03)  # between two time steps
    assert math.isnan(synapse.switching_energy(ds, math.nan))


def test_crossings_slopes_and_trends():
    assert synapse.crossing([0, 1, 2], [0, 2, 0], 1) == pytest.approx(0.5)
    assert math.isnan(synapse.crossing([0, 1], [2, 3], 1))
    assert plasticity.slope([0, 1, 2, 3], [1, 3, math.nan, 7]) == pytest.approx(2)
    assert synapse.correlation([0, 1, 2, 3], [5, 3, 1, math.nan]) == pytest.approx(-1)
    assert math.isnan(synapse.correlation([0, 1], [0, 1]))
    assert synapse.rises([1, 2, 3]) == 1
    assert synapse.rises([1, 2, math.nan, 4, 3]) == 0.25


def test_curves_without_a_barrier_are_told_so():
    V = np.round(np.arange(-0.3, 0.31, 0.02), 10)
    with pytest.raises(ValueError, match="no trapezoid fits"):
        synapse.trapezoid(curves(-np.ones_like(V), V, np.array([300.0])), "HRS", 2.8e-9, 3e-10)


def test_endurance_compares_the_last_cycle_with_the_first():
    found = synapse.endurance(reads([2e8, 1e4, 1e8, 1e4, 1e8, 2e4]))
    assert (found["first"], found["last"]) == pytest.approx((2e4, 5e3))
    assert found["drift"] == pytest.approx(0.75)


def test_loops_open_where_their_branches_part_and_drift_after_the_first():
    V = np.array([0.5, 1.0, 0.5, 0.0])
    loops = np.array([[1, 100, 50, 1], [2, 100, 200, 1], [2, 110, 200, 9]]) * 1e-9
    ds = outputs.dataset({"read_voltage": np.tile(V, 3), "read_current": loops.ravel()})
    found = synapse.cycles(ds, 3)
    assert found["drift"] == pytest.approx(0.1)  # what flows at 0 V is noise
    assert found["opening"] == pytest.approx(2)
