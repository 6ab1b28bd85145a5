"""The experiments of the page as cases, pulses by hand after them, and command lines that do the same without the page.

The experiments are from Li 2019, with its voltages and times, for a device with its electrodes (REFERENCE). Any other
device has the voltages and times of the drive of its own case (`Writes`).
"""

import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import Case, load_case
from otjdd.case.document import split_key, value_at
from otjdd.case.kinds import column_count, in_one_column, kinds_of
from otjdd.case.problem import Source
from otjdd.results.outputs import measured
from otjdd.solver.start import Start, at_snapshot
from otjdd.system.late import xr
from otjdd.units import quantity
from otjdd.waveform.waveform import Chain, Waveform

WHOLE = ("drive", "record")  # keys that an experiment always takes from its shipped case
OTHER = ("ions.initial", "circuit.time_constant")  # keys of its case where they differ from REFERENCE
OWN = "own"  # the experiment whose drive is the one of the case itself
DOWNLOADED = "explored.toml"  # name of the case file that the page offers for download
REFERENCE = "li2019"  # the shipped case whose device the experiments were made for
VOLTAGES, TIMES = (
    ("voltage", "voltages", "path", "base"),
    ("width", "rise", "fall", "period", "delay"),
)  # keys of drives
STEPS = 65  # of a path, as many as in the experiments
AT_REST = [{"voltage": "0 V", "duration": "1 ms"}]  # after a write that prepares a device
NO_WRITES = 1.0, 1e-3  # V and s of a device whose own drive has no write
READ = 0.1  # V, of a read that states no voltage
NEAR = 0.1  # share of the largest voltage of a drive of ramps, within which it counts as applied
MOST_BUTTONS = 10  # of pulses


class Experiment(NamedTuple):
    """One experiment: title, shipped case, kind of panel, values set in that case, key that is varied, its values.

    drive : sliders of its drive, see `sliders.drive_sliders`
    writes : the highest and lowest voltage and duration of a write, for which `drive_of_device` puts others
    """

    name: str
    title: str
    case: str = ""
    kind: str = ""
    writes: Sequence[str] = ()
    set: Mapping[str, Any] = MappingProxyType({})
    vary: str = ""
    values: Sequence[str] = ()
    drive: Mapping[str, Any] = MappingProxyType({})


class Writes(NamedTuple):
    """How a device is written: highest and lowest voltage [V], duration of a write [s], voltage of a read [V]."""

    highest: float
    lowest: float
    width: float
    read: float


@cache
def experiments() -> dict[str, Experiment]:
    """All experiments by name, as experiments.toml has them; the last is the drive of the case itself."""
    data = tomllib.loads(Path(__file__).with_name("experiments.toml").read_text(encoding="utf-8"))
    return {name: Experiment(name, **row) for name, row in data.items()}


@lru_cache(maxsize=256)
def changes_of_experiment(name: str, base: Case) -> dict[str, Any]:
    """Dotted key -> value of the changes that an experiment makes to a case; {} for OWN."""
    experiment = experiments()[name]
    if not experiment.case:
        return {}
    plain = load_case(experiment.case).replace(dict(experiment.set)).plain()
    before = load_case(REFERENCE).plain()
    others = [key for key in OTHER if value_of_key(plain, key) != value_of_key(before, key)]
    changes = {key: value_of_key(plain, key) for key in (*WHOLE, *others)}
    if has_electrodes_of_reference(base):
        return changes
    writes = writes_of(base)
    changes["drive"] = drive_of_device(changes["drive"], experiment, writes)
    if changes.pop("ions.initial", None):
        reset = {"voltage": f"{writes.lowest:.4g} V", "duration": f"{writes.width:.4g} s"}
        changes["ions.initial"] = {"history": [reset, *AT_REST]}
    changes.pop("circuit.time_constant", None)  # of the circuit of REFERENCE
    return changes


def value_of_key(plain: Any, key: str) -> Any:
    """Value of a case at a dotted key, which may have indices; None where there is none."""
    return value_at(plain, split_key(key, Source("explore", None)))


def has_electrodes_of_reference(case: Case) -> bool:
    """True if both electrodes of a case are of the materials of REFERENCE, between which layers may be added."""
    own, others = (
        [device.left.material, device.right.material] for device in (case.device, load_case(REFERENCE).device)
    )
    return own == others


@lru_cache(maxsize=64)
def writes_of(case: Case) -> Writes:
    """How the drive of a case writes its device. A voltage of one sign alone is taken with both."""
    (largest, width), read = NO_WRITES, read_voltage(case.plain()["drive"])
    shapes = list(shapes_of(case.drive.waveform())) if hasattr(case.drive, "waveform") else []
    rows = [np.array(shape.segments()) for shape in shapes]
    start, end, first, last = np.concatenate(rows, axis=1) if rows else np.empty((4, 0))
    levels = np.append(np.concatenate((first, last)), 0.0)
    if np.abs(levels).max() > read:
        largest = float(np.abs(levels).max())
        flat = (first == last) & (np.abs(first) >= 0.99 * largest)
        near = NEAR * largest / np.abs(last - first).max(initial=largest) * (end - start).max()
        width = float((end - start)[flat].max() if flat.any() else near)
    highest, lowest = float(levels.max()), float(levels.min())
    highest, lowest = highest if highest > read else largest, lowest if lowest < -read else -largest
    return Writes(highest, lowest, float(f"{width:.4g}"), read)


