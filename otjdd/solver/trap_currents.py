"""Where the current of traps runs: electrons that pass between traps and each electrode, by place and by energy.

A trap takes and gives electrons at the same share of energies, since both rates keep detailed balance at each energy.
Electrons of the thermal path are counted at the highest band on their way, where most of them pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.channels.table import TRAP_CODE
from otjdd.physics.channels.traps import FilledTraps, filled_traps
from otjdd.physics.junction import Junction
from otjdd.physics.state import State
from otjdd.physics.traps.capture import LEFT, RIGHT
from otjdd.physics.traps.paths import path_of
from otjdd.physics.traps.sites import DEGENERACY, KINETIC, Sites

ENERGIES = 400  # of a spectrum
FEWEST = 1e-15  # filled or empty share of kinetic traps
LEAST = 1e-12  # of the largest part of a current: smaller parts set no limit of a spectrum
SIDES = {"left": LEFT, "right": RIGHT}


class Lot(NamedTuple):
    """Electrons of some energies that pass between traps and an electrode."""

    edges: np.ndarray  # (m+1,) eV, rising, of intervals of energy
    current: np.ndarray  # (m,) A/m2 in each, positive as that of the junction at a positive voltage


def trap_currents(junction: Junction, state: State, k: int) -> dict[str, np.ndarray]:
    """Currents of column k between traps and both electrodes: per volume (T, N) by place, per energy (ENERGIES,)."""
    width, kT = junction.columns.width[k], junction.kT[k]
    by_place: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
    by_energy: dict[str, list[Lot]] = {side: [] for side in SIDES}
    for channel in np.flatnonzero(junction.channels.code == TRAP_CODE):
        numbers = junction.channels.numbers[channel]
        traps = filled_traps(junction, state, k, int(channel))
        log_odds = traps.steady.log_odds
        if numbers[KINETIC]:  # the filling of the moment
            first = junction.channels.first[channel]
            full = state.traps.filling[k, first : first + log_odds.size].clip(FEWEST, 1.0 - FEWEST)
            log_odds = np.log(full) - np.log1p(-full)
        for name, side in SIDES.items():
            current = traps.amount * net_currents(traps, log_odds, side, numbers[DEGENERACY], float(state.V[0]), kT)
            by_place[name].append(in_cells(traps.sites, current, width) / width)
            by_energy[name].append(lot_of(traps, side, current, kT))
    lots = [lot for side in by_energy.values() for lot in side]
    energy = energies_of(lots)
    spectra = {
        f"spectrum_traps_{name}": np.sum([density_at(energy, lot) for lot in by_energy[name]], axis=0) for name in SIDES
    }
    places = {f"trap_current_{name}": np.array(by_place[name]) for name in SIDES}
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


def lot_of(traps: FilledTraps, side: int, current: np.ndarray, kT: float) -> Lot:
    """Electrons of one side by energy. current : (n,) A/m2, of the groups of traps"""
    capture, share = traps.capture, traps.capture.share[side]
    if not current.size:
        return Lot(np.zeros(1), np.zeros(0))
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
    return Lot(edges, np.histogram(energy, edges, weights=size)[0])


def energies_of(lots: list[Lot]) -> np.ndarray:
    """Even energies (ENERGIES,) [eV] over all lots whose current is not negligible; nan where there is none."""
    current = np.concatenate([lot.current for lot in lots])
    passing = np.abs(current) > LEAST * np.abs(current).max(initial=0.0)
    if not passing.any():
        return np.full(ENERGIES, np.nan)
    starts, ends = (np.concatenate([lot.edges[cut] for lot in lots])[passing] for cut in (slice(-1), slice(1, None)))
    aside = 2.0 * (ends.max() - starts.min()) / ENERGIES  # so that no current is in the outermost energies
    return np.linspace(starts.min() - aside, ends.max() + aside, ENERGIES)


def density_at(energy: np.ndarray, lot: Lot) -> np.ndarray:
    """Current per energy [A/(m2 eV)] of a lot at even energies, its electrons spread evenly over its intervals."""
    if np.isnan(energy[0]):
        return np.zeros(energy.size)
    own = energy[1] - energy[0]
    ends = np.concatenate((energy - 0.5 * own, [energy[-1] + 0.5 * own]))
    density: np.ndarray = np.diff(np.interp(ends, lot.edges, np.concatenate(([0.0], np.cumsum(lot.current))))) / own
    return density
