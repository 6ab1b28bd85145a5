"""Errors that ask for the column of a quantity, with first numbers and an option that picks the likeliest column."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

import numpy as np

from otjdd.errors import DataError
from otjdd.measurements.columns import Column, stem
from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.names import CURRENT, MEASURED, UNCERTAINTY, channel, parted, quantity_of_unit, unit_of
from otjdd.measurements.rows import TableRows, finite, scaled

MOST = 12  # columns that a question lists
OF_SEVERAL_RUNS = (
    "a number for each of several runs, such as a change in % for each delay, is a target of `otjdd calibrate`"
)


def question(block: FileBlock, undecided: Mapping[str, list[Column]], rows: TableRows) -> DataError:
    """An error that lists the columns among which nothing decides, with the options that pick the likeliest."""
    likely = {
        name: max(several, key=lambda c: float(np.abs(finite(scaled(c, rows))).max(initial=0.0)))
        for name, several in undecided.items()
    }
    listed = "; ".join(
        f"{name}: {', '.join(f'{c.header.text!r} ({first_numbers(c, rows)})' for c in several[:MOST])}"
        for name, several in undecided.items()
    )
    answers: dict[str, Column] = {
        name: likely[name] if name != "voltage" else companion(undecided[name], likely) for name in undecided
    }
    columns = next(iter(undecided.values()))
    return block.sheet.fault(
        block.header, columns[1].header, f"one column of {' and one of '.join(undecided)}", listed,
        f"say which: {options({name: shortest(block, column) for name, column in answers.items()})}",
    )  # fmt: skip


def shortest(block: FileBlock, column: Column) -> str:
    """The name that chooses a column: without its index where several columns differ by the index only."""
    bare = stem(column.header.text)
    return bare if sum(stem(text) == bare for text in block.header.texts) > 1 else column.header.text


def companion(voltages: list[Column], likely: Mapping[str, Column]) -> Column:
    """The voltage of the channel of the likely current, else the first."""
    current = next((likely[name] for name in CURRENT if name in likely), None)
    return next(
        (c for c in voltages if current and channel(c.header.text) == channel(current.header.text)), voltages[0]
    )


def options(names: Mapping[str, str]) -> str:
    """Options of a command, and the argument of `read_data`, that name columns."""
    words = " ".join(f"--column {name}={quoted(text)}" for name, text in names.items())
    return f"{words}; in Python names={dict(names)!r}"


def quoted(text: str) -> str:
    """A text in quotes as a shell reads it."""
    return shlex.quote(text) if re.search(r'["$`\\!]', text) else f'"{text}"'


def first_numbers(column: Column, rows: TableRows, count: int = 3) -> str:
    """The first numbers of a column, with their unit."""
    unit = unit_of(column.heading.measures)
    return ", ".join(f"{number:.4g}" for number in finite(scaled(column, rows))[:count]) + f" ... {unit}"


def without_quantities(block: FileBlock, columns: Sequence[Column], rows: TableRows) -> DataError:
    """An error that asks which columns hold what was measured and what was applied, with a proposal from their units.

    columns : those whose quantity is known   rows : of all columns
    """
    texts = block.header.texts
    numbers = {place: values for place, values in rows.numbers.items() if np.isfinite(values).sum() > 1}
    listed = "; ".join(
        f"{texts[p]!r} ({', '.join(f'{v:.4g}' for v in finite(values)[:3])} ...)"
        for p, values in list(numbers.items())[:MOST]
    )
    answers: dict[str, str] = {}
    volts: list[int] = []
    for place in numbers:
        own = next(
            (c.quantity for c in columns if c.place == place),
            quantity_of_unit(parted(texts[place])[1] or block.unit(place)),
        )
        volts += [place] * (own == "voltage")
        if own and not own.endswith(UNCERTAINTY):
            answers.setdefault(own, texts[place])
    unnamed = [place for place in numbers if texts[place] not in answers.values()]
    free = [
        place for place in unnamed if not (parted(texts[place])[1] or block.unit(place))
    ]  # a unit tells it is another
    if len(numbers) == 1 and not answers:
        answers["resistance"] = texts[next(iter(numbers))]
    elif len(volts) > 1 and not MEASURED & set(answers):
        answers["current"] = f"{texts[volts[1]]} / 1 kohm"  # a current shown as the voltage over a resistor
    elif not MEASURED & set(answers) and free:
        if not {"voltage", "time"} & set(answers):
            answers["voltage"] = texts[free[0]]
        answers["current"] = texts[free[-1]]
    elif not {"voltage", "time", "number"} & set(answers) and free:
        answers["voltage"] = texts[free[0]]
    listed = f"no header, but {listed}" if block.numbered else listed
    expected = "a measured quantity and what it was measured against: V, E, t or n beside I, J, R, G, C or P"
    expected = (
        f"a header, or options that name the columns by their places, for {expected}" if block.numbered else expected
    )
    hint = OF_SEVERAL_RUNS if unnamed else ""
    if MEASURED & set(answers):
        hint = f"say which column is which, as {options(answers)}"
    return block.sheet.fault(block.header, None, expected, listed or "no numbers", hint)
