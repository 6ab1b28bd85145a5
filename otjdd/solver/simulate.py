"""From the case of one junction to its Dataset."""

import json
import time
from collections.abc import Collection, Generator
from typing import NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.errors import ResultError, SolverError
from otjdd.results import outputs
from otjdd.solver import checkpoint, initial, integrate, model, model_limits, read_out, self_check
from otjdd.solver.iv import iv
from otjdd.solver.outcome import attributes, delivered, ending, limits, status
from otjdd.solver.small_signal import small_signal
from otjdd.solver.snapshots import needed, snapshot
from otjdd.system.steps import finished
from otjdd.waveform.writes import last_writes

WITHOUT_WAVEFORM = {"iv": iv, "cv": small_signal, "impedance": small_signal}  # by kind of drive
ROUND_OFF = 8.0  # last digits of a time, by which the ends of two blocks of a waveform may differ
SMALLEST_JUMP = 1e-6  # V, larger than the change by settling once more


class Found(NamedTuple):
    """Outputs of a run by name, and the limits of the model that it exceeds, a line each."""

    arrays: dict[str, np.ndarray]
    limits: str


def simulate(case: Case, progress=None, start=None, checkpoints=None):
    """Dataset of a case: of its waveform, or of I-V curves at frozen ions when its drive is of that kind.

    start : concentrations (K, N) [1/m3] instead of those that the case says
    checkpoints : `checkpoint.Place` of them, None for none; curves at frozen ions have none
    """
    self_check.trust()
    case = case.without_fit()
    if case.drive.kind in WITHOUT_WAVEFORM:
        return WITHOUT_WAVEFORM[case.drive.kind](case, progress)
    began = time.perf_counter()
    waveform, files = case.waveform(), files_named(case)
    case.record.check_reads(waveform.read_count)
    belongs = checkpoint.belonging(case) if checkpoints else {}
    saved = checkpoint.found(checkpoints, belongs)
    moving, failure = begun(case, saved.start if saved else start)
    if saved:
        checkpoint.restore(moving, saved)
        began -= saved.wall_time
    keeper = checkpoint.Keeper(checkpoints, moving, belongs, began, progress) if checkpoints else None
    try:
        failure = failure or undergo(case, moving, waveform, keeper or progress, moving.at if saved else None)
    except integrate.Misplaced as error:
        raise ResultError(saved.path, f"does not fit its run ({error})", checkpoint.AFRESH) from error
    if keeper and isinstance(failure, KeyboardInterrupt):
        keeper.write()
    reads, far = readings(moving, waveform), moving.time  # before the snapshots, which take it back
    snapshots, failed = snapshots_of(case, moving)
    failure = failure or failed
    statistics = {"status": status(failure), "time_reached": far, "time_total": waveform.duration}
    took = time.perf_counter() - began
    arrays, coords, reached = collected(case, moving, reads, snapshots)
    about = attributes(case, moving.counts._asdict() | statistics, took, reached)
    return delivered(outputs.dataset(arrays, coords, about | files), failure)


def arrays(case: Case, only: Collection[str], progress=None) -> Found:
    """Outputs in `only` of a case with a waveform, and the coordinates of their dimensions, without a Dataset.

    Profiles are computed if one is among them. Raises what ends the run.
    """
    return finished(in_steps(case, only, progress))


def in_steps(case: Case, only: Collection[str], progress=None) -> Generator[None, None, Found]:
    """The same in three steps, so that several short runs can take each of them together, one after the other."""
    self_check.trust()
    case = case.without_fit()
    waveform = case.waveform()
    case.record.check_reads(waveform.read_count)
    moving, failure = begun(case)
    yield
    failure = failure or undergo(case, moving, waveform, progress, None)
    yield
    reads = readings(moving, waveform)
    snapshots, failed = snapshots_of(case, moving) if needed(only) else ([], None)
    if failure or failed:
        raise failure or failed
    found, coords, reached = collected(case, moving, reads, snapshots, only)
    return Found(outputs.chosen(found | coords, only), limits(reached)[model_limits.ATTRIBUTE])


