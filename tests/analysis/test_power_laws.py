"""Power laws of pulses and windows of sweeps, on currents whose answers are known."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_results import reads

from otjdd.analysis import power_laws, stops


def of_currents(current):
    current = np.asarray(current, dtype=float)
    return reads(np.zeros(len(current)), 0.3 / np.abs(current), read_current=current)


def junction(current, radius):
    return SimpleNamespace(ds=of_currents(current), case=SimpleNamespace(device=SimpleNamespace(radius=radius)))


def test_currents_slopes_and_bends_of_two_trains():
    n = np.arange(1, 101.0)
    bent = np.where(n < 10, 2e-7 * n, 2e-6 * (n / 10) ** 0.5)  # slopes 1 and 0.5
    found = power_laws.pulses(of_currents(np.concatenate([[6e-5], -3e-6 * n**-0.7, bent])))
    assert found["start"] == 6e-5
    assert [found[f"reset_{i}"] for i in (1, 10, 100)] == pytest.approx(3e-6 * np.array([1, 10, 100]) ** -0.7)
    assert (found["reset_slope"], found["reset_bend"]) == pytest.approx((-0.7, 0), abs=1e-12)
    assert (found["set_slope"], found["set_bend"]) == pytest.approx((0.5, 0.5))
    with pytest.raises(ValueError, match="these have 50"):
        power_laws.pulses(of_currents(np.ones(101)))


def law_of(V, bend=0.0):
    n = np.arange(1, 101.0)
    x = np.log10(n)
    R = 100 + 2.5e8 * 10 ** ((-0.128 - 0.522 * V) * x + bend * (x - 1) ** 2)
    return SimpleNamespace(value=V, ds=reads(np.zeros(101), np.append(1e9, R)))


def test_the_published_law_comes_back_from_its_own_resistances():
    found = power_laws.exponents([law_of(V) for V in (0.4, 0.5, 0.6, 0.8, 1.0)], floor=100)
    assert (found["offset"], found["slope"]) == pytest.approx((-0.128, -0.522))
    assert (found["exponent_2"], found["exponent_5"]) == pytest.approx((-0.389, -0.65))
    assert (found["correlation"], found["misfit"]) == pytest.approx((-1, 0), abs=1e-9)
    assert found["first"] == pytest.approx(2.5e8)


def test_a_bent_line_shows_in_the_misfit_and_a_resistance_below_the_floor_is_told():
    straight, bent = law_of(0.5), law_of(1.0, bend=0.5)
    assert power_laws.exponents([straight, bent, bent], floor=100)["misfit"] == pytest.approx(0.15, abs=0.02)
    with pytest.raises(ValueError, match="not above 1e\\+09 ohm"):
        power_laws.exponents([straight, bent, bent], floor=1e9)


def test_windows_rise_with_the_stop_and_fall_with_the_size():
    found = stops.stops(of_currents([-6e-4, -2e-5, -2e-4, -8e-8, -3e-5, -3e-9]))
    assert [found[f"window_{i}"] for i in (1, 2, 3)] == pytest.approx([30, 2500, 1e4])
    assert (found["windows_rise"], found["low_fall"], found["high_fall"]) == pytest.approx((1, 20, 2e4 / 3))
    small, large = junction([4e-4, 1e-5], 5e-6), junction([8e-3, 4e-3, 1e-3, 2e-4], 50e-6)
    found = stops.sizes([large, small])
    assert [found[name] for name in ("window_1", "window_2", "windows_fall")] == pytest.approx([40, 2, 1])
    assert np.isnan(found["window_3"])
    assert [found[f"{name}_2"] for name in ("low", "high", "deep_low", "deep_high")] == [8e-3, 4e-3, 1e-3, 2e-4]
    with pytest.raises(ValueError, match="there are 3"):
        stops.stops(of_currents([1, 2, 3]))
