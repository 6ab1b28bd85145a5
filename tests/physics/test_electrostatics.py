"""Dielectrics and electrodes: inverses, closed forms of depletion and screening, the table against quadrature."""

import math

import mpmath
import numpy as np
import pytest
from devices import case
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.physics.electrostatics import (
    Permittivity,
    bending_table,
    bent_fields,
    charge_integral,
    displacement,
    doping_stiffness,
    edge,
    field,
    field_energy,
    field_of_energy,
    fields,
    space_charge,
)
from otjdd.physics.fermi_dirac import fermi_dirac_half, fermi_dirac_three_half, inverse_fermi_dirac_half
from otjdd.solver import electrodes, model

KT = 300 * BOLTZMANN_EV
STO = Permittivity(0.0, 1.424e10, math.sqrt(2.65e15))  # 300 K, of the total permittivity
FLOOR = Permittivity(5.3, 1.61e10, math.sqrt(1.64e15))
LINEAR = Permittivity(30.0, 0.0, 1.0)
dielectrics = pytest.mark.parametrize("eps", [STO, FLOOR, LINEAR], ids=["saturating", "with floor", "linear"])


@given(
    b=st.floats(6, 13), a=st.floats(8, 20), eps_inf=st.floats(0.0, 300.0),
    ratio=st.floats(-8, 3), sign=st.sampled_from([1, -1]),
)  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_field_is_the_inverse_of_displacement(b, a, eps_inf, ratio, sign):
    eps, E = Permittivity(eps_inf, 10.0**b, 10.0 ** (a / 2)), sign * 10.0 ** (a / 2 + ratio)
    D, slope = displacement(E, eps)
    back, back_slope = field(D, eps)
    assert back == pytest.approx(E, rel=1e-13, abs=2e-16 * eps.sqrt_a)
    assert back_slope == pytest.approx(slope, rel=1e-12)


@dielectrics
def test_displacement_and_permittivity_follow_the_material_law(eps):
    with mpmath.workdps(40):
        for E in (-3e9, -1e8, -4e3, 1e-3, 2e6, 6e7, 1e9):

            def exact(E, eps=eps):
                return VACUUM_PERMITTIVITY * (eps.eps_r * E + eps.b * mpmath.asinh(E / mpmath.mpf(eps.sqrt_a)))

            D, slope = displacement(E, eps)
            assert D == pytest.approx(float(exact(mpmath.mpf(E))), rel=4e-15)
            assert slope == pytest.approx(float(mpmath.diff(exact, E)), rel=1e-12)


@dielectrics
def test_fields_of_an_array_are_those_of_each_place_whatever_the_guess(eps):
    E = np.concatenate(([0.0], np.geomspace(1e2, 5e10, 60)))
    E = np.concatenate((E, -E))
    D = np.array([displacement(e, eps)[0] for e in E])
    expected = np.array([field(d, eps) for d in D])
    guess = np.vstack((np.zeros((2, E.size)), np.ones(E.size)))
    found, slope = np.empty(E.size), np.empty(E.size)
    for order in (slice(None), slice(None, None, -1), slice(None)):  # cold, from far away, and back
        fields(D[order].copy(), eps, found, slope, guess, (0, E.size), False)
        np.testing.assert_allclose(found, expected[order, 0], rtol=1e-12, atol=1e-12 * eps.sqrt_a)
        np.testing.assert_allclose(slope, expected[order, 1], rtol=1e-12)


