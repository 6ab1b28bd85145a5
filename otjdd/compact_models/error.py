"""The error of a compact model: its predicted reads against those of the solver, under drives not used to extract it.

The drives are pulses of random height, sign and rest, a group for each width; such pulses with random widths and ramps; a
loop of resistance against voltage; potentiation and depression; retention; reads at unusual voltages; sweeps over the whole
range at several rates. Columns and circuit are those of the case.

All these begin with a set and a reset. Before its first voltage a film may be in a state that no voltage leads to; the
model describes it by one number, the unsettled share (see `extraction`). The error for such a film is measured separately,
by the first pulses and first sweeps of the case.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from otjdd import solver, units
from otjdd.case.case import Case
from otjdd.compact_models.axes import TEMPERATURE, ModelAxis, middles_of_nodes, points
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import Range
from otjdd.errors import ExtractionError, SolverError
from otjdd.system.late import xr
from otjdd.system.pool import Spread

DriveTable = dict[str, Any]  # a drive as data of a case, SI


class ProtocolError(NamedTuple):
    """The error of a model under a protocol, and its measure: the same reads by a constant [decades].

    The constant is the geometric mean of the currents that the solver reads, which leaves the least root mean square.
    """

    name: str
    rms: float
    worst: float
    constant: float  # root mean square that the constant leaves
    span: float  # from the smallest to the largest current
    marks: tuple[str, ...] = ()  # such as "excluded"

    @property
    def worse_than_constant(self) -> bool:
        """True where the constant is nearer to the solver than the model."""
        return self.rms > self.constant

    @property
    def words(self) -> str:
        """The numbers and marks in words."""
        marks = [*(["worse than a constant"] if self.worse_than_constant else []), *self.marks]
        return (
            f"{self.name}: rms {self.rms:.3f}, worst {self.worst:.3f}, a constant {self.constant:.3f}, span "
            f"{self.span:.3f}" + (f" ({', '.join(marks)})" if marks else "")
        )


TRAINS, RAMPED_TRAINS, PULSES = 4, 2, 20  # random trains for every width, those with ramps, and pulses of each
WIDTHS = (20e-9, 50e-9, 1e-6, 1e-4, 1e-2, 1e-1)  # s
WARM_WIDTHS = (50e-9, 1e-6, 1e-2)  # s, at the nodes of a model and between them
RAMPED = "pulses with ramps"
RAMPS = 1e-9, 1e-3  # s, shortest and longest ramp of these pulses
SPIKE = 1e-9  # s: a width that is always tried, even if it is shorter than the range
RATES = {"1 V/us": 1e6, "1 V/ms": 1e3, "1 V/s": 1.0}  # V/s, of sweeps
READ = {"voltage": 0.1, "duration": 1e-6}
SEED = 20250
LONG = 1e-6  # s, shorter width of the first pulses
READS = 24  # reads at other voltages, and of a sweep
FIRST = "first pulses of the case"
UNWRITTEN = "first "  # beginning of the names of drives on the initial film of the case
EXCLUDED = "error_excluded"  # attribute of a model
LEAST_RMS = 1e-6  # decades, in quotients
SET, RESET, SOFT = 2.2, -4.3, -2.5  # V, limited to the range: set, reset, and the short pulses that depress


def drives(limits: Range) -> dict[str, list[DriveTable]]:
    """Name of a protocol -> its drives. Protocols with times outside of the range are left out."""
    rng = np.random.default_rng(SEED)
    protocols = {
        f"pulses of {units.write(width, 'time')}": [random_train(rng, limits, width) for _ in range(TRAINS)]
        for width in WIDTHS
        if limits.shortest <= width <= limits.longest
    }
    protocols[f"pulses of {units.write(SPIKE, 'time')}"] = [random_train(rng, limits, SPIKE) for _ in range(TRAINS)]
    own = np.random.default_rng(SEED)
    protocols[RAMPED] = [ramped_train(own, limits) for _ in range(RAMPED_TRAINS)]
    up, down, soft = set_and_resets(limits)
    width = max(5e-8, limits.shortest)
    short = {"kind": "train", "width": width, "count": 20, "period": max(1e-5, 2.0 * width), "read_each": True}
    path = {"kind": "write-read-loop", "path": [0.0, up, down, 0.0], "step": (up - down) / 65.0, "read": READ}
    hold = {"kind": "hold", "voltage": 0.0, "duration": limits.longest, "reads_per_decade": 2, "read": READ}
    protocols["loop"] = [after_writes(limits, path | {"width": long_width(limits)})]
    protocols["potentiation and depression"] = [
        after_writes(limits, *2 * [short | {"voltage": up}, short | {"voltage": soft}]),
    ]
    protocols["retention"] = [after_writes(limits, hold, long_pulse(limits, up), hold)]
    protocols["other voltages"] = [
        after_writes(limits, *reads_elsewhere(limits)),
        after_writes(limits, long_pulse(limits, up), *reads_elsewhere(limits)),
    ]
    rates = {name: rate for name, rate in RATES.items() if limits.shortest <= 1.0 / rate <= 0.01 * limits.longest}
    protocols |= {f"sweeps at {name}": [after_writes(limits, sweep(limits, rate, 1))] for name, rate in rates.items()}
    protocols[FIRST] = [
        sequence({"kind": "pulse", "read": READ, "voltage": voltage, "width": first_width})
        for voltage in (up, down)
        for first_width in sorted({max(LONG, limits.shortest), long_width(limits)})
    ]
    for name, rate in rates.items():
        protocols[f"first sweeps at {name}"] = [sequence(sweep(limits, rate, sign)) for sign in (1, -1)]
    return protocols


def drives_at(limits: Range, axes: Sequence[ModelAxis]) -> dict[str, tuple[tuple[float, ...], list[DriveTable]]]:
    """Name of a protocol -> value of each axis, and drives: pulses, flat and with ramps, at each node and in the middle
    between neighbouring nodes.

    {} for a model without an axis.
    """
    if not axes:
        return {}
    rng, own = (np.random.default_rng(SEED) for _ in range(2))
    at = {
        ", ".join(map(place_of_axis, axes, point)): point for point in sorted([*points(axes), *middles_of_nodes(axes)])
    }
    widths = [width for width in WARM_WIDTHS if limits.shortest <= width <= limits.longest]
    flat = {
        f"pulses at {name}": (point, [random_train(rng, limits, width) for width in widths])
        for name, point in at.items()
    }
    return flat | {f"{RAMPED} at {name}": (point, [ramped_train(own, limits)]) for name, point in at.items()}


def place_of_axis(axis: ModelAxis, value: float) -> str:
    """A value of an axis in words: "350 K", "thickness 2.7 nm"."""
    return axis.text(value) if axis.key == TEMPERATURE else f"{axis.name} {axis.text(value)}"


def sweep(limits: Range, rate: float, sign: int) -> DriveTable:
    """A sweep from 0 V to one end of the range, the other, and back, with reads. rate : [V/s]   sign : 1 up first, or -1"""
    path = np.array([0.0, limits.high, 0.0, limits.low, 0.0])[::sign]
    turns = np.cumsum(np.abs(np.diff(path, prepend=0.0))) / rate
    away = np.linspace(0.1, 1.0, READS // 4)  # of the voltage of the turn, without 0 V, where there is no current
    legs = zip(turns[:-1], turns[1:], (away, 1.0 - away[:-1][::-1], away, 1.0 - away[:-1][::-1]), strict=True)
    reads = np.concatenate([start + share * (end - start) for start, end, share in legs])
    return {"kind": "table", "points": np.column_stack((turns, path)).tolist(), "reads_at": reads.tolist()}


def sequence(*parts: DriveTable) -> DriveTable:
    """A drive of several parts."""
    return {"kind": "sequence", "parts": list(parts)}


def after_writes(limits: Range, *parts: DriveTable) -> DriveTable:
    """A drive that begins with a set and a reset."""
    up, down, _ = set_and_resets(limits)
    return sequence(long_pulse(limits, up), long_pulse(limits, down), *parts)


def long_pulse(limits: Range, voltage: float) -> DriveTable:
    """A long pulse and a rest."""
    return {"kind": "pulse", "voltage": voltage, "width": long_width(limits), "wait": 1e-3}


def long_width(limits: Range) -> float:
    """Width [s] of a long pulse within the range."""
    return float(min(0.1, limits.longest))


def reads_elsewhere(limits: Range) -> list[DriveTable]:
    """Reads at voltages over the whole range, of the shortest time in the range."""
    voltages = np.linspace(0.9 * limits.low, 0.9 * limits.high, READS)
    read = {"duration": limits.shortest}
    rest = {"kind": "pulse", "voltage": 0.0, "width": 1e-6}
    return [rest | {"read": read | {"voltage": float(V)}} for V in sorted(voltages, key=abs)]


def set_and_resets(limits: Range) -> tuple[float, float, float]:
    """Voltages [V] of a set, a reset, and a soft reset within the range."""
    return min(SET, limits.high), max(RESET, limits.low), max(SOFT, limits.low)


def random_train(rng: np.random.Generator, limits: Range, width: float) -> DriveTable:
    """Pulses of one width [s] and random height and sign, each with a read directly after it and a random rest."""
    parts = [long_pulse(limits, float(rng.choice(set_and_resets(limits)[:2])))]
    for _ in range(PULSES):
        height = float(rng.uniform(0.1, 1.0) * rng.choice([limits.low, limits.high]))
        parts.append({"kind": "pulse", "voltage": height, "width": width, "read": READ})
        parts.append({"kind": "hold", "voltage": 0.0, "duration": float(10 ** rng.uniform(-7, -2))})
    return after_writes(limits, *parts)


def ramped_train(rng: np.random.Generator, limits: Range) -> DriveTable:
    """A random train whose pulses have random widths, rises and falls, even in their logarithm."""
    flat, longest = random_train(rng, limits, limits.shortest), min(max(WIDTHS), limits.longest)
    bounds = {"width": (limits.shortest, longest), "rise": RAMPS, "fall": RAMPS}
    return sequence(*(
        part | {name: float(np.exp(rng.uniform(*np.log(between)))) for name, between in bounds.items()}
        if "read" in part
        else part
        for part in flat["parts"]
    ))  # fmt: skip


def solved_reads(case: Case, drive: DriveTable) -> tuple[np.ndarray, np.ndarray]:
    """Read currents (R,) [A] of the solver, and voltages (R,) [V] of the writes before them."""
    driven = with_drive(case, drive)
    ds = solver.simulate.simulate_junction(driven, at_once=True)
    return ds.read_current.values, ds.write_voltage.values


def with_drive(case: Case, drive: DriveTable) -> Case:
    """The case under another drive, with reads as its only record."""
    changes = {"drive": drive, "record": {"every": "none"}}
    data = case.model_dump(mode="json", exclude_none=True) | changes
    for part in ("study", "expect", "crossbar"):
        data.pop(part, None)
    driven = type(case).model_validate(data, context={"strict_units": False})
    driven._folder, driven._allow_outside = case._folder, True
    return driven


def measured_error(model: CompactModel, case: Case, spread: Spread) -> "xr.Dataset":
    """Dataset of the errors [decades] of reads: rms and worst (protocol), and all reads (sample)."""
    protocols = {name: (model.point, of_protocol) for name, of_protocol in drives(model.limits).items()}
    protocols |= drives_at(model.limits, model.axes)
    named = [(name, point, drive) for name, (point, of_protocol) in protocols.items() for drive in of_protocol]
    columns = [np.zeros((0, 4))] * len(named)
    models, keys = {point: model.at_point(point) for _, point, _ in named}, [axis.key for axis in model.axes]
    cases = {
        point: case if point == model.point else case.replace(dict(zip(keys, point, strict=True))) for point in models
    }
    for number, (current, write) in spread(solved_reads, [(cases[point], drive) for _, point, drive in named]):
        name, point, drive = named[number]
        predicted = models[point].predicted(with_drive(case, drive).drive).read_current.values
        protocol = list(protocols).index(name)
        columns[number] = np.column_stack((np.full(current.size, protocol), write, current, predicted))
    protocol, write, current, predicted = np.concatenate(columns).T
    off = np.log10(predicted / current)
    groups = [off[protocol == i] for i in range(len(protocols))]
    rms, worst = [np.sqrt((group**2).mean()) for group in groups], [np.abs(group).max() for group in groups]
    rows = {
        "error_rms": (rms, "1", "root mean square of log10 of predicted over solved current"),
        "error_worst": (worst, "1", "largest magnitude of log10 of predicted over solved current"),
        "sample_protocol": (protocol, "1", "number of the protocol of a read"),
        "sample_solved": (current, "A", "current read, by the solver"),
        "sample_predicted": (predicted, "A", "current read, by the compact model"),
        "sample_write": (write, "V", "voltage of the write before a read"),
    }
    arrays = {
        name: (
            "sample" if name.startswith("sample") else "protocol", np.asarray(values, float),
            {"units": unit, "long_name": long_name},
        )
        for name, (values, unit, long_name) in rows.items()
    }  # fmt: skip
    about = {"units": "1", "long_name": "drive that the extraction has not seen"}
    return xr.Dataset(arrays, coords={"protocol": ("protocol", np.array(list(protocols), object), about)})


def largest_rms(model: CompactModel) -> tuple[float, str]:
    """Largest rms [decades] of the protocols that are not excluded, and the name of that protocol."""
    return max(
        ((rms, name) for name, (rms, _) in model.error.items() if name not in excluded(model)), default=(0.0, "")
    )


def excluded(model: CompactModel) -> list[str]:
    """Protocols that the user has excluded. Their errors are reported, and do not count."""
    return [name for name in str(model.about.get(EXCLUDED, "")).split("; ") if name]


def error_sentence(model: CompactModel) -> str:
    """The error of a model in a line of words."""
    if not model.error:
        return "error not measured"
    return "; ".join(row.words for row in error_lines(model)) + " decades"


def error_lines(model: CompactModel) -> list[ProtocolError]:
    """The error by protocol, marked where it is excluded or outside of the range of times; [] if it is not measured."""
    if model.measured is None or not model.error:
        return []
    spike = f"pulses of {units.write(SPIKE, 'time')}"
    errors = []
    for (name, (rms, worst)), (constant, span) in zip(
        model.error.items(), spreads_of_solver(model.measured), strict=True
    ):
        marks = ["shorter than the range"] if name == spike and model.limits.shortest > SPIKE else []
        marks += ["excluded"] if name in excluded(model) else []
        errors.append(ProtocolError(name, rms, worst, float(constant), float(span), tuple(marks)))
    return errors


def spreads_of_solver(measured: "xr.Dataset") -> np.ndarray:
    """Root mean square that a constant leaves, and span [decades], (protocol, 2) of the reads of the solver.

    measured : Dataset of the measured error of a model
    """
    decades = np.log10(np.abs(measured.sample_solved.values))
    groups = [decades[measured.sample_protocol.values == i] for i in range(measured.sizes["protocol"])]
    return np.array([(group.std(), np.ptp(group)) for group in groups])


def with_measured_error(
    model: CompactModel, case: Case, spread: Spread, limit: float, leave_out: tuple[str, ...] = ()
) -> CompactModel:
    """The model with its measured error. Raises ExtractionError if that is above a limit [decades], or
    if a constant is better under most protocols.

    leave_out : excluded protocols, whose errors do not count
    """
    whole, cause = model, None
    try:
        about = model.about | {EXCLUDED: "; ".join(leave_out)} if leave_out else model.about
        whole = replace(model, measured=measured_error(model, case, spread), about=about)
        message = refusal_of_model(whole, limit) or worse_than_constants(whole)
    except SolverError as error:
        message, cause = f"the error of the compact model cannot be measured: {error}", error
    if message:
        failure = ExtractionError(message)
        failure.partial = whole
        raise failure from cause
    return whole


def worse_than_constants(model: CompactModel) -> str:
    """Message that a constant is better than a model under most protocols that are not excluded; "" for a good model."""
    counted = [row for row in error_lines(model) if row.name not in excluded(model)]
    worse = [row for row in counted if row.worse_than_constant]
    if 2 * len(worse) <= len(counted):
        return ""
    worst = max(worse, key=lambda row: row.rms / max(row.constant, LEAST_RMS))
    return (
        f"a constant current is nearer to the solver than the compact model under {len(worse)} of {len(counted)} drives, "
        f"most under {worst.name}: rms {worst.rms:.3f} decades, a constant {worst.constant:.3f}, over a span of "
        f"{worst.span:.3f}. The case hardly switches under them: another --voltage or --time may. "
        + written_without([row.name for row in worse])
    )


def written_without(names: Sequence[str]) -> str:
    """The command that writes a model although its error is too large under these protocols, in words."""
    groups = dict.fromkeys(name.partition(" at ")[0] for name in names)
    words = " ".join(f'--exclude "{group}"' for group in groups)
    return f"The same command with {words} writes the model; its file states the error there"


def refusal_of_model(model: CompactModel, limit: float) -> str:
    """Message that a model is off by more than a limit [decades], and advice; "" for a model within it."""
    most, name = largest_rms(model)
    if most <= limit:
        return ""
    extracted = f"from {model.limits.low:g} V to {model.limits.high:g} V at {model.temperature:g} K"
    within = narrower_voltages(model, limit)
    advice = "one state for each column does not describe this case there; another --voltage or --time may help"
    if name.startswith(UNWRITTEN):
        advice = (
            "a film that was never written is in no state that voltages lead to, and one number for it may not be enough: "
            "a case that begins with writes (ions.initial = { history = [...] }) has no such error"
        )
    elif within:
        advice = (
            f"reads after writes of {within[0]:g} V to {within[1]:g} V in the loop are within {limit:g}: a model for these "
            f"(--voltage={within[0]:g}:{within[1]:g}) may hold; beyond, one state does not describe the profile of the ions"
        )
    beyond = [protocol for protocol, (rms, _) in model.error.items() if rms > limit and protocol not in excluded(model)]
    return (
        f"the compact model {extracted} is off by {most:.2g} decades (rms) under {name}; {limit:g} are allowed: {advice}. "
        + written_without(beyond)
    )


def narrower_voltages(model: CompactModel, limit: float) -> tuple[float, float] | None:
    """Voltages [V], to 0.1 V, up to which writes of the loop leave reads within a limit [decades]; None for all or none."""
    assert model.measured is not None
    ds = model.measured
    loop = ds.sample_protocol.values == list(ds.protocol.values).index("loop")
    write = ds.sample_write.values[loop]
    off = np.abs(np.log10(ds.sample_predicted.values / ds.sample_solved.values)[loop])
    ends = []
    for end in (model.limits.low, model.limits.high):
        wrong = np.abs(write[(write * end > 0.0) & (off > limit)])
        ends.append(np.copysign(np.ceil(10.0 * wrong.min() - 1.0) / 10.0, end) if wrong.size else end)
    low, high = map(float, ends)
    return (low, high) if low < 0.0 < high and (low, high) != model.limits[:2] else None
