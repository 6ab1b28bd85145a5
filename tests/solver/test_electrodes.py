"""Tables of a bent electrode: places of its straight pieces against an independent integral."""

import math

import numpy as np
import pytest
from devices import case
from scipy.integrate import quad

from otjdd.constants import BOLTZMANN_EV
from otjdd.physics import electrostatics
from otjdd.solver import electrodes


def test_cubic_interpolation_is_exact_for_cubic_curves():
    at = np.linspace(-1.0, 2.0, 7)
    x = np.linspace(-1.0, 2.0, 50)
    found = electrodes.hermite(x, at, at**3 - 2 * at, 3 * at**2 - 2)
    assert found == pytest.approx(x**3 - 2 * x, abs=1e-14)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
@pytest.mark.parametrize("sign", [1, -1], ids=["depleted", "accumulated"])
def test_pieces_of_a_bent_region_have_the_lengths_of_its_field(sign, tolerance):
    form, T = case().device.right.form(300.0), 300.0
    profile = electrodes.bent_tables(form, T, tolerance)[-2 if sign > 0 else -1]
    kT = BOLTZMANN_EV * T
    xi, eps = electrodes.fermi_level(form, T), electrodes.permittivity(form.permittivity, T)
    bulk = xi, kT, float(form.doping), float(form.density_of_states), eps

    def rate(log_u):
        return math.exp(log_u) / electrostatics.bent_fields(np.array([sign * math.exp(log_u)]), *bulk)[0]

    u, depth, field = profile
    assert u[0] == pytest.approx(tolerance * kT, rel=1e-12)
    assert depth[0] == 0.0
    assert (np.diff(u) > 0.0).all()
    assert field == pytest.approx(electrostatics.bent_fields(sign * u, *bulk), rel=1e-12)
    for i in range(0, u.size - 1, max(1, u.size // 20)):
        length, _ = quad(rate, math.log(u[i]), math.log(u[i + 1]), epsabs=0.0, epsrel=1e-11)
        assert depth[i + 1] - depth[i] == pytest.approx(length, rel=3e-8)


@pytest.mark.parametrize("sign", [1, -1], ids=["depleted", "accumulated"])
def test_there_are_as_many_pieces_as_the_tolerance_asks_for(sign):
    """Pieces are exact to the fourth order in their length."""
    form = case().device.right.form(300.0)
    coarse, fine = (
        electrodes.bent_tables(form, 300.0, tolerance)[-2 if sign > 0 else -1] for tolerance in (1e-3, 1e-7)
    )
    few, many = (np.count_nonzero((table[0] > 0.01) & (table[0] < 1.0)) for table in (coarse, fine))
    assert many / few == pytest.approx(10.0, rel=0.15)
