"""Currents of random profiles against an integral that is converged: finer pieces, dense energies split at every kink."""

import numpy as np
import pytest
from devices import case, needs_speed

from otjdd.errors import Status
from otjdd.physics.bands import band_profile
from otjdd.physics.channels import column_spectrum, transport
from otjdd.physics.columns import close_all
from otjdd.physics.electrostatics import edge
from otjdd.physics.fermi_dirac import supply
from otjdd.physics.junction import new_state
from otjdd.physics.tunnelling import TRANSMISSIONS, transmission
from otjdd.solver import model

CELLS, NODES = 60, 12
PANEL = 0.5  # kT, length of the intervals of the converged integral
FINE = 1e-7  # tolerance for which the pieces of its bent regions are made

pytestmark = needs_speed


def random_state(rng, junction):
    """Vacancies (1, N) [1/m3]: a hill at either end, smooth and random."""
    x = np.linspace(0.0, 1.0, CELLS)
    height, steep = rng.uniform(0.3, 3.0), rng.uniform(-8.0, 8.0)
    hill = np.exp(steep * x) / np.exp(max(steep, 0.0))
    c = 2e26 * height * (0.2 + hill * (1.0 + 0.3 * np.sin(7.0 * x + rng.uniform(0.0, 6.0))))
    state = new_state(junction)
    state.c[0] = c
    return state


def integral(junction, state):
    """Chord integral and its share below the top of the barrier: Gauss's rule on short intervals of the root of energy."""
    profile, V, kT = band_profile(junction, state, 0), state.V[0], junction.kT[0]
    low = max(profile.bottom_left, profile.bottom_right)
    top = max(low, profile.left.max(), profile.right.max())
    high = max(top, 0.0, -V) + 40.0 * kT
    levels = [profile.bottom_left, profile.bottom_right, top, 0.0, -V]
    edges = np.unique([*np.linspace(low, high, int((high - low) / (PANEL * kT)) + 2), *levels])
    edges = edges[(edges >= low) & (edges <= high)]
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    roots = np.sqrt(edges - low)  # T grows with the root of the energy from the bottom of a lead on
    half = 0.5 * np.diff(roots)
    root = (0.5 * (roots[1:] + roots[:-1]) + half * nodes[:, None]).ravel()
    E, weight = low + root**2, (half * weights[:, None]).ravel() * 2.0 * root
    T, _ = transmission(junction.transmission, profile, E, low, high)
    each = T * np.array([supply(e, V, kT) for e in E]) * weight
    return each.sum(), each[top > E].sum() / each.sum()


@pytest.mark.parametrize("tolerance", [1e-4, 1e-3, 1e-5])
@pytest.mark.parametrize("model_of_T", TRANSMISSIONS)
@pytest.mark.parametrize("temperature", [300.0, 150.0])
def test_random_profiles(model_of_T, temperature, tolerance):
    film = case(
        device__film__cells=CELLS, device__transmission=model_of_T, numerics__current_tolerance=tolerance,
        temperature=temperature,
    )  # fmt: skip
    junction, fine = model.junction(film), model.junction(film.replace("numerics.current_tolerance", FINE))
    rng, bent = np.random.default_rng(5), []
    for _ in range(40):
        state = random_state(rng, junction)
        V = rng.uniform(-2.0, 1.0)
        if close_all(junction, state, V, 1e-13) != Status.DONE:
            continue
        exact, below = integral(fine, state)
        found, _, _ = column_spectrum(junction, state, 0, np.empty(0), False)
        assert found.chord == pytest.approx(exact, rel=tolerance)
        conductance, _, share, _, good = transport(junction, state, np.empty(1), np.empty(1))
        assert good
        assert conductance == pytest.approx(junction.columns.supply[0] * exact, rel=tolerance)
        assert share == pytest.approx(below, abs=2 * tolerance)
        bent.append(edge(junction.right[0], -state.D_right[0])[2] / junction.kT[0])
    assert len(bent) > 30
    assert min(bent) < -0.5 < 20.0 < max(bent)


def test_the_bent_region_ends_where_it_no_longer_matters():
    """Where the electrode is bent by about -kT its tail once made 6 % of the current."""
    film = case(device__film__cells=CELLS)
    junction, fine = model.junction(film), model.junction(film.replace("numerics.current_tolerance", FINE))
    state, near = new_state(junction), []
    state.c[0] = 2e26
    for V in np.linspace(0.2, 0.9, 71):
        assert close_all(junction, state, V, 1e-13) == Status.DONE
        u = edge(junction.right[0], -state.D_right[0])[2] / junction.kT[0]
        if abs(u) < 3.0:
            found, _, _ = column_spectrum(junction, state, 0, np.empty(0), False)
            near.append(found.chord / integral(fine, state)[0] - 1.0)
    assert len(near) > 10
    assert np.abs(near).max() < 1e-4
