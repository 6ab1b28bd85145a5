"""The junction is charged through its circuit: closed forms, and an integrator with Gauss's law of its own."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from otjdd.case.case import load_case, parse_case
from otjdd.runs.run import simulate

EPS0, E_CHARGE, K_B = 8.8541878128e-12, 1.602176634e-19, 1.380649e-23
AREA, L, EPS_R, LEAK = np.pi * 1e-10, 1e-8, 20.0, 1.6e7
C, G = EPS0 * EPS_R / L * AREA, LEAK * AREA  # F, S
FILM = """
title = "a leaking capacitor"
temperature = "77 K"
drive = DRIVE
circuit = { CIRCUIT }
[device]
radius = "10 um"
conducting_fraction = 1.0
left = { kind = "metal", barrier = "3 eV", screening_length = "0 nm" }
right = { kind = "metal", barrier = "3 eV", screening_length = "0 nm" }
leaks = [{ kind = "ohmic", conductance = "1.6e7 S/m^2" }]
[device.film]
thickness = "10 nm"
cells = 8
permittivity = { law = "linear", eps_r = 20 }
tunnelling_mass = 1.0
[ions]
density = "1e20 1/m^3"
site_density = "1e28 1/m^3"
law = "linear"
hop_distance = "0.3 nm"
attempt_frequency = "1e13 Hz"
activation_energy = "1.5 eV"
prefactor = "1e-7 m^2/s"
[numerics]
rtol = 1e-3
"""
PULSES = (
    '{ kind = "table", points = [["0 s", "-0.5 V"], ["10 ns", "-0.5 V"], ["10 ns", "0.3 V"], '
    '["12 ns", "0.4 V"], ["20 ns", "0.4 V"]] }'
)
WAY = np.array([[0.0, 10.0, 10.0, 12.0, 20.0], [-0.5, -0.5, 0.3, 0.4, 0.4]]) * [[1e-9], [1.0]]


def capacitor(circuit, drive=PULSES, **changes):
    """A run of the leaking capacitor behind a circuit."""
    text = FILM.replace("CIRCUIT", circuit).replace("DRIVE", drive)
    return simulate(parse_case(text).replace(**{key.replace("__", "."): value for key, value in changes.items()}))


def charged(own, start, way=WAY, most=2e-11):
    """V_j at times, by an integrator of dV_j/dt = own(V_source - V_j, V_j), piece by piece of the way."""
    parts, V = [], start
    for i in range(len(way[0]) - 1):
        (t0, t1), (V0, V1) = way[0, i : i + 2], way[1, i : i + 2]
        if t1 > t0:

            def rate(t, y, t0=t0, t1=t1, V0=V0, V1=V1):
                return [own(V0 + (V1 - V0) * (t - t0) / (t1 - t0) - y[0], y[0])]

            end = solve_ivp(rate, (t0, t1), [V], "Radau", rtol=1e-9, atol=1e-11, max_step=most, dense_output=True)
            parts.append((t0, t1, end.sol))
            V = end.y[0, -1]

    def at(times):
        return np.array([next(sol(t)[0] for t0, t1, sol in parts if t0 <= t <= t1) for t in times])

    return at


@pytest.mark.parametrize("beside", [0.0, 3e-12])
def test_a_linear_junction_is_charged_by_the_exponential_of_rc(beside):
    R, V = 100.0, 0.5
    drive = '{ kind = "hold", voltage = "0.5 V", duration = "10 ns" }'
    ds = capacitor(f'series_resistance = "100 ohm", parallel_capacitance = "{beside} F"', drive)
    t, V_j, tau = ds.time.values, ds.junction_voltage.values, R * (C + beside) / (1.0 + R * G)
    assert len(t) < 30
    np.testing.assert_allclose(V_j, V / (1.0 + R * G) * -np.expm1(-t / tau), atol=1e-4)
    np.testing.assert_allclose(ds.current.values[1:], (0.5 - V_j[1:]) / R, rtol=1e-6)
    assert ds.current.values.max() == pytest.approx(V / R, rel=1e-12)  # and not C dV over a step
    moved = ds.mean_displacement_current.values @ np.diff(t, prepend=0.0)
    assert moved == pytest.approx((C + beside) * V_j[-1], rel=1e-9)


@pytest.mark.parametrize(
    ("R", "limit", "columns"),
    [(100.0, 1e-3, 1), (0.0, 1e-3, 1), (0.0, 3e-3, 1), (100.0, 2.5e-3, 1), (100.0, 1.0, 1), (100.0, np.inf, 3)],
)
def test_pulses_and_ramps_charge_as_their_equation_does_by_a_constant_current_at_a_compliance(R, limit, columns):
    """The own source loses 1e-6 V at least at its compliance, as that of the solver."""
    compliance = "" if limit == np.inf else f', compliance = "{limit} A"'
    ds = capacitor(f'series_resistance = "{R} ohm"{compliance}', columns__count=columns)
    t, V_j, r = ds.time.values, ds.junction_voltage.values, max(R, 1e-3)
    own = charged(lambda lost, V: (np.clip(lost / r, -limit, limit) - G * V) / C, 0.0)
    np.testing.assert_allclose(V_j, own(t), atol=2e-4)
    assert np.abs(ds.current.values).max() <= limit * 1.00001
    assert limit >= 1.0 or np.abs(ds.current.values[1:]).max() == pytest.approx(limit, rel=1e-4)
    assert len(t) + ds.attrs["solver_rejected"] < 150
    if R == 0.0 and limit == 3e-3:
        limited = np.abs(ds.current.values) > 0.99 * limit
        assert limited.any()
        assert not limited.all()  # a source of voltage again once the junction is there
        np.testing.assert_allclose(V_j[t == 10e-9][0], -0.5, atol=1e-5)


def test_where_charging_is_far_faster_than_the_pieces_the_numbers_are_those_of_a_source_at_once():
    drive = '{ kind = "pulse", voltage = "0.5 V", width = "10 us", read = { voltage = "0.1 V" } }'
    ds = capacitor('series_resistance = "100 ohm"', drive)
    t, V_j = ds.time.values, ds.junction_voltage.values
    pulse = (t > 0.0) & (t < 10e-6 * 1.0000001) & (ds.voltage.values == 0.5)
    assert pulse.sum() <= 3
    np.testing.assert_allclose(V_j[pulse], 0.5 / (1.0 + 100.0 * G), rtol=1e-9)
    np.testing.assert_allclose(ds.read_current, 0.1 * G / (1.0 + 100.0 * G), rtol=1e-5)


def test_a_read_is_of_the_settled_junction_and_leaves_the_charging_as_it_is():
    """Reads of 1 ps at 0.1 V, while the junction is charged to 0.5 V in some 6 ns."""
    hold = '{ kind = "hold", voltage = "0.5 V", duration = "10 ns", read = { voltage = "0.1 V", duration = "1 ps" }, '
    ds = capacitor('series_resistance = "100 ohm"', hold + 'reads_at = ["1 ns", "4 ns"] }')
    np.testing.assert_allclose(ds.read_current, 0.1 * G / (1.0 + 100.0 * G), rtol=1e-5)
    own = 0.5 / (1.0 + 100.0 * G) * -np.expm1(-ds.time.values / (100.0 * C / (1.0 + 100.0 * G)))
    np.testing.assert_allclose(ds.junction_voltage, own, atol=8e-4)  # each read takes 0.72 mV: 0.4 V over R C for 1 ps


IONS = {
    "temperature": "300 K", "ions__density": 2e26, "ions__site_density": 1e30, "ions__activation_energy": 0.3,
    "ions__prefactor": 2e-7, "ions__charge": 2, "device__film__cells": 12, "device__film__grading": 1,
    "numerics__rtol": 1e-4,
    "device__film__permittivity": {"law": "nonlinear", "b": 8e9, "a": 4e15, "eps_inf": 10},
    "device__left__barrier": 3.4, "device__leaks": [{"kind": "ohmic", "conductance": 4e6}],
}  # fmt: skip


class OwnFilm:
    """A nonlinear film between two ideal metals: Gauss's law, hops of Scharfetter and Gummel, a leak and a circuit."""

    cells, z, kT = 12, 2, K_B * 300.0 / E_CHARGE
    h, D0, built_in = L / 12, 2e-7 * np.exp(-0.3 * E_CHARGE / (K_B * 300.0)), 3.0 - 3.4

    def __init__(self, R, V_source):
        self.R, self.V_source = R, V_source

    def displacement(self, E):
        return EPS0 * (10.0 * E + 8e9 * np.arcsinh(E / np.sqrt(4e15)))

    def field(self, D):
        E = D / (EPS0 * (10.0 + 8e9 / np.sqrt(4e15)))
        for _ in range(60):
            slope = EPS0 * (10.0 + 8e9 / np.sqrt(E**2 + 4e15))
            E = E - (self.displacement(E) - D) / slope
        return E

    def fields(self, c, D_left):
        ions = np.concatenate(([0.0], np.cumsum(self.z * E_CHARGE * c * self.h)))
        return self.field(D_left + ions)

    def voltage(self, c, D_left):
        d = np.full(self.cells + 1, self.h)
        d[[0, -1]] *= 0.5
        return d @ self.fields(c, D_left) - self.built_in

    def rate(self, t, y):
        c, D_left = y[:-1] * 1e26, y[-1]
        E, V = self.fields(c, D_left), self.voltage(c, D_left)
        d = -self.z * E[1:-1] * self.h / self.kT

        def bernoulli(x):
            return np.where(np.abs(x) < 1e-8, 1.0 - 0.5 * x, x / np.expm1(np.where(np.abs(x) < 1e-8, 1.0, x)))

        J = np.zeros(self.cells + 1)
        forth, back = c[:-1] * (1.0 - c[1:] / 1e30), c[1:] * (1.0 - c[:-1] / 1e30)
        J[1:-1] = self.D0 / self.h * (bernoulli(d) * forth - bernoulli(-d) * back)
        charging = (self.V_source - V) / self.R - 4e6 * AREA * V
        return np.concatenate(((J[:-1] - J[1:]) / self.h / 1e26, [charging / AREA]))


