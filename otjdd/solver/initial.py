"""What a run starts from: vacancies uniform, in equilibrium, after a history, from a result or a profile; polarisation.

Where ions hop at random a film is made with its vacancies on random sites: where it starts uniform, from a profile or
with a history, each site holds one with the probability c/c_max, and so the number of a device is random too. In
equilibrium the number is drawn so, and the profile is that of equilibrium. A result has its ions.

Electrodes that exchange vacancies have a level each; where two of them disagree, nothing is at rest.
"""

from __future__ import annotations

import math
import tomllib
from itertools import pairwise
from typing import Any

import numpy as np

from otjdd.case.case import Case, parse_case
from otjdd.case.device import Device, FromProfile, FromResult, History
from otjdd.case.drive_curves import waveform_of_writes
from otjdd.case.electrodes import SIDES, exchanging_sides
from otjdd.case.film import AnyPolarisation, TwoLevel
from otjdd.case.kinds import FEWEST, column_area, covered_by, kinds_of
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, PLANCK
from otjdd.errors import NotAsExpected
from otjdd.mechanisms.single_ions.walk import Noise, new_noise, whole_ions
from otjdd.mechanisms.traps.sites import CHARGE
from otjdd.physics.electrostatics import displacement, edge
from otjdd.physics.junction import Junction, new_state
from otjdd.physics.rest import relaxed, relaxed_with_traps
from otjdd.results import store
from otjdd.solver import integrate, model
from otjdd.solver.electrodes import edge_beside, electrode, permittivity
from otjdd.solver.model import Member, site_energy
from otjdd.solver.start import Start, at_snapshot, bounded, without
from otjdd.solver.traps import fill_unstated, first_filling, regrouped
from otjdd.system.late import scipy, xr
from otjdd.variables import OF_CIRCUIT, OUTPUT, memory_of

THICKNESS = "device.film.thickness"
KEY = "ions.initial.result: "
SAME = 1e-9  # relative, of lengths and concentrations
BEFORE = 1  # stream of random numbers of a history, see `noise_of`
MOST_SITES = 2**62  # of a cell, in a draw
ROUND_OFF = 1e-9  # of the number of ions of a column
MOST_SHIFT = 40.0  # kT, of the chemical potential of ions whose number is drawn
STRONGEST = 1e12  # V/m, of a film between its electrodes
NOT_FOR_CURRENTS = 1.0  # tolerance of the pieces of an electrode, which carries no current here
SAME_LEVEL = 1e-3  # eV, between levels that are taken for one: a flux of 4 % of that of either electrode at 300 K


def reservoir_levels(case: Case) -> dict[str, float]:
    """Side -> formation energy [eV] at the oxygen pressure there, of the electrodes that exchange vacancies."""
    ions, T, film, L = case.ions, case.temperature, case.device.film, case.device.film.thickness
    energies = {}
    for side, given in exchanging_sides(case.device).items():
        at = np.array(0.0 if side == "left" else L)
        well = float(site_energy(at, L, ions.well_left, ions.well_right, ions.well_width))
        beside = film.stack[0 if side == "left" else -1]
        edge, sites = edge_beside(case.device, side, T), beside.sites(ions.site_density)
        energy = given.energy(edge, well + beside.site_energy, sites, ions.charge, T)
        energies[side] = energy + 0.5 * BOLTZMANN_EV * T * given.log_oxygen
    return energies


def disagreement(case: Case) -> str:
    """A sentence about two electrodes whose levels drive vacancies through the film at 0 V; "" where none do."""
    at = reservoir_levels(case)
    if len(at) < len(SIDES) or abs(at["left"] - at["right"]) <= SAME_LEVEL:
        return ""
    giver, taker = sorted(SIDES, key=lambda side: at[side])
    energies = " and ".join(f"{at[side]:.4g} eV at the {side} electrode" for side in SIDES)
    return (
        f"device.left.exchange, device.right.exchange: a vacancy takes {energies}, so that at 0 V vacancies keep flowing "
        f"from the {giver} to the {taker} electrode; one formation_energy for both is in equilibrium there"
    )


