"""Traps from a case to its Dataset: their groups, their start, what is recorded of them, their answer to a small signal.

Groups are points on each piece of the band, and levels of a spread of depths. A current by way of traps at x is about
1/cosh(a x/2), whose poles are pi/a from the axis: a = 4 kappa, by what a trap loses of one electrode and gains of the
other, and the field over kT, by which its level moves through the Fermi functions.
Gauss's rule with n points on a length l then errs by rho^-2n, rho = d + sqrt(1 + d^2) with d = 2 pi/(a l) (Trefethen, SIAM
Rev. 50, 67 (2008)). The lattice smooths what a Fermi function cuts, and hops have half of the decay, on one side of a trap.
The field is that of DROP over the film, whatever the drive: groups are the memory of a filling that takes time, and the
next drive goes on with them.

The current of traps is that of electrons which pass between traps and each electrode, by place and by energy. A trap
takes and gives electrons at the same share of energies, since both rates keep detailed balance at each energy. Electrons
of the thermal path are counted at the highest band on their way, where most of them pass.

Traps whose filling takes time add to the admittance of a settled junction. A small voltage v on the junction swings the
rates of capture c_i and emission e_i, which the filling follows as it can:

    i w f' = S_L + S_R - (r_L + r_R) f'        S_i = [c_i (1 - f) dln c_i/dV - e_i f dln e_i/dV] v,  r_i = c_i + e_i
    Y = e area sum N {(1 - w_x)(S_R - r_R f') - w_x (S_L - r_L f') + j'}/v

with the derivatives d/dV along all that moves with v, ions and polarisation where they follow it (`Response.moved`), w_x
the share of v to the left of a trap, and j' the change of the electrons that pass it at rest, which the chord
conductance of the channel holds already (`mechanisms.traps.kinetic`). So Y is zero at low frequencies, where the
filling is steady; at high ones the traps do not follow.

At rest each trap is full and empty by turns, and the current through the terminals is a train of pulses: -w_x e of an
electron that comes from the left electrode, (1 - w_x) e of one from the right, the opposite of those that go. With the
mean current I_0 of an empty trap, I_1 of a full one, and r = r_L + r_R, its spectral density is, one-sided,

    S = 2 e^2 {(1 - f) [w_x^2 c_L + (1 - w_x)^2 c_R] + f [w_x^2 e_L + (1 - w_x)^2 e_R]}
        + 4 (I_1 - I_0) [I_0 (1 - f)^2 - I_1 f^2] r/(r^2 + w^2)

the shot noise of the pulses and the Lorentzian of the telegraph (as of two states of charge: Korotkov, Phys. Rev. B 49,
10381 (1994)). Traps are independent of one another. At 0 V S = 4 kT Re Y, Y with the chord conductance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from otjdd import variables
from otjdd.case.case import Case
from otjdd.case.traps import Trap
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.laws import K0
from otjdd.mechanisms.exchange import open_faces
from otjdd.mechanisms.traps.capture import LEFT, NOTHING, RIGHT
from otjdd.mechanisms.traps.kinetic import fill_traps, moment_of_rates, voltage_shares
from otjdd.mechanisms.traps.sites import (
    DEGENERACY,
    FARTHEST,
    FROM_LEFT,
    FROM_RIGHT,
    KINETIC,
    MOST_POINTS,
    TO_LEFT,
    TO_RIGHT,
    Sites,
    path_of,
)
from otjdd.mechanisms.traps.steady import FilledTraps, filled_traps, placed_traps
from otjdd.mechanisms.traps.step import forget_rates
from otjdd.physics.channels import TRAP_CODE
from otjdd.physics.columns import close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE, Channels, Junction, new_state
from otjdd.physics.state import State
from otjdd.solver import integrate
from otjdd.solver.integrate import Run
from otjdd.solver.start import Start

DROP = 2.0  # eV
SHARE, LESS = 0.15, 0.25  # of rho^-2n that a current errs by, and points that are less than it asks for: at a tolerance
# of 1e-4 95 % of 70 random films of 2 to 14 nm at 77 to 400 K and up to 2.5 V are within 8e-5, and all within 3e-3
FEWEST_LEVELS = 19  # of a spread: steps of half a standard deviation
LEVEL_STEP = 1.0  # of kT, by which levels are apart at most


def level_count(spread: float, kT: float) -> int:
    """Number of levels of a normal spread [eV] of depths, which are at most LEVEL_STEP kT apart."""
    if spread == 0.0:
        return 1
    return max(FEWEST_LEVELS, math.ceil(2.0 * FARTHEST * spread / (LEVEL_STEP * kT)) + 1)


def point_counts(trap: Trap, length: np.ndarray, mass: np.ndarray, kT: float, tolerance: float) -> np.ndarray:
    """Number of points (P,) that stand for traps on each piece of the band.

    length, mass : (P,) m and m0, of the pieces   tolerance : relative, of the current
    """
    by_barrier, by_field = 4.0 * np.sqrt(mass * K0 * trap.depth), DROP / length.sum() / kT
    if trap.relaxation_energy > 0.0:
        by_field *= 0.5
    if trap.hop_frequency > 0.0:
        by_barrier *= 0.5
    d = 2.0 * np.pi / ((by_barrier + by_field) * length)
    points = np.log(SHARE / tolerance) / (2.0 * np.arcsinh(d))
    counts: np.ndarray = np.clip(np.ceil(points - LESS), 2, MOST_POINTS).astype(np.int64)
    return counts


def channels_with_groups(
    case: Case, channels: Channels, length: np.ndarray, mass: np.ndarray, pieces: np.ndarray
) -> Channels:
    """Channels of a case with the groups of their traps.

    length, mass : (P,) as of `point_counts`   pieces : first piece of the band in each layer, and the one behind the last
    """
    coldest = min((case.temperature, *getattr(case.drive, "temperatures", ())))
    kT, tolerance, groups = BOLTZMANN_EV * coldest, case.numerics.current_tolerance, [0, 0]
    levels, points = np.ones(len(channels.code), np.int64), np.ones((len(channels.code), len(length)), np.int64)
    for row, record in enumerate(case.device.beside_coherent.values(), 1):
        count = 0
        if isinstance(record, Trap):
            levels[row] = level_count(record.depth_spread, kT)
            points[row] = point_counts(record, length, mass, kT, tolerance)
            own = slice(None) if record.layer is None else slice(pieces[record.layer], pieces[record.layer + 1])
            count = int(points[row, own].sum() * levels[row]) if record.kinetic else 0
        groups.append(count)
    return channels._replace(first=np.cumsum(groups), levels=levels, points=points)


def regrouped(before: Junction, after: Junction, filling: np.ndarray) -> np.ndarray:
    """Filling (K, T) of the traps of a junction, along straight lines between those of another one, by place and level."""
    out: np.ndarray = np.zeros((len(filling), after.channels.first[-1]))
    for k, channel in product(range(len(filling)), np.flatnonzero(np.diff(after.channels.first))):
        old, new = (trap_places(junction, k, int(channel)) for junction in (before, after))
        first, start = before.channels.first[channel], after.channels.first[channel]
        own = filling[k, first : first + old[0].size * old[1].size].reshape(old[0].size, -1)
        along = np.column_stack([np.interp(new[0], old[0], of_level) for of_level in own.T])
        at = np.array([np.interp(new[1], old[1], of_place) for of_place in along])
        out[k, start : start + at.size] = at.ravel()
    return out


def trap_places(junction: Junction, k: int, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Places [m] of the groups of traps of a channel in column k, and levels of each, over the outermost one."""
    without_fields = new_state(junction)
    levels = int(junction.channels.levels[channel])
    x: np.ndarray = placed_traps(junction, without_fields, k, channel).sites.x[::levels]
    return x, np.linspace(-1.0, 1.0, levels) if levels > 1 else np.zeros(1)