def begun(case, start=None):
    """The run of a case at its start, from concentrations (K, N) [1/m3] unless it says its own; and what prevented it."""
    parts, numerics = model.members(case), case.numerics
    junction = model.junction(case, parts=parts)
    c, failure = (start, None) if start is not None else prepared(case, junction, parts)
    watch = model_limits.new_watch(
        case.device.film_states(case.temperature), case.device.radius, case.device.film.cells
    )
    moving = integrate.begin(
        junction, c, rtol=numerics.rtol, atol=numerics.atol, max_steps=numerics.max_steps, watch=watch
    )
    return moving, failure


def prepared(case, junction, parts):
    """Concentrations (K, N) [1/m3] that a case starts from, and the failure that prevented it, if any."""
    try:
        return initial.start(case, junction, parts), None
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return model.uniform(parts, case.device.film.cells), ending(error)


def undergo(case, moving, waveform, progress, at):
    """Take a run along a waveform and record what the case asks for; `at` of one that stands on it, else None.

    Returns the SolverError or KeyboardInterrupt that ended it early, None otherwise.
    """
    record = case.record
    try:
        if at is None:
            integrate.observe(moving, 0.0)
            integrate.keep(moving, 0.0)  # the state that is started from, before the drive comes on
        integrate.drive(
            moving, waveform, every=record.every, windows=record.windows, stops=record.instants(waveform.duration)[1:],
            keep_reads=record.profiles_at_reads, progress=progress, at=at,
        )  # fmt: skip
        if record.every != "all":
            integrate.observe(moving, waveform.last_voltage)
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return ending(error)
    return None


def readings(moving, waveform) -> dict:
    """Arrays (R,) of the reads that were taken."""
    from otjdd.stepping import record

    rows = np.concatenate(moving.reads) if moving.reads else np.zeros((0, record.READING))
    voltage, current = rows[:, record.READ_SOURCE], rows[:, record.READ_CURRENT]
    write_end, write_end_voltage = last_writes(waveform, len(rows)).T.copy()
    return {
        "read_time": rows[:, record.READ_TIME],
        "write_voltage": waveform.write_voltages[: len(rows)],
        "write_end": write_end,
        "write_end_voltage": write_end_voltage,
        "read_voltage": voltage,
        "read_current": current,
        "read_resistance": np.divide(voltage, current, out=np.full(len(rows), np.nan), where=current != 0.0),
        "tunnelling_share": rows[:, record.READ_SHARE],
        "transport_energy": rows[:, record.READ_ENERGY],
    }


def snapshots_of(case, moving) -> tuple[list[dict], SolverError | None]:
    """Profiles of all states that were kept, up to one whose current cannot be found, and that failure."""
    found = []
    for kept in moving.kept:
        try:
            found.append(snapshot(case, moving, kept))
        except SolverError as error:
            return found, error
    return found, None


def collected(case, moving, reads: dict, snapshots, only: Collection[str] | None = None):
    """Outputs of a run and their coordinates, by name, and output -> `model_limits.Reached`.

    only : names that are taken, None for all; time series are left out if none is among them
    """
    from otjdd.stepping import record

    junction = moving.junction
    rows = np.concatenate(moving.rows) if moving.rows else np.zeros((0, record.RECORD))
    rows[:, record.TIME] = simultaneous(rows[:, record.TIME])
    rows = rows[recorded_once(rows)]
    along_time = only is None or any("time" in outputs.OUTPUTS[name].dims for name in only)
    arrays = series(case, junction, rows) if along_time else {"conduction_current": rows[:, record.CURRENT]}
    faces = model.grid_faces(case.device.film.thickness, case.device.film.cells, case.device.film.grading)
    coords = {"time": rows[:, 0], "x": model.centres(faces)}
    arrays |= reads | {"cell_width": np.diff(faces), "column_weight": junction.columns.weight}
    density = case.device.conducting_fraction * case.device.richardson * case.temperature**2 / junction.kT
    if snapshots:
        for name in snapshots[0]:
            values = [row[name] for row in snapshots]
            arrays[name] = rectangular(values) if name.startswith(("band_", "spectrum_")) else np.array(values)
        arrays["spectrum_density"] = arrays["spectrum_density"] * density
    recorded = extremes(case, arrays, coords["time"])
    reached = model_limits.larger(model_limits.seen(moving.watch, case.device.area), recorded)
    arrays["film_electron_ratio_max"] = reached["film_electron_ratio"].value
    if case.device.film.electrons != "none":  # then they are part of the model
        del reached["film_electron_ratio"]
    return arrays, coords, reached


