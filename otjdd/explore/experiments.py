"""The experiments of the page as cases, and the command line that does the same without the page."""

import shlex
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from otjdd.case import toml_text
from otjdd.case.case import Case, load_case
from otjdd.case.kinds import column_count, in_one_column, kinds_of

WHOLE = (("drive",), ("record",))  # keys that an experiment always takes from its shipped case
OTHER = (("ions", "initial"), ("circuit", "time_constant"))  # keys of its case where they differ from REFERENCE
OWN = "own"  # the experiment whose drive is that of the case itself
DOWNLOADED = "explored.toml"  # name of the case file that the page offers for download
REFERENCE = "li2019"  # the shipped case whose device the experiments were made for


class Experiment(NamedTuple):
    """One experiment: title, shipped case, kind of panel, values set in that case, key that is varied, its values.

    drive : sliders of its drive, see `sliders.drive_sliders`
    """

    name: str
    title: str
    case: str = ""
    kind: str = ""
    set: Mapping[str, Any] = MappingProxyType({})
    vary: str = ""
    values: Sequence[str] = ()
    drive: Mapping[str, Any] = MappingProxyType({})


@cache
def experiments() -> dict[str, Experiment]:
    """All experiments by name, as experiments.toml has them; the last is the drive of the case itself."""
    data = tomllib.loads(Path(__file__).with_name("experiments.toml").read_text(encoding="utf-8"))
    return {name: Experiment(name, **row) for name, row in data.items()}


@cache
def changes_of_experiment(name: str) -> dict[str, Any]:
    """Dotted key -> value of the changes that an experiment makes to any case; {} for OWN."""
    experiment = experiments()[name]
    if not experiment.case:
        return {}
    plain = load_case(experiment.case).replace(dict(experiment.set)).plain()
    before = load_case(REFERENCE).plain()
    paths = [*WHOLE, *(path for path in OTHER if member(plain, path) != member(before, path))]
    return {".".join(path): member(plain, path) for path in paths}


def member(data: Any, path: Sequence[str]) -> Any:
    """Value at a path of nested tables, None where there is none."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data


def case_of_experiment(name: str, base: Case, changes: Mapping[str, Any]) -> Case:
    """The case of an experiment on the device of `base` with changes. It has a [study] where a key is varied.

    Raises CaseError.
    """
    experiment = experiments()[name]
    title = f"{experiment.title}: {base.title}"[:200] if experiment.case else base.title
    case = base.without_study().replace(changes_of_experiment(name) | {"title": title}).replace(dict(changes))
    if not experiment.vary:
        return case
    return case.replace("study", {"grid": {experiment.vary: list(experiment.values)}})


def runs_of_experiment(name: str, case: Case) -> list[Case]:
    """The cases of an experiment: one for each value of the key that it varies."""
    experiment, alone = experiments()[name], case.without_study()
    return [alone.replace(experiment.vary, value) for value in experiment.values] or [alone]


def preview(case: Case) -> Case:
    """The case with one column of each kind, which is simulated while a slider still moves."""
    return in_one_column(case) if column_count(case) > len(kinds_of(case)) else case


def command_line(name: str, base: str, changes: Mapping[str, Any]) -> str:
    """Command line that does the same as the page.

    base : name or path of the case that the page was opened with; "" for a result, in whose place the command names
        the downloaded case
    """
    experiment = experiments()[name]
    if not base:
        return f"otjdd run {DOWNLOADED}" if not experiment.vary else f"otjdd study {DOWNLOADED} -o {name}"
    before = dict(experiment.set) if base == REFERENCE and experiment.case else changes_of_experiment(name)
    if base == REFERENCE and experiment.case:
        base = experiment.case
    if before and any(key.startswith("drive.") for key in changes):  # --set takes a table or a part of it, not both
        drive = load_case(REFERENCE).replace(changes_of_experiment(name)).replace(dict(changes)).plain()["drive"]
        before, changes = (
            {key: value for key, value in keys.items() if not key.startswith("drive")} for keys in (before, changes)
        )
        before["drive"] = drive
    changes = before | dict(changes)
    if experiment.vary:
        changes = dict(changes) | {"study.grid": {experiment.vary: list(experiment.values)}}
        return shlex.join(["otjdd", "study", base, *settings(changes), "-o", experiment.name])
    return shlex.join(["otjdd", "run", base, *settings(changes), "-o", f"{experiment.name}.nc"])


def command_after_pulses(name: str, base: str, changes: Mapping[str, Any], case: Case) -> str:
    """Command line that does the same as the page after pulses by hand.

    base : as of `command_line`   changes : of the case that the page was opened with, but for the experiment
    case : the run of the experiment and all pulses after it
    """
    if not base or experiments()[name].vary:
        return f"otjdd run {DOWNLOADED}"
    others = changes_of_experiment(name) | dict(changes)
    device = {key: value for key, value in others.items() if key.partition(".")[0] not in ("drive", "record")}
    pulsed = {key: case.plain()[key] for key in ("drive", "record")}
    return shlex.join(["otjdd", "run", base, *settings(device | pulsed), "-o", "pulses.nc"])


def settings(changes: Mapping[str, Any]) -> list[str]:
    """Words of a command line that make changes of a case."""
    texts = [
        f"{key}={value if isinstance(value, str) else toml_text.toml_value(value)}" for key, value in changes.items()
    ]
    return [word for text in texts for word in ("--set", text)]
