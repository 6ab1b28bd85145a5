"""Polarised films along waveforms: loops, switching times, balances, and vacancies beside."""

import math

import numpy as np
import pytest
from devices import needs_speed

import otjdd
from otjdd.analysis.small_signal import hysteresis
from otjdd.case.case import load_case, parse_case
from otjdd.errors import CaseError

KT, H = 8.617333262e-5 * 300.0, 4.135667696e-15  # eV, eV s
TEXT = """
title = "a polarised film between two metals"
temperature = "300 K"
[device]
radius = "1 um"
[device.left]
kind = "metal"
barrier = "2 eV"
screening_length = "0 nm"
[device.film]
thickness = "10 nm"
cells = 16
permittivity = { law = "linear", eps_r = 70 }
tunnelling_mass = 0.5
[device.film.polarisation]
law = "two-level"
saturation = "27 uC/cm^2"
barrier = "1.05 eV"
dipole_length = "7.5 nm"
[device.right]
kind = "metal"
barrier = "2 eV"
screening_length = "0 nm"
[ions]
density = "1e20 1/m^3"
site_density = "1e28 1/m^3"
law = "linear"
activation_energy = "1.5 eV"
prefactor = "1e-7 m^2/s"
[drive]
kind = "triangle"
path = ["0 V", "3 V", "0 V", "-3 V", "0 V"]
rate = "12 kV/s"
cycles = 2
"""
KAI = {"law": "merz-kai", "saturation": 0.2, "time": 1e-9, "activation_field": 1e9, "exponent": 1.2, "dimension": 2.0,
       "initial": -1.0}  # fmt: skip
HIGHER = ["0 V", "8 V", "0 V", "-8 V", "0 V"]
SCREENED = {"device.left.screening_length": "0.03 nm", "device.right.screening_length": "0.03 nm"}


def film(**changes):
    """The case with other values; in keywords a double underscore stands for the dot of a dotted key."""
    return parse_case(TEXT).replace({key.replace("__", "."): value for key, value in changes.items()})


@pytest.fixture(scope="module")
def loop():
    """A loop of 1 kHz, the first cycle from an unpolarised film."""
    return otjdd.run(film())


@needs_speed
@pytest.mark.parametrize("rate", ["12 V/s", "1 GV/s"])
def test_a_reversal_is_recorded_in_ten_steps_or_more_at_any_rate(rate):
    ds = otjdd.run(film(drive__rate=rate, drive__cycles=1))
    assert np.ptp(ds.polarisation.values) > 1.9 * 0.27
    assert np.abs(np.diff(ds.polarisation.values)).max() < 0.2 * 0.27


@needs_speed
def test_a_step_that_fails_where_electrons_change_sides_leaves_the_next_one_alone():
    """A valence-change cell that comes to a fold; without polarisation it takes 60 steps."""
    polar = KAI | {"saturation": 1e-6, "time": 1e-13, "activation_field": 4e8, "exponent": 2.0, "dimension": 1.0}
    case = load_case("vcm-cell", {"device.film.thickness": "6.4 nm", "device.film.cells": 60, "drive.step": "0.5 V",
                                  "device.film.permittivity": {"law": "linear", "eps_r": 60.0}, "record.every": "reads",
                                  "device.right.doping": "3.3e25 1/m^3", "drive.path": ["0 V", "2 V"]})  # fmt: skip
    plain = otjdd.run(case.without_study())
    ds = otjdd.run(case.without_study().replace({"device.film.polarisation": polar, "numerics.max_steps": 1000}))
    np.testing.assert_allclose(ds.read_resistance.values, plain.read_resistance.values, rtol=0.05)


@needs_speed
def test_the_saturation_falls_to_the_temperature_of_curie():
    polar = {"curie_temperature": "600 K", "initial": 1.0}
    changes = {f"device.film.polarisation.{key}": value for key, value in polar.items()}
    changes |= {
        "drive": {"kind": "hold", "voltage": "0 V", "duration": "1 ns"},
        "device.film.polarisation.barrier": 2.0,
    }
    for T, share in ((300, 1.0), (525, 0.5)):
        ds = otjdd.run(film(**changes, temperature=f"{T} K"))
        assert ds.polarisation.values[0] == pytest.approx(0.27 * share, rel=1e-9)
    with pytest.raises(CaseError, match='curie_temperature: expected above the temperature of the case, "600 K"'):
        film(**changes, temperature="600 K")


