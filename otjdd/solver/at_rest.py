"""Curves over the bias at frozen ions: each state that a drive prepares, at every temperature and bias.

They are I-V curves, or the answer to a small signal: impedance, capacitance and conductance over the frequency.
Resistance and capacitance of the circuit are part of what is measured: Z = R_s + 1/(Y + i w C_p), the current that
charges the junction passing the series resistance as well.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.device import FromResult
from otjdd.case.drive_curves import CV, Following, Prepared
from otjdd.case.film import FEWEST_CELLS
from otjdd.case.kinds import kinds_of
from otjdd.compiler.pointer_tuples import Row
from otjdd.errors import CaseError, SolverError
from otjdd.laws import Wall
from otjdd.mechanisms.exchange import filling_of, passes
from otjdd.mechanisms.traps.kinetic import have_memory
from otjdd.physics.channels import transport
from otjdd.physics.columns import close_all, conduct
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, coupled
from otjdd.physics.numerics import add_up
from otjdd.physics.quasistatic import drop
from otjdd.physics.rest import relaxed
from otjdd.physics.state import AT_LEFT, AT_RIGHT
from otjdd.results import outputs
from otjdd.solver import grid_error, initial, integrate, linear_response, model, model_limits
from otjdd.solver.collect import by_kind
from otjdd.solver.integrate import Run
from otjdd.solver.model_limits import Reached, attributes, delivered, ending, status_words
from otjdd.solver.start import NO_STEPS, Trail, without
from otjdd.solver.traps import admittances_of_traps, trap_noise
from otjdd.stepping.hooks import at_temperature, begin_step
from otjdd.stepping.run_log import new_watch, ratio_of_columns
from otjdd.system.late import elementwise, scipy, xr
from otjdd.system.steps import Progress

PLACE = ("state", "temperature", "bias")
OF_KINDS = "kind_bias_current"
POLARISATION = "bias_polarisation"  # an output of polarised films
CHANNEL_SHARE = "bias_channel_share"  # an output of a junction with channels beside the coherent one
TRAP_CHARGE = "bias_trap_charge"  # an output of films whose traps carry charge
LEVELS = "bias_current_level_error"  # an output only where it is above the tolerance of the current
GRID = "curve_grid_error"  # an output of curves whose grid is checked
CURVES = (
    "bias_current", "bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy", "bias_band_bending",
    "bias_electrode_charge", "bias_right_electrode_charge", "bias_current_level_error",
)  # fmt: skip


def curves_at_rest(
    case: Case,
    names: tuple[str, ...],
    measure: Callable[[Run, float], dict[str, Any]],
    more: dict[str, Any] | None = None,
    progress: Progress = None,
    trail: Trail | None = None,
    check_grid: bool = False,
) -> xr.Dataset:
    """Dataset of outputs over state, temperature and bias; nan where the run ended early.

    names : of the outputs   measure(run, voltage) : values of the outputs by name, of a run that may be changed; it
        leaves the conductances of the columns in the state
    more : coordinates of additional dimensions   trail, check_grid : as of `simulate_junction`, through all states
    """
    drive, began, failure = case.drive, time.perf_counter(), None
    assert isinstance(drive, Prepared)  # `simulate` sends no other drive here
    coords: dict[str, Any] = {
        "state": np.array(list(drive.histories()), dtype=object),
        "temperature": list(drive.temperatures) or [case.temperature],
        "bias": drive.bias_voltages(),
    } | (more or {})
    shares: dict[str, Any] = {}
    if len(kinds := kinds_of(case)) > 1:
        coords["kind"] = np.array([kind.name for kind in kinds], dtype=object)
        shares, names = {"kind_share": [kind.share for kind in kinds]}, (*names, OF_KINDS)
    if case.device.film.polarisation is not None:
        names = (*names, POLARISATION)
    if any(trap.kind != "none" for trap in case.device.traps or ()):
        coords["x"], names = model.centres(model.film_faces(case.device.film)), (*names, TRAP_CHARGE)
    if case.device.beside_coherent:
        coords["channel"], names = model.channel_names(case), (*names, CHANNEL_SHARE)
    out = {name: np.full([len(coords[dim]) for dim in outputs.OUTPUTS[name].dims], np.nan) for name in names}
    checked: dict[str, Reached] = {}
    coarser = on_coarser_grids(case, checked_biases(case, coords["bias"])) if check_grid else []
    of_curves, of_grids = (partial(part_done, progress, i, 1 + bool(coarser)) for i in range(2))
    try:
        for place, run, voltage in points_at_rest(case, coords["temperature"], of_curves, trail):
            for name, value in measure(run, voltage).items():
                out[name][place] = value
            checked = model_limits.larger(checked, electrons_left_out(case, run, coords, place))
            if POLARISATION in out:
                out[POLARISATION][place] = run.junction.columns.weight @ run.state.P
            if TRAP_CHARGE in out:
                columns = run.junction.columns
                out[TRAP_CHARGE][place] = columns.weight @ (run.state.trapped / columns.width)
            if shares:
                currents = run.state.V * run.state.G + run.state.traps.current.sum(axis=1)
                out[OF_KINDS][place] = by_kind(case, currents[None])[0]
        if coarser:
            checked |= error_by_the_grid(case, coarser, measure, coords, out, of_grids)
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        failure = ending(error)
    if (unseen := out.get(LEVELS)) is not None and not (unseen > case.numerics.current_tolerance).any():
        del out[LEVELS]
    of_grid = {GRID: checked[GRID].value} if GRID in checked else {}
    about = attributes(
        case, {"status": status_words(failure)}, time.perf_counter() - began, extremes(case, coords, out) | checked
    )
    return delivered(outputs.dataset(out | shares | of_grid, coords, about), failure)


def points_at_rest(
    case: Case,
    temperatures: Sequence[float],
    progress: Progress = None,
    trail: Trail | None = None,
    only: np.ndarray | None = None,
) -> Iterator[tuple[tuple[int, int, int], Run, float]]:
    """(place in the outputs, run, voltage [V]) of each state, temperature and bias in turn. Raises SolverError.

    The states are made at the case's own temperature. One run serves all voltages of a curve.
    only : voltages [V] instead of those of the drive
    """
    drive, parts, numerics = case.drive, model.members(case), case.numerics
    assert isinstance(drive, Prepared)
    junction = model.junction(case, parts=parts)
    histories, bias = drive.histories(), drive.bias_voltages() if only is None else only
    start = initial.start(case, junction, parts)
    for i, waveform in enumerate(histories.values()):
        moving = initial.begin_case(case, junction, parts, start, initial.BEFORE + 1 + i)
        moving.trail = trail
        integrate.follow_waveform(moving, waveform)
        integrate.show_ions(moving)
        for j, T in enumerate(temperatures):
            hot = model.junction(case, T, parts)
            present = without(integrate.remembered(moving), "smooth", "smooth_passed", "draws")
            at_temperature(moving.junction, hot, present)
            frozen = integrate.begin(hot, present, rtol=numerics.rtol, atol=numerics.atol)
            if not getattr(drive, "dwell", 0.0):
                frozen.state.traps.step[0] = np.inf  # traps are at rest at each bias
            frozen.trail = trail
            frozen.state.D_right[:] = moving.state.D_right
            for k, V in enumerate(bias):
                yield (i, j, k), frozen, float(V)
                if trail:
                    trail.note(NO_STEPS.trials, int(frozen.tangent.evaluated[0]))
        if progress:
            progress((i + 1) / len(histories))


def extremes(case: Case, coords: dict[str, Any], out: dict[str, np.ndarray]) -> dict[str, Reached]:
    """Largest values of the limited quantities: current density, steady rise of the temperature, drift of the ions."""
    limited = ("bias_current", "bias_junction_voltage", "drift_ratio")
    largest = {name: np.nan_to_num(np.abs(out[name])).max(axis=(0, 1)) for name in limited if name in out}
    current, junction_voltage = largest.pop("bias_current"), largest.pop("bias_junction_voltage")
    reached = largest | {
        "current_density": current / case.device.junction_area,
        "temperature_rise": current * junction_voltage * model_limits.thermal_resistance(case.device.disc_radius),
    }
    return {
        name: model_limits.of_series(coords["bias"], values, "a bias of {:.4g} V") for name, values in reached.items()
    }


def electrons_left_out(case: Case, run: Run, coords: dict[str, Any], place: tuple[int, int, int]) -> dict[str, Reached]:
    """Largest density of electrons that the film of a settled run is without, over that which bends its band by kT."""
    if case.device.film.electrons != "none":
        return {}
    T, V = coords["temperature"][place[1]], coords["bias"][place[2]]
    watch = new_watch(case.device.film_states(T), np.zeros((3, 0)), case.device.film.cells)
    ratio = float(ratio_of_columns(run.junction, run.state, watch))
    return {"film_electron_ratio": Reached(ratio, f"a bias of {V:.4g} V")}


def checked_biases(case: Case, bias: Sequence[float]) -> list[int]:
    """Places of the lowest, the highest and the smallest voltage of a curve, where its ions move along it of all.

    At 0 V, where no current flows, a small signal alone has a value.
    """
    of_signal = isinstance(case.drive, Following)
    places = [k for k, V in enumerate(bias) if V != 0.0 or of_signal]
    if not places or getattr(case.drive, "dwell", 0.0) > 0.0:
        return places
    ends = min(places, key=lambda k: bias[k]), max(places, key=lambda k: bias[k])
    return sorted({*ends, min(places, key=lambda k: abs(bias[k]))})


def why_unchecked(case: Case) -> str:
    """Why coarser grids do not tell the error of the curves of a case, for its result and the screen; "" where they do."""
    if isinstance(case.ions.initial, FromResult):
        why = "their states come from another result, whose own grid shaped them"
    elif case.ions.noise != "none":
        why = "single ions hop otherwise on each grid"
    elif case.device.film.cells <= FEWEST_CELLS:
        why = f"a film has {FEWEST_CELLS} cells at least"
    else:
        return ""
    return f"curves are not checked on coarser grids: {why}; compare with more device.film.cells"


def on_coarser_grids(case: Case, places: list[int]) -> list[Case]:
    """A case of curves on half and on a third of the cells, along a path on half of them alone; none without an estimate.

    places : of `checked_biases`
    """
    if why_unchecked(case) or not places:
        return []
    path = getattr(case.drive, "dwell", 0.0) > 0.0  # which takes as long again as the run, for each grid
    return grid_error.on_fewer_cells(case)[: 1 if path else None]


def error_by_the_grid(
    case: Case, coarser: Sequence[Case], measure: Callable[[Run, float], dict[str, Any]], coords: dict[str, Any],
    out: dict[str, Any], progress: Progress,
) -> dict[str, Reached]:  # fmt: skip
    """Largest relative error of the currents and impedances of curves by the grid; infinite where a coarser one fails.

    Each state is prepared again on each of the coarser grids, and measured at `checked_biases`.
    """
    places = checked_biases(case, coords["bias"])
    grids, values = [case.device.film.cells], [checked_values(out)[:, :, places]]
    for i, fewer in enumerate(coarser):
        grids.append(fewer.device.film.cells)
        values.append(np.full_like(values[0], np.nan))
        points = points_at_rest(
            fewer, coords["temperature"], partial(part_done, progress, i, len(coarser)), only=coords["bias"][places]
        )
        try:
            for place, run, voltage in points:
                values[-1][place] = checked_values(measure(run, voltage))
        except (SolverError, CaseError):  # of kinds whose own layers would have too few cells
            pass
    errors = [grid_error.error_of_read(grids, of_grids) for of_grids in zip(*map(np.ravel, values), strict=True)]
    worst = int(np.argmax(errors))
    V = coords["bias"][places[np.unravel_index(worst, values[0].shape)[2]]]
    return {GRID: Reached(errors[worst], f"a bias of {V:.4g} V")}


def part_done(progress: Progress, i: int, count: int, fraction: float) -> None:
    """Report a fraction of part i of a count of equal ones as that of the whole."""
    if progress:
        progress((i + fraction) / count)


def checked_values(values: dict[str, Any]) -> np.ndarray:
    """Current [A] and, of small signals, size of the impedance [ohm] at the first and last frequency, (..., 1 or 3)."""
    current = np.asarray(values["bias_current"])[..., None]
    if "impedance_real" not in values:
        return current
    ends = [np.asarray(values[name])[..., [0, -1]] for name in ("impedance_real", "impedance_imag")]
    return np.concatenate((current, np.hypot(*ends)), axis=-1)


def iv(
    case: Case, progress: Progress = None, trail: Trail | None = None, check_grid: bool = False
) -> xr.Dataset:  # fmt: skip
    """I-V curves at frozen ions: every state of the drive, at every temperature; nan where the run ended early."""
    return curves_at_rest(case, CURVES, bias_point, progress=progress, trail=trail, check_grid=check_grid)


def bias_point(frozen: Run, voltage: float) -> dict[str, Any]:
    """Values of CURVES at a source voltage, means over the columns, and CHANNEL_SHARE (C,). Raises SolverError."""
    integrate.jump(frozen, voltage)
    by_channel = np.empty(len(frozen.junction.channels.code))
    conductance, unseen, share, energy, good = transport(
        frozen.junction, frozen.state, frozen.tangent.present, by_channel
    )
    if not good:
        integrate.fail(frozen, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    state, weight, V_j = frozen.state, frozen.junction.columns.weight, float(frozen.state.V[0])
    bending = weight @ [edge(at, -D)[2] for at, D in zip(frozen.junction.right, state.D_right, strict=True)]
    charges = weight @ state.D_left, -weight @ state.D_right
    values = dict(zip(CURVES, (conductance * V_j, V_j, share, energy, bending, *charges, unseen), strict=True))
    return values | ({CHANNEL_SHARE: by_channel / conductance} if len(by_channel) > 1 else {})


ANSWERS_OF_KINDS = "kind_capacitance", "kind_conductance_ac"
ANSWERS = "impedance_real", "impedance_imag", "capacitance", "conductance_ac"
TRAP_NOISE = "trap_noise"
SURE = 1e-12  # V, of the junction voltage at which the ions come to rest


def small_signal(
    case: Case, progress: Progress = None, trail: Trail | None = None, check_grid: bool = False
) -> xr.Dataset:  # fmt: skip
    """Answer of every state of the drive at every temperature, bias and frequency; nan where the run ended early."""
    drive = case.drive
    assert isinstance(drive, Following)  # `simulate` sends no other drive here
    frequency, dwell = drive.frequency_values(), drive.dwell if isinstance(drive, CV) else 0.0

    def measure(run: Run, voltage: float) -> dict[str, Any]:
        if drive.settle:
            come_to_rest(run, voltage)
        if dwell:
            integrate.jump(run, voltage)
            integrate.follow_piece(run, dwell, voltage, voltage)
        return bias_point(run, voltage) | answers(case, run, voltage, frequency)

    more = (
        *(ANSWERS_OF_KINDS if len(kinds_of(case)) > 1 else ()),
        *((TRAP_NOISE,) if any(trap.kinetic for trap in case.device.traps or ()) else ()),
    )
    names = (*CURVES, *ANSWERS, "drift_ratio", *more)
    return curves_at_rest(case, names, measure, {"frequency": frequency}, progress, trail, check_grid)


def answers(case: Case, run: Run, voltage: float, frequency: np.ndarray) -> dict[str, Any]:
    """ANSWERS (F,) of a settled run at frequencies (F,) [Hz], how far its ions drift, ANSWERS_OF_KINDS (F, kinds) of unlike
    kinds, TRAP_NOISE (F,) of traps whose filling takes time.

    Raises SolverError.
    """
    drive = case.drive
    assert isinstance(drive, Following)
    begin_step(run.junction, run.state)
    columns = linear_response.linearised(run.junction, run.state, case.device.junction_area)
    if columns is None:
        integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    moving, following, omega = drive.ions == "moving", drive.polarisation == "following", 2.0 * np.pi * frequency
    of_columns = linear_response.admittances(columns, frequency, moving, following)
    if have_memory(run.state):
        moved = [column.charges.moved(omega, moving, following) for column in columns] if moving or following else ()
        of_columns = of_columns + admittances_of_traps(run, omega, moved)
    inside = of_columns.sum(axis=0) + 1j * omega * case.circuit.parallel_capacitance
    Z = case.circuit.series_resistance + 1.0 / inside
    Y = 1.0 / Z if case.circuit.series_resistance else inside
    # ions at rest move by round-off, which no frequency is high enough for
    drift = linear_response.drift_ratio(columns, 1.0 / omega.min(), moving and not drive.settle, following)
    values = dict(zip(ANSWERS, (Z.real, Z.imag, Y.imag / omega, Y.real), strict=True)) | {"drift_ratio": drift}
    if len(kinds_of(case)) > 1:
        C, G = of_columns.imag.T / omega[:, None], of_columns.real.T
        values |= dict(zip(ANSWERS_OF_KINDS, (by_kind(case, C), by_kind(case, G)), strict=True))
    if have_memory(run.state):
        values[TRAP_NOISE] = trap_noise(run, omega)
    return values


def come_to_rest(run: Run, voltage: float) -> None:
    """Let the ions of a run come to rest at a source voltage [V], the circuit in series. Raises SolverError."""

    def missing(V_j: float) -> float:
        """Source voltage that belongs to the rest at V_j, less the given one [V]."""
        rest(run, V_j, voltage)
        integrate.check_status(run, close_all(run.junction, run.state, V_j, CLOSURE_TOLERANCE), 0.0, voltage, 0.0, 0.0)
        if V_j and not conduct(run.junction, run.state, run.tangent, False):
            integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
        too_much: float = V_j + drop(run.junction, V_j * add_up(run.state.G))[0] - voltage
        return too_much

    V_j = voltage
    if coupled(run.junction) and voltage:
        V_j = scipy.optimize.brentq(missing, 0.0, voltage, xtol=SURE)
    rest(run, V_j, voltage)
    run.tangent.V[:] = np.nan  # the ions have moved far


def rest(run: Run, V_j: float, voltage: float) -> None:
    """Put the ions of a run into their state of rest at a junction voltage [V]. Raises SolverError."""
    junction, state, reservoir = run.junction, run.state, finite_reservoir(run.junction)
    if reservoir is not None:
        given = given_at_rest(run, reservoir, V_j)
        state.passed[:, reservoir.row] = reservoir.sign * given
        junction = after_giving(junction, reservoir, given)
    c = relaxed(junction, state.c, V_j, state.P)
    if c is None:
        integrate.fail(run, "EQUILIBRIUM_NOT_FOUND", 0.0, voltage, 0.0, np.inf)
    state.c[:] = c


class Reservoir(NamedTuple):
    """The oxygen of an electrode that exchanges vacancies, of which there is so much only."""

    walls: tuple[Wall, ...]  # of the columns
    row: int  # of State.passed
    sign: float  # of a flux along x into the film


def finite_reservoir(junction: Junction) -> Reservoir | None:
    """The reservoir with an end, None without one. The other electrode blocks then."""
    for walls, row, sign in ((junction.left_wall, AT_LEFT, 1.0), (junction.right_wall, AT_RIGHT, -1.0)):
        if passes(walls[0]) and walls[0].capacity < np.inf:
            return Reservoir(tuple(walls), row, sign)
    return None


def after_giving(junction: Junction, reservoir: Reservoir, given: np.ndarray) -> Junction:
    """The junction whose reservoir at its initial filling is as this one after it has given ions (K,) [1/m2] to the film.

    Filling y and pressure p of the oxygen act alike: c/(n - c) at rest goes with (1 - y)/y, and with p^(-1/2).
    """
    walls = list[Wall]()
    for wall, into in zip(reservoir.walls, given.tolist(), strict=True):
        filling = filling_of(wall, into)
        odds = math.log(filling / wall.filling * (1.0 - wall.filling) / (1.0 - filling))
        walls.append(wall._replace(log_oxygen=wall.log_oxygen + 2.0 * odds))
    at_left = reservoir.row == AT_LEFT
    return junction._replace(left_wall=Row(walls)) if at_left else junction._replace(right_wall=Row(walls))


def given_at_rest(run: Run, reservoir: Reservoir, V_j: float) -> np.ndarray:
    """Ions (K,) [1/m2] that a reservoir has given since the beginning, with which film and reservoir rest at V_j [V]."""
    state, columns = run.state, run.junction.columns
    given, held = reservoir.sign * state.passed[:, reservoir.row], (state.c * columns.width).sum(axis=1)
    sites = (columns.sites * columns.width).sum(axis=1)
    oxygen, free = np.array([(wall.filling, 1.0 - wall.filling) for wall in reservoir.walls]).T * [
        wall.capacity for wall in reservoir.walls
    ]

    least, most = np.maximum(-oxygen, given - held), np.minimum(free, given + sites - held)

    def missing(more: np.ndarray, k: np.ndarray) -> np.ndarray:
        """What columns k have got, less what they hold more beside the reservoir that has given so much [1/m2].

        An end, at which either reservoir or film is empty or full, counts as far on its side.
        """
        after = given.copy()
        after[k] = more
        full, none = after <= least, after >= most
        after[full | none] = given[full | none]
        c = relaxed(after_giving(run.junction, reservoir, after), state.c, V_j, state.P)
        if c is None:
            return np.full(more.size, np.nan)
        holds = np.where(full, sites, np.where(none, 0.0, (c * columns.width).sum(axis=1)))
        return more - given[k] - (holds - held)[k]

    return np.asarray(elementwise.find_root(missing, (least, most), args=(np.arange(given.size),)).x)
