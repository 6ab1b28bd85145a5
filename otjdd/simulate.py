"""Case in, Dataset out: the one module that knows all parts.

ds = otjdd.run("cases/rv-loop.toml", **{"device.film.thickness": "3.2 nm"})
"""

import json
import time

import numpy as np

from otjdd import checkpoint, circuit, integrate, known, model, results
from otjdd.case import Case, load_case
from otjdd.integrate import SolverError
from otjdd.limits import interruption

__all__ = ["SolverError", "iv", "run", "simulate"]

PROBE = 0.1  # V, at which the current spectrum of a snapshot is taken when the source stands at 0 V


def run(case, *, progress=None, checkpoints=None, **changes):
    """Simulate a case, given as a record or as the path of a case file; changes are dotted key -> value with unit.

    Returns an xarray.Dataset (SI, energies in eV; names and units in `otjdd.results.OUTPUTS`).
    progress : called with the fraction done   checkpoints : `checkpoint.Place` of them, None for none
    Raises CaseError, SolverError (its `partial` is what was computed), ResultError for a checkpoint of something else.
    """
    if not isinstance(case, Case):
        case = load_case(case, changes)
    elif changes:
        case = case.replace(**changes)
    return simulate(case, progress, checkpoints=checkpoints)


def simulate(case: Case, progress=None, start=None, checkpoints=None):
    """Dataset of a case: of its waveform, or of I-V curves at frozen ions when its drive is of that kind.

    start : concentrations (K, N) [1/m3] instead of those that the case says
    checkpoints : `checkpoint.Place` of them, None for none; curves at frozen ions have none
    """
    known.trust()
    if case.drive.kind == "iv":
        return iv(case, progress)
    began = time.perf_counter()
    parts = model.members(case)
    junction = model.junction(case, parts=parts)
    waveform, files, numerics = case.drive.waveform(), files_named(case), case.numerics
    belongs = checkpoint.belonging(case) if checkpoints else {}
    saved = checkpoint.found(checkpoints, belongs)
    start = saved.start if saved else start
    c, failure = (start, None) if start is not None else prepared(case, junction, parts)
    moving = integrate.begin(junction, c, rtol=numerics.rtol, atol=numerics.atol, max_steps=numerics.max_steps)
    if saved:
        checkpoint.restore(moving, saved)
        began -= saved.wall_time
    progress = checkpoint.now_and_then(checkpoints, moving, belongs, began, progress)
    failure = failure or undergo(case, moving, waveform, progress, moving.at if saved else None)
    reads = readings(moving, waveform)
    snapshots, failed = snapshots_of(case, moving)
    failure = failure or failed
    ds = collect(case, junction, moving, reads, snapshots, time.perf_counter() - began, failure).assign_attrs(files)
    return delivered(ds, failure)


def prepared(case, junction, parts):
    """Concentrations (K, N) [1/m3] that a case starts from, and the failure that kept it from getting there, if any."""
    try:
        return integrate.start(case, junction, parts), None
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return model.uniform(parts, case.device.film.cells), ending(error)


def undergo(case, moving, waveform, progress, at):
    """Take a run along a waveform and record what the case asks for; `at` of one that stands on it, else None.

    Returns the SolverError or KeyboardInterrupt that ended it before its time, None when none did.
    """
    record = case.record
    try:
        if at is None:
            integrate.observe(moving, 0.0)
            integrate.keep(moving, 0.0)  # the state that is started from, before the drive comes on
        integrate.drive(
            moving, waveform, every=record.every, stops=record.instants(waveform.duration)[1:],
            keep_reads=record.profiles_at_reads, progress=progress, at=at,
        )  # fmt: skip
        if record.every != "all":
            integrate.observe(moving, float(waveform.voltages[-1]))
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        return ending(error)
    return None


def ending(error: BaseException):
    """The failure or interruption that an exception is; raises the exception when it is neither."""
    found = error if isinstance(error, SolverError) else interruption(error)
    if found is None:
        raise error
    return found


def status(failure) -> str:
    """How a run ended, in words."""
    return "done" if failure is None else str(failure) or "interrupted"


def delivered(ds, failure):
    """The Dataset of a run; raises the failure that ended it before its time, with the Dataset as its `partial`."""
    if failure is not None:
        failure.partial = ds
        raise failure
    return ds