def shapes_of(waveform: Waveform | Chain) -> Iterator[Waveform]:
    """The waveforms of which a chain is made, each once."""
    if isinstance(waveform, Waveform):
        yield waveform
    else:
        for part in waveform.parts:
            yield from shapes_of(part.shape)


def read_voltage(table: Any) -> float:
    """Voltage [V] of the first read in the tables of a drive; READ where none is stated."""
    parts = table.values() if isinstance(table, dict) else table if isinstance(table, list) else ()
    if isinstance(table, dict) and isinstance(table.get("read"), dict) and "voltage" in table["read"]:
        return abs(quantity(table["read"]["voltage"])[0])
    return next((voltage for part in parts if (voltage := read_voltage(part)) != READ), READ)


def drive_of_device(table: Any, experiment: Experiment, writes: Writes, key: str = "") -> Any:
    """The drive of an experiment with the voltages and times of a device. table, key : a part of the drive, and its key

    Voltages up to READ are reads.
    """
    if isinstance(table, list):
        return [drive_of_device(value, experiment, writes, key) for value in table]
    if isinstance(table, dict):
        scaled = {
            name: value if key == "read" and name != "voltage" else drive_of_device(value, experiment, writes, name)
            for name, value in table.items()
        }
        step = {"step": f"{(writes.highest - writes.lowest) / STEPS:.1g} V"} if "path" in scaled else {}
        return scaled | step
    if key in VOLTAGES:
        voltage, (highest, _), (lowest, _) = quantity(table)[0], *map(quantity, experiment.writes[:2])
        ratio = writes.highest / highest if voltage > 0 else writes.lowest / lowest
        return f"{np.sign(voltage) * writes.read if abs(voltage) <= READ else voltage * ratio:.4g} V"
    return time_of_device(table, experiment, writes, key) if key in TIMES else table


def time_of_device(text: str, experiment: Experiment, writes: Writes, key: str) -> str:
    """A time of an experiment as a device of other materials has it. A period does not become shorter: reads are in it."""
    ratio = writes.width / quantity(experiment.writes[2])[0]
    return f"{quantity(text)[0] * (max(ratio, 1.0) if key == 'period' else ratio):.4g} s"


def case_of_experiment(name: str, base: Case, changes: Mapping[str, Any]) -> Case:
    """The case of an experiment on the device of `base` with changes. It has a [study] where a key is varied.

    Raises CaseError.
    """
    experiment, driven = experiments()[name], changes_of_experiment(name, base)
    title = f"{experiment.title}: {base.title}"[:200] if experiment.case else base.title
    case = base.without_study().replace(driven | {"title": title}).replace(dict(changes))
    if not experiment.vary:
        return case
    return case.replace("study", {"grid": {experiment.vary: values_of_experiment(experiment, base)}})


def values_of_experiment(experiment: Experiment, base: Case) -> list[str]:
    """Values of the key that an experiment varies, for the device of a case."""
    if has_electrodes_of_reference(base):
        return list(experiment.values)
    key = experiment.vary.rpartition(".")[2]
    return [time_of_device(value, experiment, writes_of(base), key) for value in experiment.values]


def runs_of_experiment(name: str, case: Case) -> list[Case]:
    """The cases of an experiment: one for each value of the key that it varies."""
    key, alone = experiments()[name].vary, case.without_study()
    return [alone.replace(key, value) for value in case.plain()["study"]["grid"][key]] if key else [alone]


def preview(case: Case) -> Case:
    """The case with one column of each kind, which is simulated while a slider still moves."""
    return in_one_column(case) if column_count(case) > len(kinds_of(case)) else case


def command_line(name: str, base: str, changes: Mapping[str, Any], opened: Case) -> str:
    """Command line that does the same as the page.

    base : name or path of the case that the page was opened with; "" for a result, in whose place the command names
        the downloaded case   opened : that case
    """
    experiment = experiments()[name]
    if not base:
        return f"otjdd run {DOWNLOADED}" if not experiment.vary else f"otjdd study {DOWNLOADED} -o {name}"
    before = changes_of_experiment(name, opened)
    if base == REFERENCE and experiment.case:
        base, before = experiment.case, dict(experiment.set)
    if before and any(key.startswith("drive.") for key in changes):  # --set takes a table or a part of it, not both
        moves = {key: value for key, value in changes.items() if key.startswith("drive")}
        drive = opened.without_study().replace(changes_of_experiment(name, opened)).replace(moves).plain()["drive"]
        before = {key: value for key, value in before.items() if not key.startswith("drive")} | {"drive": drive}
        changes = {key: value for key, value in changes.items() if key not in moves}
    changes = before | dict(changes)
    if experiment.vary:
        changes |= {"study.grid": {experiment.vary: values_of_experiment(experiment, opened)}}
        return shlex.join(["otjdd", "study", base, *set_options(changes), "-o", experiment.name])
    return shlex.join(["otjdd", "run", base, *set_options(changes), "-o", f"{experiment.name}.nc"])