@needs_speed
def test_curves_at_rest_keep_the_polarisation_that_a_history_left():
    write = {"voltage": "3 V", "duration": "1 ms"}
    drive = {"kind": "iv", "voltages": ["0.2 V"],
             "states": {"up": [write], "down": [write | {"voltage": "-3 V"}]}}  # fmt: skip
    screened = {"device.left.screening_length": "0.1 nm", "device.film.thickness": "3 nm"}
    ds = otjdd.run(film(drive=drive, **screened))
    up, down = np.abs(ds.bias_current.values[:, 0, -1])
    assert max(up, down) > 2.0 * min(up, down)


FAST = {"device.film.polarisation.barrier": "0.5 eV"}


def signal(frequencies, **changes):
    drive = {"kind": "impedance", "bias": ["0 V"], "frequencies": frequencies, "polarisation": "following"}
    return film(**FAST, drive=drive | changes.pop("drive", {}), **changes)


ELECTRONS = {"device.film.electrons": "balance", "device.film.density_of_states": "1e26 1/m^3",
             "device.right.barrier": "-0.05 eV", "device.film.polarisation.offset_field": "-9e7 V/m"}  # fmt: skip


@needs_speed
@pytest.mark.parametrize("held", [{}, ELECTRONS], ids=["ions", "electrons"])
def test_a_transient_with_a_small_sine_moves_polarisation_and_ions_as_the_small_signal_says(held):
    """The sine is straight between 64 points of a period, which reaches its overtones beyond the 63rd alone."""
    f, points, periods = 2e5, 64, 6
    ions = {"ions.density": "2e26 1/m^3", "ions.activation_energy": "0.4 eV"} | held
    exact = {"numerics.rtol": 1e-7, "numerics.atol": 1e-10}
    fast = {"device.film.polarisation.barrier": "0.4 eV"}
    write = {"voltage": "0.1 V", "duration": "1 ms"}
    drive = {"bias": ["0.1 V"], "states": {"rest": [write]}, "ions": "moving"}
    answer = otjdd.run(signal([f], drive=drive, **SCREENED, **ions).replace(exact | fast)).squeeze()
    t = np.arange(periods * points + 1) / (points * f)
    table = [[0.0, 0.1], *np.column_stack((1e-3 + t, 0.1 + 2e-4 * np.sin(2 * np.pi * f * t))).tolist()]
    ds = otjdd.run(film(**SCREENED, **ions, drive={"kind": "table", "points": table}).replace(exact | fast))
    at = np.searchsorted(ds.time.values, (1e-3 + t[-points - 1 : -1]) * (1 - 1e-12))
    turn = np.exp(-2j * np.pi * f * t[-points - 1 : -1])
    terminal = "terminal_charge_left" if held else "electrode_charge"
    charge, voltage = ((ds[name].values[at] * turn).sum() for name in (terminal, "voltage"))
    expected = answer.capacitance - 1j * answer.conductance_ac / (2 * np.pi * f)
    assert complex(charge / voltage) * math.pi * 1e-12 == pytest.approx(complex(expected), rel=2e-3)
    frozen = otjdd.run(signal([f], drive=drive | {"polarisation": "frozen"}, **SCREENED, **ions).replace(exact | fast))
    assert answer.capacitance > 1.2 * frozen.capacitance.squeeze()
    assert answer.drift_ratio < 1e-3