def readings(moving, waveform) -> dict:
    """Arrays (R,) of the reads that were taken."""
    from otjdd.physics import stepper

    rows = np.concatenate(moving.reads) if moving.reads else np.zeros((0, stepper.READING))
    voltage, current = rows[:, stepper.READ_SOURCE], rows[:, stepper.READ_CURRENT]
    return {
        "read_time": rows[:, stepper.READ_TIME],
        "write_voltage": np.array([write for _, write in waveform.reads][: len(rows)], dtype=float),
        "read_voltage": voltage,
        "read_current": current,
        "read_resistance": np.divide(voltage, current, out=np.full(len(rows), np.nan), where=current != 0.0),
        "tunnelling_share": rows[:, stepper.READ_SHARE],
        "transport_energy": rows[:, stepper.READ_ENERGY],
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


def snapshot(case, moving, kept) -> dict:
    """Profiles of a kept state, and the spectrum of the current of its middle column, at PROBE if the source is at 0 V."""
    from otjdd.physics import probe

    integrate.restore(moving, kept, kept.voltage)
    junction, state, weight = moving.junction, moving.state, moving.junction.columns.weight
    bands = np.array([film_band(junction, state, k) for k in range(len(weight))])
    right, middle = case.device.right, len(weight) // 2
    states = right.states(case.temperature) if right.kind == "semiconductor" else 2.5e25 * right.mass**1.5
    profiles = {
        "snapshot_time": kept.time,
        "vacancy_concentration": weight @ state.c,
        "vacancy_concentration_columns": state.c.copy(),
        "conduction_band": weight @ bands,
        "film_electron_ratio": probe.film_electron_ratio(state.c, bands, junction.kT, states, junction.ions.z),
    } | band_diagram(junction, state, middle)
    if kept.voltage == 0.0:
        integrate.jump(moving, PROBE)
    return profiles | spectrum_of(junction, state, middle)


def film_band(junction, state, k: int) -> np.ndarray:
    """Conduction band (N,) [eV] at the cell centres of column k."""
    from otjdd.physics import electrostatics

    at_right = electrostatics.edge(junction.right, -state.D_right[k])[0]
    rise = junction.columns.distance[k] * state.E[k]
    return at_right - np.cumsum(rise[::-1])[::-1][1:]


def profile_of(junction, state, k: int):
    """Band profile of column k."""
    from otjdd.physics import junction as kernels

    return kernels.band_profile(junction, k, state.D_left[k], state.D_right[k], state.V[0], state.E[k])


def band_diagram(junction, state, k: int) -> dict:
    """Band edge through electrodes and film of column k; x = 0 at the left end of the film."""
    profile = profile_of(junction, state, k)
    ends = np.concatenate(([0.0], np.cumsum(profile.length)))
    thickness = junction.columns.width[k].sum()
    film = np.flatnonzero(profile.mass == junction.film_mass)
    left = len(profile.length) - junction.nodes.size + 1
    before = 0 if not len(film) else next(
        i for i in range(left + 1) if np.isclose(ends[i + junction.nodes.size - 1] - ends[i], thickness, rtol=1e-9)
    )  # fmt: skip
    x = ends - ends[before]
    position = np.concatenate(([x[0] - 2e-9, x[0]], np.repeat(x, 2)[1:-1], [x[-1], x[-1] + 2e-9]))
    bands = np.column_stack((profile.left, profile.right)).ravel()
    edge = np.concatenate(([profile.bottom_left] * 2, bands, [profile.bottom_right] * 2))
    return {"band_position": position, "band_edge": edge}


def spectrum_of(junction, state, k: int) -> dict:
    """Current density per energy of column k at the settled voltage."""
    from otjdd.physics import current, tunnelling

    profile, V = profile_of(junction, state, k), float(state.V[0])
    energy = np.linspace(max(profile.bottom_left, profile.bottom_right), max(profile.left.max(), 0.0, -V) + 0.5, 401)[
        1:
    ]
    T = tunnelling.transmission(junction.transmission, profile, energy, energy[0], energy[-1])
    supply = np.array([current.supply(E, V, junction.kT) for E in energy])
    return {"spectrum_energy": energy, "spectrum_density": T * supply * V}


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unlike length as one array, filled up with nan."""
    out = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def collect(case, junction, moving, reads: dict, snapshots, wall_time: float, failure):
    """Dataset of what a run has recorded."""
    from otjdd.physics import stepper

    rows = np.concatenate(moving.rows) if moving.rows else np.zeros((0, stepper.RECORD))
    rows = rows[np.concatenate(([True], np.diff(rows[:, 0]) > 0))] if len(rows) else rows
    arrays = series(case, junction, rows)
    faces = model.grid_faces(case.device.film.thickness, case.device.film.cells, case.device.film.grading)
    coords = {"time": rows[:, 0], "x": model.centres(faces)}
    arrays |= reads | {"cell_width": np.diff(faces), "column_weight": junction.columns.weight}
    density = case.device.conducting_fraction * case.device.richardson * case.temperature**2 / junction.kT
    if snapshots:
        for name in snapshots[0]:
            values = [row[name] for row in snapshots]
            arrays[name] = padded(values) if name.startswith(("band_", "spectrum_")) else np.array(values)
        arrays["spectrum_density"] = arrays["spectrum_density"] * density
    statistics = moving.counts._asdict() | {"status": status(failure)}
    return results.dataset(arrays, coords, attributes(case, statistics, wall_time))


def attributes(case, statistics: dict, wall_time: float) -> dict:
    """Attributes of a result: the case and where the numbers come from."""
    return results.provenance(
        case.source, case.resolved(), title=case.title, statistics=statistics, wall_time=wall_time
    )


def files_named(case) -> dict:
    """Attribute with the waveforms that a case names. Read before the run: files change while it lasts."""
    texts = case.texts()
    return {"case_files": json.dumps(texts)} if texts else {}


def series(case, junction, rows: np.ndarray) -> dict:
    """Time series from the recorded rows (T, RECORD)."""
    from otjdd.physics import stepper

    t, V_j, charge = rows[:, stepper.TIME], rows[:, stepper.JUNCTION], rows[:, stepper.CHARGE]
    conduction = rows[:, stepper.CURRENT]
    total = case.device.area * charge + case.circuit.parallel_capacitance * V_j
    displacement = np.concatenate(([0.0], np.diff(total) / np.diff(t))) if len(t) else total
    return {
        "voltage": rows[:, stepper.SOURCE],
        "junction_voltage": V_j,
        "band_bending": rows[:, stepper.BENDING],
        "electrode_charge": charge,
        "right_electrode_charge": rows[:, stepper.CHARGE_RIGHT],
        "vacancy_mean_position": rows[:, stepper.POSITION],
        "conduction_current": conduction,
        "displacement_current": displacement,
        "current": circuit.read_out(t, conduction, displacement, case.circuit) if len(t) else conduction,
        "vacancy_balance": rows[:, stepper.BALANCE],
    }


def iv(case: Case, progress=None):
    """I-V curves at frozen ions: every state of the drive, at every temperature; nan where it was ended before."""
    began = time.perf_counter()
    drive, failure = case.drive, None
    temperatures = list(drive.temperatures) or [case.temperature]
    coords = {"state": np.array(list(drive.histories()), dtype=object), "temperature": temperatures}
    coords["bias"] = drive.bias_voltages()
    out = np.full((4, *map(len, coords.values())), np.nan)
    try:
        trace(case, temperatures, out, progress)
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        failure = ending(error)
    names = ("bias_current", "bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy")
    ds_attrs = attributes(case, {"status": status(failure)}, time.perf_counter() - began)
    return delivered(results.dataset(dict(zip(names, out, strict=True)), coords, ds_attrs), failure)


def trace(case: Case, temperatures, out: np.ndarray, progress=None) -> None:
    """Fill curves (4, states, temperatures, bias) with what `bias_point` gives. Raises SolverError.

    The states are made at the case's own temperature.
    """
    parts, numerics = model.members(case), case.numerics
    junction = model.junction(case, parts=parts)
    histories, bias = case.drive.histories(), case.drive.bias_voltages()
    c0 = integrate.start(case, junction, parts)
    for i, waveform in enumerate(histories.values()):
        moving = integrate.begin(junction, c0, rtol=numerics.rtol, atol=numerics.atol, max_steps=numerics.max_steps)
        integrate.drive(moving, waveform)
        for j, T in enumerate(temperatures):
            hot = model.junction(case, T, parts)
            frozen = integrate.begin(hot, moving.state.c, rtol=numerics.rtol, atol=numerics.atol)
            frozen.state.D_right[:] = moving.state.D_right
            for k, V in enumerate(bias):
                out[:, i, j, k] = bias_point(frozen, float(V))
        if progress:
            progress((i + 1) / len(histories))


def bias_point(frozen, voltage: float) -> tuple[float, float, float, float]:
    """Current [A], junction voltage [V], tunnelling share and transport energy [eV] at a source voltage."""
    from otjdd.physics import probe

    integrate.jump(frozen, voltage)
    conductance, share, energy, good = probe.transport(frozen.junction, frozen.state)
    if not good:
        integrate.fail(frozen, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    V_j = float(frozen.state.V[0])
    return conductance * V_j, V_j, share, energy