@dielectrics
@pytest.mark.parametrize("change", [1e-6, 1e-3, 0.1, 3.0])
def test_fields_of_a_stage_are_right_to_1e_10_from_a_guess_at_another_displacement(eps, change):
    E = np.concatenate((-np.geomspace(1e4, 5e9, 40), np.geomspace(1e4, 5e9, 40)))
    D = np.array([displacement(e, eps)[0] for e in E])
    guess, found, room = np.vstack((np.zeros((2, E.size)), np.ones(E.size))), np.empty(E.size), np.empty(E.size)
    fields(D, eps, found, room, guess, (0, E.size), False)
    fields(D * (1.0 + change), eps, found, room, guess, (0, E.size), True)
    expected = [field(d, eps)[0] for d in D * (1.0 + change)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@dielectrics
@pytest.mark.parametrize("E", [3e6, 5e7, 4e8, 5e9])
def test_field_energy_is_the_work_of_raising_the_field(eps, E):
    work = E * quad(lambda s: s * E * displacement(s * E, eps)[1], 0, 1, epsabs=0, epsrel=1e-12, limit=200)[0]
    assert field_energy(E, eps) == pytest.approx(work, rel=1e-11)
    assert field_of_energy(field_energy(E, eps), eps) == pytest.approx(E, rel=1e-12)


def semiconductor(doping=2.32e26, states=1e26, kT=KT, eps=STO):
    return kT * inverse_fermi_dirac_half(doping / states), kT, doping, states, eps


@pytest.mark.parametrize("step", [0.006, 0.1])
@pytest.mark.parametrize("doping", [1e23, 2.32e26, 1e28])
@dielectrics
def test_the_table_of_bendings_balances_the_energies_of_field_and_charge(doping, step, eps):
    bulk = semiconductor(doping, eps=eps)
    scale = bulk[1] * math.sqrt(displacement(0.0, eps)[1] * doping_stiffness(bulk[0], *bulk[1:2], bulk[3]))
    below, above = math.floor(4 / step), math.floor(6 / step)
    x = step * np.arange(-below, above + 1)
    bending, slope = bending_table((below, above), scale, step, *bulk)
    assert (np.diff(bending) > 0).all()
    for i in range(0, x.size, 7):
        Q, u = scale * math.sinh(x[i]), bending[i]
        E = field(abs(Q), eps)[0]
        assert charge_integral(u, *bulk[:4]) == pytest.approx(field_energy(E, eps), rel=2e-12)
        rate = E / abs(space_charge(u, *bulk[:4])) if Q else 1 / (scale / bulk[1])
        assert slope[i] == pytest.approx(rate * scale * math.cosh(x[i]), rel=1e-11)


def depletion_field(psi, doping, eps):
    """E_s of a fully depleted layer: sqrt(a + E_s^2) = e N psi/(eps0 b) + sqrt(a)."""
    return math.sqrt(
        (ELEMENTARY_CHARGE * doping * psi / (VACUUM_PERMITTIVITY * eps.b) + eps.sqrt_a) ** 2 - eps.sqrt_a**2
    )


def test_cold_depletion_layer_of_strontium_titanate_has_the_published_numbers():
    doping = 2.32e26
    dilute = semiconductor(doping, states=1e5 * doping, kT=1e-7)
    E = bent_fields(np.array([0.5]), *dilute)[0]
    D = displacement(E, STO)[0]
    assert E == pytest.approx(depletion_field(0.5, doping, STO), rel=1e-6)
    assert pytest.approx(1.92e8, rel=5e-3) == E
    assert pytest.approx(0.256, rel=2e-3) == D
    assert D / (ELEMENTARY_CHARGE * doping) == pytest.approx(6.88e-9, rel=2e-3)


def test_electron_tail_leaves_a_warm_layer_the_pressure_of_its_electrons_short_of_depletion():
    """The layer is as charged as a depleted one bent by kT F_3/2/F_1/2 less: kT when dilute, more when degenerate."""
    doping, fields = 2.32e26, []
    for states in (1e3 * doping, 1e26, 3e25):
        xi, kT, *rest = semiconductor(doping, states)
        pressure = kT * fermi_dirac_three_half(xi / kT) / fermi_dirac_half(xi / kT)
        E = bent_fields(np.array([0.5]), xi, kT, *rest)[0]
        tail = kT * states / doping * fermi_dirac_three_half((xi - 0.5) / kT)  # electrons left at the surface
        assert pytest.approx(depletion_field(0.5 - pressure + tail, doping, STO), rel=1e-12) == E
        fields.append(E)
    assert depletion_field(0.5, doping, STO) > fields[0] > fields[1] > fields[2]


@pytest.mark.parametrize(
    ("doping", "states", "stiffness"),
    [
        (1e20, 1e26, lambda xi, kT: 1 / kT),  # Debye
        (
            1e29,
            1e24,
            lambda xi, kT: 1.5 / xi * (1 - (math.pi * kT / xi) ** 2 / 6),
        ),  # Thomas-Fermi, and Sommerfeld's term
    ],
)
def test_small_bending_is_screened_over_the_debye_or_thomas_fermi_length(doping, states, stiffness):
    xi, kT, *_ = semiconductor(doping, states)
    expected = ELEMENTARY_CHARGE * doping * stiffness(xi, kT)
    assert doping_stiffness(xi, kT, states) == pytest.approx(expected, rel=1e-5)
    u = 1e-6 * kT
    E = bent_fields(np.array([u]), xi, kT, doping, states, LINEAR)[0]
    length = math.sqrt(displacement(0.0, LINEAR)[1] / expected)
    assert u / E == pytest.approx(length, rel=1e-5)


@pytest.fixture(scope="module")
def right():
    return model.junction(case()).right[0]


@given(Q=st.floats(-0.3, 0.3))
@settings(deadline=None, max_examples=100)
def test_slope_of_the_band_edge_is_its_derivative(right, Q):
    h = 1e-3 * right.grid_step * math.hypot(right.charge_scale, Q)
    numeric = (edge(right, Q + h)[0] - edge(right, Q - h)[0]) / (2 * h)
    assert edge(right, Q)[1] == pytest.approx(numeric, rel=1e-4, abs=1e-9)
    assert edge(right, Q)[1] > 0.0


def test_metal_screens_within_its_layer():
    film = case(device__left__screening_length=5e-11, device__left__relative_permittivity=2.0)
    metal, Q = model.junction(film).left[0], 0.1
    band, slope, step = edge(metal, Q)
    assert step == pytest.approx(Q * 5e-11 / (2 * VACUUM_PERMITTIVITY), rel=1e-14)
    assert step == pytest.approx(0.282, abs=1e-3)
    assert band == 0.7 + step
    assert slope == step / Q


@pytest.mark.parametrize("doping", [1e18, 1e22, 1e26])
def test_tabulated_bending_is_as_good_for_any_doping(doping):
    film = case(device__right__doping=doping)
    record, kT = film.device.right, film.temperature * BOLTZMANN_EV
    table, eps = (
        electrodes.electrode(record, film.temperature, 1e-4),
        electrodes.permittivity(record.permittivity, film.temperature),
    )
    xi = kT * inverse_fermi_dirac_half(record.doping / record.density_of_states)
    for u in (0.1 * kT, 0.05, 1.0, 30.0, -0.1 * kT, -0.05, -0.5):
        E = bent_fields(np.array([u]), xi, kT, doping, record.density_of_states, eps)[0]
        assert edge(table, math.copysign(displacement(E, eps)[0], u))[2] == pytest.approx(u, rel=1e-7)
