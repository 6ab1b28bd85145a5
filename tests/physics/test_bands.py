"""The band profile: bent regions of the electrodes in pieces, and how they join the film."""

import math
from itertools import pairwise

import numpy as np
import pytest
from devices import case, closed, doped

from otjdd.constants import BOLTZMANN_EV
from otjdd.laws import K0
from otjdd.physics.bands import REST, band_profile, bent_part, bent_segments, ends_of_pieces, interface_slope
from otjdd.physics.electrostatics import bent_fields, edge
from otjdd.physics.fermi_dirac import inverse_fermi_dirac_half
from otjdd.solver import electrodes, model


@pytest.mark.parametrize("u", [-0.5, -0.07, 0.003, 0.05, 0.31, 0.9])
def test_slope_of_a_bent_region_by_its_bending_is_that_of_its_last_piece(u):
    electrode, _ = doped()
    n = bent_part(electrode, u)[0]
    by = (
        1.3,
        -0.4,
        2e8,
        2.1,
    )  # of a quantity that depends linearly on both ends, the length and the curve of the last piece

    def quantity(u):
        length, bulk_end, film_end, curve = np.empty((4, n))
        bent_segments(electrode, u, length, bulk_end, film_end, curve)
        return by[0] * bulk_end[-1] + by[1] * film_end[-1] + by[2] * length[-1] + by[3] * curve[-1]

    step = 1e-5 * abs(u)
    assert interface_slope(electrode, u, *by) == pytest.approx(
        (quantity(u + step) - quantity(u - step)) / (2 * step), rel=1e-5
    )


def test_a_region_that_is_not_bent_has_no_pieces():
    electrode, _ = doped()
    beyond = 1.01 * electrode.depletion[0, -1]
    assert [bent_part(electrode, u)[0] for u in (0.0, beyond)] == [0, 0]
    assert interface_slope(electrode, 0.0, 1.0, 1.0, 1.0, 1.0) == 0.0
    assert bent_part(model.junction(case()).left[0], 0.1)[0] == 0


def test_band_profile_joins_the_electrodes_where_the_closure_says():
    film = case(device__film__cells=24)
    run = closed(film, 3, -0.5)
    junction, state = run.junction, run.state
    profile = band_profile(junction, state, 0)
    inside = junction.nodes.size - 1
    assert profile.length[:inside].sum() == pytest.approx(2.8e-9, rel=1e-12)
    u = edge(junction.right[0], -state.D_right[0])[2]
    ends = profile.left + profile.curve, profile.right + profile.curve
    assert ends[0][inside] == pytest.approx(junction.right[0].bottom + u, abs=1e-5)
    assert ends[1][-1] == pytest.approx(junction.right[0].bottom, abs=1e-3)
    for side in (slice(0, inside - 1), slice(inside, -1)):
        assert ends[1][:-1][side] == pytest.approx(ends[0][1:][side], abs=2e-3)
    assert (profile.bottom_left, profile.bottom_right) == (-4.5, junction.right[0].bottom)


# pieces of a bent semiconductor, against the integral of their field and their own error


KT = BOLTZMANN_EV * 300.0
LARGEST = 20.0  # eV
NODES, WEIGHTS = np.polynomial.legendre.leggauss(20)
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
    """By Gauss's rule on quarters of a piece: the adaptive rule of scipy 1.15 stops short of the round-off of fields."""

    def length(from_u, to_u):
        edges = np.linspace(math.log(from_u), math.log(to_u), 5)
        half = 0.5 * np.diff(edges)
        bending = np.exp((edges[:-1] + half)[:, None] + half[:, None] * NODES)
        fields = bent_fields(sign * bending.ravel(), *bulk).reshape(bending.shape)
        return float(half @ (bending / fields) @ WEIGHTS)

    u, depth, E = ends_of_pieces(sign * LARGEST, tolerance, 1.3, *bulk)
    assert u[[0, -1]] == pytest.approx([REST * tolerance * KT, LARGEST], rel=1e-12)
    assert depth[0] == 0.0
    assert (np.diff(u) > 0.0).all()
    assert pytest.approx(bent_fields(sign * u, *bulk), rel=1e-12) == E
    for i in range(0, u.size - 1, max(1, u.size // 20)):
        assert depth[i + 1] - depth[i] == pytest.approx(length(u[i], u[i + 1]), rel=3e-8)
    assert depth[-1] == pytest.approx(sum(length(*ends) for ends in pairwise(u)), rel=1e-8)


@signs
def test_there_are_as_many_pieces_as_the_tolerance_asks_for(sign, bulk):
    """Pieces are exact to the sixth order in their length."""
    coarse, fine = (ends_of_pieces(sign * LARGEST, tolerance, 1.3, *bulk)[0] for tolerance in (1e-3, 1e-7))
    few, many = (np.count_nonzero((u > 0.01) & (u < 1.0)) for u in (coarse, fine))
    assert many / few == pytest.approx(10.0 ** (4 / 6), rel=0.15)


def test_a_long_bent_region_has_pieces_short_beside_a_wave_where_it_would_reflect(bulk):
    """A hundredth of the doping makes the region ten times as long, and the wave is as it was."""
    _, kT, doping, states, eps = bulk
    thin = kT * inverse_fermi_dirac_half(doping / (100.0 * states)), kT, doping / 100.0, states, eps
    u, depth, _ = ends_of_pieces(-LARGEST, 1e-4, 1.3, *thin)
    wave = 1.0 / math.sqrt(1.3 * K0 * (kT + 0.1))
    near = np.interp(0.1, 0.5 * (u[1:] + u[:-1]), np.diff(depth))
    assert near < 3.0 * wave
    few = ends_of_pieces(-LARGEST, 1e-4, 1.3, *bulk)[0]
    assert (u > 1e-3).sum() > 1.2 * (few > 1e-3).sum()


def test_there_are_no_fewer_pieces_than_eight(bulk):
    u, _, _ = ends_of_pieces(2e-3 * KT, 1e-3, 1.3, *bulk)
    assert u.size == 9