def depolarised_note(case: Case) -> str:
    """Note on a film that the field which its electrodes leave reverses while the drive lasts, else ""; without ions."""
    polar = case.device.film.polarisation
    if polar is None or not hasattr(case.drive, "waveform"):
        return ""
    P_s, duration = polar.saturation_at(case.temperature), case.drive.waveform().duration
    turns, lost = reversing_field(polar, case.temperature, duration), []
    for towards, sign in (("right", 1.0), ("left", -1.0)):
        field = -sign * field_at_rest(case.device, case.temperature, sign * P_s)
        needed = max(turns - sign * polar.offset_field, 0.0)
        if field > needed:
            lost.append((field, needed, f" with P towards the {towards} electrode"))
    if not lost:
        return ""
    field, needed, which = max(lost)
    state = which if len(lost) == 1 else ""
    at = case.located.get("device.film.polarisation")
    place = f"{at.file}:{at.line} {at.key}: " if at else ""
    return (
        f"{place}the electrodes leave a depolarising field of {field / 1e8:.3g} MV/cm at P_s and 0 V{state}, and "
        f"{needed / 1e8:.3g} MV/cm reverses the film within the {duration:.3g} s of the drive: it does not hold all of its "
        "polarisation"
    )


def reversing_field(polar: AnyPolarisation, temperature: float, duration: float) -> float:
    """Field [V/m] in which the characteristic time of a reversal is a duration [s]; 0 where it reverses without one."""
    if isinstance(polar, TwoLevel):
        kT = BOLTZMANN_EV * temperature
        attempts = duration * kT * ELEMENTARY_CHARGE / PLANCK
        return max(polar.barrier - kT * math.log(max(attempts, 1.0)), 0.0) / polar.dipole_length
    decades = math.log(duration / polar.time) if duration > polar.time else 0.0
    return float(polar.activation_field / decades ** (1.0 / polar.exponent)) if decades else math.inf


def field_at_rest(device: Device, temperature: float, P: float) -> float:
    """Field [V/m] of a film without charges at 0 V and a polarisation P [C/m2], positive towards the right electrode."""
    (sheet,) = device.film.stack  # no film of several layers is polarised
    thickness, eps = float(sheet.thickness), permittivity(sheet.permittivity, temperature)
    left, right = (electrode(record, temperature, NOT_FOR_CURRENTS) for record in (device.left, device.right))

    def mismatch(E: float) -> float:
        charge = displacement(E, eps)[0] + P
        across = edge(left, charge)[0] + thickness * E - edge(right, -charge)[0]
        return across if math.isfinite(across) else math.copysign(math.inf, charge)  # beyond the tables of an electrode

    return float(scipy.optimize.bisect(mismatch, -STRONGEST, STRONGEST))


def relax(junction: Junction, c: np.ndarray, P: np.ndarray | None = None) -> np.ndarray:
    """Equilibrium concentrations (K, N) at 0 V with the same number of vacancies as c. Raises SolverError.

    P : (K,) [C/m2], polarisation, which stays; None for none
    """
    charged = junction.channels.numbers[1:, CHARGE : CHARGE + 1].any()
    rest = relaxed_with_traps(junction, c) if charged else relaxed(junction, c, P=P)
    if rest is None:
        integrate.fail(integrate.begin(junction, c, rtol=1.0, atol=1.0), "EQUILIBRIUM_NOT_FOUND", 0.0, 0.0, 0.0, np.inf)
    return rest


def start(case: Case, junction: Junction, parts: list[Member]) -> Start:
    """What a case starts from. Raises SolverError, ValueError."""
    initial, mean = case.ions.initial, smooth_start(case, junction, parts)
    drawn = with_ions_drawn(case, junction, parts, mean)
    if initial == "equilibrium" and "smooth" in drawn and not exchanging_sides(case.device):  # of as many as were drawn
        rest = relax(junction, drawn["smooth"], mean.get("P"))
        drawn |= {"c": rest, "smooth": rest}
    if not isinstance(initial, History):
        return drawn
    run = begin_case(case, junction, parts, drawn, BEFORE)
    integrate.follow_waveform(run, waveform_of_writes(initial.history))
    integrate.show_ions(run)
    # the junction has cooled and is discharged, and the hops of the drive are drawn from a stream of their own
    return without(integrate.remembered(run), "temperature", "draws", *OF_CIRCUIT)


