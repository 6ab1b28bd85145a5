"""Straight pieces of a bent semiconductor, against an adaptive integral and a curvature by differences."""

import math

import numpy as np
import pytest
from devices import case
from scipy.integrate import quad

from otjdd.constants import BOLTZMANN_EV
from otjdd.physics.bent_region import straight_pieces
from otjdd.physics.electrostatics import bent_fields, displacement, doping_stiffness
from otjdd.solver import electrodes

KT = BOLTZMANN_EV * 300.0
LARGEST = 20.0  # eV
signs = pytest.mark.parametrize("sign", [1, -1], ids=["depleted", "accumulated"])


@pytest.fixture(scope="module")
def bulk():
    """xi, kT, doping, density of states and permittivity of the reference electrode."""
    form = case().device.right.form(300.0)
    eps = electrodes.permittivity(form.permittivity, 300.0)
    return electrodes.fermi_level(form, 300.0), KT, float(form.doping), float(form.density_of_states), eps


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
@signs
def test_pieces_lie_on_the_band_of_their_field(sign, tolerance, bulk):
    def rate(log_u):
        return math.exp(log_u) / bent_fields(np.array([sign * math.exp(log_u)]), *bulk)[0]

    u, depth, E = straight_pieces(sign, LARGEST, tolerance, *bulk)
    assert u[[0, -1]] == pytest.approx([tolerance * KT, LARGEST], rel=1e-12)
    assert depth[0] == 0.0
    assert (np.diff(u) > 0.0).all()
    assert pytest.approx(bent_fields(sign * u, *bulk), rel=1e-12) == E
    for i in range(0, u.size - 1, max(1, u.size // 20)):
        length, _ = quad(rate, math.log(u[i]), math.log(u[i + 1]), epsabs=0.0, epsrel=1e-11)
        assert depth[i + 1] - depth[i] == pytest.approx(length, rel=3e-8)
    whole, _ = quad(rate, math.log(u[0]), math.log(LARGEST), epsabs=0.0, epsrel=1e-11, limit=200)
    assert depth[-1] == pytest.approx(whole, rel=1e-8)


@signs
def test_pieces_are_as_long_as_the_curvature_of_the_band_allows(sign, bulk):
    tolerance = 1e-7
    u, depth, E = straight_pieces(sign, LARGEST, tolerance, *bulk)
    screening = math.sqrt(displacement(0.0, bulk[-1])[1] / doping_stiffness(bulk[0], KT, bulk[3]))
    curvature = np.abs(np.diff(E**2) / np.diff(u)) / 2  # u'' = d(E^2)/du/2 of each piece
    pieces = (curvature * screening**2 / tolerance) ** 0.25 / screening * np.diff(depth)
    assert pieces[5:] == pytest.approx(np.ones(u.size - 6), rel=0.02)  # along the first ones the curvature doubles


@signs
def test_there_are_as_many_pieces_as_the_tolerance_asks_for(sign, bulk):
    """Pieces are exact to the fourth order in their length."""
    coarse, fine = (straight_pieces(sign, LARGEST, tolerance, *bulk)[0] for tolerance in (1e-3, 1e-7))
    few, many = (np.count_nonzero((u > 0.01) & (u < 1.0)) for u in (coarse, fine))
    assert many / few == pytest.approx(10.0, rel=0.15)


def test_there_are_no_fewer_pieces_than_eight(bulk):
    u, _, _ = straight_pieces(1, 2e-3 * KT, 1e-3, *bulk)
    assert u.size == 9
