"""Places of measured points in a run: the read, the time or the bias voltage of each. Nothing is simulated.

A loop passes each voltage several times, so points are matched in their order. If the data hold time and voltage with
a current, the measured waveform drives the run; otherwise the drive of the case does. A run without reads gets a
read at each measured time, so that nothing is interpolated between time steps of the solver. A row without a measured
number still counts for the waveform and for the order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from otjdd.analysis.sweeps import monotonic_slices, piece_numbers
from otjdd.case.base import HIGHEST
from otjdd.case.case import Case
from otjdd.case.drive import Hold
from otjdd.case.drive_curves import Prepared
from otjdd.case.problem import Problem, data_error
from otjdd.errors import CaseError, DataError
from otjdd.fitting.curves import CHARGES
from otjdd.measurements.datasets import row_of_point
from otjdd.measurements.names import AXES, UNCERTAINTY
from otjdd.system.late import xr
from otjdd.waveform.waveform import Chain, Waveform, concatenate, with_reads

NEAR = 0.5  # of the median step between voltages: largest distance of a point from its write
SLACK = 2e-3  # of the range of a sweep, by which a measured voltage may exceed its turning points
CLOSE = 0.02  # largest relative distance of a measured time from the time of a read
ROUNDING = 1e-6  # of the duration of a drive, by which a time with six digits may exceed the end
MOST = 100_000  # most points of a measured waveform
SHORTLY = (
    0.02  # of the straight piece before a point: how long before it the second read is placed, see `match_of_times`
)
PREFERRED = (
    "read_current", "resistance", "conductance", "polarisation", "current", "current_density", "capacitance",
    "electrode_charge",
)  # fmt: skip


class Match(NamedTuple):
    """The run of a curve, and where its points are in it.

    changes : of the case, by dotted key   source, take, state : as in `MeasuredCurve`
    axis : variable by which points are matched   driven : what drives the run, in words
    """

    changes: dict[str, Any]
    source: str
    take: np.ndarray
    axis: str
    state: str = ""
    driven: str = "its drive"


def quantity_in(ds: xr.Dataset) -> str:
    """Name of the measured quantity that is compared: the first of PREFERRED that the data hold."""
    names = [str(name) for name in ds if name not in AXES and not str(name).endswith(UNCERTAINTY)]
    return min(names, key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED))


def match(ds: xr.Dataset, rows: xr.Dataset, quantity: str, case: Case, state: str = "") -> Match:
    """Match of measured points: their run and places in it. Raises DataError for points that the drive never reaches.

    ds : points of one temperature, in their order, without repeats   rows : all rows that they are among
    """
    if quantity in CHARGES:
        if case.device.film.polarisation is None:
            expected = f"a case with [device.film.polarisation], for data of {quantity}"
            raise point_fault(ds, None, expected, "one without")
    elif case.drive.kind in ("iv", "cv"):
        return match_of_curves(ds, case, state)
    if not hasattr(case.drive, "waveform"):
        expected = "a drive with a waveform" + ("" if quantity in CHARGES else ", or of the kind iv or cv")
        raise point_fault(ds, None, expected, f"the kind {case.drive.kind}")
    if measures_waveform(ds, quantity, case):
        return match_of_waveform(ds, rows, case)
    waveform = case.drive.waveform()
    if reads_wanted(ds, quantity) and not waveform.read_count and isinstance(case.drive, Hold) and "time" in ds:
        measured, longest = ds["time"].values, case.drive.duration
        outside = np.flatnonzero((measured <= 0) | (measured > longest))
        if outside.size:
            expected = f"a time within the hold of {longest:g} s, above 0"
            raise point_fault(ds, outside[0], expected, f"{measured[outside[0]]:g} s")
        at, take = np.unique(measured, return_inverse=True)
        return Match({"drive.reads_at": at.tolist(), "drive.reads_per_decade": 0}, "reads", take, "time")
    if waveform.read_count and quantity not in CHARGES and (reads_wanted(ds, quantity) or "time" not in ds):
        return match_of_reads(ds, rows, waveform)
    shape = whole_waveform(waveform)
    if quantity not in ("current", "current_density", "resistance", "conductance", *CHARGES):
        raise point_fault(ds, None, f"a drive with reads, which {quantity} needs", f"a drive of kind {case.drive.kind}")
    times = ds["time"].values if "time" in ds else times_of(ds, "voltage", shape)
    late = np.flatnonzero((times < 0) | (times > shape.duration * (1 + ROUNDING)))
    if late.size:
        raise point_fault(ds, late[0], f"a time within the drive, 0 to {shape.duration:g} s", f"{times[late[0]]:g} s")
    times, axis = np.minimum(times, shape.duration), "time" if "time" in ds else "voltage"
    return match_of_times(np.column_stack((shape.times, shape.voltages)), times, axis, case)


def measures_waveform(ds: xr.Dataset, quantity: str, case: Case) -> bool:
    """True if measured times and voltages drive the run.

    With a current, P or D they drive the run, unless the voltage is constant and the drive has reads: the voltage then is
    the read voltage. With R or G they do if the voltage changes and the drive is no hold and has no reads.
    """
    if not {"time", "voltage"} <= set(ds) or not hasattr(case.drive, "waveform"):
        return False
    if quantity in ("resistance", "conductance"):
        return np.ptp(ds["voltage"].values) > 0 and not case.drive.waveform().read_count and case.drive.kind != "hold"
    changes = np.ptp(ds["voltage"].values) > 0 or not case.drive.waveform().read_count
    return quantity in ("current", "current_density", *CHARGES) and changes


def reads_wanted(ds: xr.Dataset, quantity: str) -> bool:
    """True if the measured points are reads."""
    return quantity in ("resistance", "conductance", "read_current") or bool({"write_voltage", "number"} & set(ds))


def by_time(ds: xr.Dataset, quantity: str, case: Case) -> bool:
    """True if points are matched by their times, so that each record needs a run of its own."""
    if case.drive.kind in ("iv", "cv") or "time" not in ds:
        return False
    return measures_waveform(ds, quantity, case) or not {"write_voltage", "voltage", "number"} & set(ds)


def match_of_waveform(ds: xr.Dataset, rows: xr.Dataset, case: Case) -> Match:
    """Match of points with the measured waveform, which consists of all rows and begins at the first. Raises DataError."""
    times, voltages = (rows[name].values for name in ("time", "voltage"))
    again = np.flatnonzero((np.diff(times) == 0) & (np.diff(voltages) != 0)) + 1
    if again.size:
        expected = "a time after the one before, for the voltage differs"
        hint = "leave out one of the two, by --skip"
        raise point_fault(rows, again[0], expected, f"{times[again[0]]:g} s", hint)
    beyond = np.flatnonzero(np.abs(voltages) > HIGHEST)
    if beyond.size:
        raise point_fault(rows, beyond[0], f"a voltage of at most {HIGHEST:g} V", f"{voltages[beyond[0]]:g} V")
    began = times[0]
    if not times[-1] > began:
        raise point_fault(rows, None, "times that differ, for a waveform", f"{began:g} s in all rows")
    _, first = np.unique(times, return_index=True)
    points = np.column_stack((times - began, voltages))[first]
    return match_of_times(points, ds["time"].values - began, "time", case)._replace(driven="the measured waveform")


def match_of_times(points: np.ndarray, times: np.ndarray, axis: str, case: Case) -> Match:
    """Match of times (n,) [s] in a waveform of points (m, 2) [s, V], with a read at each time.

    A second read is placed shortly before each, on the same straight piece. The charge that flows between the two gives
    the displacement current, see `curves.live_current`.
    """
    if len(points) > MOST or len(times) > MOST:
        raise CaseError([Problem("data", 0, 0, "", f"at most {MOST} points", str(max(len(points), len(times))))])
    shape = with_reads(Waveform(*points.T), times)
    later = shape.read_times[shape.read_times > 0]
    before = shape.times[np.searchsorted(shape.times, later) - 1]
    at = with_reads(shape, later - SHORTLY * (later - before)).read_times
    take = np.clip(np.searchsorted(at, times), 0, len(at) - 1)
    nearer = np.abs(at[take - 1] - times) < np.abs(at[take] - times)
    drive = {"kind": "table", "points": points.tolist(), "reads_at": at.tolist()}
    every = "all" if case.circuit.tau else "reads"  # the read-out of a slow instrument needs all time steps
    return Match({"drive": drive, "record.every": every}, "live", np.where(nearer, take - 1, take), axis)


def match_of_reads(ds: xr.Dataset, rows: xr.Dataset, waveform: Waveform | Chain) -> Match:
    """Match of the reads of a drive: by the voltage of the write before, by number, or by time. Raises DataError."""
    count = waveform.read_count
    if "write_voltage" in ds or "voltage" in ds:
        name = "write_voltage" if "write_voltage" in ds else "voltage"
        applied = waveform.write_voltages
        if name == "voltage" and isinstance(waveform, Waveform) and np.ptp(waveform.read_voltages) > 0:
            applied = waveform.read_voltages
        return Match({}, "reads", writes_in_order(rows, name, applied)[row_of_point(ds, rows)], name)
    if "number" in ds:
        number = rows["number"].values
        take = np.rint(ds["number"].values - min(number.min(), 1.0)).astype(int)
        beyond = np.flatnonzero(take >= count)
        if beyond.size:
            got = f"{ds['number'].values[beyond[0]]:g}"
            raise point_fault(ds, beyond[0], f"a number up to {count}, the reads of the drive", got)
        return Match({}, "reads", take, "number")
    times, at = ds["time"].values, whole_waveform(waveform).read_times
    take = np.abs(times[:, None] - at).argmin(axis=1)
    far = np.flatnonzero(np.abs(at[take] - times) > CLOSE * np.maximum(np.abs(times), at[0]))
    if far.size:
        raise point_fault(ds, far[0], "a time at which the drive reads", f"{times[far[0]]:g} s")
    return Match({}, "reads", take, "time")


def writes_in_order(ds: xr.Dataset, name: str, applied: np.ndarray) -> np.ndarray:
    """Index (n,) of the write of each measured point; every write is later than the one of the point before.

    name : variable with the voltages   applied : voltages of all writes [V]
    A point takes the first write within NEAR, or a later write as long as each next write is nearer. Raises DataError.
    """
    values = ds[name].values
    steps = np.abs(np.diff(applied))
    steps = steps[steps > 0]
    near = NEAR * (np.median(steps) if steps.size else 1.0)
    take, at = np.zeros(len(values), dtype=int), 0
    for i, value in enumerate(values):
        far = np.abs(applied[at:] - value)
        near_writes = np.flatnonzero(far < near)
        if not near_writes.size:
            order = " after the one before" if np.abs(applied - value).min() < near else ""
            expected = f"a voltage that the drive applies{order}"
            raise point_fault(ds, i, expected, f"{value:g} V")
        best = int(near_writes[0])
        while best + 1 < len(far) and far[best + 1] < far[best]:
            best += 1
        take[i] = at + best
        at = take[i] + 1
    return take


def times_of(ds: xr.Dataset, name: str, waveform: Waveform) -> np.ndarray:
    """Times (n,) [s] at which a waveform passes the measured voltages, branch by branch in order. Raises DataError."""
    if name not in ds:
        raise point_fault(ds, None, "a voltage or a time of each point", ", ".join(map(str, ds)))
    values, own = ds[name].values, piece_numbers(ds[name].values)
    # monotonic pieces of the waveform, with the turning points at both ends
    pieces = [(waveform.times[inside], waveform.voltages[inside]) for inside in monotonic_slices(waveform.voltages)]
    pieces = [piece for piece in pieces if np.ptp(piece[1]) > 0]
    slack, times, last = SLACK * np.ptp(waveform.voltages), np.zeros(len(values)), 0
    for number in range(own.max() + 1):
        inside = np.flatnonzero(own == number)
        part = values[inside]
        before = values[inside[0] - 1] if inside[0] else part[0]
        rises = part[-1] >= before if len(part) == 1 else part[-1] > part[0]
        for at in range(last, len(pieces)):
            t, V = pieces[at]
            if (V[-1] > V[0]) == rises and V.min() - slack <= part.min() and part.max() <= V.max() + slack:
                break
        else:
            beyond = (values < waveform.voltages.min() - slack) | (values > waveform.voltages.max() + slack)
            worst = int(np.argmax(beyond)) if beyond.any() else int(inside[0])
            raise point_fault(ds, worst, "a voltage that the drive applies, in its order", f"{values[worst]:g} V")
        order = np.argsort(V, kind="stable")
        times[inside], last = np.interp(part, V[order], t[order]), at
    return np.maximum.accumulate(times)


def match_of_curves(ds: xr.Dataset, case: Case, state: str) -> Match:
    """Match of curves at frozen ions, whose drive gets the measured voltages, and no other state. Raises DataError."""
    if "voltage" not in ds:
        raise point_fault(ds, None, "a voltage of each point, for curves at frozen ions", ", ".join(map(str, ds)))
    drive = case.drive
    assert isinstance(drive, Prepared)  # `match` has checked it
    states = list(drive.states)
    if len(states) > 1 and state not in states:
        expected = f"the state in which the data were measured, one of {', '.join(states)}"
        hint = f'say which: --state "{states[0]}", or state = "{states[0]}" in [[fit.data]]'
        raise point_fault(ds, None, expected, repr(state) if state else "none", hint)
    voltages, take = np.unique(ds["voltage"].values, return_inverse=True)
    state = state or (states[0] if states else "")
    plain = case.plain()["drive"]
    prepared = {name: writes for name, writes in plain.get("states", {}).items() if name == state}
    grid = {key: value for key, value in plain.items() if key not in ("start", "stop", "step")}
    changes: dict[str, Any] = {"drive": grid | {"voltages": voltages.tolist(), "temperatures": [], "states": prepared}}
    if drive.kind == "cv" and "frequency" in ds:
        if np.ptp(ds["frequency"].values) > 0:
            raise point_fault(ds, None, "a capacitance at one frequency; give each a data set", "several")
        changes["drive"]["frequencies"] = [float(ds["frequency"].values[0])]
    return Match(changes, "bias", take, "voltage", state)


def whole_waveform(waveform: Waveform | Chain) -> Waveform:
    """Waveform with all its breakpoints. Raises CaseError for more than MOST of them."""
    if isinstance(waveform, Waveform):
        return waveform
    if waveform.points > MOST:
        got = f"one of {waveform.points} breakpoints"
        raise CaseError([Problem("case", 0, 0, "drive", f"a drive of at most {MOST} breakpoints to match", got)])
    return concatenate([block.waveform for block in waveform.blocks()])


def point_fault(ds: xr.Dataset, point: int | None, expected: str, got: str, hint: str = "") -> DataError:
    """An error about a point of the data, with the line of its file."""
    line = 0 if point is None else int(ds["line"].values[point])
    return data_error(ds.attrs.get("file", "data"), line, expected, got, hint)
