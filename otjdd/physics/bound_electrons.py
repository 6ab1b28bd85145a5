"""Electrons that vacancies hold: V_O+ beside V_O2+, for a level near the conduction band.

A vacancy of charge z holds one more electron, in equilibrium with the contact on its side of the top of the band as the
electrons of the film are (`film_electrons`), with the share

    f = w f1(0) + (1 - w) f1(-V)        f1(E_F) = 1/{1 + exp[(E_C - E_2 - E_F)/kT]/2}

E_2 is the depth of the level below E_C, 2 the number of spins; c f is added to n. Vacancies with and without an electron
hop alike, each driven by its own charge. This is an additional site energy kT ln(1 - f), whose slope at constant E_F is
f dE_C/dx. With it the vacancies rest where the free energy has its minimum, for any f.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, deferred_detached, detached, inlined
from otjdd.physics.boundary import fill_end_fluxes, fill_end_slopes
from otjdd.physics.film_electrons import (
    BARE,
    BY_BAND,
    BY_VOLTAGE,
    BY_WEIGHT,
    HELD_BY_BAND,
    HELD_BY_VOLTAGE,
    HELD_BY_WEIGHT,
    HELD_LEFT,
    HELD_RIGHT,
    LEFT,
    OF_LEFT,
    OF_RIGHT,
    RIGHT,
    FilmElectrons,
)
from otjdd.physics.ions import G_SLOPE, G
from otjdd.physics.junction import FluxSlopes, Junction, exchange_all, exchange_slopes, fill_hops, flux_slopes, fluxes
from otjdd.physics.numerics import OVERFLOW
from otjdd.physics.state import SITE, State


@inlined
def binds(junction: Junction) -> bool:
    """True where vacancies may hold electrons."""
    return not math.isnan(junction.electrons[0].level)


@bare
def held_share(depth: float):
    """Shares of the vacancies with and without an electron, from the depth of the level below E_F over kT."""
    e = 0.5 * math.exp(-min(max(depth, -OVERFLOW), OVERFLOW))
    return 1.0 / (1.0 + e), e / (1.0 + e)


@deferred_detached
def bind(electrons: FilmElectrons, kT: float, V: float, U: np.ndarray, c: np.ndarray, n: np.ndarray):
    """Fill the rows n of shares of vacancies with electrons, and add the electrons of vacancies c (N,) to other rows."""
    for i in range(c.size):
        w, other, level = n[OF_RIGHT, i], n[OF_LEFT, i], U[i + 1] - electrons.level
        right, without_right = held_share(-level / kT)
        left, without_left = held_share((-V - level) / kT)
        n[HELD_RIGHT, i], n[HELD_LEFT, i] = w * right, other * left
        n[BARE, i] = w * without_right + other * without_left
        n[HELD_BY_VOLTAGE, i] = -other * left * without_left / kT
        n[HELD_BY_BAND, i] = -w * right * without_right / kT + n[HELD_BY_VOLTAGE, i]
        n[HELD_BY_WEIGHT, i] = right - left
        n[RIGHT, i] += c[i] * n[HELD_RIGHT, i]
        n[LEFT, i] += c[i] * n[HELD_LEFT, i]
        n[BY_BAND, i] += c[i] * n[HELD_BY_BAND, i]
        n[BY_WEIGHT, i] += c[i] * n[HELD_BY_WEIGHT, i]
        n[BY_VOLTAGE, i] += c[i] * n[HELD_BY_VOLTAGE, i]


@detached
def fill_own_hops(junction: Junction, state: State, k: int, work: np.ndarray):
    """As `junction.fill_hops` at a state whose vacancies hold electrons, with the additional site energy."""
    N, kT = state.c.shape[1], state.kT[k]
    site, n = state.lines[SITE, : N + 1], state.electrons[k]
    before = math.log(n[BARE, 0])
    site[0], site[N] = 0.0, 0.0
    for f in range(1, N):
        behind = math.log(n[BARE, f])
        site[f] = junction.columns.site[k, f] + kT * (behind - before)
        before = behind
    fill_hops(junction, state, k, site, work, True)


@bare
def fluxes_of(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray):
    """Vacancy flux J (N+1,) of column k of a settled state, as `junction.fluxes`."""
    if binds(junction):
        fill_own_hops(junction, state, k, work)
        exchange_all(junction, state, k, work, J)
    else:
        fluxes(junction, state, k, work, J)
        fill_end_fluxes(junction, state, k, J)


@bare
def flux_slopes_of(junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, slopes: FluxSlopes):
    """As `fluxes_of`, with the derivatives of J at constant shares."""
    if binds(junction):
        fill_own_hops(junction, state, k, work)
        exchange_slopes(junction, state, k, work, J, slopes)
    else:
        flux_slopes(junction, state, k, work, J, slopes)
        fill_end_slopes(junction, state, k, J, slopes)


@detached
def fill_pull(
    junction: Junction, state: State, k: int, work: np.ndarray, J: np.ndarray, slopes: FluxSlopes, pull: np.ndarray
):  # fmt: skip
    """Fill pull (N+1,) with the derivatives of J at inner faces by ln(1 - f) in the cell behind the face.

    work : factors of the flux J = g(E) (...). The bracket depends on the sum of the steps of potential and site energy
    alone, so its derivative by the site energy follows from that by E, `slopes.by_field` less the part of g.
    """
    per_kT = -junction.ions[k].z / state.kT[k]
    for f in range(1, J.size - 1):
        accelerated = work[G_SLOPE, f] / work[G, f] * J[f]
        pull[f] = (slopes.by_field[f] - accelerated) / (per_kT * junction.columns.distance[k, f])