def begin_case(
    case: Case, junction: Junction, parts: list[Member], initial: Start, stream: int = 0, **options: Any
) -> integrate.Run:
    """A run of a case at a start. stream : of random numbers, see `noise_of`   options : of `integrate.begin`"""
    numerics, noise = case.numerics, noise_of(case, parts, stream)
    run = integrate.begin(
        junction, first_filling(case, junction) | initial, rtol=numerics.rtol, atol=numerics.atol,
        max_steps=numerics.max_steps, noise=noise, **options,
    )  # fmt: skip
    fill_unstated(run)
    return run


def smooth_start(case: Case, junction: Junction, parts: list[Member]) -> Start:
    """As `start`, without a history and before ions are drawn. Raises SolverError, ValueError."""
    initial, c, polarised = case.ions.initial, model.uniform(case, parts), first_polarisation(case, junction, parts)
    if initial == "equilibrium":
        if unlike := disagreement(case):
            raise ValueError(f'ions.initial = "equilibrium": {unlike}')
        return {"c": relax(with_steady_traps(case, junction, parts), c, polarised.get("P"))} | polarised
    if isinstance(initial, FromResult):
        return from_result(case, junction, parts)
    if isinstance(initial, FromProfile):
        return {"c": model.profile_in_cells(case, parts)} | polarised
    return {"c": c} | polarised


def with_steady_traps(case: Case, junction: Junction, parts: list[Member]) -> Junction:
    """The junction with charged traps that are filled as they are at rest, which kinetic ones are in equilibrium."""
    traps, device = case.device.traps or (), case.device
    if not any(trap.kinetic and trap.kind != "none" for trap in traps):
        return junction
    steady = tuple(trap.model_copy(update={"occupation": "steady", "initial": None}) for trap in traps)
    return model.junction(case.model_copy(update={"device": device.model_copy(update={"traps": steady})}), parts=parts)


def first_polarisation(case: Case, junction: Junction, parts: list[Member]) -> Start:
    """Polarisations (K,) [C/m2] that a case states to start with, as P; empty for films that have none."""
    if case.device.film.polarisation is None:
        return {}
    kinds = kinds_of(case)
    given = [kinds[part.kind].device.film.polarisation for part in parts]
    return {"P": junction.polarisation.saturation * [polar.initial for polar in given if polar is not None]}


def from_result(case: Case, junction: Junction, parts: list[Member]) -> Start:
    """The end of the result that a case starts from, on the grid of the case: all of its memory that the case has too.

    Concentrations are constant within each cell of the result, and stretched with each layer; the number of ions per area
    in it is that of the result. On the grid of the result nothing moves, to the bit. What the result does not have is as
    the case states it. Raises ResultError; ValueError for a result without a state, with other columns or layers, with more
    ions than a thinner film has sites for, or with other traps.
    """
    origin = case.ions.initial
    assert isinstance(origin, FromResult)
    ds = store.read(origin.result)
    if not ds.sizes.get("snapshot") or not {"cell_width", OUTPUT["c"]} <= set(ds.variables):
        raise ValueError(f"{KEY}that result holds no state to start from")
    end, K = at_snapshot(ds, -1), len(parts)
    if len(end["c"]) != K:
        raise ValueError(f"{KEY}columns: {len(end['c'])}, the case has {K}")
    there = memory_of(new_state(junction, case.ions.noise != "none"))
    own = {name: value for name, value in end.items() if there[name].size}
    own |= {name: on_grid(case, parts, ds, own[name]) for name in ("c", "smooth") if name in own}
    if "smooth" not in own:
        own["c"] = (
            own["c"] if "smooth" not in end else bounded(own["c"], junction.columns.width, junction.columns.sites)
        )
        check_sites(case, own["c"])
    if "filling" in own and own["filling"].shape != there["filling"].shape:
        before = model.junction(parse_case(str(ds.attrs["case_resolved"]), allow_outside=True))
        if not np.array_equal(np.diff(before.channels.first) > 0, np.diff(junction.channels.first) > 0):
            raise ValueError(f"{KEY}other kinetic traps than in the case")
        own["filling"] = regrouped(before, junction, own["filling"])  # as at another temperature
    for name, value in own.items():
        if value.shape != (shape := there[name].shape):
            raise ValueError(f"{KEY}{OUTPUT[name]}: {value.shape} values, in the case {shape}")
    passed = own.get("passed", np.zeros((K, 2)))
    number = (own["c"] * junction.columns.width).sum(axis=1) - integrate.net_passed(passed)
    if number.min() <= 0.0:
        raise ValueError(f"{KEY}its film holds no vacancies in column {number.argmin() + 1} of {K}")
    return first_polarisation(case, junction, parts) | own


