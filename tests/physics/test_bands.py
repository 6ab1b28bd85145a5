"""The band profile: bent regions of the electrodes in pieces, and how they join the film."""

import math

import numpy as np
import pytest
from devices import case, closed, doped
from scipy.integrate import cumulative_trapezoid, trapezoid

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


@pytest.mark.parametrize("u", [-0.5, 0.05, 0.31])
def test_pieces_of_a_bent_region_keep_the_mean_the_tilt_and_the_curve_of_the_band(u):
    electrode, bulk = doped()
    n, table, *_ = bent_part(electrode, u)
    length, bulk_end, film_end, curve = np.empty((4, n))
    bent_segments(electrode, u, length, bulk_end, film_end, curve)
    nodes, sign = np.append(table[0, :n], abs(u)), math.copysign(1.0, u)
    for i in range(n):
        v = nodes[i] * np.geomspace(1.0, nodes[i + 1] / nodes[i], 401)
        rate = 1 / bent_fields(sign * v, *bulk)  # dx/du
        x = cumulative_trapezoid(rate, v, initial=0.0)
        assert length[i] == pytest.approx(x[-1], rel=2e-2)
        s = 2.0 * x / x[-1] - 1.0
        mean, tilt, bow = (trapezoid(v * p, s) for p in (0.5 + 0.0 * s, 1.5 * s, 2.5 * (1.5 * s * s - 0.5)))
        rise = nodes[i + 1] - nodes[i]
        assert 0.5 * sign * (bulk_end[i] + film_end[i]) == pytest.approx(mean, abs=5e-3 * rise)
        assert 0.5 * sign * (film_end[i] - bulk_end[i]) == pytest.approx(tilt, abs=5e-3 * rise)
        assert sign * curve[i] == pytest.approx(bow, abs=1e-2 * rise)


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