@needs_speed
def test_a_bias_that_moves_along_a_path_takes_the_polarisation_round_its_loop():
    """The butterfly: peaks near the field at which a bias of its rate reverses the film, one on each branch."""
    sweep = {"kind": "cv", "path": ["-3 V", "3 V", "-3 V"], "step": "50 mV", "rate": "50 V/s", "frequencies": ["2 kHz"],
             "polarisation": "following"}  # fmt: skip
    ds = otjdd.run(film(drive=sweep, device__film__polarisation__initial=-1.0)).squeeze()
    V, C, P = ds.bias.values, ds.capacitance.values, ds.bias_polarisation.values
    assert V[60] == pytest.approx(0.0, abs=1e-12)
    assert P[60] == pytest.approx(-0.27, rel=1e-6)
    assert P[180] == pytest.approx(0.27, rel=1e-6)
    rate = math.log(2.0) * 7.5e-9 * (50.0 / 10e-9) / KT
    coercive = 10e-9 * (1.05 - KT * math.log(KT / H / rate)) / 7.5e-9
    up, down = V[np.argmax(C[:121])], V[120 + np.argmax(C[120:])]
    assert up == pytest.approx(coercive, abs=0.05)
    assert down == pytest.approx(-coercive, abs=0.05)
    assert C.max() > 1.2 * C[0]
    assert 0.01 < ds.drift_ratio.values.max() < 0.1
    still = otjdd.run(film(drive=sweep | {"polarisation": "frozen"})).capacitance.values
    assert np.ptp(still) < 1e-9 * still.max()


@needs_speed
def test_single_ions_in_a_depolarising_field_are_distributed_as_boltzmann_says():
    """The field is that of two screening layers by hand; ions so few hop each by itself: their number in the left half of
    the film is binomial. Mean within 1 %, variance within 12 % (3.5 standard errors), profile within 6 %."""
    ds = otjdd.run(film(
        device__film__polarisation={"law": "two-level", "saturation": "0.9 uC/cm^2", "barrier": "3 eV",
                                    "dipole_length": "1 nm", "initial": 1},
        device__left__screening_length="0.05 nm", device__right__screening_length="0.05 nm", columns={"count": 4},
        ions__density="1e22 1/m^3", ions__activation_energy="0.6 eV", ions__initial="uniform", ions__noise="shot",
        ions__seed=3, drive={"kind": "hold", "voltage": "0 V", "duration": "1680 s"},
        record={"every": "none", "profiles": 421},
    ))  # fmt: skip
    ions = (ds.vacancy_concentration_columns * ds.cell_width).values[20:] * math.pi * 1e-12 / 4
    thickness, screens = 10e-9, 2 * 0.05e-9 / 2.0
    E = -0.009 / 8.8541878128e-12 * screens / (thickness + 70 * screens)
    assert np.allclose(ds.snapshot_polarisation, 0.009, rtol=1e-6)
    assert float(ds.film_field[-1]) == pytest.approx(E, rel=2e-3)
    faces = np.concatenate(([0.0], np.cumsum(ds.cell_width.values))) / thickness
    shares = np.diff(np.expm1(2 * E * thickness / KT * faces)) / np.expm1(2 * E * thickness / KT)
    many, left = ions.sum(axis=2), ions[:, :, faces[1:] < 0.5 + 1e-9].sum(axis=2)
    p = shares[faces[1:] < 0.5 + 1e-9].sum()
    spread = np.square(left - many * p).mean() / (many * p * (1 - p)).mean()
    profile = ions.sum(axis=(0, 1)) / many.sum() / shares
    print(E, left.sum() / many.sum(), p, spread, profile)
    assert np.abs(ions - np.rint(ions)).max() < 1e-9
    assert np.ptp(many, axis=0).max() < 1e-9
    assert left.sum() / many.sum() == pytest.approx(p, rel=1e-2)
    assert spread == pytest.approx(1.0, abs=0.12)
    assert profile[shares > 0.01] == pytest.approx(1.0, abs=0.06)


@needs_speed
@pytest.mark.parametrize(
    "law", [{}, {"device__film__polarisation": KAI, "drive__path": HIGHER}], ids=["two-level", "kai"]
)
def test_a_film_with_a_few_single_ions_switches_as_one_without_noise(law):
    """Their charge is 1e-7 of that of the film: voltages of its loop differ by what steps of 0.1 P_s leave of them."""
    noisy = film(**law, ions__density="1e21 1/m^3", ions__noise="shot", ions__activation_energy="0.3 eV")
    ds, smooth = otjdd.run(noisy), otjdd.run(noisy.without_noise())
    loops = [hysteresis(run) for run in (ds, smooth)]
    print(loops)
    assert np.ptp(ds.vacancy_mean_position.values) > 1e-10  # the ions do hop
    for name in ("coercive_up", "coercive_down", "remanent_up", "remanent_down"):
        assert loops[0][name] == pytest.approx(loops[1][name], rel=5e-3), name
