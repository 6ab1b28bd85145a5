"""Charged traps against Poisson's equation and rate equations written anew, and their exact limits.

The reference puts traps on the nodes of an even grid of its own, takes paths and energies by sums, and solves for the band
with scipy.
"""

import math

import numpy as np
import pytest
from devices import BETWEEN_METALS, COMPILED, begin, case, needs_speed
from layered import layer
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import root

import otjdd
from otjdd.case.notes import conduction_notes as notes
from otjdd.constants import BOLTZMANN_EV, ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR, VACUUM_PERMITTIVITY
from otjdd.errors import CaseError, SolverError
from otjdd.mechanisms.traps.steady import filled_traps
from otjdd.physics.channels import beside_coherent
from otjdd.physics.state import NO_SLOPES
from otjdd.runs.run import simulate
from otjdd.solver import integrate

KT = 300.0 * BOLTZMANN_EV
KAPPA = math.sqrt(2.0 * ELECTRON_MASS * ELEMENTARY_CHARGE) / HBAR  # 1/(m eV^1/2) at the mass of an electron
MASS, LEFT, RIGHT, EPS = 0.3, 1.1, 0.8, 22.0 * VACUUM_PERMITTIVITY
LENGTH, DENSITY, DEPTH, ATTEMPTS = 6e-9, 1.5e26, 0.9, 1e13
TRAPS = {"name": "traps", "kind": "acceptor", "density": DENSITY, "depth": DEPTH}
RELAXING = TRAPS | {"relaxation_energy": 0.4}
HOPPING = RELAXING | {"hop_frequency": 1e13}
CELLS = 48 if COMPILED else 8


def film(*traps, cells=CELLS, **changes):
    """A film between two metals, hardly any ions in it."""
    given = {
        "device__left__barrier": LEFT, "device__right__barrier": RIGHT, "device__film__thickness": LENGTH,
        "device__film__cells": cells, "device__film__grading": 1.0, "device__film__tunnelling_mass": MASS,
        "device__film__permittivity__eps_r": 22.0, "device__film__fixed_charge": 0.0, "ions__density": 1.0,
        "drive": {"kind": "iv", "voltages": [0.3]},
    }  # fmt: skip
    if traps:
        given["device__traps"] = list(traps)
    return case(BETWEEN_METALS, **given | changes)


def rates(U, h, table, V):
    """c_L, c_R, E_t of traps at the nodes of a band U (n,), by sums over nodes and energies."""
    level, r = U - table["depth"], table.get("relaxation_energy", 0.0)
    energies = np.arange(level.min() - 1.0, max(level.max(), 0.0, -V) + 1.2, 0.1 * KT) if r else level
    root_of = KAPPA * math.sqrt(MASS) * np.sqrt(np.maximum(U[None, :] - energies[:, None], 0.0))
    from_left = cumulative_trapezoid(root_of, dx=h, axis=1, initial=0.0)
    to_right = from_left[:, -1:] - from_left
    captured = []
    for mu, action in ((-V, from_left), (0.0, to_right)):
        f = 1.0 / (1.0 + np.exp(np.clip((energies - mu) / KT, -600.0, 600.0)))
        if not r:
            captured.append(ATTEMPTS * f * np.exp(-2.0 * np.diag(action)))
            continue
        line = np.exp(-((r + level[None, :] - energies[:, None]) ** 2) / (4.0 * r * KT)) / math.sqrt(
            4.0 * math.pi * r * KT
        )
        captured.append(ATTEMPTS * 0.1 * KT * (f[:, None] * line * np.exp(-2.0 * action)).sum(axis=0))
    return *captured, level


def at_rest(U, h, table, V):
    """Filling (n,) of traps at the nodes of a band U (n,) [eV], and their current per area [A/m2]."""
    left, right, level = rates(U, h, table, V)
    back_left, back_right = left * np.exp((level + V) / KT), right * np.exp(level / KT)
    f = (left + right) / (left + right + back_left + back_right)
    weight = np.full(U.size, h)
    weight[[0, -1]] *= 0.5
    return f, ELEMENTARY_CHARGE * table["density"] * (weight * (back_left * f - left * (1 - f))).sum()