def command_after_pulses(name: str, base: str, changes: Mapping[str, Any], opened: Case, case: Case) -> str:
    """Command line that does the same as the page after pulses by hand.

    base, opened : as of `command_line`   changes : of the case that the page was opened with, but for the experiment
    case : the run of the experiment and all pulses after it
    """
    if not base or experiments()[name].vary:
        return f"otjdd run {DOWNLOADED}"
    others = changes_of_experiment(name, opened) | dict(changes)
    device = {key: value for key, value in others.items() if key.partition(".")[0] not in ("drive", "record")}
    pulsed = {key: case.plain()[key] for key in ("drive", "record")}
    return shlex.join(["otjdd", "run", base, *set_options(device | pulsed), "-o", "pulses.nc"])


def set_options(changes: Mapping[str, Any]) -> list[str]:
    """Words of a command line that make changes of a case."""
    texts = [
        f"{key}={value if isinstance(value, str) else toml_text.toml_value(value)}" for key, value in changes.items()
    ]
    return [word for text in texts for word in ("--set", text)]


# Pulses by hand

MOST = 1000  # most pulses by hand
PAUSE = "1 us"  # at 0 V after each pulse, before its read
READ_TIME = "1 us"
BUTTONS = ((2.2, 5e-8), (-2.5, 5e-8), (2.2, 0.1), (-4.3, 0.1))  # V and s, of REFERENCE


class Synapse(NamedTuple):
    """A run and the pulses by hand after it.

    case : of the run   state : present state   before : state before the last pulse, where a film of it starts
    pulses : as drives   voltages, resistances : (n,) [V], [ohm] of the reads, beginning with the last one of the run
    """

    case: Case
    state: Start
    before: Start | None = None
    pulses: tuple[dict[str, Any], ...] = ()
    voltages: tuple[float, ...] = ()
    resistances: tuple[float, ...] = ()


def first_buttons(case: Case) -> list[tuple[float, float]]:
    """Voltages [V] and durations [s] of the pulses that the page first offers: those that write the device of a case."""
    if has_electrodes_of_reference(case):
        return list(BUTTONS)
    writes = writes_of(case)
    return [(writes.highest, writes.width), (writes.lowest, writes.width)]


def after(case: Case, ds: "xr.Dataset") -> Synapse | None:
    """The synapse after a run; None for a run without a final state, such as curves at frozen ions."""
    states = ds.get("vacancy_concentration_columns")
    if states is None or not len(states):
        return None
    has_read = ds.sizes.get("read", 0) and np.isfinite(ds.read_resistance.values[-1])
    last = (float(ds.read_resistance.values[-1]),) if has_read else ()
    return Synapse(case, at_snapshot(ds, -1), None, (), (0.0,) * len(last), last)


def pulse_case(synapse: Synapse, voltage: float, width: float, read: float) -> Case:
    """The case of one more pulse of a voltage [V] and a width [s], read at `read` [V].

    Raises CaseError, ValueError for too many pulses.
    """
    if len(synapse.pulses) >= MOST:
        raise ValueError(f"{MOST} pulses by hand are enough: a case with a train does more")
    drive = {
        "kind": "pulse", "voltage": f"{voltage:.6g} V", "width": f"{width:.6g} s", "wait": PAUSE,
        "read": {"voltage": f"{read:.6g} V", "duration": READ_TIME},
    }  # fmt: skip
    return synapse.case.replace({"drive": drive, "record": {"every": "all"}})


def after_pulse(synapse: Synapse, case: Case, ds: "xr.Dataset") -> Synapse:
    """The synapse after a further pulse. case, ds : of the run of that pulse"""
    return synapse._replace(
        state=at_snapshot(ds, -1),
        before=synapse.state,
        pulses=(*synapse.pulses, case.plain()["drive"]),
        voltages=(*synapse.voltages, float(ds.write_voltage.values[-1])),
        resistances=(*synapse.resistances, float(ds.read_resistance.values[-1])),
    )


def reads_dataset(synapse: Synapse) -> "xr.Dataset":
    """Dataset of all reads, for the figures of runs."""
    return measured(write_voltage=synapse.voltages, read_resistance=synapse.resistances)


def with_pulses(synapse: Synapse) -> Case:
    """The case of one run with the drive of the run and all pulses after it."""
    drive = {"kind": "sequence", "parts": [synapse.case.plain()["drive"], *synapse.pulses]}
    return synapse.case.replace({"drive": drive, "record": {"every": "reads"}}) if synapse.pulses else synapse.case
