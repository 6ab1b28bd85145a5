"""Profiles of a run at one instant: vacancies, bands through the whole stack, and the current by energy.

The current of traps is that of electrons which pass between traps and each electrode, by place and by energy. A trap
takes and gives electrons at the same share of energies, since both rates keep detailed balance at each energy. Electrons
of the thermal path are counted at the highest band on their way, where most of them pass.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.electrodes import exchanges
from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.laws.transmission import Profile
from otjdd.physics import electrostatics
from otjdd.physics import film_electrons as contacts
from otjdd.physics.bands import band_profile, film_pieces, straight_parts
from otjdd.physics.channels.coherent import current_by_energy
from otjdd.physics.channels.table import TRAP_CODE
from otjdd.physics.channels.traps import FilledTraps, filled_traps, placed_traps
from otjdd.physics.circuit import coupled
from otjdd.physics.junction import Junction
from otjdd.physics.state import State
from otjdd.physics.traps.capture import LEFT, RIGHT
from otjdd.physics.traps.sites import DEGENERACY, KINETIC, Sites, path_of
from otjdd.results.outputs import OUTPUTS
from otjdd.solver import integrate
from otjdd.solver.integrate import Run
from otjdd.solver.start import KeptState, Start, without
from otjdd.stepping.extremes import ratio_of_columns
from otjdd.variables import OF_CIRCUIT, OUTPUT

PROBE = 0.1  # V, at which the current spectrum of a snapshot is taken when the source is below half of it
ENERGIES = 400  # of a spectrum
FEWEST = 1e-15  # filled or empty share of kinetic traps
LEAST = 1e-12  # of the largest part of a current: smaller parts set no limit of a spectrum
SIDES = {"left": LEFT, "right": RIGHT}


def needs_snapshots(names: Collection[str] | None) -> bool:
    """True when snapshots are needed for any of these outputs; None stands for all outputs."""
    return names is None or any("snapshot" in OUTPUTS[name].dims or name == "film_electron_ratio_max" for name in names)


def snapshot(case: Case, moving: Run, instant: KeptState) -> dict[str, Any]:
    """Profiles of a recorded state, and the spectrum of the current of its middle column, at PROBE if the source is off."""
    integrate.restore_state(moving, instant)
    junction, state, weight = moving.junction, moving.state, moving.junction.columns.weight
    c = bounded(state.c, junction.columns.width, junction.columns.sites)
    bands = np.array([film_band(junction, state, k) for k in range(len(weight))])
    middle = len(weight) // 2
    profiles = {
        "snapshot_time": instant.time,
        "vacancy_concentration": weight @ c,
        "conduction_band": weight @ bands,
        "film_electron_ratio": ratio_of_columns(junction, state, moving.watch),
    } | band_diagram(junction, state, middle)
    if junction.layers.half_left.size:
        profiles["layer_vacancies"] = weight @ np.add.reduceat(
            c * junction.columns.width, first_cells_of_layers(junction), axis=1
        )
        profiles["layer_field"] = weight @ np.array([layer_fields(junction, state, k) for k in range(len(weight))])
    if case.device.traps is not None:
        filling = np.array([trap_filling(junction, state, k) for k in range(len(weight))])
        profiles["trap_filling"] = np.tensordot(weight, filling, 1)
    if state.trapped.size:
        profiles["trap_charge"] = weight @ (state.trapped / junction.columns.width)
    if case.device.film.electrons != "none":
        profiles["film_electrons"] = weight @ electrons_at_centres(state)
        profiles["snapshot_junction_voltage"] = float(state.V[0])
    profiles |= stored(case, junction, instant.start | {"c": c})
    if abs(instant.voltage) < PROBE / 2:  # not "== 0": the rounding of a waveform must not decide
        integrate.jump(moving, PROBE)
    of_traps = trap_currents(junction, state, middle) if case.device.traps is not None else {}
    return profiles | spectrum_of(junction, state, middle) | of_traps


def stored(case: Case, junction: Junction, start: Start) -> dict[str, np.ndarray]:
    """Outputs of the memory of a state, but for what a case does not have: polarisations, exchange, a circuit."""
    constant = set() if case.device.film.polarisation is not None else {"P"}
    constant |= set() if exchanges(case.device) else {"passed", "smooth_passed"}
    constant |= set() if coupled(junction) else set(OF_CIRCUIT)
    return {OUTPUT[name]: value for name, value in without(start, *constant).items()}


def bounded(c: np.ndarray, width: np.ndarray, c_max: np.ndarray) -> np.ndarray:
    """Concentrations (K, N) [1/m3] between zero and the sites c_max (K, N), which steps leave by some 1e-6 of the ions.

    What is missing below zero is taken from all cells of a column in proportion to what they hold, what is too much is
    given to them in proportion to their free sites: no ion is lost. A column with more missing than it holds has emptied
    into its electrodes, to the accuracy of the steps: it is empty. The run itself goes on from c (`error_norm.outside`).
    """
    within = np.clip(c, 0.0, c_max)
    missing = ((within - c).clip(min=0.0) * width).sum(axis=1, keepdims=True)
    excess = ((c - within).clip(min=0.0) * width).sum(axis=1, keepdims=True)
    ions, free = ((part * width).sum(axis=1, keepdims=True) for part in (within, c_max - within))
    less = np.divide(missing, ions, out=np.ones_like(ions), where=ions > missing)
    more = np.divide(excess, free, out=np.zeros_like(free), where=excess > 0.0)
    whole: np.ndarray = within + more * (c_max - within) - less * within
    return whole


def first_cells_of_layers(junction: Junction) -> np.ndarray:
    """Number of the first cell of each layer (M,)."""
    first: np.ndarray = junction.layers.first[:-1]
    return first


def layer_fields(junction: Junction, state: State, k: int) -> np.ndarray:
    """Mean field (M,) [V/m] of each layer of column k."""
    lengths, fields, _ = straight_parts(junction, state, k)
    first = first_cells_of_layers(junction) + np.arange(
        junction.layers.first.size - 1
    )  # each interface has two straight parts
    mean: np.ndarray = np.add.reduceat(lengths * fields, first) / np.add.reduceat(lengths, first)
    return mean


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


def electrons_at_centres(state: State) -> np.ndarray:
    """Electrons (K, N) [1/m3] at the cell centres of each column of a film that holds them."""
    density: np.ndarray = state.electrons[:, contacts.RIGHT] + state.electrons[:, contacts.LEFT]
    return density


def film_band(junction: Junction, state: State, k: int) -> np.ndarray:
    """Conduction band (N,) [eV] at the cell centres of column k."""
    at_right = electrostatics.edge(junction.right[k], -state.D_right[k])[0]
    rise = junction.columns.distance[k] * state.E[k]
    steps = junction.columns.rise[k]
    band: np.ndarray = at_right - np.cumsum(rise[::-1])[::-1][1:]
    return band - np.cumsum(steps[::-1])[::-1][1:] if steps.any() else band


def profile_of(junction: Junction, state: State, k: int) -> Profile:
    """Band profile of column k."""
    profile: Profile = band_profile(junction, state, k)
    return profile


def band_diagram(junction: Junction, state: State, k: int) -> dict[str, np.ndarray]:
    """Band edge through electrodes and film of column k; x = 0 at the left end of the film."""
    profile = profile_of(junction, state, k)
    ends = np.concatenate(([0.0], np.cumsum(profile.length)))
    x = ends - ends[film_pieces(junction, state, k)[0]]
    position = np.concatenate(([x[0] - 2e-9, x[0]], np.repeat(x, 2)[1:-1], [x[-1], x[-1] + 2e-9]))
    bands = np.column_stack((profile.left + profile.curve, profile.right + profile.curve)).ravel()
    edge = np.concatenate(([profile.bottom_left] * 2, bands, [profile.bottom_right] * 2))
    return {"band_position": position, "band_edge": edge}


def spectrum_of(junction: Junction, state: State, k: int) -> dict[str, np.ndarray]:
    """Current density per energy of column k at the settled voltage, of electrons whose energies a channel knows."""
    energy, density = current_by_energy(junction, state, k)
    return {"spectrum_energy": energy, "spectrum_density": density}


class ElectronPassage(NamedTuple):
    """Electrons of some energies that pass between traps and an electrode."""

    edges: np.ndarray  # (m+1,) eV, rising, of intervals of energy
    current: np.ndarray  # (m,) A/m2 in each, positive as that of the junction at a positive voltage


def trap_currents(junction: Junction, state: State, k: int) -> dict[str, np.ndarray]:
    """Currents of column k between traps and both electrodes: per volume (T, N) by place, per energy (ENERGIES,)."""
    width, kT = junction.columns.width[k], state.kT[k]
    by_place: dict[str, list[np.ndarray]] = {side: [] for side in SIDES}
    by_energy: dict[str, list[ElectronPassage]] = {side: [] for side in SIDES}
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
    energy = spectrum_energies(lots)
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


def lot_of(traps: FilledTraps, side: int, current: np.ndarray, kT: float) -> ElectronPassage:
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


def spectrum_energies(lots: list[ElectronPassage]) -> np.ndarray:
    """Even energies (ENERGIES,) [eV] over all lots whose current is not negligible; nan where there is none."""
    current = np.concatenate([lot.current for lot in lots])
    passing = np.abs(current) > LEAST * np.abs(current).max(initial=0.0)
    if not passing.any():
        return np.full(ENERGIES, np.nan)
    starts, ends = (np.concatenate([lot.edges[cut] for lot in lots])[passing] for cut in (slice(-1), slice(1, None)))
    aside = 2.0 * (ends.max() - starts.min()) / ENERGIES  # so that no current is in the outermost energies
    return np.linspace(starts.min() - aside, ends.max() + aside, ENERGIES)


def density_at(energy: np.ndarray, lot: ElectronPassage) -> np.ndarray:
    """Current per energy [A/(m2 eV)] of a lot at even energies, its electrons spread evenly over its intervals."""
    if np.isnan(energy[0]):
        return np.zeros(energy.size)
    own = energy[1] - energy[0]
    ends = np.concatenate((energy - 0.5 * own, [energy[-1] + 0.5 * own]))
    density: np.ndarray = np.diff(np.interp(ends, lot.edges, np.concatenate(([0.0], np.cumsum(lot.current))))) / own
    return density
