"""Traps whose filling takes time, in whole runs: against rate equations of their own, and their exact limits.

A film without charge between metals that do not screen has a straight band, so that the rates of elastic traps have a
closed form. The reference takes these, and integrates the filling of each group by a method for stiff equations.
"""

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from devices import case, needs_speed
from scipy.integrate import solve_ivp
from scipy.special import expit

from otjdd.case.case import parse_case
from otjdd.case.traps import Trap
from otjdd.constants import BOLTZMANN_EV, ELECTRON_MASS, ELEMENTARY_CHARGE, HBAR, VACUUM_PERMITTIVITY
from otjdd.runs.run import simulate
from otjdd.solver import grid_error, model, traps
from otjdd.solver.traps import point_counts

KT = 300.0 * BOLTZMANN_EV
L, MASS, LEFT, RIGHT, DEPTH, DENSITY, ATTEMPTS, CELLS = 3e-9, 0.3, 1.0, 1.2, 1.3, 1e25, 1e13, 8
AREA, TOLERANCE = math.pi * 1e-12, 0.05  # of currents, by which traps have few places

CASE = f"""
title = "a film with traps between metals"
temperature = "300 K"
[device]
radius = "1 um"
conducting_fraction = 1e-12
[device.left]
kind = "metal"
barrier = "{LEFT} eV"
screening_length = "0 nm"
[device.film]
thickness = "3 nm"
cells = {CELLS}
grading = 1.0
permittivity = {{ law = "linear", eps_r = 20 }}
tunnelling_mass = {MASS}
[device.right]
kind = "metal"
barrier = "{RIGHT} eV"
screening_length = "0 nm"
[[device.traps]]
name = "traps"
kind = "none"
density = "{DENSITY} 1/m^3"
depth = "{DEPTH} eV"
occupation = "kinetic"
initial = "empty"
[ions]
charge = 2
density = "1 1/m^3"
site_density = "5e28 1/m^3"
law = "linear"
activation_energy = "1 eV"
prefactor = "1e-7 m^2/s"
initial = "uniform"
[numerics]
rtol = 1e-3
current_tolerance = {TOLERANCE}
[drive]
kind = "table"
points = [["0 s", "0.3 V"], ["1 s", "0.3 V"]]
"""
STEADY = CASE.replace('occupation = "kinetic"\ninitial = "empty"\n', "")


def table(points: list[tuple[float, float]]) -> dict:
    """A drive along points (time [s], voltage [V])."""
    return {"kind": "table", "points": [list(point) for point in points]}


def run(points=None, text=CASE, folder=".", **changes):
    """Dataset of the case along points, with keys of its traps (traps__key) and of others (device__film__key) changed."""
    own = {key.removeprefix("traps__"): value for key, value in changes.items() if key.startswith("traps__")}
    others = {key.replace("__", "."): value for key, value in changes.items() if not key.startswith("traps__")}
    others |= {f"device.traps[0].{key}": value for key, value in own.items()}
    if points is not None:
        others["drive"] = table(points) | {"reads_at": [points[-1][0]]}
    return simulate(parse_case(text, folder).replace(others))


@cache
def gauss():
    """Places (n,) and lengths of the traps on each piece of the band: between the left end, the centres and the right."""
    ends = np.concatenate(([0.0], (np.arange(CELLS) + 0.5) * L / CELLS, [L]))
    trap = Trap(name="traps", kind="none", density=DENSITY, depth=DEPTH)
    counts = point_counts(trap, np.diff(ends), np.full(CELLS + 1, MASS), KT, TOLERANCE)
    rules = [np.polynomial.legendre.leggauss(n) for n in counts]
    middle, half = 0.5 * (ends[1:] + ends[:-1]), 0.5 * np.diff(ends)
    places = [m + h * x for m, h, (x, _) in zip(middle, half, rules, strict=True)]
    return np.concatenate(places), np.concatenate([h * w for h, (_, w) in zip(half, rules, strict=True)])


