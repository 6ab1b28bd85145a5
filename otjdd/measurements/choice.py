"""Which columns of a table are used where several hold one quantity, and the question where nothing decides that.

Columns side by side, "DrainI(1), DrainV(1), DrainI(2)..." or "Time, V, I, Time, V, I", are records of one table
(`column_groups`). A question shows first numbers, and an option that picks the likeliest column.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from otjdd.errors import DataError
from otjdd.measurements.columns import Column, TableRows, finite_numbers, numbers_in_unit, stem
from otjdd.measurements.instruments import FileBlock
from otjdd.measurements.names import CURRENT, MEASURED, PAIR, UNCERTAINTY, name_and_unit, quantity_of_unit, unit_of

STILL = 0.02  # share of its largest number that a constant voltage may change by
NOTHING = 1e-3  # share of the range of a swept voltage that a voltage of 0 V may change by
MIRROR = 0.02  # of the largest number: distance within which two columns are of opposite sign
SAME = 1e-6  # of the largest number: distance within which two columns are the same
READ_BACK = 1e-3  # the same for a voltage, which may be set and read back
DERIVED = 0.01  # relative distance within which a resistance is the voltage over the current of its row


class ColumnChoice(NamedTuple):
    """The columns that are used.

    columns : quantity -> column, of each group   left_out : header -> why it is not used
    """

    columns: list[dict[str, Column]]
    left_out: dict[str, str]


class Selection(NamedTuple):
    """A table while its columns are chosen. left_out : header -> why a column is not used, which grows"""

    block: FileBlock
    rows: TableRows
    left_out: dict[str, str]

    def values(self, column: Column) -> np.ndarray:
        """Numbers (row,) of a column in the unit of the Dataset."""
        return numbers_in_unit(column, self.rows)

    def only(self, used: list[Column], several: Sequence[Column], why: str) -> list[Column]:
        """Those of several columns that are used; the others are left out."""
        self.left_out.update({c.header.text: why for c in several if c not in used})
        return used


def choice(block: FileBlock, columns: Sequence[Column], rows: TableRows) -> ColumnChoice:
    """The columns to use of a table, one for each quantity. Raises DataError with a question where nothing decides.

    columns : those whose quantity is known
    """
    sets = column_groups(block, columns)
    selection = Selection(block, rows, {})
    picked, undecided = of_group(selection, sets[0])
    if undecided:
        raise question(selection, undecided)
    same_place = {column.place: i for i, column in enumerate(sets[0])}
    every = [{name: group[same_place[column.place]] for name, column in picked.items()} for group in sets]
    places = {column.place for group in every for column in group.values()}
    texts = {column.header.text for column in every[0].values()}
    for place, cell in enumerate(block.header.cells):
        if cell.text and place not in places and cell.text not in texts and block.quantities.get(cell.text) != "":
            selection.left_out.setdefault(cell.text, "")
    return ColumnChoice(every, selection.left_out)


def column_groups(block: FileBlock, columns: Sequence[Column]) -> list[list[Column]]:
    """Groups of columns side by side, with the same quantities in each group; else all columns as a single group.

    If a user named columns, only the groups of these columns.
    """
    width = names_per_cycle([cell.text for cell in block.header.cells])
    series = {column: column.heading.series for column in columns}
    labels = list(dict.fromkeys(text for text in series.values() if text))
    if width:
        sets = [
            [c for c in columns if c.place // width == i] for i in range(1 + max(c.place for c in columns) // width)
        ]
    elif len(labels) > 1:
        sets = [[c for c in columns if series[c] in (label, "")] for label in labels]
    else:
        return [list(columns)]
    named = [group for group in sets if any(column.named for column in group)]
    sets = named or sets
    names = [[column.quantity for column in group] for group in sets]
    return sets if all(row == names[0] for row in names) else [list(columns)]


def names_per_cycle(texts: list[str]) -> int:
    """Number of names after which the names of a header repeat, also with ".1", ".2" behind them; 0 if they do not."""
    while texts and not texts[-1]:
        texts = texts[:-1]
    bare = [re.sub(r"\.\d+$", "", text) for text in texts]
    for width in range(2, len(bare) // 2 + 1):
        if len(bare) % width == 0 and bare == bare[:width] * (len(bare) // width):
            return width
    return 0


def of_group(selection: Selection, columns: Sequence[Column]) -> tuple[dict[str, Column], dict[str, list[Column]]]:
    """(quantity -> column, quantity -> columns among which nothing decides) of a group of columns."""
    by_quantity: dict[str, list[Column]] = {}
    for column in columns:
        by_quantity.setdefault(column.quantity, []).append(column)
    for name, several in by_quantity.items():
        others = sum(map(len, by_quantity.values())) - len(several)
        by_quantity[name] = with_numbers(selection, several, others)
    by_quantity = {name: equivalent(selection, several) for name, several in by_quantity.items() if several}
    pair_columns(selection, by_quantity)
    picked = {name: several[0] for name, several in by_quantity.items() if len(several) == 1}
    if len(times := by_quantity.get("time", [])) > 1:
        current = current_of(picked)
        # the time of the channel of the current, else the last one to the left of it, else the first
        own = [c for c in times if current and c.channel == current.channel != ""]
        left = [c for c in times if current and c.place < current.place]
        picked["time"] = (own or left[-1:] or times)[0]
        same = [c for c in times if c.header.text == picked["time"].header.text]
        selection.only(same, times, "another time")
    leave_out_derived(selection, picked)
    return picked, {n: s for n, s in by_quantity.items() if len(s) > 1 and n != "time"}


def current_of(columns: Mapping[str, Column]) -> Column | None:
    """The column of a current, None without one."""
    return next((columns[name] for name in CURRENT if name in columns), None)


def with_numbers(selection: Selection, several: list[Column], others: int) -> list[Column]:
    """Columns that a user named, else those with two numbers or more, without magnitudes where there is a signed column.

    several : columns of one quantity   others : number of columns of other quantities
    """
    rows = selection.rows
    if named := [column for column in several if column.named]:
        return named if named[0].quantity == "time" else named[:1]
    counts = {column: int(np.isfinite(rows.numbers[column.place]).sum()) for column in several}
    full = [column for column in several if counts[column] > 1 or rows.lines.size < 2]
    if not full and (others < 2 or any(counts[column] and column.place in rows.faults for column in several)):
        return several  # the error about missing numbers comes later
    for column in several:
        if column not in full:
            selection.left_out[column.header.text] = "one number" if counts[column] else "no numbers"
    signed = [column for column in full if not column.heading.magnitude]
    return selection.only(signed, full, f"the magnitude of {signed[0].header.text}") if signed else full


def equivalent(selection: Selection, several: list[Column]) -> list[Column]:
    """Columns without those that repeat the numbers of another, and without those that the form does not prefer."""
    form = selection.block.preferred
    preferred = [c for c in several if form and re.match(form, c.header.text)]
    if len(several) > 1 and len(preferred) == 1:
        return selection.only(preferred, several, f"{preferred[0].header.text} comes first")
    if several[0].quantity == "time":
        return several
    distinct: list[Column] = []
    tolerance = READ_BACK if several[0].quantity == "voltage" else SAME
    for column in several:
        numbers = selection.values(column)
        same = next((c for c in distinct if same_numbers(selection.values(c), numbers, tolerance)), None)
        if same:
            selection.left_out[column.header.text] = f"the numbers of {same.header.text}"
        else:
            distinct.append(column)
    return distinct


def pair_columns(selection: Selection, by_quantity: dict[str, list[Column]]) -> None:
    """Remove constant or mirrored voltages, mirrored currents, and voltages of other channels than the current."""
    several = by_quantity.get("voltage", [])
    if len(several) > 1:
        numbers = {c: finite_numbers(selection.values(c)) for c in several}
        widest = max(np.ptp(V) for V in numbers.values())
        swept = [c for c, V in numbers.items() if np.ptp(V) > max(STILL * np.abs(V).max(), NOTHING * widest)]
        for column, V in numbers.items() if swept else ():
            if column not in swept:
                selection.left_out[column.header.text] = f"constant: {V[0]:.4g} V"
        by_quantity["voltage"] = without_mirrored(selection, swept or several, [])
    voltages = by_quantity.get("voltage", [])
    channels = [c.channel for c in voltages] if len(voltages) == 1 else []
    for name in CURRENT:
        if len(currents := by_quantity.get(name, [])) > 1:
            by_quantity[name] = without_mirrored(selection, currents, channels)
    measured = [c for name in CURRENT for c in by_quantity.get(name, [])]
    if len(voltages) > 1 and len(measured) == 1:
        own = [c for c in voltages if c.channel == measured[0].channel]
        if len(own) == 1:
            by_quantity["voltage"] = selection.only(own, voltages, "of another channel")


def without_mirrored(selection: Selection, several: list[Column], channels: list[str]) -> list[Column]:
    """The column of one of the channels, else the first, if all others have its numbers with opposite sign; else all."""
    first = next((c for c in several if c.channel in channels), several[0])
    mirrored = -selection.values(first)
    others = [c for c in several if c is not first]
    if any(c.named for c in several) or not all(same_numbers(selection.values(c), mirrored, MIRROR) for c in others):
        return several
    return selection.only([first], several, f"the opposite of {first.header.text}")


def leave_out_derived(selection: Selection, picked: dict[str, Column]) -> None:
    """Leave out a resistance or a conductance that is computed from the voltage and the current of its row."""
    if not {"voltage", "current"} <= set(picked):
        return
    V, current = (selection.values(picked[name]) for name in ("voltage", "current"))
    for name, top, bottom, words in (("resistance", V, current, "V / I"), ("conductance", current, V, "I / V")):
        if name in picked and not picked[name].named:
            with np.errstate(divide="ignore", invalid="ignore"):
                near = np.abs(selection.values(picked[name]) / (top / bottom) - 1) < DERIVED
            if near.mean() > 0.8:
                selection.left_out[picked.pop(name).header.text] = f"computed, {words}"


def same_numbers(values: np.ndarray, others: np.ndarray, tolerance: float) -> bool:
    """True if two columns have the same numbers, within a share of the largest."""
    both = np.isfinite(values) & np.isfinite(others)
    if both.sum() < 0.9 * max(np.isfinite(values).sum(), np.isfinite(others).sum(), 1):
        return False
    largest = max(np.abs(values[both]).max(), np.abs(others[both]).max())
    return bool(np.all(np.abs(values[both] - others[both]) <= tolerance * largest))


MOST = 12  # columns that a question lists
OF_SEVERAL_RUNS = (
    "a number for each of several runs, such as a change in % for each delay, is a target of `otjdd calibrate`"
)


def question(selection: Selection, undecided: Mapping[str, list[Column]]) -> DataError:
    """An error that lists the columns among which nothing decides, with the options that pick the likeliest."""
    block, parts, answers = selection.block, [], dict[str, Column]()
    for name, several in undecided.items():
        numbers = {column: finite_numbers(selection.values(column)) for column in several}
        largest = {column: float(np.abs(values).max(initial=0.0)) for column, values in numbers.items()}
        answers[name] = max(several, key=largest.__getitem__)
        named = (
            f"{c.header.text!r} ({first_numbers(numbers[c])} {unit_of(c.heading.measures)})" for c in several[:MOST]
        )
        parts.append(f"{name}: {', '.join(named)}")
    if voltages := undecided.get("voltage"):  # that of the channel of the likely current, else the first
        current = current_of(answers)
        answers["voltage"] = next((c for c in voltages if current and c.channel == current.channel), voltages[0])
    columns = next(iter(undecided.values()))
    return block.sheet.fault(
        block.header, columns[1].header, f"one column of {' and one of '.join(undecided)}", "; ".join(parts),
        f"say which: {naming_options({name: shortest(block, column) for name, column in answers.items()})}",
    )  # fmt: skip


def shortest(block: FileBlock, column: Column) -> str:
    """The name that chooses a column: without its index where several columns differ by the index only."""
    bare = stem(column.header.text)
    return bare if sum(stem(text) == bare for text in block.header.texts) > 1 else column.header.text


def naming_options(names: Mapping[str, str]) -> str:
    """Options of a command, and the argument of `read_data`, that name columns."""
    words = " ".join(f"--column {name}={quoted(text)}" for name, text in names.items())
    return f"{words}; in Python names={dict(names)!r}"


def quoted(text: str) -> str:
    """A text in quotes as a shell reads it."""
    return shlex.quote(text) if re.search(r'["$`\\!]', text) else f'"{text}"'


def first_numbers(values: np.ndarray) -> str:
    """The first of finite numbers in words."""
    return f"{', '.join(f'{number:.4g}' for number in values[:3])} ..."


def without_quantities(block: FileBlock, columns: Sequence[Column], rows: TableRows) -> DataError:
    """An error that asks which columns hold what was measured and what was applied, with a proposal from their units.

    columns : those whose quantity is known   rows : of all columns
    """
    texts = block.header.texts
    numbers = {place: values for place, values in rows.numbers.items() if np.isfinite(values).sum() > 1}
    listed = "; ".join(
        f"{texts[p]!r} ({first_numbers(finite_numbers(values))})" for p, values in list(numbers.items())[:MOST]
    )
    answers: dict[str, str] = {}
    volts: list[int] = []
    units = {place: name_and_unit(texts[place])[1] or block.unit(place) for place in numbers}
    for place, unit in units.items():
        own = next((c.quantity for c in columns if c.place == place), quantity_of_unit(unit))
        volts += [place] * (own == "voltage")
        if own and not own.endswith(UNCERTAINTY):
            answers.setdefault(own, texts[place])
    unnamed = [place for place in numbers if texts[place] not in answers.values()]
    free = [place for place in unnamed if not units[place]]  # a unit tells it is another
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
    expected = PAIR
    if block.numbered:
        listed = f"no header, but {listed}"
        expected = f"a header, or options that name the columns by their places, for {expected}"
    hint = OF_SEVERAL_RUNS if unnamed else ""
    if MEASURED & set(answers):
        hint = f"say which column is which, as {naming_options(answers)}"
    return block.sheet.fault(block.header, None, expected, listed or "no numbers", hint)