def test_no_current_is_above_what_the_resistance_lets_pass_where_ions_are_far_faster_than_the_piece():
    ds = capacitor('series_resistance = "150 ohm"', '{ kind = "hold", voltage = "2 V", duration = "1 ms" }', **IONS)
    assert ds.current.values.max() == pytest.approx(2.0 / 150.0, rel=1e-9)


def test_a_nonlinear_film_and_its_ions_are_charged_as_by_an_integrator_of_their_own():
    drive = '{ kind = "hold", voltage = "2 V", duration = "20 ns" }'
    ds = capacitor('series_resistance = "150 ohm"', drive, **IONS)
    own = OwnFilm(150.0, 2.0)
    c = np.full(own.cells, 2e26)
    low, high = -10.0, 10.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if own.voltage(c, middle) < 0.0 else (low, middle)
    y = np.append(c / 1e26, low)
    t = np.unique(ds.time.values)
    end = solve_ivp(own.rate, (0.0, 20e-9), y, "Radau", rtol=1e-9, atol=1e-10, t_eval=t)
    V = np.array([own.voltage(1e26 * row[:-1], row[-1]) for row in end.y.T])
    x = (np.arange(own.cells) + 0.5) * own.h
    position = end.y[:-1].T @ x / end.y[:-1].sum(axis=0)
    once = ds.isel(time=np.flatnonzero(np.diff(ds.time.values, prepend=-1.0) > 0.0))
    assert V[-1] > 0.5
    assert position[-1] - position[0] > 1e-10
    np.testing.assert_allclose(once.junction_voltage, V, atol=1e-5)
    np.testing.assert_allclose(once.electrode_charge, end.y[-1], atol=1e-6)
    np.testing.assert_allclose(once.vacancy_mean_position, position, atol=1e-6 * L)


