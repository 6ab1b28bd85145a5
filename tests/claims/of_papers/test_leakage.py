"""Numbers of leakage currents on curves that are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from otjdd.claims import papers
from otjdd.constants import BOLTZMANN_EV
from otjdd.results.outputs import dataset

leakage = papers.module(papers.shipped_claims() / "anderson-2017" / "leakage.py")

T, V = np.array([300.0, 350.0, 400.0]), np.array([1.0, 1.5, 2.0, 3.0])
AREA, THICKNESS = 2e-9, 13e-9
DEVICE = SimpleNamespace(junction_area=AREA, film=SimpleNamespace(thickness=THICKNESS))


def trial(current):
    """A curve at frozen ions between 0 and 4 V, of a function of V and T."""
    bias = np.linspace(0.0, 4.0, 401)
    values = AREA * current(bias[None, :], T[:, None])
    coords = {"temperature": T, "bias": bias, "state": np.array(["new"], dtype=object)}
    return SimpleNamespace(ds=dataset({"bias_current": values[None]}, coords), case=SimpleNamespace(device=DEVICE))


def power_law(V, T):
    return 7.0 * V**4.4 * np.exp(-0.31 / (BOLTZMANN_EV * T))


def test_a_power_law_with_one_energy_has_its_exponent_and_its_energy():
    places = [V, V, V]
    twice = [list(2.0 * power_law(V, kelvin) / leakage.PER_SQUARE_METRE) for kelvin in T]
    found = leakage.leakage([trial(power_law), trial(lambda V, T: 4.0 * power_law(V, T))], places, twice)
    for name in leakage.NAMES:
        assert found[f"{name}_exponent"] == pytest.approx(4.4, abs=1e-3)
    for name in leakage.PLACES:
        assert found[f"{name}_energy"] == pytest.approx(0.31, abs=1e-6)
    assert found["misfit"] == pytest.approx(np.log(2.0), abs=1e-4)
    assert found["misfit_of_one_step"] == pytest.approx(np.log(2.0), abs=1e-4)


def test_the_poole_frenkel_law_has_its_permittivity():
    def law(V, T):  # b = sqrt(e/(pi eps0 eps)) with textbook numbers
        return V * np.exp(7.588e-5 / np.sqrt(6.0) * np.sqrt(V / THICKNESS) / (BOLTZMANN_EV * T))

    found = leakage.leakage([trial(law)], [V, V, V], [[1.0] * 4] * 3)
    for name in leakage.NAMES:
        assert found[f"{name}_permittivity"] == pytest.approx(6.0, rel=5e-3)
