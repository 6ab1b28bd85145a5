"""Tunnelling through a bent band: the pieces of the kernels against Schroedinger's and Poisson's equations by scipy.

The reference shares the ions of a state and one displacement with the kernels. The doped electrode is Poisson's equation
with Fermi-Dirac electrons, integrated from its bulk to the interface together with the wave that leaves through it. The
film is straight between the middles of its cells, where the ions are. BenDaniel and Duke's condition joins both masses.
"""

import math

import numpy as np
import pytest
from devices import begin, case, lumpy, needs_speed
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from otjdd.constants import BOLTZMANN_EV, ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR, VACUUM_PERMITTIVITY
from otjdd.physics.bands import band_profile
from otjdd.physics.tunnelling import TRANSMISSIONS, transmission
from otjdd.solver import model

KT = BOLTZMANN_EV * 300.0
K0 = 2.0 * ELECTRON_MASS * ELEMENTARY_CHARGE / HBAR**2  # 1/(eV m2)
DOPING, STATES = 1.4e26, 1e26  # 1/m3
FILM_EPS, DOPED_EPS = 20.0 * VACUUM_PERMITTIVITY, 60.0 * VACUUM_PERMITTIVITY
FILM_MASS, DOPED_MASS, METAL_MASS = 0.4, 1.5, 1.0
BARRIER, DEPTH = 0.7, 5.0  # eV
REST = 1e-8  # bending [eV] at which the bulk begins
ROOTS = 0.05 * np.arange(201)  # of energies [kT]


def electrons(level: float) -> float:
    """Density [1/m3] of electrons with a Fermi level [kT] above the band: trapezoidal rule over the roots of energies."""
    return STATES * 4.0 / math.sqrt(math.pi) * 0.05 * float(np.sum(ROOTS**2 / (1.0 + np.exp(ROOTS**2 - level))))


LEVEL = brentq(lambda level: electrons(level) - DOPING, -5.0, 20.0, xtol=1e-13)
BOTTOM = -LEVEL * KT  # eV, of the doped bulk


def stack(V: float, ions: float, tolerance: float):
    """Thickness [m] and a run with random ions around a concentration [1/m3], at V [V]. tolerance : of the current"""
    changes = {
        "device.left": {"kind": "metal", "barrier": f"{BARRIER} eV", "mass": METAL_MASS, "band_depth": f"{DEPTH} eV"},
        "device.film.cells": 24,
        "device.film.grading": 1.0,
        "device.film.permittivity": {"law": "linear", "eps_r": 20.0},
        "device.film.tunnelling_mass": FILM_MASS,
        "device.right.permittivity": {"law": "linear", "eps_r": 60.0},
        "device.right.mass": DOPED_MASS,
        "numerics.current_tolerance": tolerance,
    }
    film = case().replace(changes)
    junction = model.junction(film)
    c = lumpy(junction, np.random.default_rng(5), 0.4) * (ions / 2e26)
    return film.device.film.thickness, begin(film, c, voltage=V, junction=junction)


def wave_at_film(E: float, D_right: float):
    """psi, psi'/m and the band edge [eV] at the interface of film and doped electrode, of a wave that leaves to the right.

    D_right : displacement [C/m2] at the interface
    """
    sign = math.copysign(1.0, -D_right)
    slope = (electrons(LEVEL + 1e-4) - electrons(LEVEL - 1e-4)) / 2e-4
    decay = math.sqrt(ELEMENTARY_CHARGE * slope / (KT * DOPED_EPS))  # 1/m
    wave = 1j * math.sqrt(K0 * (E - BOTTOM) / DOPED_MASS)

    def slopes(x, y):
        psi, p, bending, D = y
        charge = ELEMENTARY_CHARGE * (DOPING - electrons(LEVEL - bending.real / KT))
        return np.array([DOPED_MASS * p, K0 * (BOTTOM + bending - E) * psi, D / DOPED_EPS, charge])

    def arrival(x, y):
        return y[3].real - D_right

    arrival.terminal = True
    start = np.array([1.0, wave, sign * REST, -sign * REST * decay * DOPED_EPS], dtype=complex)
    scale = np.array([1e-13, 1e-13 * abs(wave), 1e-15, 1e-13 * abs(D_right)])
    solved = solve_ivp(slopes, (0.0, -1e-6), start, method="DOP853", rtol=1e-11, atol=scale, events=arrival)
    psi, p, bending, _ = solved.y_events[0][0]
    return psi, p, BOTTOM + bending.real


def schroedinger(thickness: float, c: np.ndarray, D_right: float, V: float, E: float):
    """Transmission at E [eV], and the band edge [eV] of the film at the left electrode."""
    psi, p, U = wave_at_film(E, D_right)
    width, D, y = thickness / c.size, D_right, np.array([psi, p])
    lengths = np.full(c.size + 1, width)
    lengths[[0, -1]] = 0.5 * width
    for length, ions in zip(lengths, [*c[::-1], 0.0], strict=True):
        field = D / FILM_EPS

        def slopes(x, y, U=U, field=field):
            return np.array([FILM_MASS * y[1], K0 * (U + field * x - E) * y[0]])

        y = solve_ivp(slopes, (0.0, -length), y, method="DOP853", rtol=1e-11, atol=1e-13 * np.abs(y).max()).y[:, -1]
        U -= field * length
        D -= 2.0 * ELEMENTARY_CHARGE * ions * width
    v_left, v_right = (
        math.sqrt(K0 * (E - bottom) / mass) for bottom, mass in ((-DEPTH - V, METAL_MASS), (BOTTOM, DOPED_MASS))
    )
    incoming = 0.5 * (y[0] + y[1] / (1j * v_left))
    return v_right / (v_left * abs(incoming) ** 2), U


@needs_speed
@pytest.mark.parametrize(("V", "ions"), [(0.5, 2e26), (-0.6, 2e25)], ids=["accumulated", "depleted"])
def test_transmission_through_the_pieces_of_a_bent_band_is_that_of_schroedingers_equation(V, ions):
    """T of 2e-8 to 0.97: within the default tolerance of the current, within 1e-5 at 1e-6; the band edge to 1e-7 eV."""
    for tolerance, most in ((1e-4, 1e-4), (1e-6, 1e-5)):
        thickness, run = stack(V, ions, tolerance)
        state, profile = run.state, band_profile(run.junction, run.state, 0)
        assert (state.D_right[0] > 0.0) == (V > 0.0)
        for E in (0.05, 0.3, 0.5, 0.8, 1.2):  # below and above the band edge of the film
            exact, U_left = schroedinger(thickness, state.c[0], state.D_right[0], V, E)
            assert U_left == pytest.approx(BARRIER - V, abs=1e-7)
            T = transmission(TRANSMISSIONS["transfer-matrix"], profile, np.array([E]), E, E)[0][0]
            assert T == pytest.approx(exact, rel=most)