@pytest.mark.parametrize(("R", "R_th"), [(300.0, 3e5), (3000.0, 1e6)])
def test_a_film_that_warms_as_it_charges_ends_where_an_integrator_of_its_own_does(R, R_th):
    """Emission from traps, 1/(1 + exp((barrier - beta sqrt(E))/kT)), beside a time constant of the heat of 2 ns."""
    barrier, sigma, eps, tau = 0.4, 80.0, 5.5, 2e-9
    beta = np.sqrt(E_CHARGE / (np.pi * EPS0 * eps))
    leak = {"kind": "poole-frenkel", "conductivity": sigma, "barrier": barrier, "permittivity": eps}
    ds = capacitor(
        f'series_resistance = "{R} ohm"', '{ kind = "hold", voltage = "0.8 V", duration = "60 ns" }', temperature=300.0,
        device__leaks=[leak], device__heat={"resistance": R_th, "time_constant": tau}, numerics__rtol=1e-5,
    )  # fmt: skip

    def rate(t, y):
        V, T = y
        E = V / L
        current = AREA * sigma * E / (1.0 + np.exp((barrier - beta * np.sqrt(abs(E))) * E_CHARGE / (K_B * T)))
        return [((0.8 - V) / R - current) / C, (R_th * current * V - (T - 300.0)) / tau]

    t = np.unique(ds.time.values)
    own = solve_ivp(rate, (0.0, 60e-9), [0.0, 300.0], "Radau", rtol=1e-9, atol=1e-10, t_eval=t).y
    once = ds.isel(time=np.flatnonzero(np.diff(ds.time.values, prepend=-1.0) > 0.0))
    np.testing.assert_allclose(once.junction_voltage, own[0], atol=1e-3)
    np.testing.assert_allclose(once.junction_temperature, own[1], rtol=2e-3)


