"""Where in a run a measured point belongs: its read, its instant, or its bias voltage. Nothing is simulated for it.

A loop takes each voltage several times, so points are matched in their order. Where the data hold time and voltage, the
measured waveform drives the run; elsewhere the drive of the case does. A run without reads of its own gets one at each
measured instant, so that nothing is interpolated between the time steps of the solver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.case.problem import Problem
from otjdd.errors import CaseError, DataError
from otjdd.measurements.names import UNCERTAINTY
from otjdd.measurements.read import AXES
from otjdd.measurements.sweeps import branches
from otjdd.waveform.waveform import Waveform, concatenate

if TYPE_CHECKING:
    import xarray as xr

NEAR = 0.5  # of the step between voltages: a point further from every write belongs to none
SLACK = 2e-3  # of the range of a sweep: a source that is read back may pass its turning point by as much
CLOSE = 0.02  # relative distance of a measured time from that of a read
MOST = 100_000  # points of a measured waveform
PREFERRED = ("read_current", "resistance", "conductance", "current", "current_density", "capacitance")


class Match(NamedTuple):
    """The run of a curve and where its points are in it.

    changes : of the case, by dotted key   source, take : as in `Curve`   axis : name of what the points are matched by
    """

    changes: dict[str, Any]
    source: str
    take: np.ndarray
    axis: str
    state: str = ""


def quantity_in(ds: xr.Dataset) -> str:
    """Measured quantity that is compared: the only one, or the first of PREFERRED."""
    names = [str(name) for name in ds if name not in AXES and not str(name).endswith(UNCERTAINTY)]
    return min(names, key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED))


def match(ds: xr.Dataset, quantity: str, case: Case, state: str = "") -> Match:
    """Find the run and the places of measured points. Raises DataError for points that the drive never comes to.

    ds : points of one temperature, in their order, without repeats
    """
    if case.drive.kind in ("iv", "cv"):
        return at_bias(ds, case, state)
    if not hasattr(case.drive, "waveform"):
        raise fault(ds, None, "a drive with a waveform, or of the kind iv or cv", f"the kind {case.drive.kind}")
    return in_time(ds, quantity, case)


def in_time(ds: xr.Dataset, quantity: str, case: Case) -> Match:
    """Match of a drive with a waveform."""
    if {"time", "voltage"} <= set(ds) and quantity != "read_current" and np.ptp(ds["voltage"].values) > 0:
        times = ds["time"].values - ds["time"].values[0]
        return live(np.column_stack((times, ds["voltage"].values)), times, "time", case)
    waveform = case.drive.waveform()
    reads = waveform.read_count
    wants_reads = quantity in ("resistance", "conductance", "read_current") or {"write_voltage", "number"} & set(ds)
    if reads and (wants_reads or "time" not in ds):
        return of_reads(ds, waveform)
    if wants_reads and case.drive.kind == "hold" and "time" in ds:
        return kept(ds, case)
    if quantity not in ("current", "current_density", "resistance", "conductance"):
        raise fault(ds, None, f"a drive with reads, which {quantity} needs", f"a drive of the kind {case.drive.kind}")
    shape = whole(waveform)
    times = ds["time"].values if "time" in ds else times_of(ds, "voltage", shape)
    late = np.flatnonzero((times < 0) | (times > shape.duration * (1 + CLOSE)))
    if late.size:
        raise fault(ds, late[0], f"a time within the drive, 0 to {shape.duration:g} s", f"{times[late[0]]:g} s")
    times = np.minimum(times, shape.duration)
    return live(np.column_stack((shape.times, shape.voltages)), times, "time" if "time" in ds else "voltage", case)


def live(points: np.ndarray, times: np.ndarray, axis: str, case: Case) -> Match:
    """Match of instants (n,) [s] of a waveform of points (m, 2) [s, V], with a read at each."""
    if len(points) > MOST or len(times) > MOST:
        raise CaseError([Problem("data", 0, 0, "", f"at most {MOST} points", str(max(len(points), len(times))))])
    at, take = np.unique(times, return_inverse=True)
    drive = {"kind": "table", "points": points.tolist(), "reads_at": at.tolist()}
    slow = case.circuit.bandwidth or case.circuit.time_constant
    return Match({"drive": drive, "record.every": "all" if slow else "reads"}, "live", take, axis)


def kept(ds: xr.Dataset, case: Case) -> Match:
    """Match of a hold, which is read at the measured times."""
    times, take = np.unique(ds["time"].values, return_inverse=True)
    outside = np.flatnonzero((ds["time"].values <= 0) | (ds["time"].values > case.drive.duration))
    if outside.size:
        expected = f"a time within the hold of {case.drive.duration:g} s, above 0"
        raise fault(ds, outside[0], expected, f"{ds['time'].values[outside[0]]:g} s")
    return Match({"drive.reads_at": times.tolist(), "drive.reads_per_decade": 0}, "reads", take, "time")


def of_reads(ds: xr.Dataset, waveform) -> Match:
    """Match of the reads of a drive: by the voltage of the write before, by number, or by time."""
    count = waveform.read_count
    if "write_voltage" in ds or "voltage" in ds:
        name = "write_voltage" if "write_voltage" in ds else "voltage"
        found = waveform.write_voltages
        if name == "voltage" and isinstance(waveform, Waveform) and np.ptp(waveform.read_voltages) > 0:
            found = waveform.read_voltages
        return Match({}, "reads", in_order(ds, name, found), name)
    if "number" in ds:
        number = ds["number"].values
        take = np.rint(number - min(number.min(), 1.0)).astype(int)
        beyond = np.flatnonzero(take >= count)
        if beyond.size:
            raise fault(ds, beyond[0], f"a number up to {count}, the reads of the drive", f"{number[beyond[0]]:g}")
        return Match({}, "reads", take, "number")
    times, at = ds["time"].values, whole(waveform).read_times
    take = np.abs(times[:, None] - at).argmin(axis=1)
    far = np.flatnonzero(np.abs(at[take] - times) > CLOSE * np.maximum(np.abs(times), at[0]))
    if far.size:
        raise fault(ds, far[0], "a time at which the drive reads", f"{times[far[0]]:g} s")
    return Match({}, "reads", take, "time")


def in_order(ds: xr.Dataset, name: str, applied: np.ndarray) -> np.ndarray:
    """Numbers (n,) of the writes at which points were measured, each after the one before. Raises DataError."""
    values = ds[name].values
    steps = np.abs(np.diff(applied))
    steps = steps[steps > 0]
    near = NEAR * (np.median(steps) if steps.size else 1.0)
    take, at = np.zeros(len(values), dtype=int), 0
    for i, value in enumerate(values):
        found = np.flatnonzero(np.abs(applied[at:] - value) < near)
        if not found.size:
            ever = np.abs(applied - value).min() < near
            expected = f"a voltage that the drive applies{' after the one before' * bool(ever)}"
            raise fault(ds, i, expected, f"{value:g} V")
        take[i] = at + found[0]
        at = take[i] + 1
    return take


def times_of(ds: xr.Dataset, name: str, waveform: Waveform) -> np.ndarray:
    """Times (n,) [s] at which a waveform passes the measured voltages, branch by branch in order. Raises DataError."""
    if name not in ds:
        raise fault(ds, None, "a voltage or a time of each point", ", ".join(map(str, ds)))
    values, own = ds[name].values, branches(ds[name].values)
    pieces = swept(waveform)
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
            raise fault(ds, worst, "a voltage that the drive applies, in its order", f"{values[worst]:g} V")
        order = np.argsort(V, kind="stable")
        times[inside], last = np.interp(part, V[order], t[order]), at
    return np.maximum.accumulate(times)


def swept(waveform: Waveform) -> list[tuple[np.ndarray, np.ndarray]]:
    """Monotonic pieces of a waveform, each with its turning points: times [s] and voltages [V]."""
    own = branches(waveform.voltages)
    found = []
    for number in range(own.max() + 1):
        inside = np.flatnonzero(own == number)
        first = max(inside[0] - 1, 0)
        found.append((waveform.times[first : inside[-1] + 1], waveform.voltages[first : inside[-1] + 1]))
    return [piece for piece in found if np.ptp(piece[1]) > 0]


def at_bias(ds: xr.Dataset, case: Case, state: str) -> Match:
    """Match of curves at frozen ions: the drive takes the measured voltages."""
    if "voltage" not in ds:
        raise fault(ds, None, "a voltage of each point, for curves at frozen ions", ", ".join(map(str, ds)))
    states = list(case.drive.states)
    if len(states) > 1 and state not in states:
        got = repr(state) if state else "none"
        raise fault(ds, None, f"the state in which the data were measured, one of {', '.join(states)}", got)
    voltages, take = np.unique(ds["voltage"].values, return_inverse=True)
    changes: dict[str, Any] = {"drive.voltages": voltages.tolist(), "drive.temperatures": []}
    if case.drive.kind == "cv" and "frequency" in ds:
        if np.ptp(ds["frequency"].values) > 0:
            raise fault(ds, None, "a capacitance at one frequency; give each a data set", "several")
        changes["drive.frequencies"] = [float(ds["frequency"].values[0])]
    return Match(changes, "bias", take, "voltage", state or (states[0] if states else ""))


def whole(waveform) -> Waveform:
    """Waveform with all its breakpoints. Raises CaseError for one that is too long to match a curve with."""
    if isinstance(waveform, Waveform):
        return waveform
    if waveform.points > MOST:
        got = f"one of {waveform.points} breakpoints"
        raise CaseError([Problem("case", 0, 0, "drive", f"a drive of at most {MOST} breakpoints to match", got)])
    return concatenate([block.waveform for block in waveform.blocks()])


def fault(ds: xr.Dataset, point: int | None, expected: str, got: str) -> DataError:
    """An error about a point of the data, with the line of its file."""
    line = 0 if point is None else int(ds["line"].values[point])
    return DataError([Problem(ds.attrs.get("file", "data"), line, 1, "", expected, got)])