def extremes(case, arrays: dict, time: np.ndarray) -> dict:
    """Largest values of the quantities that have a limit, over records, reads and snapshots.

    time : (T,) of the time series [s]
    """
    times = np.concatenate((time, arrays["read_time"]))
    currents = np.concatenate((arrays["conduction_current"], arrays["read_current"]))
    ratio = arrays.get("film_electron_ratio", np.zeros(0))
    return {
        "film_electron_ratio": model_limits.of_series(arrays.get("snapshot_time"), ratio),
        "current_density": model_limits.of_series(times, currents / case.device.area),
    }


def rectangular(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unlike length as one array, filled up with nan."""
    out = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def files_named(case) -> dict:
    """Attribute with the waveforms that a case names. Read before the run: files change while it lasts."""
    texts = case.texts()
    return {"case_files": json.dumps(texts)} if texts else {}


def simultaneous(t: np.ndarray) -> np.ndarray:
    """Times (T,) of records; times that differ by round-off from the one before are set equal to it."""
    same = np.concatenate(([False], t[1:] - t[:-1] <= ROUND_OFF * np.spacing(np.abs(t[1:]))))[: len(t)]
    return np.maximum.accumulate(np.where(same, -np.inf, t))


def recorded_once(rows: np.ndarray) -> np.ndarray:
    """True for rows (T, RECORD) that do not repeat the one before: the time is later, or the voltage has jumped."""
    from otjdd.stepping import record

    later = rows[1:, record.TIME] > rows[:-1, record.TIME]
    jumped = np.abs(rows[1:, record.SOURCE] - rows[:-1, record.SOURCE]) > SMALLEST_JUMP
    return np.concatenate(([True], later | jumped))[: len(rows)]


def rate(t: np.ndarray, charge: np.ndarray) -> np.ndarray:
    """Mean rate of a charge (T,) since the record before, 0 in the first.

    Right after a jump of the voltage a second record has the time of the one before it. What the jump charges is part of
    the rate in the interval that follows.
    """
    before = np.searchsorted(t, t) - 1  # last record of an earlier time
    before = np.searchsorted(t, t[before])  # the first one of that time
    took = t - t[before]
    later = np.diff(t, prepend=np.inf) > 0.0  # than the record before; the first has none
    return np.divide(charge - charge[before], took, out=np.zeros(len(t)), where=later)


def series(case, junction, rows: np.ndarray) -> dict:
    """Time series from the recorded rows (T, RECORD)."""
    from otjdd.stepping import record

    t, V_j, charge = rows[:, record.TIME], rows[:, record.JUNCTION], rows[:, record.CHARGE]
    conduction = rows[:, record.CURRENT]
    terminal = rows[:, record.TERMINAL_LEFT]
    displacement = rate(t, case.device.area * terminal + case.circuit.parallel_capacitance * V_j)
    electrons = {
        "terminal_charge_left": terminal,
        "terminal_charge_right": rows[:, record.TERMINAL_RIGHT],
        "film_electron_sheet": rows[:, record.SHEET],
    }
    return {
        "voltage": rows[:, record.SOURCE],
        "junction_voltage": V_j,
        "band_bending": rows[:, record.BENDING],
        "electrode_charge": charge,
        "right_electrode_charge": rows[:, record.CHARGE_RIGHT],
        "vacancy_mean_position": rows[:, record.POSITION],
        "conduction_current": conduction,
        "displacement_current": displacement,
        "current": read_out.read_out(t, conduction, displacement, case.circuit) if len(t) else conduction,
        "temperature_rise": rows[:, record.RISE],
        "vacancy_balance": rows[:, record.BALANCE],
    } | (electrons if case.device.film.electrons != "none" else {})
