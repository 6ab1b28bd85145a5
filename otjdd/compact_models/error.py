"""The error of a compact model: reads that it predicts against those of the solver, under drives that it has not seen.

Pulses of random height, both signs and random rests, one group for every width; a loop of resistance against voltage;
potentiation and depression; retention; currents at other voltages than the usual one of reads. Each with the case's own
columns and circuit. All begin with a set and a reset, for a film that no voltage has been applied to yet need not be in
a state that voltages lead to: what a model makes of such a film is told apart, by the first pulses of the case.
"""

import numpy as np

from otjdd import units
from otjdd.compact_models.model import CompactModel
from otjdd.errors import ExtractionError, SolverError

TRAINS, PULSES = 4, 20  # of every width
WIDTHS = (20e-9, 50e-9, 1e-6, 1e-4, 1e-2, 1e-1)  # s
READ = {"voltage": 0.1, "duration": 1e-6}
SEED = 20250
LONG = 1e-6  # s: from this width on an error is held against the model
READS = 24  # at other voltages
FIRST = "first pulses of the case"
SET, RESET, SOFT = 2.2, -4.3, -2.5  # V, where the range goes so far: writes, and the short pulses that depress


def drives(limits) -> dict[str, list[dict]]:
    """Protocol -> drives, as data of a case; those whose times are not in the range are left out."""
    rng = np.random.default_rng(SEED)
    found = {
        f"pulses of {units.write(width, 'time')}": [train(rng, limits, width) for _ in range(TRAINS)]
        for width in WIDTHS
        if limits.shortest <= width <= limits.longest
    }
    up, down, soft = writes(limits)
    short = {"kind": "train", "width": max(5e-8, limits.shortest), "count": 20, "period": 1e-5, "read_each": True}
    path = {"kind": "write-read-loop", "path": [0.0, up, down, 0.0], "step": (up - down) / 65.0, "read": READ}
    hold = {"kind": "hold", "voltage": 0.0, "duration": limits.longest, "reads_per_decade": 2, "read": READ}
    found["loop"] = [written(limits, path | {"width": long(limits)})]
    found["potentiation and depression"] = [
        written(limits, *2 * [short | {"voltage": up}, short | {"voltage": soft}]),
    ]
    found["retention"] = [written(limits, hold, write(limits, up), hold)]
    found["other voltages"] = [
        written(limits, *elsewhere(limits)),
        written(limits, write(limits, up), *elsewhere(limits)),
    ]
    found[FIRST] = [sequence(each) for each in first_pulses(limits)]
    return found


def sequence(*parts: dict) -> dict:
    """A drive of several parts."""
    return {"kind": "sequence", "parts": list(parts)}


def written(limits, *parts: dict) -> dict:
    """A drive that begins with a set and a reset."""
    up, down, _ = writes(limits)
    return sequence(write(limits, up), write(limits, down), *parts)


def write(limits, voltage: float) -> dict:
    """A long pulse and a rest."""
    return {"kind": "pulse", "voltage": voltage, "width": long(limits), "wait": 1e-3}


def long(limits) -> float:
    """Width [s] of a long pulse within the range."""
    return min(0.1, limits.longest)


def elsewhere(limits) -> list[dict]:
    """Reads all over the range of voltages, as short as the range allows."""
    voltages = np.linspace(0.9 * limits.low, 0.9 * limits.high, READS)
    read = {"duration": limits.shortest}
    rest = {"kind": "pulse", "voltage": 0.0, "width": 1e-6}
    return [rest | {"read": read | {"voltage": float(V)}} for V in sorted(voltages, key=abs)]


def first_pulses(limits) -> list[dict]:
    """Single pulses of both signs, short and long, each with a read."""
    widths = sorted({max(LONG, limits.shortest), long(limits)})
    pulse = {"kind": "pulse", "read": READ}
    return [pulse | {"voltage": V, "width": width} for V in writes(limits)[:2] for width in widths]


def writes(limits) -> tuple[float, float, float]:
    """Voltages [V] of a set, a reset, and a soft reset within the range."""
    return min(SET, limits.high), max(RESET, limits.low), max(SOFT, limits.low)


