"""Migration barriers that differ along the film: an exact solution, and what they leave as it is."""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, begin, case, hold, needs_speed

from otjdd.constants import BOLTZMANN_EV
from otjdd.solver import equilibrium, model


def slowest_rate(rise: float, D0: float, L: float, kT: float) -> float:
    """Rate [1/s] of the slowest mode of diffusion between blocking ends with D = D0 exp[-rise (x/L - 1/2)/kT].

    The flux obeys J'' + (rate/D) J = 0, so J = A J_0(s) + B Y_0(s) with s = (2L/r) sqrt(rate/D), r = |rise|/kT.
    """
    from scipy.optimize import brentq
    from scipy.special import j0, y0

    r = abs(rise) / kT

    def at_both_ends(rate: float) -> float:
        left, right = (2 * L / r * math.sqrt(rate / D0) * math.exp(r * end / 2) for end in (-0.5, 0.5))
        return j0(left) * y0(right) - j0(right) * y0(left)

    rates = D0 / L**2 * np.geomspace(1e-3, 1e3, 4000)
    values = [at_both_ends(rate) for rate in rates]
    first = next(i for i in range(len(rates) - 1) if values[i] * values[i + 1] < 0)
    return brentq(at_both_ends, rates[first], rates[first + 1], rtol=1e-12)


@pytest.mark.parametrize("rise", [0.15, -0.15])
@needs_speed
def test_dilute_vacancies_spread_as_fast_as_the_exact_solution_says(rise):
    film = case(
        BETWEEN_METALS, ions__density=1e15, ions__activation_energy_rise=rise, device__film__cells=100,
        device__film__grading=1.0, device__film__fixed_charge=0.0,
    )  # fmt: skip
    kT, L = film.temperature * BOLTZMANN_EV, film.device.film.thickness
    D0 = film.ions.prefactor * math.exp(-film.ions.activation_energy / kT)
    rate = slowest_rate(rise, D0, L, kT)
    x = (np.arange(100) + 0.5) / 100
    run, modes = begin(film, film.ions.density * (1 + 0.5 * np.cos(math.pi * x)), rtol=1e-7, atol=1e-12), []
    for duration in (4.0 / rate, 1.0 / rate):
        hold(run, 0.0, duration)
        modes.append(run.state.c[0, 0] / film.ions.density - 1)
    assert math.log(modes[0] / modes[1]) == pytest.approx(1.0, rel=2e-4)


@needs_speed
def test_equilibrium_does_not_know_the_barriers():
    even, steep = (case(ions__well_right=0.3, ions__activation_energy_rise=rise, device__film__cells=24)
                   for rise in (0.0, 0.2))  # fmt: skip
    junction = model.junction(steep)
    there = equilibrium.relaxed(model.junction(even), model.uniform(even, model.members(even)))
    run = begin(steep, rtol=1e-6, atol=1e-10, junction=junction)
    hold(run, 0.0, 1e6)
    np.testing.assert_allclose(run.state.c, there, rtol=1e-6)


def test_the_barrier_in_the_middle_is_that_of_the_case_and_each_face_has_its_diffusivity():
    film = case(ions__activation_energy=0.6, ions__activation_energy_rise=-0.2, device__film__cells=12)
    columns, kT = model.junction(film).columns, film.temperature * BOLTZMANN_EV
    assert columns.barrier[0, [0, 6, 12]] == pytest.approx([0.7, 0.6, 0.5])
    np.testing.assert_allclose(columns.diffusivity, film.ions.prefactor * np.exp(-columns.barrier / kT), rtol=1e-13)
