"""Metrics of films of several layers, on curves whose numbers are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from otjdd.analysis.synapse import self_limit
from otjdd.claims import papers
from otjdd.results.outputs import dataset

layers = papers.module(papers.shipped_claims() / "layers" / "layers.py")


def staircase(current, top=3.0, points=31):
    """A staircase up to `top` and back: ln I by a function of the voltage and the way, up or down."""
    up = np.linspace(0.0, top, points)
    V = np.concatenate((up, up[-2::-1]))
    way = np.where(np.arange(V.size) < points, "up", "down")
    values = [0.0 if v == 0.0 else float(np.exp(current(v, w))) for v, w in zip(V, way, strict=True)]
    return dataset({"read_voltage": V, "read_current": values})


def trial(ds, name="", area=1.0):
    return SimpleNamespace(ds=ds, name=name, case=SimpleNamespace(device=SimpleNamespace(junction_area=area)))


def test_currents_proportional_to_powers_of_the_area_have_these_exponents():
    def loop(area):
        low, high = 1.0 * np.log(area), 0.7 * np.log(area) + np.log(50.0)
        return staircase(lambda v, way: v + (low if way == "up" else high))

    found = layers.area_exponents([trial(loop(a), area=a) for a in (1.0, 3.0, 10.0)])
    assert found["low_exponent"] == pytest.approx(1.0, abs=1e-12)
    assert found["high_exponent"] == pytest.approx(0.7, abs=1e-12)
    assert found["ratio"] == pytest.approx(50.0 * 10.0**-0.3, rel=1e-9)


def test_a_current_that_rises_less_above_its_set_has_the_ratio_of_both_slopes():
    found = self_limit(staircase(lambda v, way: 8.0 * min(v, 1.5) + 2.0 * max(v - 1.5, 0.0)))
    assert found["steepest"] == pytest.approx(8.0, rel=1e-9)
    assert found["ratio"] == pytest.approx(0.25, rel=1e-9)


def test_the_product_of_two_polarities_says_that_the_order_turns_them():
    def loop(low, high):
        return dataset({"read_resistance": [high, low, high], "write_voltage": [0.0, 2.0, -2.0]})

    found = layers.layer_polarity([trial(loop(1.0, 10.0), "low-left"), trial(loop(10.0, 1.0), "low-right")])
    assert (found["left"], found["right"], found["product"]) == (1.0, -1.0, -1.0)
    with pytest.raises(ValueError, match="no loop of both"):
        layers.layer_polarity([trial(loop(1.0, 10.0), "low-left")])


def test_times_of_rests_are_compared_with_the_first():
    def rest(tau):
        t = np.geomspace(1e-3, 1e3, 400) * tau
        drifted = {"time": t, "vacancy_mean_position": np.exp(-t / tau), "cell_width": [0.5, 0.5]}
        return dataset({**drifted, "time": np.concatenate(([0.0], t[1:]))})

    found = layers.slow_layer([trial(rest(tau)) for tau in (1.0, 48.0, 2300.0)])
    assert found["factor"] == pytest.approx(2300.0, rel=1e-3)
    assert found["factor_of_half"] == pytest.approx(48.0, rel=1e-3)