def first_filling(case: Case, junction: Junction) -> Start:
    """Filling (K, T) of traps whose filling takes time that a case states, as `filling`; nan for the equilibrium at 0 V."""
    filling, first = np.full((len(junction.kT), junction.channels.first[-1]), np.nan), junction.channels.first
    for number, record in enumerate(case.device.beside_coherent.values(), 1):
        if isinstance(record, Trap) and record.kinetic:
            filling[:, first[number] : first[number + 1]] = record.first_filling
    return {"filling": filling}


def fill_unstated(run: Run) -> None:
    """Let traps whose filling is nan, where a run begins, be in equilibrium at 0 V. Raises SolverError."""
    traps = run.state.traps
    filling, unstated = traps.filling.copy(), np.isnan(traps.filling)
    if unstated.any():
        traps.step[0] = np.inf
        integrate.jump(run, 0.0)
        traps.filling[:] = np.where(unstated, traps.filling, filling)
        forget_rates(traps)


def trap_series(case: Case, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Time series of traps whose filling takes time, from the recorded rows (T, RECORD); none without such traps."""
    if not any(trap.kinetic for trap in case.device.traps or ()):
        return {}
    return {
        "trapped_electrons": rows[:, variables.TRAPPED],
        "trapped_from_left": rows[:, variables.TAKEN_LEFT],
        "trapped_from_right": rows[:, variables.TAKEN_RIGHT],
    }


ENERGIES = 400  # of a spectrum
FEWEST_FILLED = 1e-15  # filled or empty share of kinetic traps
LEAST_PART = 1e-12  # of the largest part of a current: smaller parts set no limit of a spectrum
ELECTRODES = {"left": LEFT, "right": RIGHT}


def trap_filling(junction: Junction, state: State, k: int) -> np.ndarray:
    """Filled share (T, N) of each kind of traps of column k at the cell centres; nan where none are."""
    width = junction.columns.width[k]
    x, shares = np.cumsum(width) - 0.5 * width, []
    for channel in np.flatnonzero(junction.channels.code == TRAP_CODE):
        sites, filling = filling_of_groups(junction, state, k, int(channel))
        places, first = np.unique(sites.x, return_index=True)
        if not places.size:
            shares.append(np.full(x.size, np.nan))
            continue
        share = np.add.reduceat(filling * sites.length, first) / np.add.reduceat(sites.length, first)
        inside = (x + 0.5 * width > sites.start[0]) & (x - 0.5 * width < sites.end[-1])
        shares.append(np.where(inside, np.interp(x, places, share), np.nan))
    return np.array(shares)


def filling_of_groups(junction: Junction, state: State, k: int, channel: int) -> tuple[Sites, np.ndarray]:
    """Sites of the traps of a channel in column k, and the filled share of each group (n,)."""
    if junction.channels.numbers[channel, KINETIC]:
        placed, first = placed_traps(junction, state, k, channel), junction.channels.first[channel]
        return placed.sites, state.traps.filling[k, first : first + len(placed.amount)]
    traps = filled_traps(junction, state, k, channel)
    return traps.sites, 0.5 * (1.0 + np.tanh(0.5 * traps.steady.log_odds))


class ElectronPassage(NamedTuple):
    """Electrons of some energies that pass between traps and an electrode."""

    edges: np.ndarray  # (m+1,) eV, rising, of intervals of energy
    current: np.ndarray  # (m,) A/m2 in each, positive as that of the junction at a positive voltage


def trap_currents(junction: Junction, state: State, k: int) -> dict[str, np.ndarray]:
    """Currents of column k between traps and both electrodes: per volume (T, N) by place, per energy (ENERGIES,)."""
    width, kT = junction.columns.width[k], state.kT[k]
    by_place: dict[str, list[np.ndarray]] = {side: [] for side in ELECTRODES}
    by_energy: dict[str, list[ElectronPassage]] = {side: [] for side in ELECTRODES}
    for channel in np.flatnonzero(junction.channels.code == TRAP_CODE):
        numbers = junction.channels.numbers[channel]
        traps = filled_traps(junction, state, k, int(channel))
        log_odds = traps.steady.log_odds
        if numbers[KINETIC]:  # the filling of the moment
            first = junction.channels.first[channel]
            full = state.traps.filling[k, first : first + log_odds.size].clip(FEWEST_FILLED, 1.0 - FEWEST_FILLED)
            log_odds = np.log(full) - np.log1p(-full)
        for name, side in ELECTRODES.items():
            current = traps.amount * net_currents(traps, log_odds, side, numbers[DEGENERACY], float(state.V[0]), kT)
            by_place[name].append(in_cells(traps.sites, current, width) / width)
            by_energy[name].append(passage_of(traps, side, current, kT))
    passages = [passage for side in by_energy.values() for passage in side]
    energy = spectrum_energies(passages)
    spectra = {
        f"spectrum_traps_{name}": np.sum([density_at(energy, passage) for passage in by_energy[name]], axis=0)
        for name in ELECTRODES
    }
    places = {f"trap_current_{name}": np.array(by_place[name]) for name in ELECTRODES}
    return places | {"spectrum_trap_energy": energy} | spectra


def in_cells(sites: Sites, current: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Currents (N,) of cells of a width (N,) [m], from those of groups at sites (n,), each spread evenly over its part."""
    start, first = np.unique(sites.start, return_index=True)
    if not start.size:
        return np.zeros(width.size)
    sums = np.concatenate(([0.0], np.cumsum(np.add.reduceat(current, first))))
    ends = np.column_stack((start, sites.end[first])).ravel()
    faces = np.concatenate(([0.0], np.cumsum(width)))
    part: np.ndarray = np.diff(np.interp(faces, ends, np.column_stack((sums[:-1], sums[1:])).ravel()))
    return part


def net_currents(
    traps: FilledTraps, log_odds: np.ndarray, side: int, g: float, V: float, kT: float
) -> np.ndarray:  # fmt: skip
    """Current (n,) [A] of one trap of each group from the right electrode, or to the left one.

    log_odds : (n,) ln of the filled over the empty share   g : degeneracy
    """
    level = traps.capture.level
    mu = -V if side == LEFT else 0.0
    taken = traps.capture.log_rate[side] - np.logaddexp(0.0, log_odds)  # ln of the rate times the empty share
    given_over_taken = (level - mu) / kT - np.log(g) + log_odds
    larger = taken + given_over_taken.clip(min=0.0)
    net = -np.sign(given_over_taken) * np.exp(larger) * -np.expm1(-np.abs(given_over_taken))
    current: np.ndarray = ELEMENTARY_CHARGE * (-net if side == LEFT else net)
    return current


def passage_of(traps: FilledTraps, side: int, current: np.ndarray, kT: float) -> ElectronPassage:
    """Electrons of one side by energy. current : (n,) A/m2, of the groups of traps"""
    capture, share = traps.capture, traps.capture.share[side]
    if not current.size:
        return ElectronPassage(np.zeros(1), np.zeros(0))
    places = capture.first[:, None] + np.arange(share.shape[1])
    inside = places < capture.energy.size
    path, end = path_of(traps.lines, traps.band), capture.summit[side]
    summit = np.where(end % 2 == 0, path.left[end // 2], path.right[end // 2])
    energy = np.concatenate((capture.energy[places[inside]], summit))
    part = current[:, None] * share
    size = np.concatenate((part[inside], current - part.sum(axis=1)))
    grid = np.unique(capture.energy) if share.shape[1] > 1 else np.empty(0)
    if grid.size < 2:  # elastic electrons have the energies of their traps
        grid = np.arange(energy.min(), energy.max() + kT, kT)
    edges = np.concatenate(
        ([min(grid[0], energy.min()) - kT], 0.5 * (grid[1:] + grid[:-1]), [max(grid[-1], energy.max()) + kT])
    )
    return ElectronPassage(edges, np.histogram(energy, edges, weights=size)[0])


def spectrum_energies(passages: list[ElectronPassage]) -> np.ndarray:
    """Even energies (ENERGIES,) [eV] over all passages whose current is not negligible; nan where there is none."""
    current = np.concatenate([passage.current for passage in passages])
    passing = np.abs(current) > LEAST_PART * np.abs(current).max(initial=0.0)
    if not passing.any():
        return np.full(ENERGIES, np.nan)
    starts, ends = (
        np.concatenate([passage.edges[cut] for passage in passages])[passing] for cut in (slice(-1), slice(1, None))
    )
    aside = 2.0 * (ends.max() - starts.min()) / ENERGIES  # so that no current is in the outermost energies
    return np.linspace(starts.min() - aside, ends.max() + aside, ENERGIES)


def density_at(energy: np.ndarray, passage: ElectronPassage) -> np.ndarray:
    """Current per energy [A/(m2 eV)] of a passage at even energies, its electrons spread evenly over its intervals."""
    if np.isnan(energy[0]):
        return np.zeros(energy.size)
    own = energy[1] - energy[0]
    ends = np.concatenate((energy - 0.5 * own, [energy[-1] + 0.5 * own]))
    density: np.ndarray = (
        np.diff(np.interp(ends, passage.edges, np.concatenate(([0.0], np.cumsum(passage.current))))) / own
    )
    return density


VOLTAGE_STEP = 1e-4  # V, of the differences that swings of the rates are: exact to some 1e-6
SLOWEST = 1e-300  # 1/s, of a trap that is divided by
EXCHANGES = (FROM_LEFT, TO_LEFT), (FROM_RIGHT, TO_RIGHT)  # rates of the exchange with each electrode


class Swing(NamedTuple):
    """What of the state of a run moves with V_j [per V]."""

    V: float  # 1, or 0 of what is a quarter of a period ahead of V_j
    c: np.ndarray  # (K, N) 1/(m3 V)
    passed: np.ndarray  # (K, 2) 1/(m2 V)
    P: np.ndarray  # (K or 0,) C/(m2 V)


def swings_of_rates(run: Run, swing: Swing) -> np.ndarray:
    """Derivatives (K, T, RATES) [1/V] of the logarithms of the rates of a settled run along a swing. Raises SolverError.

    Where a rate ends within VOLTAGE_STEP it is the derivative on the side where it does not; 0 of a rate that is zero.
    """
    state, V, ends = run.state, float(run.state.V[0]), []
    arrays = tuple(zip((state.c, state.passed, state.P), swing[1:], strict=True))
    before = [array.copy() for array, _ in arrays]
    for step in (VOLTAGE_STEP, -VOLTAGE_STEP):
        for (array, moved), there in zip(arrays, before, strict=True):
            array[:] = there + step * moved
        ends.append(log_rates_at(run, V + step * swing.V))
    for (array, _), there in zip(arrays, before, strict=True):
        array[:] = there
    here = log_rates_at(run, V)
    passes = [
        end > 0.5 * NOTHING for end in ends
    ]  # a level at the edge of an electrode may have a rate on one side alone
    above, below = (np.where(able, end, here) for able, end in zip(passes, ends, strict=True))
    distance = VOLTAGE_STEP * np.where(here > 0.5 * NOTHING, passes[0].astype(float) + passes[1], 0.0)
    return np.divide(above - below, distance, out=np.zeros_like(here), where=distance > 0.0)


def log_rates_at(run: Run, V: float) -> np.ndarray:
    """ln of the rates (K, T, RATES) of a run at a junction voltage [V], its ions as they are. Raises SolverError."""
    status = close_all(run.junction, run.state, V, CLOSURE_TOLERANCE)
    integrate.check_status(run, status, run.time, V, 0.0, 0.0)
    fill_traps(run.junction, run.state)
    rates: np.ndarray = run.state.traps.rates.copy()
    return rates


def admittances_of_traps(
    run: Run, omega: np.ndarray, moved: Sequence[tuple[np.ndarray, np.ndarray]] = ()
) -> np.ndarray:  # fmt: skip
    """Admittances (K, F) [S] by the traps of each column of a settled run at omega (F,) [1/s]. Raises SolverError.

    moved : of each column what moves with V_j, as of `linear_response.Response.moved`; none where all is frozen
    """
    junction, total = run.junction, np.zeros((len(run.junction.kT), len(omega)), complex)
    log_rate = log_rates_at(run, float(run.state.V[0]))
    for number in range(len(omega) if moved else 1):
        at = slice(number, number + 1) if moved else slice(None)
        swing = swings_of_rates(run, swing_at(run, moved, number, 1))
        if moved:
            swing = swing + 1j * swings_of_rates(run, swing_at(run, moved, number, 1j))
        for own, share in groups_of(run):
            response = terminal_response(
                np.exp(log_rate[own]), swing[own], run.state.traps.filling[own], share, omega[at]
            )
            response += passing_swing(log_rate[own], swing[own])[:, None]
            amount = ELEMENTARY_CHARGE * junction.channels.area[own[0]] * run.state.traps.amount[own]
            total[own[0], at] += amount @ response
    return total


def swing_at(run: Run, moved: Sequence[tuple[np.ndarray, np.ndarray]], number: int, part: complex) -> Swing:
    """What moves at a frequency of `moved`, in phase with V_j (part 1) or a quarter of a period ahead (1j)."""
    state, width, N = run.state, run.junction.columns.width, run.state.c.shape[1]
    swing = Swing(float(part == 1), np.zeros_like(state.c), np.zeros_like(state.passed), np.zeros_like(state.P))
    for k, (through, P) in enumerate(moved):
        faces = np.zeros(N + 1)
        faces[slice(*open_faces(run.junction, N))] = (through[number] / part).real
        swing.c[k] = -np.diff(faces) / width[k]
        swing.passed[k] = faces[[0, -1]]
        if swing.P.size:
            swing.P[k] = (P[number] / part).real
    return swing


def groups_of(run: Run) -> Iterator[tuple[tuple[int, slice], np.ndarray]]:
    """Index of the groups of each column and kind of traps in arrays (K, T), and w_x of each group (n,)."""
    junction = run.junction
    for k in range(len(junction.kT)):
        for channel in np.flatnonzero(np.diff(junction.channels.first)):
            x = placed_traps(junction, run.state, k, int(channel)).sites.x
            first = junction.channels.first[channel]
            yield (k, slice(first, first + len(x))), voltage_shares(junction, run.state, k, x)


def trap_noise(run: Run, omega: np.ndarray) -> np.ndarray:
    """Spectral density (F,) [A^2/Hz] of the current by the traps of a settled run, at rest, at omega (F,) [1/s]."""
    traps, total = run.state.traps, np.zeros(len(omega))
    for own, share in groups_of(run):
        amount = run.junction.channels.area[own[0]] * traps.amount[own]
        total += ELEMENTARY_CHARGE**2 * amount @ spectral_density(np.exp(traps.rates[own]), share, omega)
    return total


def spectral_density(rate: np.ndarray, share: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """Spectral densities (n, F) [1/s] of the currents of n traps at rest, over e^2, one-sided.

    rate : (n, RATES) [1/s]   share : (n,) w_x   omega : (F,) [1/s]
    """
    c_left, c_right, e_left, e_right = (rate[:, row] for row in (FROM_LEFT, FROM_RIGHT, TO_LEFT, TO_RIGHT))
    whole, rest = np.maximum(rate.sum(axis=1), SLOWEST), 1.0 - share
    full, empty = (c_left + c_right) / whole, (e_left + e_right) / whole
    shot = empty * (share**2 * c_left + rest**2 * c_right) + full * (share**2 * e_left + rest**2 * e_right)
    of_empty, of_full = rest * c_right - share * c_left, share * e_left - rest * e_right
    telegraph = (of_full - of_empty) * (of_empty * empty**2 - of_full * full**2)
    lorentzian = whole[:, None] / (whole[:, None] ** 2 + omega**2)
    density: np.ndarray = 2.0 * shot[:, None] + 4.0 * telegraph[:, None] * lorentzian
    return density


def bias_of(log_rate: np.ndarray) -> float:
    """V_j/kT of rates whose logarithms are (RATES,): each electrode keeps detailed balance."""
    return float(log_rate[TO_LEFT] - log_rate[FROM_LEFT] - log_rate[TO_RIGHT] + log_rate[FROM_RIGHT])


def passing_swing(log_rate: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """Change [1/(V s)] (n,) of the electrons that pass each of n traps at rest. log_rate, swing : (n, RATES)"""
    if np.iscomplexobj(swing):
        return passing_swing(log_rate, swing.real) + 1j * passing_swing(log_rate, swing.imag)
    above, below = (
        np.array([moment_of_rates(np.exp(row), bias_of(row)).passing for row in log_rate + step * swing])
        for step in (VOLTAGE_STEP, -VOLTAGE_STEP)
    )
    change: np.ndarray = (above - below) / (2.0 * VOLTAGE_STEP)
    return change


def terminal_response(
    rate: np.ndarray, swing: np.ndarray, filling: np.ndarray, share: np.ndarray, omega: np.ndarray
) -> np.ndarray:
    """Charges [1/(V s)] (n, F) that each of n traps sends through the terminals, over e, at omega (F,) [1/s].

    rate, swing : (n, RATES) rates [1/s] and the derivatives of their logarithms by V [1/V]   share : (n,) w_x
    """
    free = np.where([True, True, False, False], 1.0 - filling[:, None], -filling[:, None])
    pushed, exchange = rate * swing * free, [rate[:, side].sum(axis=1)[:, None] for side in EXCHANGES]
    left, right = (pushed[:, side].sum(axis=1)[:, None] for side in EXCHANGES)
    follows = (left + right) / (1j * omega + exchange[0] + exchange[1])
    of_left, of_right = left - exchange[0] * follows, right - exchange[1] * follows
    response: np.ndarray = (1.0 - share)[:, None] * of_right - share[:, None] * of_left
    return response