@needs_speed
def test_without_a_voltage_each_electrode_gives_its_share_of_what_is_trapped_and_no_more():
    """For as long as 1e9 s: the electrons that only pass are none, and not the round-off of two flows."""
    w, nodes = gauss()[1], np.array([0.0, L])
    c_left, c_right, e_left, e_right = rates_on_band(nodes, LEFT + (RIGHT - LEFT) * nodes / L, 0.0)
    whole = c_left + c_right + e_left + e_right
    left = DENSITY * w @ ((c_left + e_left) / whole * ((c_left + c_right) / whole - 0.5))
    for duration in (1.0, 1e9):
        ds = run([(0.0, 0.0), (duration, 0.0)], traps__initial=0.5)
        assert ds.trapped_from_left.values[-1] == pytest.approx(left, rel=1e-6)


def spectrum_of_pulses(rate, share: float, duration: float, numbers, runs: int, rng) -> np.ndarray:
    """One-sided spectral density [1/s] of a trap that electrons enter and leave at random, at numbers of periods."""
    c_left, c_right, e_left, e_right = rate
    c, e = c_left + c_right, e_left + e_right
    events = int(4.0 * duration * c * e / (c + e)) + 40
    full = (rng.random((runs, 1)) < c / (c + e)) ^ (np.arange(events) % 2 == 1)  # before each event
    times = np.cumsum(rng.exponential(size=full.shape) / np.where(full, e, c), axis=1)
    assert times[:, -1].min() > duration
    by_left = rng.random(full.shape) < np.where(full, e_left / e, c_left / c)
    charge = np.where(by_left, -share, 1.0 - share) * np.where(full, -1.0, 1.0) * (times < duration)
    return np.array(
        [2.0 / duration * np.mean(np.abs((charge * np.exp(-2j * np.pi * m * times / duration)).sum(axis=1)) ** 2)
         for m in numbers]
    )  # fmt: skip


@pytest.mark.parametrize("rate", [(3.0, 0.4, 0.2, 2.0), (0.1, 4.0, 0.1, 0.5), (5.0, 0.1, 0.1, 0.7)])
def test_the_noise_of_a_trap_is_that_of_pulses_drawn_at_random(rate):
    share, duration, numbers = 0.3, 60.0, (1, 3, 10, 30, 100)
    drawn = spectrum_of_pulses(rate, share, duration, numbers, 4000, np.random.default_rng(5))
    omega = 2.0 * np.pi * np.array(numbers) / duration
    closed = traps.spectral_density(np.array([rate]), np.array([share]), omega)[0]
    assert drawn == pytest.approx(closed, rel=0.08)
    assert closed[0] != pytest.approx(closed[-1], rel=0.1)


@cache
def parts_in_cells() -> np.ndarray:
    """Length (n, CELLS) [m] of each group of traps in each cell: a group stands for its weight of the film."""
    faces, w = np.linspace(0.0, L, CELLS + 1), gauss()[1][:, None]
    behind = np.cumsum(w, axis=0)
    return (np.minimum(behind, faces[1:]) - np.maximum(behind - w, faces[:-1])).clip(min=0.0)


def charged_film(f: np.ndarray, V, donors: bool, density: float = DENSITY):
    """Places, band (..., nodes) and charge D(0) [C/m2] of films whose traps are filled by f (..., n), by Gauss's law."""
    eps, ends = 20.0 * VACUUM_PERMITTIVITY, np.concatenate(([0.0], (np.arange(CELLS) + 0.5) * L / CELLS, [L]))
    q = (ELEMENTARY_CHARGE * density * ((1.0 - f) if donors else -f)) @ parts_in_cells()
    none, length = np.zeros((*f.shape[:-1], 1)), np.diff(ends)
    behind = np.concatenate((none, np.cumsum(q, axis=-1)), axis=-1)
    D0 = (eps * (RIGHT - LEFT + V) - behind @ length) / L
    rise = np.cumsum((D0[..., None] + behind) / eps * length, axis=-1)
    return ends, LEFT - V + np.concatenate((none, rise), axis=-1), D0


