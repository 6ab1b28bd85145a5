"""Impedance and capacitance of a case: against Kramers and Kronig, text books, and states of rest."""

import numpy as np
import pytest
from devices import BARE, COMPILED, lumpy, needs_speed
from scipy.integrate import trapezoid

from otjdd import textbook
from otjdd.analysis.small_signal import kramers_kronig
from otjdd.case.case import parse_case
from otjdd.constants import BOLTZMANN_EV
from otjdd.physics.fermi_dirac import fermi_dirac_half, fermi_dirac_three_half
from otjdd.runs.run import run
from otjdd.solver import electrodes, integrate, linear_response, model

CELLS = {"device.film.cells": 24 if COMPILED else 8}
WIDE = {"start": "1e-6 Hz", "stop": "1e12 Hz", "per_decade": 4}
SPREAD = {"ions.activation_energy": "30 meV", "ions.density": "2e25 1/m^3"}


def impedance(bias, frequencies, **changes):
    """A case whose ions rest at each bias and answer, unless it is changed."""
    drive = {"kind": "impedance", "bias": bias, "frequencies": frequencies, "ions": "moving", "settle": True}
    bare = parse_case('drive = { kind = "hold", voltage = "0 V", duration = "1 s" }\n' + BARE)
    own = {key.replace("__", "."): value for key, value in changes.items()}
    drive |= {key.removeprefix("drive."): own.pop(key) for key in list(own) if key.startswith("drive.")}
    return bare.replace(CELLS | {"drive": drive} | own)


def only(ds):
    return ds.isel(state=0, temperature=0)


def complex_impedance(ds):
    return ds.impedance_real.values + 1j * ds.impedance_imag.values


@needs_speed
@pytest.mark.parametrize("bias", [0.0, 0.6])
def test_the_kramers_kronig_relations_hold(bias):
    """Re Y(w) - Re Y(oo) = -2/pi int [x Im y(x) - w Im y(w)]/(x^2 - w^2) dx, y without the capacitance at the end."""
    ds = only(run(impedance([bias], WIDE | {"per_decade": 40})))
    omega = 2 * np.pi * ds.frequency.values
    Y = (ds.conductance_ac.values + 1j * omega * (ds.capacitance.values - ds.capacitance.values[:, -1:]))[0]
    for i in range(300, 501, 50):
        w, others = omega[i], np.arange(omega.size) != i
        x, y = omega[others], Y.imag[others]
        kernel = (x * y - w * Y.imag[i]) / (x * x - w * w) * x  # over ln x
        kernel = np.insert(kernel, i, 0.5 * (kernel[i - 1] + kernel[i]))
        found = -2 / np.pi * trapezoid(kernel, np.log(omega))
        assert found == pytest.approx(Y.real[i] - Y.real[-1], rel=2e-3, abs=2e-3 * np.ptp(Y.real))
    few = only(run(impedance([bias], WIDE)))
    assert np.abs(kramers_kronig(few.frequency.values, complex_impedance(few)[0])).max() < 2e-3


def depletion(law: dict, doping: float, bias, **changes):
    """A film of 2 nm without ions worth the name on an oxide of a law, frozen, and its capacitances by text book."""
    case = impedance(
        bias, ["1 MHz"], device__film__permittivity={"law": "linear", "eps_r": 80.0}, device__film__thickness="2 nm",
        ions__density="1e20 1/m^3", device__right__permittivity=law, device__right__doping=doping,
        device__left__screening_length="0.05 nm", **{"drive__ions": "frozen", "drive__settle": False}, **changes,
    )  # fmt: skip
    ds = only(run(case))
    right, kT = case.device.right, BOLTZMANN_EV * case.temperature
    eta = electrodes.fermi_level(right.form(case.temperature), case.temperature) / kT
    tail = kT * fermi_dirac_three_half(eta) / fermi_dirac_half(eta)
    u = ds.bias_band_bending.values
    if law["law"] == "linear":
        layer = textbook.depletion_capacitance(u, doping, law["eps_r"], tail)
    else:
        layer = textbook.nonlinear_depletion_capacitance(u, doping, law["b"], law["a"], tail)
    plates = textbook.plate_capacitance(80.0, 2e-9), textbook.plate_capacitance(2.0, 0.05e-9)
    return ds, case.device.junction_area * textbook.in_series(layer, *plates)