def reference(table, V, nodes=61):
    """Band U (n,) [eV], filling (n,) and current [A/m2] of a film, by Newton's method from few traps to all."""
    h, U = LENGTH / (nodes - 1), np.linspace(LEFT - V, RIGHT, nodes)
    for part in (0.05, 0.2, 0.5, 1.0):

        def missing(inner, part=part, ends=(U[:1], U[-1:])):
            band = np.concatenate((ends[0], inner, ends[1]))
            f, _ = at_rest(band, h, table, V)
            charge = ELEMENTARY_CHARGE * part * table["density"] * (-f if table["kind"] == "acceptor" else 1.0 - f)
            return np.diff(band, 2) - (charge * h * h / EPS)[1:-1]

        done = root(missing, U[1:-1], tol=1e-12)
        assert np.abs(done.fun).max() < 1e-8, done.message
        U[1:-1] = done.x
    return U, *at_rest(U, h, table, V)


def electrode_charges(U):
    """D(0) and D(L) [C/m2] of a band on an even grid, by differences of the fourth order."""
    h = LENGTH / (U.size - 1)
    first = np.array([-25, 48, -36, 16, -3]) / 12.0
    return EPS * first @ U[:5] / h, -EPS * first @ U[-1:-6:-1] / h


BIASED = {
    name: [(traps, "acceptor", 0.4), (traps, "donor", -1.3)]
    for name, traps in {"elastic": TRAPS, "relaxing": RELAXING}.items()
}


@needs_speed
@pytest.mark.parametrize(
    ("traps", "kind", "V"),
    [pytest.param(*it, id=f"{name}, {it[1]}, {it[2]} V") for name, films in BIASED.items() for it in films],
)
def test_a_biased_film_is_that_of_own_equations(traps, kind, V):
    table = traps | {"kind": kind}
    U, f, J = reference(table, V)
    moving = begin(film(table), voltage=V)
    left, right = electrode_charges(U)
    size = ELEMENTARY_CHARGE * DENSITY * LENGTH
    assert moving.state.D_left[0] == pytest.approx(left, abs=4e-3 * size)
    assert moving.state.D_right[0] == pytest.approx(right, abs=4e-3 * size)
    through = beside_coherent(moving.junction, moving.state, 0, 1, NO_SLOPES)
    chord = through.chord / moving.junction.channels.area[0]
    assert math.log(chord) == pytest.approx(math.log(J / V), abs=0.04)
    filled = filled_traps(moving.junction, moving.state, 0, 1)
    own = 1.0 / (1.0 + np.exp(-filled.steady.log_odds))
    assert own == pytest.approx(np.interp(filled.sites.x, np.linspace(0.0, LENGTH, U.size), f), abs=0.04)


@pytest.mark.parametrize(
    ("kind", "depth", "sign"), [("acceptor", 2.5, -1.0), ("donor", 0.05, 1.0)], ids=["all full", "all empty"]
)
def test_traps_that_are_all_full_or_all_empty_are_a_fixed_charge(kind, depth, sign):
    trapped = begin(film(TRAPS | {"kind": kind, "depth": depth, "density": 2e25}), voltage=0.1).state
    fixed = begin(film(device__film__fixed_charge=sign * 2e25), voltage=0.1).state
    for name in ("D", "D_left", "D_right"):
        assert getattr(trapped, name) == pytest.approx(getattr(fixed, name), rel=1e-8)
    assert trapped.trapped[0].sum() == pytest.approx(sign * ELEMENTARY_CHARGE * 2e25 * LENGTH, rel=1e-8)


def test_a_sheet_charges_its_place_and_a_layer_its_own():
    """Full acceptors in a part of the film: as many as the part holds, in the cells that it covers."""
    deep = TRAPS | {"depth": 2.5, "density": 2e25}
    sheet = begin(film(deep | {"position": 2e-9, "width": 0.9e-9}, cells=8), voltage=0.0)
    inside = sheet.state.trapped[0] / (ELEMENTARY_CHARGE * 2e25)
    covered = np.clip(np.minimum(2.45, 0.75 * np.arange(1, 9)) - np.maximum(1.55, 0.75 * np.arange(8)), 0.0, None)
    assert inside == pytest.approx(-1e-9 * covered, abs=3e-11)
    assert inside.sum() == pytest.approx(-0.9e-9, rel=1e-9)
    linear = {"law": "linear", "eps_r": 22.0}
    two = [layer(1.2, cells=4, permittivity=linear), layer(1.6, cells=4, permittivity=linear)]
    stack = film().replace({"device.film": {"layers": two}, "device.traps": [deep | {"layer": 1}]})
    charge = begin(stack, voltage=0.0).state.trapped[0]
    assert (charge[:4] == 0.0).all()
    assert charge[4:].sum() == pytest.approx(-ELEMENTARY_CHARGE * 2e25 * 1.6e-9, rel=1e-9)


