"""Metrics of several runs, against trials whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from otjdd.analysis.metrics import METRICS
from otjdd.claims import papers
from otjdd.claims.claim import ClaimTrial
from otjdd.results import outputs

learning = papers.module(papers.shipped_claims() / "li-2019" / "learning.py")
switching = papers.module(papers.shipped_claims() / "li-2019" / "switching.py")

TAU, WIDTH, REST = 1e-6, 50e-9, 2e-10


def trial(value, arrays, time=None, name="case", range=None):
    case = SimpleNamespace(circuit=SimpleNamespace(range=range), device=SimpleNamespace(junction_area=1e-12))
    return ClaimTrial(name, value, case, outputs.dataset(arrays, None if time is None else {"time": time}))


def changed(value, change, **options):
    """A trial that leaves a relative change of conductance."""
    R = np.array([1e6, 1e6 / (1 + change)])
    return trial(value, {"read_resistance": R, "read_current": 0.1 / R}, **options)


def pulsed(value, height, count, period, fresh=1e-9):
    """Pulses, each of which adds a current that decays with TAU; conduction is a tenth of it, ten times as fast."""
    cell = np.concatenate([WIDTH * (np.arange(10) + 0.5) / 10, WIDTH + (period - WIDTH) * (np.arange(90) + 0.5) / 90])
    after = 5e-6 + count * period + np.linspace(0, 1e-5, 301)
    t = np.concatenate([[0.0], *(5e-6 + k * period + cell for k in range(count)), after])
    since = t[:, None] - (5e-6 + period * np.arange(count))
    under = ((since > 0) & (since <= WIDTH)).any(axis=1)
    V = np.where(under, height, 0.1)

    def current(size, tau):
        return REST + np.where(since > 0, size * np.exp(-np.maximum(since, 0) / tau), 0).sum(axis=1)

    arrays = {"voltage": V, "current": current(fresh, TAU), "conduction_current": current(fresh / 10, TAU / 10)}
    return trial(value, arrays | {"read_resistance": [1e8, 1e8]}, t)


def test_a_response_has_the_decay_of_its_tail():
    found = learning.single([pulsed(V, V, 1, 1e-6, fresh=V * 1e-9) for V in (0.2, 0.6, 1.0)])
    assert found["response_rises"] == 1
    assert found["decay"] == pytest.approx(TAU, rel=1e-3)
    assert max(found["misfit"], found["change"]) < 1e-3
    assert found["least_tail"] == pytest.approx(0.2e-9 / REST, rel=0.05)


def test_trains_grow_more_the_faster_they_are():
    trials = [pulsed(period, 0.6, 10, period) for period in (2e-7, 5e-7, 2e-6)]
    found = learning.trains(trials)
    assert found["growth_rises"] == 1
    assert found["fall"] < 0
    left = np.exp(-2e-6 / TAU)
    assert found["least_growth"] == pytest.approx(left * (1 - left**9) / (1 - left) / (1 + REST / 1e-9), rel=1e-2)
    assert learning.trains(trials[::-1]) == found


def test_facilitation_falls_with_the_interval_as_the_response_decays():
    found = learning.facilitation([pulsed(period, 0.6, 10, period) for period in (2e-7, 5e-7, 1e-6, 2e-6, 4e-6)])
    assert (found["ppf_falls"], found["ptp_falls"], found["above"]) == (1, 1, 1)
    assert found["ppf_decay"] == pytest.approx(TAU, rel=1e-2)
    assert found["ppf_misfit"] < 1e-3 < found["ptp_misfit"]  # ten pulses are a sum of exponentials


def test_intervals_are_pauses():
    assert learning.intervals([pulsed(1e-6, 0.6, 3, 1e-6)]) == pytest.approx([1e-6 - WIDTH], rel=0.05)


def test_the_instrument_cuts_what_a_spike_leaves():
    trials = [changed(V, change, range=1.5e-7) for V, change in ((0.9, 0.0), (1.8, 0.25), (3.6, 9.0))]
    found = learning.amplitudes(trials)
    assert (found["first"], found["last"]) == pytest.approx((1e-7, 1.5e-7))
    assert found["rises"] == 1
    assert found["ratio"] == pytest.approx(1.5)


def test_widths_saturate_where_the_last_decade_adds_nothing():
    found = learning.widths([changed(w, 1 - np.exp(-w / 1e-6)) for w in np.geomspace(1e-8, 1e-4, 9)])
    assert found["last_decade"] == pytest.approx(1, abs=1e-4)
    assert found["growth"] == pytest.approx(2 / (1 + 0.01), rel=1e-3)
    assert found["longest"] == pytest.approx(2e-6)


def test_stdp_gives_back_what_the_order_of_spikes_does():
    delays = np.array([-10, -6, -4, -3, -2, -1, 1, 2, 3, 4, 6, 10]) * 1e-6

    def change(dt):
        up = dt > 0
        return (0.963 if up else -0.531) * np.exp(-abs(dt) / (4.4e-6 if up else 4.2e-6))

    found = learning.antisymmetric([changed(dt, change(dt)) for dt in delays])
    assert (found["up"], found["up_decay"]) == pytest.approx((0.963, 4.4e-6), rel=1e-4)
    assert (found["down"], found["down_decay"]) == pytest.approx((-0.531, 4.2e-6), rel=1e-4)
    assert found["right"] == 1
    wrong = [changed(dt, abs(change(dt))) for dt in delays]
    assert learning.antisymmetric(wrong)["right"] == 0.5


def test_symmetric_stdp_gives_back_its_bump():
    delays = np.arange(-10, 11) * 1e-6
    found = learning.symmetric([changed(dt, 0.88 * np.exp(-((dt / 3.3e-6) ** 2)) - 0.16) for dt in delays])
    assert (found["amplitude"], found["width"], found["offset"]) == pytest.approx((0.88, 3.3e-6, -0.16), rel=1e-4)
    assert (found["near"], found["away"]) == pytest.approx((0.72, -0.16), abs=1e-3)


def test_energies_are_of_the_trials_next_to_the_amplitudes():
    t = np.array([0, 1e-6, 1.0001e-6, 1.01e-6, 1.02e-6, 1.0201e-6, 1.03e-6])
    under = np.array([0, 0, 1, 1, 1, 0, 0])

    def spent(V):
        current = 1e-3 * V * under
        arrays = {
            "read_resistance": [1e6, 1e6],
            "voltage": V * under,
            "conduction_current": current,
            "displacement_current": 0 * t,
        }
        return trial(V, arrays | {"current": current / 10}, t)

    found = learning.energy([spent(V) for V in (0.2, 0.6, 1.8)])
    assert found["short"] == pytest.approx(1e-3 * 0.6**2 * 20e-9, rel=0.01)
    assert found["long"] == pytest.approx(1e-3 * 1.8**2 * 20e-9, rel=0.01)
    assert found["long_scaled"] == pytest.approx(found["long"] * 0.1)
    assert found["long_ohmic"] == pytest.approx(1.8**2 * 20e-9 / 1e6, rel=0.01)
    assert found["long_shown"] == pytest.approx(found["long"] / 10, rel=0.01)


def test_letters_are_told_by_their_contrast():
    t = np.linspace(0, 4, 401)
    reads = {"read_time": [1.0, 2.0, 3.0, 4.0], "read_current": [1e-9, 1.2e-9, 1.1e-9, 1.0e-9]}
    shown = np.interp(t, [1, 2, 3], [1e-9, 3e-9, 1e-9])
    found = learning.letters([trial(np.nan, reads | {"current": shown}, t, name="h")], h=["#"])
    assert found == pytest.approx({"h_at_once": 2.0, "h_later": 0.1, "h_last": 0.0, "h_state": 0.2}, abs=1e-9)


def test_letters_are_compared_with_each_other():
    contrasts = {"c": 0.0, "h": 0.06, "n": 0.02}
    t = np.linspace(0, 4, 9)
    trials = [
        trial(np.nan, {"read_time": [1.0, 2, 3, 4], "read_current": [1.0, 1.0, 1 + x, 1.0], "current": t}, t, name=name)
        for name, x in contrasts.items()
    ]
    found = learning.letters(trials)
    assert found["h_over_n_later"] == pytest.approx(3)
    assert found["h_over_c_later"] == np.inf
    assert set(found) == set(learning.METRICS["letters"].numbers)
    assert found["c_over_h_later"] == 0


def test_rounds_of_pulses_tell_the_shape_of_the_last():
    p = np.linspace(0, 1, 21)
    up = 1e-6 + 9e-6 * np.expm1(-3 * p) / np.expm1(-3)
    G = np.tile(np.concatenate([up[1:], up[::-1][1:]]), 3)
    found = METRICS["potentiation"].of(trial(np.nan, {"read_resistance": 1 / G}).ds, settling=1)
    assert found["nonlinearity_up"] == pytest.approx(3, abs=1e-4)
    assert found["nonlinearity_down"] == pytest.approx(-3, abs=1e-4)
    assert found["asymmetry"] == pytest.approx(0, abs=1e-9)
    assert found["highest"] == pytest.approx(10e-6)


def test_retention_is_told_by_the_decade():
    since = np.array([1e-3, 1, 10, 1e4])
    time = np.concatenate([1 + since, 2e4 + since])
    R = np.concatenate([1e8 * 0.9 ** np.log10(since), 1e4 * 1.1 ** np.log10(since)])
    found = METRICS["retention"].of(trial(np.nan, {"read_time": time, "read_resistance": R}).ds)
    assert (found["high_loss"], found["low_loss"]) == pytest.approx((-0.1, 0.1), abs=1e-3)


def test_devices_that_scatter_are_apart_by_the_nearest_two():
    trials = [trial(i, {"read_resistance": R}) for i, R in enumerate([(1e8, 1e4), (2e8, 4e4), (4e8, 2e4)])]
    found = switching.uniformity(trials)
    assert found["apart"] == pytest.approx(2500)
    assert found["spread_high"] == pytest.approx(np.log10(4))
    assert (found["ratio_least"], found["ratio_most"]) == pytest.approx((5e3, 2e4))


def test_a_tip_writes_a_square_in_a_square():
    trials = [
        trial(np.nan, {"read_current": read}, name=n) for n, read in (("inner", [1e-9, 5e-8]), ("outer", [1e-9, 5e-10]))
    ]
    found = switching.tip_map(trials, side=10, inner=5)
    assert (found["inner_over_outer"], found["outer_over_pristine"]) == pytest.approx((100, 0.5))