def on_grid(case: Case, parts: list[Member], ds: xr.Dataset, c: np.ndarray) -> np.ndarray:
    """Concentrations (K, M) [1/m3] of a result in the cells (K, N) of a case, see `from_result`. Raises ValueError."""
    film, width = case.device.film, ds["cell_width"].values
    ends, faces = np.cumsum([sheet.thickness for sheet in film.stack]), model.film_faces(film)
    before = ds["layer_end"].values if "layer_end" in ds else np.array([width.sum()])
    if len(before) != len(ends):
        raise ValueError(f"{KEY}layers: {len(before)}, the film of the case has {len(ends)}")
    after = np.diff(faces)
    if len(width) == len(after) and np.allclose(width, after, rtol=SAME, atol=0.0):
        if np.allclose(before, ends, rtol=SAME, atol=0.0):
            return c
    if spreads_thickness(ds) or len({part.thickness for part in parts}) > 1 or case.columns.spread.get(THICKNESS):
        raise ValueError(
            f"{KEY}another grid, and columns of different thickness; begin from a profile, or by a history"
        )
    was, now = (first_cells(widths, at) for widths, at in ((width, before), (after, ends)))
    layers = zip(*(list(pairwise(first)) for first in (was, now)), strict=True)
    return np.hstack([regridded(c[:, a:b], width[a:b], after[p:q]) for (a, b), (p, q) in layers])


def first_cells(width: np.ndarray, ends: np.ndarray) -> list[int]:
    """Number of the first cell of each layer that ends (M,) [m], and of the one behind the last, of cells (N,) [m]."""
    faces = np.concatenate(([0.0], np.cumsum(width)))
    return [0, *(int(np.abs(faces - end).argmin()) for end in ends)]


def check_sites(case: Case, c: np.ndarray) -> None:
    """Raise ValueError for concentrations (K, N) [1/m3] of a result where a case has fewer sites, or none."""
    sites, faces = model.sites_of_cells(case.device.film.stack, case.ions), model.film_faces(case.device.film)
    if (excess := c > sites * (1.0 + SAME)).any():
        k, i = np.argwhere(excess)[0]
        where = f"{c[k, i]:.3g} 1/m^3 at x = {0.5e9 * (faces[i] + faces[i + 1]):.3g} nm in a film of this thickness"
        allowed = (
            f"above the site density of {sites[i]:.3g} 1/m^3" if sites[i] > 0.0 else "in a layer without sites of ions"
        )
        raise ValueError(f"{KEY}{where}, {allowed}")


