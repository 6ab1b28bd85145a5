"""Power laws of pulses, windows and distances of sweeps, forward curves, on currents whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from made_results import reads

from otjdd.analysis import synapse
from otjdd.claims import papers

interface = papers.module(papers.shipped_claims() / "tiotto-2020" / "interface.py")


def of_currents(current, voltage=0.3):
    current = np.asarray(current, dtype=float)
    voltages = np.broadcast_to(voltage, current.shape)
    return reads(np.zeros(len(current)), 0.3 / np.abs(current), read_current=current, read_voltage=voltages)


def junction(current, radius, voltage=-1.0):
    case = SimpleNamespace(device=SimpleNamespace(disc_radius=radius))
    return SimpleNamespace(ds=of_currents(current, voltage), case=case)


def pair(current, reset, set_):
    parts = [SimpleNamespace(voltage=V) for V in (1.0, reset, set_)]
    return SimpleNamespace(ds=of_currents(current), case=SimpleNamespace(drive=SimpleNamespace(parts=parts)))


def test_currents_slopes_and_bends_of_two_trains():
    n = np.arange(1, 101.0)
    bent = np.where(n < 10, 2e-7 * n, 2e-6 * (n / 10) ** 0.5)  # slopes 1 and 0.5
    found = synapse.currents_and_slopes(of_currents(np.concatenate([[6e-5], -3e-6 * n**-0.7, bent])))
    assert found["start"] == 6e-5
    assert [found[f"reset_{i}"] for i in (1, 10, 100)] == pytest.approx(3e-6 * np.array([1, 10, 100]) ** -0.7)
    assert (found["reset_slope"], found["reset_bend"]) == pytest.approx((-0.7, 0), abs=1e-12)
    assert (found["set_slope"], found["set_bend"]) == pytest.approx((0.5, 0.5))
    with pytest.raises(ValueError, match="these have 50"):
        synapse.currents_and_slopes(of_currents(np.ones(101)))
    with pytest.raises(ValueError, match="there are 4 reads"):
        synapse.trains_of(of_currents(np.ones(4)))


def test_whole_trains_have_their_slopes_their_growth_and_the_sets_that_double():
    n = np.arange(1, 26.0)
    found = synapse.train_slopes(of_currents(np.concatenate([[1e-6], 2e-7 * n**-0.5, 4e-8 * (1 + n / 10)])))
    assert (found["reset_slope"], found["growth"], found["doubling"]) == pytest.approx((-0.5, 3.5, 10))
    assert found["set_slope"] == pytest.approx(np.polyfit(np.log(n), np.log(1 + n / 10), 1)[0])
    assert np.isnan(synapse.train_slopes(of_currents([1e-6, 1e-7, 1e-7, 1.1e-7, 1.2e-7]))["doubling"])


def test_pairs_of_voltages_have_their_slopes_their_volts_and_their_memory():
    n, volts = np.arange(1, 26.0), 0.3

    def run(reset, set_):
        """Resets leave 1e-8 A and less the deeper they are; I/I0 = 1 + t exp(V/volts), in units of which it doubles."""
        left = 1e-8 / abs(reset)
        grown = left * (1 + n * np.exp((set_ - 1) / volts))
        return pair(np.concatenate([[1e-6], left * (n / 25) ** -0.4, grown]), reset, set_)

    found = interface.pairs([run(reset, set_) for reset in (-4.0, -2.0) for set_ in (1.0, 0.5, 0.7)])
    assert [found[f"reset_slope_{i}"] for i in (1, 2)] == pytest.approx([-0.4, -0.4])
    assert [found[f"volts_{i}"] for i in (1, 2)] == pytest.approx([volts, volts])
    assert (found["growth_1"], found["memory"]) == pytest.approx((26, 2))
    assert found["slope_1_3"] == pytest.approx(np.polyfit(np.log(n), np.log(1 + n), 1)[0])
    assert found["slope_1_1"] < found["slope_1_2"] < found["slope_1_3"]
    assert np.isnan(found["slope_3_1"])


def test_slopes_near_the_measured_ones_are_counted():
    n = np.arange(1, 101.0)
    trial = SimpleNamespace(ds=of_currents(np.concatenate([[1.0], n**-0.5, n**0.4])))
    measured = [1.0, 1.0, 10**-0.5, 10**-1.2, 1.0, 10**0.4, 10**0.8]  # reset slopes -0.5 and -0.7, both set slopes 0.4
    found = interface.protocols([trial], [measured], within=0.15)
    assert (found["near"], found["largest"], found["rms"]) == pytest.approx((3, 0.2, 0.1))


def test_windows_rise_with_the_stop_and_fall_with_the_size():
    small = junction([9, -6e-4, -2e-5, 9, -2e-4, -8e-8], 5e-6, [0.1, -1, -1, 0.1, -1, -1])
    large = junction([8e-3, 4e-3], 50e-6)
    found = interface.stops([large, small], at=-1.0)
    assert [found[f"window_1_{i}"] for i in (1, 2)] == pytest.approx([30, 2500])
    assert (found["windows_rise"], found["windows_fall"]) == (1, 1)
    assert [found[name] for name in ("low_2_1", "high_2_1", "low_1_2")] == [8e-3, 4e-3, 2e-4]
    assert np.isnan(found["window_2_2"])
    with pytest.raises(ValueError, match="there are 3"):
        interface.stops([junction([1, 2, 3], 1e-6)], at=-1.0)


def test_reads_of_each_junction_are_compared_with_what_was_measured():
    found = interface.sweeps([junction([1e-3], 50e-6), junction([1e-6, 2e-6], 5e-6)], [[2e-6, 2e-6], [1e-3]])
    assert (found["largest"], found["largest_1"], found["largest_2"]) == pytest.approx((2, 2, 1))
    assert found["rms_1"] == pytest.approx(2**0.5**0.5)
    with pytest.raises(ValueError, match="2 currents were measured, the run has 1 reads"):
        interface.sweeps([junction([1.0], 1e-6)], [[1.0, 1.0]])
    with pytest.raises(ValueError, match="2 junctions were measured, there are 1"):
        interface.sweeps([junction([1.0], 1e-6)], [[1.0], [1.0]])


def test_a_forward_current_has_its_ideality_and_its_change_between_states():
    V, kT = np.array([-1.0, 0.3, 0.1]), 8.617333262e-5 * 300
    low = np.where(V > 0, 1e-9 * np.exp(V / (1.1 * kT)), -6e-6)
    high = np.where(V > 0, 0.9 * low, -1e-7)
    rows = [[-3e-7], high, [-3e-7], low]  # an earlier read at -1 V does not count
    read_at = np.tile(np.concatenate([[-1.0], V]), 2)
    ds = xr.Dataset({"read_voltage": ("read", read_at), "read_current": ("read", np.concatenate(rows))})
    trials = [SimpleNamespace(ds=ds, case=SimpleNamespace(temperature=300.0))]
    found = interface.forward(trials, states=["high", "low"], reverse=-1.0)
    assert [found[f"ideality_{state}"] for state in ("low", "high")] == pytest.approx([1.1, 1.1])
    assert (found["change"], found["window"]) == pytest.approx((1 / 0.9 - 1, 60))
    with pytest.raises(ValueError, match="3 states are read at the same voltages, the run has 8 reads"):
        interface.forward(trials, states=["high", "low", "fresh"], reverse=-1.0)
