"""Columns that stand for a law of distribution: exact kinetics of one linear process, moments, keys that move together."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from otjdd.case.case import load_case
from otjdd.case.columns import Columns, column_values
from otjdd.case.kinds import kinds_of
from otjdd.constants import BOLTZMANN_EV

KT = BOLTZMANN_EV * 300.0
KEY = "ions.activation_energy"
TIMES = np.logspace(1, 4, 61)  # in units of the fastest hop
VALUE = {KEY: 0.6, "ions.density": 1e26, "device.film.thickness": 3e-9, "device.left.barrier": 0.0}


def values(law, count, key=KEY, **more):
    found, weights = column_values(Columns(count=count, spread={key: law}, **more), VALUE)
    assert weights.sum() == pytest.approx(1.0, rel=1e-13)
    return found[key], weights


def left(law, count, time):
    """Share of barriers that have not been passed at times in units of 1/rate at the barrier of the case."""
    energy, weights = values(law, count)
    return np.exp(-time[:, None] * np.exp(-(energy - 0.6) / KT)) @ weights


@pytest.mark.parametrize(("scale", "columns"), [(0.04, 12), (0.062, 16), (0.1, 24)])
def test_an_exponential_law_gives_a_power_of_time(scale, columns):
    remains = np.log(left({"law": "exponential", "scale": scale}, columns, TIMES))
    assert np.polyfit(np.log(TIMES), remains, 1)[0] == pytest.approx(-KT / scale, abs=0.005)


@pytest.mark.parametrize(
    ("law", "mean", "deviation"),
    [
        ({"law": "normal", "deviation": 0.05}, 0.0, 0.05),
        ({"law": "uniform", "width": 0.2}, 0.0, 0.2 / np.sqrt(12.0)),
        ({"law": "exponential", "scale": 0.05}, 0.05, 0.05),
        ({"law": "two-sided-exponential", "scale": 0.05}, 0.0, 0.05 * np.sqrt(2.0)),
    ],
)
def test_moments_of_the_laws(law, mean, deviation):
    energy, weights = values(law, 200)
    assert energy @ weights - 0.6 == pytest.approx(mean, abs=1e-9)
    assert np.sqrt((energy - 0.6 - mean) ** 2 @ weights) == pytest.approx(deviation, rel=2e-3)


def test_a_log_normal_law_has_the_value_of_the_case_as_its_median():
    density, weights = values({"law": "log-normal", "factor": 2.0}, 201, key="ions.density")
    assert np.interp(0.5, weights.cumsum() - weights / 2, density) == pytest.approx(1e26, rel=1e-3)
    assert np.sqrt(np.log(density / 1e26) ** 2 @ weights) == pytest.approx(np.log(2.0), rel=2e-3)


def test_a_table_keeps_its_mean_whatever_the_number_of_columns(tmp_path):
    file = tmp_path / "barriers.csv"
    file.write_text("value (meV), weight\n" + "\n".join(f"{500 + 5 * i}, {i % 7}" for i in range(40)))
    exact = np.average(0.5 + 0.005 * np.arange(40), weights=np.arange(40) % 7)
    for count in (1, 5, 64):
        energy, weights = values({"law": "table", "file": str(file)}, count)
        assert energy @ weights == pytest.approx(exact, rel=1e-12)
    file.write_text("value (meV), weight\n500, 1\n510, -1\n")
    with pytest.raises(ValueError, match=r"barriers\.csv:3: weights are not negative"):
        values({"law": "table", "file": str(file)}, 5)


@pytest.mark.parametrize("nodes", ["gauss-hermite", "draws"])
@pytest.mark.parametrize("still", [KEY, "device.left.barrier"])
def test_a_key_of_no_spread_stands_still_beside_those_that_move_together(still, nodes):
    spread = {KEY: 0.1, "device.left.barrier": 0.1} | {still: 0.0}
    found, _ = column_values(
        Columns(count=3, spread=spread, nodes=nodes, together=(KEY, "-device.left.barrier")), VALUE
    )
    assert found.keys() == spread.keys() - {still}


def test_keys_that_move_together_have_one_number_of_columns_and_their_sign():
    spread = {KEY: {"law": "exponential", "scale": 0.05}, "device.left.barrier": {"law": "normal", "deviation": 0.04}}
    plain = spread | {"device.left.barrier": 0.04}  # a deviation is that of a normal law
    for sign in ("", "-"):
        together = (KEY, f"{sign}device.left.barrier")
        of_plain, _ = column_values(Columns(count=30, spread=plain, together=together), VALUE)
        found, weights = column_values(Columns(count=30, spread=spread, together=together), VALUE)
        energy, barrier = found[KEY], found["device.left.barrier"]
        assert len(weights) == 30
        assert (np.diff(energy) > 0.0).all()
        assert (np.diff(barrier) > 0.0 if not sign else np.diff(barrier) < 0.0).all()
        assert barrier @ weights == pytest.approx(0.0, abs=1e-12)
        np.testing.assert_allclose(of_plain["device.left.barrier"], barrier, atol=1e-12)
        edges = norm.ppf(np.concatenate(([0.0], weights.cumsum().clip(max=1.0))))
        means = [norm.expect(lb=low, ub=high, conditional=True) for low, high in pairwise(edges)]
        np.testing.assert_allclose(barrier, (-0.04 if sign else 0.04) * np.array(means), rtol=1e-6, atol=1e-9)
        assert 0.9 < np.sqrt(barrier**2 @ weights) / 0.04 < 1.0  # the slices of the first law cut the second one
        drawn, _ = column_values(Columns(count=250, spread=spread, together=together, nodes="draws"), VALUE)
        in_order = drawn["device.left.barrier"][np.argsort(drawn[KEY])]
        assert (np.diff(in_order) > 0.0 if not sign else np.diff(in_order) < 0.0).all()
        assert drawn[KEY].min() > 0.6
        assert drawn[KEY].mean() == pytest.approx(0.65, abs=0.01)


def test_a_kind_has_columns_of_its_own_and_for_the_rest_those_of_all():
    of_all = {"count": 4, "nodes": "gauss-legendre", "spread": {KEY: "20 meV", "device.left.barrier": "20 meV"}}
    own = {"name": "a", "share": 0.25, "count": 3, "spread": {"ions.density": "1e24 1/m^3"}}
    columns = of_all | {"together": [KEY, "device.left.barrier"], "kinds": [own, {"name": "b", "share": 0.25}]}
    first, second = (kind.columns for kind in kinds_of(load_case("junction", {"columns": columns})))
    assert (first.count, first.nodes, first.together) == (3, "gauss-legendre", None)
    assert list(first.spread) == ["ions.density"]
    assert (second.count, second.together) == (4, (KEY, "device.left.barrier"))
    assert first.kinds is second.kinds is None


def test_the_order_in_which_spreads_and_values_of_kinds_are_written_is_no_part_of_the_digest():
    spread, values = (
        {"ions.density": "1e24 1/m^3", "ions.activation_energy": "60 meV"},
        {"ions.charge": 1, "ions.density": "1e25 1/m^3"},
    )
    digests = set()
    for turn in (dict, lambda table: dict(reversed(table.items()))):
        kinds = [{"name": "a", "share": 1.0, "set": turn(values), "spread": turn(spread)}]
        digests.add(load_case("junction", {"columns.count": 3, "columns.spread": turn(spread)}).digest)
        digests.add(load_case("junction", {"columns.count": 3, "columns.kinds": kinds}).digest)
    assert len(digests) == 2