LINEAR = {"law": "linear", "eps_r": 300.0}
FIELD = {"law": "nonlinear", "b": 1.42e10, "a": 2.65e15}


@pytest.mark.parametrize("law", [LINEAR, FIELD], ids=lambda law: law["law"])
@pytest.mark.parametrize("doping", [1e24, 1e26])
def test_the_capacitance_is_that_of_film_screening_and_depletion_layer(law, doping):
    ds, expected = depletion(law, doping, [-2.0, -1.0, -0.8])
    np.testing.assert_allclose(ds.capacitance.values[:, 0], expected, rtol=1e-6)


def test_circuit_elements_stand_in_series_and_in_parallel():
    plain = only(run(impedance([0.0], ["1 kHz", "1 MHz"])))
    within = only(
        run(
            impedance(
                [0.0], ["1 kHz", "1 MHz"], circuit__series_resistance="55 ohm", circuit__parallel_capacitance="30 pF"
            )
        )
    )
    omega = 2 * np.pi * plain.frequency.values
    expected = 55 + 1 / (1 / complex_impedance(plain)[0] + 30e-12j * omega)
    np.testing.assert_allclose(complex_impedance(within)[0], expected, rtol=1e-9)
    Y = 1 / expected
    np.testing.assert_allclose(within.capacitance.values[0], Y.imag / omega, rtol=1e-9)
    np.testing.assert_allclose(within.conductance_ac.values[0], Y.real, rtol=1e-9)


def test_a_prepared_state_keeps_its_own_impedance_and_says_how_fast_it_drifts():
    states = {"fresh": [], "set": [{"voltage": 1.5, "duration": 1e-6}]}
    changes = {"drive__settle": False, "drive__states": states}
    ds = run(impedance([0.1], ["1 kHz", "1 MHz"], **changes))
    fresh, written = (complex_impedance(ds.sel(state=name)) for name in states)
    assert np.abs(np.log(np.abs(fresh / written))).max() > 0.1
    assert np.all(ds.drift_ratio > 0.1)
    assert "drift_ratio" in ds.attrs["model_limits"]
    assert "drive.settle" in ds.attrs["model_limits"]
    fast = run(impedance([0.1], ["1 GHz"], **changes))
    assert np.all(fast.drift_ratio < 0.1)
    assert fast.attrs["model_limits"] == ""
    assert run(impedance([1.0], ["1e-3 Hz"])).drift_ratio == 0.0


def test_columns_at_rest_are_each_at_rest():
    from devices import begin

    from otjdd.solver.at_rest import come_to_rest

    case = impedance([0.5], ["1 Hz"], columns__count=2, columns__spread=SPREAD, circuit__series_resistance="1 Mohm")
    junction = model.junction(case)
    moved = begin(case, lumpy(junction, np.random.default_rng(3), 0.3), junction=junction)
    total = (moved.state.c * junction.columns.width).sum(axis=1)
    come_to_rest(moved, 0.5)
    np.testing.assert_allclose((moved.state.c * junction.columns.width).sum(axis=1), total, rtol=1e-12)
    integrate.jump(moved, 0.5)
    before = moved.state.c.copy()
    for column in linear_response.linearised(junction, moved.state, 1.0):
        charges = column.charges
        one_way = np.abs(charges.rows[:, 1]).max() * before.max() * 1e-9
        assert np.abs(charges.flux).max() < 1e-9 * one_way * charges.charge_of_ions
    integrate.follow_piece(moved, 1.0, 0.5, 0.5)
    np.testing.assert_allclose(moved.state.c, before, rtol=1e-4)