def test_electrons_at_the_vacancies_take_from_their_charge():
    """As acceptors of the density of the vacancies."""
    table = {key: value for key, value in RELAXING.items() if key != "density"}
    ions = {"ions__density": 4e25, "cells": 8}
    of_ions = begin(film(table | {"of": "ions", "per_ion": 2.0}, **ions), voltage=-0.6).state
    alike = begin(film(RELAXING | {"density": 8e25}, **ions), voltage=-0.6).state
    assert of_ions.trapped == pytest.approx(alike.trapped, rel=1e-12)
    assert of_ions.trapped[0].sum() < -0.01


DEEP = {  # a small flow from the right electrode fills the whole chain, and its Fermi levels answer the band 1e4-fold
    "device__film__thickness": 13e-9, "device__left__barrier": 1.329, "device__right__barrier": 2.37,
    "device__film__tunnelling_mass": 0.293, "temperature": 300.15,
}  # fmt: skip
WIDE = {  # the paths to both electrodes move with the band by more than the levels do, and Newton's method cycles
    "device__film__thickness": 13e-9, "device__left__barrier": 2.204, "device__right__barrier": 0.836,
    "device__film__tunnelling_mass": 0.44, "temperature": 352.15,
}  # fmt: skip


@needs_speed
@pytest.mark.parametrize(
    ("device", "traps"),
    [
        (DEEP, HOPPING | {"density": 4.326e25, "depth": 2.021, "relaxation_energy": 0.7127}),
        (WIDE, RELAXING | {"kind": "donor", "density": 1.004e26, "depth": 1.1623, "relaxation_energy": 1.3122}),
    ],
    ids=["a chain of deep acceptors", "single donors far from both electrodes"],
)
def test_traps_that_a_plain_search_does_not_fill_are_filled(device, traps):
    """From no charge and along a ramp alike, and at rest: no part of the film asks for another band."""
    cold = film(traps, cells=40, **device)
    moving, ramped = begin(cold, voltage=0.99), begin(cold, voltage=0.0)
    for V in (0.3, 0.6, 0.99):
        integrate.jump(ramped, V)
    assert ramped.state.trapped == pytest.approx(moving.state.trapped, rel=1e-4, abs=1e-8)
    assert np.abs(integrate.rises_by_traps(moving)).max() < 1e-6


def test_a_filling_that_does_not_agree_says_where_and_what_to_try(monkeypatch):
    """Here by a limit of the turns that no search meets."""
    moving = begin(film(RELAXING, cells=8), voltage=0.0)
    monkeypatch.setattr(integrate.quasistatic, "jump_to", lambda *_: 13)
    moving.state.trapped[0, 5] += 1e-3
    with pytest.raises(
        SolverError, match=r"no occupancy of the charged traps.*x = 4\.1.* nm.*device.traps\[0\].density"
    ):
        integrate.jump(moving, 0.3)


def test_check_names_traps_with_more_charge_than_a_film_carries():
    """A field of 1e9 V/m on both sides is 0.39 C/m2, which 4e26 of them in 6 nm have."""
    assert notes(film(RELAXING)) == []
    assert notes(film(RELAXING | {"kind": "none", "density": 9e26})) == []
    (note,) = notes(film(RELAXING | {"density": 8.1e26}))
    assert note.startswith("device.traps[0]: were all charged, 0.78 C/m^2")
    assert "at most the charge of 0.5 of them" in note


@needs_speed
def test_a_curve_tells_the_charge_of_its_traps_and_no_compact_model_has_them():
    device = film(HOPPING | {"kind": "donor"}, cells=16, drive={"kind": "iv", "voltages": [-0.4, 0.4]})
    ds = simulate(device)
    charge = ds.bias_trap_charge.sum("x") * LENGTH / 16 + ds.bias_electrode_charge + ds.bias_right_electrode_charge
    assert np.abs(charge.values).max() < 1e-9
    assert (ds.bias_trap_charge.values > 0.0).all()
    with pytest.raises(CaseError, match=r'device\.traps\[0\]\.kind: expected "none" with a compact model'):
        otjdd.compact(device)