def regridded(c: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Concentrations (K, N) of cells of widths before (M,) in cells of widths after (N,): as many per area [1/m2]."""
    below = np.cumsum(np.hstack((np.zeros((len(c), 1)), c * before)), axis=1)
    was, now = (np.concatenate(([0.0], np.cumsum(width))) / width.sum() for width in (before, after))
    was[-1] = now[-1] = 1.0
    return np.array([np.diff(np.interp(now, was, column)) / after for column in below])


def spreads_thickness(ds: xr.Dataset) -> bool:
    """Tell if columns of a result differ, or some kind of them differs from its film, in their thickness."""
    try:
        columns = tomllib.loads(ds.attrs.get("case_resolved", "")).get("columns", {})
    except ValueError:  # of a version that wrote it otherwise
        return False
    tables = [columns, *columns.get("kinds", ())]
    return any(THICKNESS in table.get(keys, {}) for table in tables for keys in ("spread", "set"))


def noise_of(case: Case, parts: list[Member], stream: int = 0) -> Noise | None:
    """The noise of a run of a case, at its beginning; None where the ions are a density.

    stream : of numbers; runs of one case that follow each other have their own
    """
    if case.ions.noise == "none":
        return None
    kinds = kinds_of(case)
    covered = covered_by(kinds)
    area = [column_area(kinds[part.kind].device, part.weight * covered) for part in parts]
    return new_noise(np.array(area), case.ions.seed, case.device.film.cells, stream, case.numerics.largest_leap)


def with_ions_drawn(case: Case, junction: Junction, parts: list[Member], start: Start) -> Start:
    """A start with ions on random sites, and the smooth concentrations around which they are drawn.

    The start itself where the ions are a density. A result with single ions has both, for columns of its area. Raises
    NotAsExpected for a column with less than one ion.
    """
    noise = noise_of(case, parts)
    if noise is None:
        return start
    mean, alike = start["c"], "smooth" in start
    width, smooth = junction.columns.width, mean.copy()
    numbers = (mean * width).sum(axis=1) * noise.area
    if not (fewest := numbers.min()) >= FEWEST:  # a profile or a result has them
        where = f"column {numbers.argmin() + 1} of {len(numbers)}"
        expected = f'ions.noise = "none", or {FEWEST:g} ion at least in each column at the start'
        raise NotAsExpected(expected, f"{fewest:.2g} ions in {where}", "ions", "noise")
    ions = whole_ions(mean, width, noise.area)
    for k, area in enumerate(noise.area):
        sites = junction.columns.sites[k]
        full = np.divide(mean[k], sites, out=np.zeros_like(sites), where=sites > 0.0)
        rng = np.random.Generator(np.random.PCG64(seed_of_column(case.ions.seed, k)))
        if not isinstance(case.ions.initial, FromResult):
            whole = np.minimum(np.floor(sites * width[k] * area), MOST_SITES).astype(np.int64)
            ions[k] = 0
            while not ions[k].any():  # one or more in all
                ions[k] = rng.binomial(whole, np.clip(full, 0.0, 1.0))
        mobile = np.flatnonzero(sites)
        for part in np.split(mobile, np.flatnonzero(np.diff(mobile) > 1) + 1):  # ions cross no layer without sites
            number, drawn = (mean[k, part] @ width[k, part]) * area, ions[k, part].sum()
            if abs(drawn - number) > ROUND_OFF * numbers[k]:
                smooth[k, part], alike = holding(full[part], sites[part], width[k, part], drawn / area), False
    c = ions / (width * noise.area[:, None])
    return start | {"c": c} if alike else without(start, "smooth_passed") | {"c": c, "smooth": smooth}


def holding(full: np.ndarray, sites: np.ndarray, width: np.ndarray, number: float) -> np.ndarray:
    """Concentrations (N,) like full sites (N,) [1/m3] whose ions are a number per area [1/m2].

    full : (N,) share of the sites. The chemical potential is shifted as a whole: a factor would put more ions into cells
    than they have sites.
    """
    low, high = -MOST_SHIFT, MOST_SHIFT
    while low < (shift := 0.5 * (low + high)) < high:
        more = full * np.exp(shift)
        shifted: np.ndarray = sites * (more / (1.0 - full + more))
        low, high = (shift, high) if shifted @ width < number else (low, shift)
    return shifted


def seed_of_column(seed: int, k: int) -> np.random.SeedSequence:
    """Seed of column k. numpy fills a short sequence with zeros: [5, 1, 0], of the seed 2^32 + 5, would be [5, 1]."""
    if seed < 2**32:
        return np.random.SeedSequence([seed, k])
    return np.random.SeedSequence(seed, spawn_key=(k,))
