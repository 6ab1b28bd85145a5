"""Report of a calibration: a table of targets and parameters, and a case file for each of its cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from otjdd.case import toml_text
from otjdd.case.case import load_case
from otjdd.case.numbers import value_in_case
from otjdd.fitting.report import base_of, differences
from otjdd.fitting.targets.search import SearchResult
from otjdd.fitting.targets.task import DIGITS, Evaluation, TargetedCase, TargetTask, text_at, value_at

COARSE = 0.25  # tolerances: larger effects of the coarse numerics of the search on a residual are reported


def path_of(out: Path, part: TargetedCase) -> Path:
    """Path of the case file of a calibration that writes to `out`: with the name of the case where there are several."""
    return out.with_stem(f"{out.stem}-{part.name}") if part.name else out


def as_case(task: TargetTask, part: TargetedCase, x: np.ndarray, out: Path) -> str:
    """Case file with the values at a point, on top of the calibrated case. out : where it will stand"""
    case = part.case.replace(task.changes(x, part.name))
    base = base_of(part.file, out)
    if base is None:
        return toml_text.write(case.plain())
    below = load_case(part.file).plain()
    below.pop("expect", None)
    lines = [f"{key} = {toml_text.toml_value(value)}" for key, value in differences(below, case.plain())]
    return "\n".join([f"base = {toml_text.toml_value(base)}", *lines]) + "\n"


def asked(task: TargetTask) -> str:
    """Task of the search in words: how many parameters, targets and runs; starts that are not those of the cases."""
    runs = sum(len(part.runs) for part in task.cases)
    counts = {"parameter": len(task.parameters), "target": len(task.targets), "run": runs, "case": len(task.cases)}
    moving, aims, ran, cases = (f"{count} {word}{'s' if count != 1 else ''}" for word, count in counts.items())
    return "\n".join([f"{moving}, {aims} of {ran} of {cases}", *moved_starts(task)])


def moved_starts(task: TargetTask) -> list[str]:
    """Lines that name parameters whose start is neither stated nor the value of all their cases."""
    lines = []
    for name, parameter, stated in zip(task.parameter_names, task.parameters, task.stated, strict=True):
        if stated.start is not None:
            continue
        start = text_at(parameter, parameter.share(parameter.start))
        owners = [part for part in task.cases if stated.of(part.name)]
        texts = {part.name: parameter.text(value_in_case(part.case, stated.key)[0], DIGITS) for part in owners}
        if any(text != start for text in texts.values()):
            own_values = ", ".join(f"{text}{f' in {part}' if len(texts) > 1 else ''}" for part, text in texts.items())
            lines.append(f"{name}: {own_values}; the search starts from {start}")
    return lines


def report(
    task: TargetTask, result: SearchResult, slopes: np.ndarray | None = None, fine: Evaluation | None = None
) -> str:
    """Table of the targets, and of the parameters, each with the target that depends on it most.

    slopes : (targets, parameters) of `sensitivities`, or None
    fine : evaluation of the same point without coarse numerics; residuals that change by more than COARSE are marked
    """
    names, last = task.target_names, fine or result.outcome
    moved = last.residuals - result.outcome.residuals
    width = max(44, *map(len, names), *map(len, task.parameter_names))
    lines = [f"score {last.score:.3g} after {result.evaluations} evaluations", ""]
    for name, value, residual, change in zip(names, *last, moved, strict=True):
        remark = "" if abs(residual) <= 1 else "  missed"
        remark += f"  ({change:+.2f} by numerics)" if abs(change) > COARSE else ""
        lines.append(f"{name:{width}s} {value:12.4g}  residual {residual:+.2f}{remark}")
    if (many := int(np.sum(np.abs(moved) > COARSE))) > 0:
        lines.append(
            f"{many} of them moved by more than {COARSE:g} from the coarse numerics of the search to those of the case"
        )
    lines.append("")
    for i, (key, value) in enumerate(task.values(result.x).items()):
        strongest = ""
        if slopes is not None:
            column = np.nan_to_num(slopes[:, i])
            t = int(np.argmax(np.abs(column)))
            strongest = f"  most felt by: {names[t]} ({column[t]:+.3g} residuals per range)"
        lines.append(f"{key:{width}s} {value!s:>14}{strongest}")
    return "\n".join(lines + beyond_literature(task, result.x))


def beyond_literature(task: TargetTask, x: np.ndarray) -> list[str]:
    """Lines that name the values of a point outside of their published ranges."""
    lines = []
    for name, parameter, stated, value in zip(task.parameter_names, task.parameters, task.stated, x, strict=True):
        if stated.published:
            low, high = map(stated.number, stated.published)
            if not low <= value_at(parameter, value) <= high:
                ends = " to ".join(map(str, stated.published))
                lines.append(f"outside of what is published: {name} {text_at(parameter, value)} ({ends})")
    return lines