def train(rng, limits, width: float) -> dict:
    """Pulses of one width, random otherwise, each with a read directly after it and a rest."""
    parts = [write(limits, float(rng.choice(writes(limits)[:2])))]
    for _ in range(PULSES):
        height = float(rng.uniform(0.1, 1.0) * rng.choice([limits.low, limits.high]))
        parts.append({"kind": "pulse", "voltage": height, "width": width, "read": READ})
        parts.append({"kind": "hold", "voltage": 0.0, "duration": float(10 ** rng.uniform(-7, -2))})
    return written(limits, *parts)


def solved(case, drive: dict):
    """Currents (R,) [A] that the solver reads, and the voltages (R,) [V] of the writes before."""
    from otjdd.solver.simulate import simulate

    driven = with_drive(case, drive)
    ds = simulate(driven)
    return ds.read_current.values, ds.write_voltage.values


def with_drive(case, drive: dict):
    """The case under another drive, recording nothing but reads."""
    changes = {"drive": drive, "record": {"every": "none"}}
    data = case.model_dump(mode="json", exclude_none=True) | changes
    for part in ("study", "expect", "crossbar"):
        data.pop(part, None)
    found = type(case).model_validate(data, context={"strict_units": False})
    found._folder, found._allow_outside = case._folder, True
    return found


def measured(model: CompactModel, case, spread):
    """Dataset of the deviations [decades] of reads: rms and worst by protocol, and every read."""
    import xarray as xr

    protocols = drives(model.limits)
    named = [(name, drive) for name, each in protocols.items() for drive in each]
    columns: list = [None] * len(named)
    for number, (current, write) in spread(solved, [(case, drive) for _, drive in named]):
        predicted = model.run(with_drive(case, named[number][1]).drive).read_current.values
        protocol = list(protocols).index(named[number][0])
        columns[number] = np.column_stack((np.full(current.size, protocol), write, current, predicted))
    protocol, write, current, predicted = np.concatenate(columns).T
    off = np.log10(predicted / current)
    groups = [off[protocol == i] for i in range(len(protocols))]
    text = {
        "error_rms": ("protocol", "root mean square of log10 of predicted over solved current"),
        "error_worst": ("protocol", "largest magnitude of log10 of predicted over solved current"),
        "sample_protocol": ("sample", "number of the protocol of a read"),
        "sample_solved": ("sample", "current read, by the solver"),
        "sample_predicted": ("sample", "current read, by the compact model"),
        "sample_write": ("sample", "voltage of the write before a read"),
    }
    values = {
        "error_rms": [np.sqrt((group**2).mean()) for group in groups],
        "error_worst": [np.abs(group).max() for group in groups],
        "sample_protocol": protocol, "sample_solved": current, "sample_predicted": predicted, "sample_write": write,
    }  # fmt: skip
    units = {"sample_solved": "A", "sample_predicted": "A", "sample_write": "V"}
    arrays = {
        name: (dims, np.asarray(values[name], float), {"units": units.get(name, "1"), "long_name": said})
        for name, (dims, said) in text.items()
    }
    about = {"units": "1", "long_name": "drive that the extraction has not seen"}
    return xr.Dataset(arrays, coords={"protocol": ("protocol", np.array(list(protocols), object), about)})


def overall(model: CompactModel) -> float:
    """Largest rms [decades] of the protocols whose pulses last a microsecond or more."""
    short = {f"pulses of {units.write(width, 'time')}" for width in WIDTHS if width < LONG} | {
        "potentiation and depression",
        FIRST,
    }
    return max((rms for name, (rms, _) in model.error.items() if name not in short), default=0.0)


def sentence(model: CompactModel) -> str:
    """The error in a line of words."""
    if not model.error:
        return "error not measured"
    told = (f"{name}: rms {rms:.3f}, worst {worst:.3f}" for name, (rms, worst) in model.error.items())
    return "; ".join(told) + " decades"


def with_error(model: CompactModel, case, spread, limit: float) -> CompactModel:
    """The model with its measured error. Raises ExtractionError when that is above a limit [decades]."""
    from dataclasses import replace

    try:
        made = replace(model, measured=measured(model, case, spread))
    except SolverError as error:
        failure = ExtractionError(f"the error of the compact model cannot be measured: {error}")
        failure.partial = model
        raise failure from error
    if not overall(made) <= limit:
        failure = ExtractionError(
            f"the compact model is off by {overall(made):.2g} decades (rms) for pulses of 1 us and more; {limit:g} are "
            "allowed. One state for each column is not enough for this case, or its range is too wide: try another "
            "--voltage or --time"
        )
        failure.partial = made
        raise failure
    return made