def test_a_ramp_along_which_the_compliance_changes_its_sign_has_rows_at_the_corners_of_its_current():
    """A linear junction without ions that move: the recorded currents, joined by straight lines, are the closed form."""
    limit, R = 1e-3, 100.0
    drive = '{ kind = "triangle", path = ["0 V", "5 V", "-5 V", "0 V"], rate = "1e4 V/s" }'
    ds = capacitor(f'series_resistance = "{R} ohm", compliance = "{limit} A"', drive)
    t = np.linspace(0.0, 2e-3, 4001)
    V = np.interp(t, [0.0, 0.5e-3, 1.5e-3, 2e-3], [0.0, 5.0, -5.0, 0.0])
    own = np.clip(V / (R + 1.0 / G), -limit, limit)
    drawn = np.interp(t, ds.time.values, ds.current.values)
    assert np.abs(drawn - own).max() < 0.12 * limit
    assert len(ds.time) + ds.attrs["solver_rejected"] < 150


def test_rows_at_a_compliance_hold_the_voltage_that_the_source_still_gives_also_where_traps_relax():
    """What traps send by relaxing is known to some last digits; it is no sign of a source that does not limit."""
    trap = {
        "name": "t", "kind": "none", "density": "1e25 1/m^3", "depth": "0.9 eV", "attempt_frequency": "1e12 Hz",
        "occupation": "kinetic", "relaxation_energy": "0.3 eV",
    }  # fmt: skip
    changes = {
        "device.left.barrier": "1.2 eV", "device.right.barrier": "1.0 eV", "device.traps": [trap], "device.film.cells": 24,
        "circuit": {"series_resistance": "10 kohm", "compliance": "1 uA"}, "record.every": "all",
        "drive": {"kind": "triangle", "path": ["0 V", "1.5 V", "-1.5 V", "0 V"], "rate": "100 V/s"},
    }  # fmt: skip
    ds = simulate(load_case("junction", changes))
    assert (np.abs(ds.current) > 0.999e-6).sum() > 10
    np.testing.assert_allclose((ds.voltage - ds.junction_voltage)[1:], 1e4 * ds.current[1:], atol=1e-6)
