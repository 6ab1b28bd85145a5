"""Profiles of a run at one instant: vacancies, bands through the whole stack, and the current by energy."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.exchange import exchanges
from otjdd.laws.transmission import Profile
from otjdd.physics import electrostatics, image_force
from otjdd.physics.bands import band_profile, straight_parts
from otjdd.physics.channels.coherent import current_by_energy
from otjdd.physics.channels.table import TRAP_CODE
from otjdd.physics.channels.traps import filled_traps, placed_traps
from otjdd.physics.film_electrons import LEFT, RIGHT
from otjdd.physics.junction import Junction
from otjdd.physics.state import State
from otjdd.physics.traps.sites import KINETIC, Sites
from otjdd.results.outputs import OUTPUTS
from otjdd.solver import integrate
from otjdd.solver.integrate import Run
from otjdd.solver.start import OUTPUT, KeptState, Start
from otjdd.solver.trap_currents import trap_currents
from otjdd.stepping.extremes import ratio_of_columns

PROBE = 0.1  # V, at which the current spectrum of a snapshot is taken when the source is below half of it


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
            c * junction.columns.width, first_cells(junction), axis=1
        )
        profiles["layer_field"] = weight @ np.array([layer_fields(junction, state, k) for k in range(len(weight))])
    if case.device.traps is not None:
        filling = np.array([trap_filling(junction, state, k) for k in range(len(weight))])
        profiles["trap_filling"] = np.tensordot(weight, filling, 1)
    if state.trapped.size:
        profiles["trap_charge"] = weight @ (state.trapped / junction.columns.width)
    if case.device.film.electrons != "none":
        profiles["film_electrons"] = weight @ film_electrons(state)
        profiles["snapshot_junction_voltage"] = float(state.V[0])
    profiles |= stored(case, instant.start._replace(c=c))
    if abs(instant.voltage) < PROBE / 2:  # not "== 0": the rounding of a waveform must not decide
        integrate.jump(moving, PROBE)
    of_traps = trap_currents(junction, state, middle) if case.device.traps is not None else {}
    return profiles | spectrum_of(junction, state, middle) | of_traps


def stored(case: Case, start: Start) -> dict[str, np.ndarray]:
    """Outputs of the memory of a state, but for what stays zero: polarisations and exchange that a case does not have."""
    constant = set() if case.device.film.polarisation is not None else {"polarisation"}
    constant |= set() if exchanges(case.device) else {"passed", "smooth_passed"}
    memory = start._asdict().items()
    return {OUTPUT[name]: value for name, value in memory if value is not None and name not in constant}


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


def first_cells(junction: Junction) -> np.ndarray:
    """Number of the first cell of each layer (M,)."""
    first: np.ndarray = junction.layers.first[:-1]
    return first


def layer_fields(junction: Junction, state: State, k: int) -> np.ndarray:
    """Mean field (M,) [V/m] of each layer of column k."""
    lengths, fields, _ = straight_parts(junction, state, k)
    first = first_cells(junction) + np.arange(junction.layers.first.size - 1)  # each interface has two straight parts
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


def film_electrons(state: State) -> np.ndarray:
    """Electrons (K, N) [1/m3] at the cell centres of each column of a film that holds them."""
    density: np.ndarray = state.electrons[:, RIGHT] + state.electrons[:, LEFT]
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
    x = ends - ends[image_force.film_pieces(junction, state, k)[0]]
    position = np.concatenate(([x[0] - 2e-9, x[0]], np.repeat(x, 2)[1:-1], [x[-1], x[-1] + 2e-9]))
    bands = np.column_stack((profile.left + profile.curve, profile.right + profile.curve)).ravel()
    edge = np.concatenate(([profile.bottom_left] * 2, bands, [profile.bottom_right] * 2))
    return {"band_position": position, "band_edge": edge}


def spectrum_of(junction: Junction, state: State, k: int) -> dict[str, np.ndarray]:
    """Current density per energy of column k at the settled voltage, of electrons whose energies a channel knows."""
    energy, density = current_by_energy(junction, state, k)
    return {"spectrum_energy": energy, "spectrum_density": density}