def along(nodes: np.ndarray, U: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values at places of straight lines between values U (..., nodes)."""
    i = np.clip(np.searchsorted(nodes, at, "right") - 1, 0, nodes.size - 2)
    s = (at - nodes[i]) / (nodes[i + 1] - nodes[i])
    return U[..., i] * (1.0 - s) + U[..., i + 1] * s


def rates_on_band(nodes: np.ndarray, U: np.ndarray, V: float, kT: float = KT):
    """c_L, c_R, e_L, e_R (..., n) [1/s] of elastic traps on bands U (..., P+1) [eV], straight between nodes (P+1,) [m]."""
    x, _ = gauss()
    level, tilt = along(nodes, U, x) - DEPTH, np.abs(np.diff(U) / np.diff(nodes))[..., None, :]
    kappa = math.sqrt(2.0 * ELECTRON_MASS * MASS * ELEMENTARY_CHARGE) / HBAR
    out = []
    for mu, low, high in ((-V, np.zeros(x.size), x), (0.0, x, np.full(x.size, L))):
        start, end = np.clip(nodes[:-1], low[:, None], high[:, None]), np.clip(nodes[1:], low[:, None], high[:, None])
        tops = [np.maximum(along(nodes, U, at) - level[..., None], 0.0) for at in (start, end)]
        steep = tilt * (end - start) > 1e-9
        whole = 2.0 / 3.0 * np.abs(tops[1] ** 1.5 - tops[0] ** 1.5) / np.where(steep, tilt, 1.0)
        action = np.where(steep, whole, np.sqrt(tops[0]) * (end - start)).sum(axis=-1)
        out.append((ATTEMPTS * np.exp(-2.0 * kappa * action), (level - mu) / kT))
    return (*(nu * expit(-over) for nu, over in out), *(nu * expit(over) for nu, over in out))


class Source(NamedTuple):
    """What stands between source and junction: a resistance [ohm], and the largest current [A]."""

    resistance: float = 0.0
    compliance: float = math.inf

    @property
    def in_series(self) -> float:
        return self.resistance or 1e-6 / self.compliance


class Film(NamedTuple):
    """What charged traps and their surroundings are."""

    donors: bool = False
    density: float = DENSITY  # 1/m3
    kT: float = KT  # eV


NOTHING_BETWEEN = Source()


def flows(f: np.ndarray, V: float, film: Film):
    """Electrons [1/s] that traps filled by f (..., n) take from the left and from the right electrode at a voltage [V]."""
    nodes, U, _ = charged_film(f, V, film.donors, film.density)
    c_left, c_right, e_left, e_right = rates_on_band(nodes, U, V, film.kT)
    return c_left * (1.0 - f) - e_left * f, c_right * (1.0 - f) - e_right * f


def passing_current(f: np.ndarray, V: float, film: Film):
    """Current [A] of the electrons that pass charged traps at the rates of the moment, all of them at rest."""
    nodes, U, _ = charged_film(f, V, film.donors, film.density)
    c_left, c_right, e_left, e_right = rates_on_band(nodes, U, V, film.kT)
    passing = (e_left * c_right - c_left * e_right) / (c_left + c_right + e_left + e_right)
    return ELEMENTARY_CHARGE * AREA * film.density * (passing @ gauss()[1])


def behind(source: Source, y: np.ndarray, V: float, film: Film) -> tuple[float, float]:
    """Voltage [V] of a junction behind a source of V, and the current [A] of the source. y : as in `exact_with_charge`"""
    n, eps = gauss()[0].size, 20.0 * VACUUM_PERMITTIVITY
    if source == NOTHING_BETWEEN:
        return V, 0.0
    D0 = y[-1] * eps / L + ELEMENTARY_CHARGE * film.density * gauss()[1] @ y[n:-1]
    V_j = (D0 - charged_film(y[:n], 0.0, film.donors, film.density)[2]) * L / eps
    limit = source.compliance
    return V_j, float(np.clip((V - V_j) / source.in_series, -limit, limit))


def exact_with_charge(points, times, first: float, film: Film, source: Source = NOTHING_BETWEEN):
    """At times (T,), of charged traps from a filling of all of them: electrons that they hold and took from the left
    electrode [1/m2], D(0) [C/m2], V_j, and the conduction current [A].

    The unknowns are fillings, electrons that each group took from the left, and the charge that came from the source,
    over the capacitance of the film [V]: of D(0) it is what no electron carried away. A junction behind a source starts
    at 0 V.
    """
    x, w = gauss()
    n, out = w.size, []
    at_first, per_charge = np.full(n, first), L / (20.0 * VACUUM_PERMITTIVITY)
    state = np.concatenate(
        (at_first, np.zeros(n), [charged_film(at_first, 0.0, film.donors, film.density)[2] * per_charge])
    )
    for (start, V0), (end, V1) in itertools.pairwise(points):
        if end == start:
            continue

        def at(t, y, start=start, end=end, V0=V0, V1=V1):
            return behind(source, y, V0 + (V1 - V0) * (t - start) / (end - start), film)

        def slope(t, y, at=at):
            V_j, current = at(t, y)
            left, right = flows(y[:n], V_j, film)
            return np.concatenate((left + right, left, [current / AREA * per_charge]))

        def jacobian(t, y, at=at, h=1e-7):
            (V_j, current), f, out = at(t, y), y[:n], np.zeros((y.size, y.size))
            moved, here, follows = f + h * np.eye(n), flows(f, V_j, film), np.zeros(y.size)  # dV_j/dy
            if source != NOTHING_BETWEEN:
                by_f = [charged_film(fillings, 0.0, film.donors, film.density)[2] for fillings in (moved, f)]
                follows[:n] = (by_f[1] - by_f[0]) / h * per_charge
                follows[n:-1] = ELEMENTARY_CHARGE * film.density * w * per_charge
                follows[-1] = 1.0
                limited = abs(current) >= source.compliance
                out[-1] = 0.0 if limited else -follows * per_charge / (AREA * source.in_series)
            by_f = [(there - now) / h for there, now in zip(flows(moved, V_j, film), here, strict=True)]
            by_V = [(there - now) / h for there, now in zip(flows(f, V_j + h, film), here, strict=True)]
            for first, last, count in ((0, n, 2), (n, 2 * n, 1)):  # fillings by both electrodes, taken from the left
                out[first:last, :n] = sum(by_f[:count]).T
                out[first:last] += np.outer(sum(by_V[:count]), follows)
            return out

        # scipy's own first step would fill traps beyond their number
        numerics = {"rtol": 1e-7, "atol": 1e-10, "first_step": 1e-15, "jac": jacobian}
        inside = np.append(times[(times > start) & (times < end)], end)
        solved = solve_ivp(slope, (start, end), state, "Radau", t_eval=inside, **numerics)
        for t, y in zip(solved.t, solved.y.T, strict=True):
            V_j = at(t, y)[0]
            left, right = flows(y[:n], V_j, film)
            current = ELEMENTARY_CHARGE * AREA * film.density * w @ ((1.0 - x / L) * right - x / L * left)
            D = charged_film(y[:n], V_j, film.donors, film.density)[2]
            out.append((film.density * w @ y[:n], film.density * w @ y[n:-1], D, V_j, current))
        state = solved.y[:, -1]
    return np.array(out).T


@needs_speed
@pytest.mark.parametrize(("kind", "density", "T"), [("acceptor", 3e26, 300.0), ("donor", 2e26, 77.0)])
def test_reads_of_charged_traps_that_relax_are_those_of_rate_equations_of_their_own(kind, density, T):
    points = [(0.0, 0.8), (1e-6, 0.8), (1e-6, -0.8), (1e-4, -0.8), (2e-4, 0.5), (1e-3, 0.5)]
    times = [1e-8, 1e-6, 1.01e-6, 1.3e-6, 1e-4, 2e-4, 2.1e-4, 1e-3]
    keys = {"traps__kind": kind, "traps__density": density, "traps__initial": 0.4, "temperature": T}
    drive = {"drive": table(points) | {"reads_at": times}, "record.every": "reads", "numerics.rtol": 7e-3}
    ds = run(**keys, **drive)
    film = Film(kind == "donor", density, T * BOLTZMANN_EV)
    _, left, _, _, current = exact_with_charge(points, np.array(times), 0.4, film)
    assert ds.read_current.values == pytest.approx(current, rel=2e-2)
    assert ds.trapped_from_left.values[1:] == pytest.approx(left, rel=2e-2, abs=1e-3 * density * L)


def test_a_grid_of_half_the_cells_begins_with_the_filling_of_the_whole():
    case = parse_case(CASE).replace(
        {"device.traps[0].depth_spread": 0.05, "device.film.cells": 32, "device.film.grading": 4.0}
    )
    fine, coarse = (model.junction(one) for one in (case, grid_error.on_cells(case, case.device.film.cells // 2)))
    (x, z), (y, _) = (traps.trap_places(junction, 0, 1) for junction in (fine, coarse))
    assert z.size == 19
    filled = (x[:, None] / L + z).ravel()[None]
    inside = (y > x[0]) & (y < x[-1])
    after = traps.regrouped(fine, coarse, filled)[0].reshape(-1, 19)
    assert after[inside] == pytest.approx((y[:, None] / L + z)[inside], rel=1e-9)


@needs_speed
@pytest.mark.parametrize(("kind", "of_circuit"), [("donor", "resistance"), ("acceptor", "compliance")])
def test_behind_a_circuit_the_voltage_follows_the_charge_of_the_traps(kind, of_circuit):
    first, at_first = 0.0, np.zeros(gauss()[0].size)
    if of_circuit == "resistance":
        source = Source(resistance=0.3 / passing_current(at_first, 0.3, Film(kind == "donor")))
        circuit = {"circuit__series_resistance": source.resistance}
    else:
        source = Source(compliance=0.5 * passing_current(at_first, 0.6, Film(kind == "donor")))
        circuit = {"circuit__compliance": source.compliance}
    points = [(0.0, 0.6), (1e-6, 0.6)]
    ds = run(points, traps__kind=kind, traps__initial=first, numerics__rtol=1e-3, **circuit)
    later = np.flatnonzero(np.diff(ds.time.values, prepend=0.0) > 0.0)
    trapped, _, charge, V_j, _ = exact_with_charge(points, ds.time.values[later], first, Film(kind == "donor"), source)
    assert np.ptp(V_j) > 0.01
    assert ds.junction_voltage.values[later] == pytest.approx(V_j, abs=3e-4)
    assert ds.trapped_electrons.values[later] == pytest.approx(trapped, rel=3e-3)
    assert ds.electrode_charge.values[later] == pytest.approx(charge, rel=3e-3, abs=1e-5)


@needs_speed
@pytest.mark.parametrize("kind", ["none", "acceptor"])
@pytest.mark.parametrize("instrument", [{}, {"circuit__time_constant": 1.0}])
def test_behind_a_resistance_no_current_of_traps_passes_the_source_before_the_drive(kind, instrument):
    """At 0 V across source and junction what full traps give charges the junction alone."""
    points = [(0.0, 0.0), (0.0, 0.6), (1e-9, 0.6)]
    ds = run(points, traps__kind=kind, traps__initial="full", circuit__series_resistance=1e4, **instrument)
    assert abs(ds.conduction_current.values[0]) > 1e-7
    assert ds.junction_voltage.values[0] == 0.0
    assert ds.current.values[0] == 0.0


@needs_speed
def test_long_after_a_jump_charged_traps_are_those_at_rest():
    keys = {"traps__kind": "acceptor", "traps__relaxation_energy": 0.3}
    kinetic = run([(0.0, 0.4), (1e9, 0.4)], **keys)
    steady = run(None, STEADY, drive={"kind": "iv", "voltages": [0.4]}, **keys)
    assert kinetic.read_current.values[-1] == pytest.approx(float(steady.bias_current.squeeze()), rel=1e-6)


@needs_speed
@pytest.mark.parametrize(
    ("kind", "temperature"), [("acceptor", 300.0), pytest.param("donor", 350.0, marks=pytest.mark.campaign)]
)
def test_a_start_in_equilibrium_is_where_ions_and_charged_traps_come_to_rest(kind, temperature):
    trap = {
        "name": "t", "kind": kind, "density": "5e25 1/m^3", "depth": "0.8 eV", "attempt_frequency": "1e11 Hz",
        "occupation": "kinetic",
    }  # fmt: skip
    hold = {"kind": "hold", "voltage": "0 V", "duration": "1e4 s"}
    held = case(temperature=temperature).replace({"device.traps": [trap], "drive": hold, "record.profiles": 2})
    late, rest = (simulate(held.replace("ions.initial", start)) for start in ("uniform", "equilibrium"))
    for name in ("vacancy_concentration", "trap_filling"):
        of_rest = rest[name].values
        np.testing.assert_allclose(of_rest, late[name].values[[-1, -1]], rtol=1e-6)
    far = late.vacancy_concentration.values[0] / rest.vacancy_concentration.values[0] - 1.0
    assert np.abs(far).max() > 0.5


# a film in which traps, ions and a polarisation follow a voltage about as fast as each other
MOVING = {
    "device.conducting_fraction": 1.0, "device.left.barrier": "1.5 eV", "device.right.barrier": "1.6 eV",
    "device.left.screening_length": "0.1 nm", "device.right.screening_length": "0.05 nm", "device.film.thickness": "4 nm",
    "device.film.cells": 12, "device.film.fixed_charge": "-4e26 1/m^3", "device.film.tunnelling_mass": 0.4,
    "device.traps[0].density": "1e27 1/m^3", "device.traps[0].depth": "1.5 eV", "device.traps[0].initial": "equilibrium",
    "device.traps[0].attempt_frequency": "1e10 Hz", "ions.density": "2e26 1/m^3", "ions.activation_energy": "0.42 eV",
    "ions.initial": "equilibrium", "numerics.rtol": 1e-3, "numerics.atol": 1e-5, "numerics.current_tolerance": 1e-4,
}  # fmt: skip
POLAR = {"law": "two-level", "saturation": "0.02 C/m^2", "barrier": "0.42 eV", "dipole_length": "1 nm"}
EXCHANGE = {"rate": "1 m/s", "equilibrium_density": "2e26 1/m^3"}
POLARISED = {"device.film.polarisation": POLAR, "ions.activation_energy": "2 eV"}


@needs_speed
@pytest.mark.parametrize(
    ("follows", "of_film"),
    [
        ({"ions": "moving"}, {}),
        ({"ions": "moving"}, {"device.left.exchange": EXCHANGE}),
        ({"ions": "moving"}, {"device.right.exchange": EXCHANGE, "temperature": "330 K"}),
        ({"polarisation": "following"}, POLARISED),
        ({"ions": "moving", "polarisation": "following"}, {"device.film.polarisation": POLAR}),
    ],
    ids=["ions", "left", "right", "polarisation", "both"],
)
def test_traps_feel_what_moves_with_a_small_sine(follows, of_film):
    """The answer is that of a transient, taken in the middle of its straight pieces, where fast traps have settled."""
    f, P, periods, V, rest = 1e4, 24, 3, 1e-3, 1e-3
    film = parse_case(CASE).replace(MOVING | of_film)
    t = np.arange(2 * P * periods + 1) / (2 * P * f)
    corners = V * np.sin(2 * np.pi * f * t[::2])
    v = np.interp(t, t[::2], corners)
    points = [[0.0, 0.0], *np.column_stack((rest + t, v)).tolist()]
    transient = simulate(film.replace({"drive": table(points)}))
    drive = {
        "kind": "impedance",
        "bias": [0.0],
        "frequencies": [f],
        "states": {"rest": [{"voltage": 0.0, "duration": rest}]},
    }
    answers = [simulate(film.replace({"drive": drive | more})).squeeze() for more in (follows, {})]
    late = t[1::2][-2 * P :]
    rows = np.searchsorted(transient.time.values, (rest + late) * (1.0 - 1e-12))
    phase = 2.0 * np.pi * f * late
    basis = np.column_stack((np.sin(phase), np.cos(phase), np.ones_like(late), late * f, (late * f) ** 2))

    def amplitude(name):
        fit = np.linalg.lstsq(basis, transient[name].values[rows], rcond=None)[0]
        return fit[0] + 1j * fit[1]

    # of the electrode that no ions pass
    charge = (
        amplitude("electrode_charge") if "device.right.exchange" in of_film else -amplitude("right_electrode_charge")
    )
    current = amplitude("conduction_current") + 2j * np.pi * f * film.device.junction_area * charge
    moving, frozen = (complex(ds.conductance_ac, 2.0 * np.pi * f * ds.capacitance) for ds in answers)
    assert abs(current / amplitude("voltage") / moving - 1.0) < 0.02
    assert abs(frozen / moving - 1.0) > 0.2
