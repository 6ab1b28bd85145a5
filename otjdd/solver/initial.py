"""What a run starts from: vacancies uniform, in equilibrium, after a history, from a result or a profile; polarisation."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.device import FromProfile, FromResult, History
from otjdd.case.exchange import exchanges
from otjdd.case.kinds import kinds_of
from otjdd.case.traps import Trap
from otjdd.physics.junction import Junction
from otjdd.physics.traps.sites import CHARGE
from otjdd.results import store
from otjdd.solver import equilibrium, integrate, model, random_ions, reservoirs
from otjdd.solver.model import Member
from otjdd.solver.start import Start
from otjdd.stepping import hop_noise
from otjdd.stepping.drawn_hops import whole_ions

if TYPE_CHECKING:
    import xarray as xr

THICKNESS = "device.film.thickness"
BEFORE = 1  # stream of random numbers of a history, see `random_ions.noise_of`


def relax(junction: Junction, c: np.ndarray, P: np.ndarray | None = None) -> np.ndarray:
    """Equilibrium concentrations (K, N) at 0 V with the same number of vacancies as c. Raises SolverError.

    P : (K,) [C/m2], polarisation, which stays; None for none
    """
    charged = junction.channels.numbers[1:, CHARGE : CHARGE + 1].any()
    rest = equilibrium.relaxed_with_traps(junction, c) if charged else equilibrium.relaxed(junction, c, P=P)
    if rest is None:
        integrate.fail(integrate.begin(junction, c, rtol=1.0, atol=1.0), "EQUILIBRIUM_NOT_FOUND", 0.0, 0.0, 0.0, np.inf)
    return rest


def start(case: Case, junction: Junction, parts: list[Member]) -> Start:
    """What a case starts from. Raises SolverError, ValueError."""
    initial, mean = case.ions.initial, smooth_start(case, junction, parts)
    c, smooth = random_ions.drawn(case, junction, parts, mean.c)
    if initial == "equilibrium" and smooth is not None and not exchanges(case.device):  # of as many ions as were drawn
        c = smooth = relax(junction, smooth, mean.polarisation)
    drawn = mean._replace(c=c, smooth=smooth)
    if not isinstance(initial, History):
        return drawn
    run = begin(case, junction, parts, drawn, BEFORE)
    for hold in initial.history:
        integrate.jump(run, hold.voltage)
        integrate.follow_piece(run, hold.duration, hold.voltage, hold.voltage, False)
    smooth, P = run.state.c.copy(), None if drawn.polarisation is None else run.state.P.copy()
    hop_noise.show_ions(junction, run.state, run.trial.noise)
    return Start(
        run.state.c.copy(), P, passed=run.state.passed.copy(), smooth=None if drawn.smooth is None else smooth,
        filling=run.state.traps.filling.copy(),
    )  # fmt: skip


def begin(
    case: Case, junction: Junction, parts: list[Member], initial: Start, stream: int = 0, **options: Any
) -> integrate.Run:
    """A run of a case at a start. stream : of random numbers, see `random_ions`   options : of `integrate.begin`"""
    numerics, noise, ions = case.numerics, random_ions.noise_of(case, parts, stream), None
    c = initial.c if initial.smooth is None else initial.smooth
    if noise is not None:
        ions = whole_ions(initial.c, junction.columns.width, noise.area)
    filling = first_filling(case, junction) if initial.filling is None else initial.filling
    run = integrate.begin(
        junction, c, rtol=numerics.rtol, atol=numerics.atol, max_steps=numerics.max_steps,
        polarisation=initial.polarisation, passed=initial.passed, filling=filling, noise=noise, ions=ions, **options,
    )  # fmt: skip
    if np.isnan(filling).any():
        run.state.traps.step[0] = np.inf
        integrate.jump(run, 0.0)
        integrate.put_filling(run, np.where(np.isnan(filling), run.state.traps.filling, filling))
    return run


def first_filling(case: Case, junction: Junction) -> np.ndarray:
    """Filling (K, T) of traps whose filling takes time that a case states; nan for the equilibrium at 0 V."""
    filling, first = np.full((len(junction.kT), junction.channels.first[-1]), np.nan), junction.channels.first
    for number, record in enumerate(case.device.beside_coherent.values(), 1):
        if isinstance(record, Trap) and record.kinetic:
            filling[:, first[number] : first[number + 1]] = record.first_filling
    return filling


def smooth_start(case: Case, junction: Junction, parts: list[Member]) -> Start:
    """As `start`, without a history and before ions are drawn. Raises SolverError, ValueError."""
    initial, c, P = case.ions.initial, model.uniform(case, parts), polarisation(case, junction, parts)
    if initial == "equilibrium":
        if unlike := reservoirs.disagreement(case):
            raise ValueError(f'ions.initial = "equilibrium": {unlike}')
        return Start(relax(junction, c, P), P)
    if isinstance(initial, FromResult):
        filling = last_of(initial, "trap_filling_groups", parts) if junction.channels.first[-1] else None
        return Start(from_result(case, parts), P, temperature(case, parts), filling=filling)
    if isinstance(initial, FromProfile):
        return Start(model.along_profile(case, parts), P)
    return Start(c, P)


def polarisation(case: Case, junction: Junction, parts: list[Member]) -> np.ndarray | None:
    """Polarisations (K,) [C/m2] that a case starts with, those of the result that it starts from if that has some.

    None in films that have none. Raises ResultError, ValueError.
    """
    kinds, origin = kinds_of(case), case.ions.initial
    if case.device.film.polarisation is None:
        return None
    if isinstance(origin, FromResult) and (last := last_of(origin, "snapshot_polarisation", parts)) is not None:
        return last
    given = [kinds[part.kind].device.film.polarisation for part in parts]
    started: np.ndarray = junction.polarisation.saturation * [polar.initial for polar in given if polar is not None]
    return started


def last_of(origin: FromResult, name: str, parts: list[Member]) -> np.ndarray | None:
    """Last values (K,) of an output of each column in the result that a case starts from; None if it has no such output.

    Raises ResultError, ValueError.
    """
    values = store.read(origin.result).get(name)
    if values is None:
        return None
    of_columns: np.ndarray = values.values[-1]
    if len(of_columns) != len(parts):
        raise ValueError(f"ions.initial.result: columns: {len(of_columns)}, the case has {len(parts)}")
    return of_columns


def from_result(case: Case, parts: list[Member]) -> np.ndarray:
    """Last concentrations (K, N) [1/m3] of the result that a case starts from, on the grid of the case.

    The profile is constant within each cell of the result, and stretched with the thickness; the number of ions per area
    is that of the result. On the grid of the result nothing moves, to the bit. Raises ResultError; ValueError for a result
    without a state, with other columns, or with more ions than a thinner film has sites for.
    """
    key, film, origin = "ions.initial.result: ", case.device.film, case.ions.initial
    assert isinstance(origin, FromResult)
    ds = store.read(origin.result)
    states = ds.get("vacancy_concentration_columns")
    if states is None or not len(states) or "cell_width" not in ds:
        raise ValueError(f"{key}that result holds no state to start from")
    c: np.ndarray = states.values[-1]
    width = ds["cell_width"].values
    if len(c) != len(parts):
        raise ValueError(f"{key}columns: {len(c)}, the case has {len(parts)}")
    faces = model.film_faces(film)
    if len(width) == film.cells and np.allclose(width, np.diff(faces), rtol=1e-9, atol=0.0):
        return c
    if spreads_thickness(ds) or unlike_thickness(parts) or case.columns.spread.get(THICKNESS):
        raise ValueError(f"{key}another grid, and columns of unlike thickness; begin from a profile, or by a history")
    on_grid = regridded(c, width, np.diff(faces))
    most = model.sites_of_cells(film.stack, case.ions)
    if (over := (on_grid > 0.0) & (on_grid >= most)).any():
        k, i = np.argwhere(over)[0]
        raise ValueError(
            f"{key}{on_grid[k, i]:.3g} 1/m^3 in a film of this thickness, above the site density of {most[i]:.3g} 1/m^3"
        )
    return on_grid


def temperature(case: Case, parts: list[Member]) -> np.ndarray | None:
    """Temperatures (K,) [K] of the columns that a case starts with: those at the end of the result that it starts from.

    None for the temperature of the surroundings, also after a history. Raises ResultError, ValueError.
    """
    origin = case.ions.initial
    if case.device.heat is None or not isinstance(origin, FromResult):
        return None
    return last_of(origin, "snapshot_temperature", parts)


def regridded(c: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Concentrations (K, N) of cells of widths before (M,) in cells of widths after (N,): as many per area [1/m2]."""
    below = np.cumsum(np.hstack((np.zeros((len(c), 1)), c * before)), axis=1)
    was, now = (np.concatenate(([0.0], np.cumsum(width))) / width.sum() for width in (before, after))
    was[-1] = now[-1] = 1.0
    return np.array([np.diff(np.interp(now, was, column)) / after for column in below])


def unlike_thickness(parts: Sequence[Member]) -> bool:
    """True where the columns of a case differ in their thickness."""
    return len({part.thickness for part in parts}) > 1


def spreads_thickness(ds: xr.Dataset) -> bool:
    """Tell if the columns of a result differ in their thickness."""
    try:
        columns = tomllib.loads(ds.attrs.get("case_resolved", "")).get("columns", {})
    except ValueError:  # of a version that wrote it otherwise
        return False
    return THICKNESS in columns.get("spread", {})
