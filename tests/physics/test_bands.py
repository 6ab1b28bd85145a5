"""The band profile: bent regions of the electrodes in straight pieces, and how they join the film."""

import math

import numpy as np
import pytest
from devices import case, closed, doped
from scipy.integrate import trapezoid

from otjdd.physics.bands import band_profile, bent_part, bent_segments, interface_slope
from otjdd.physics.electrostatics import bent_fields, edge
from otjdd.solver import model


@pytest.mark.parametrize("u", [-0.5, -0.07, 0.03, 0.05, 0.31, 0.9])
def test_depth_of_a_bent_region_grows_by_one_over_its_field(u):
    electrode, bulk = doped()
    n, table, depth, slope, curvature = bent_part(electrode, u)
    assert table[0, n - 1] < abs(u) <= table[0, n]
    E = bent_fields(np.array([u]), *bulk)[0]
    assert slope == pytest.approx(1 / E, rel=2e-3)
    from_node = np.linspace(table[0, n - 1], abs(u), 201)
    rate = 1 / bent_fields(math.copysign(1.0, u) * from_node, *bulk)
    # A cubic within its piece. That this suffices for the currents is what test_converged_current.py holds.
    assert depth - table[1, n - 1] == pytest.approx(trapezoid(rate, from_node), rel=2e-3)
    step = 1e-5 * (table[0, n] - table[0, n - 1])
    up, down = (bent_part(electrode, u + s) for s in (step, -step))
    sign = math.copysign(1.0, u)
    assert slope == pytest.approx(sign * (up[2] - down[2]) / (2 * step), rel=1e-6)
    assert curvature == pytest.approx(sign * (up[3] - down[3]) / (2 * step), rel=1e-5, abs=1e-9 * slope / abs(u))


@pytest.mark.parametrize("u", [-0.5, -0.07, 0.003, 0.05, 0.31, 0.9])
def test_slope_of_a_bent_region_by_its_bending_is_that_of_its_last_piece(u):
    electrode, _ = doped()
    n = bent_part(electrode, u)[0]
    by = 1.3, -0.4, 2e8  # of a quantity that depends linearly on both ends and the length of the last piece

    def quantity(u):
        length, bulk_end, film_end = np.empty((3, n))
        bent_segments(electrode, u, length, bulk_end, film_end)
        return by[0] * bulk_end[-1] + by[1] * film_end[-1] + by[2] * length[-1]

    step = 1e-5 * abs(u)
    assert interface_slope(electrode, u, *by) == pytest.approx(
        (quantity(u + step) - quantity(u - step)) / (2 * step), rel=1e-5
    )


@pytest.mark.parametrize("u", [-0.5, 0.05, 0.31])
def test_pieces_of_a_bent_region_rise_with_the_band_and_keep_its_mean(u):
    electrode, bulk = doped()
    n, table, *_ = bent_part(electrode, u)
    length, bulk_end, film_end = np.empty((3, n))
    bent_segments(electrode, u, length, bulk_end, film_end)
    nodes, sign = np.append(table[0, :n], abs(u)), math.copysign(1.0, u)
    np.testing.assert_allclose(film_end - bulk_end, sign * np.diff(nodes), rtol=1e-12)
    for i in range(n):
        v = np.linspace(nodes[i], nodes[i + 1], 201)
        rate = 1 / bent_fields(sign * v, *bulk)  # dx/du
        assert length[i] == pytest.approx(trapezoid(rate, v), rel=2e-2)
        mean = trapezoid(v * rate, v) / trapezoid(rate, v)
        assert 0.5 * sign * (bulk_end[i] + film_end[i]) == pytest.approx(mean, abs=2e-2 * (nodes[i + 1] - nodes[i]))


def test_a_region_that_is_not_bent_has_no_pieces():
    electrode, _ = doped()
    beyond = 1.01 * electrode.depletion[0, -1]
    assert [bent_part(electrode, u)[0] for u in (0.0, beyond)] == [0, 0]
    assert interface_slope(electrode, 0.0, 1.0, 1.0, 1.0) == 0.0
    assert bent_part(model.junction(case()).left[0], 0.1)[0] == 0


def test_band_profile_joins_the_electrodes_where_the_closure_says():
    film = case(device__film__cells=24)
    run = closed(film, 3, -0.5)
    junction, state = run.junction, run.state
    profile = band_profile(junction, state, 0)
    inside = junction.nodes.size - 1
    assert profile.length[:inside].sum() == pytest.approx(2.8e-9, rel=1e-12)
    u = edge(junction.right[0], -state.D_right[0])[2]
    assert profile.left[inside] == pytest.approx(junction.right[0].bottom + u, abs=2e-3)
    assert profile.right[-1] == pytest.approx(junction.right[0].bottom, abs=3e-3)
    assert (profile.bottom_left, profile.bottom_right) == (-4.5, junction.right[0].bottom)
