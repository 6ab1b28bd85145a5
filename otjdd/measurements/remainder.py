"""Rows of numbers in a text that belong to none of its tables: the export of something else in the same file."""

from __future__ import annotations

from collections.abc import Sequence

from otjdd.measurements.forms.form import FileBlock
from otjdd.measurements.numbers import holds_numbers
from otjdd.measurements.sheet import Sheet

ROWS = 3  # lines of numbers that make a table


def check_remainder(sheet: Sheet, blocks: Sequence[FileBlock]) -> None:
    """Raise DataError for ROWS lines of numbers outside of the tables of a sheet."""
    if len(blocks) == 1 and blocks[0].first <= 2 and blocks[0].last >= sheet.text.count("\n"):
        return
    lines = sheet.text.split("\n")
    covered = sorted((block.first, block.last) for block in blocks)
    at, count, first = 1, 0, 0
    for start, end in [*covered, (len(lines) + 1, 0)]:
        for number in range(at, start):
            text = lines[number - 1]
            if not text.strip():
                continue
            count = count + 1 if holds_numbers(text) else 0
            first = number if count == 1 else first
            if count == ROWS:
                last = (
                    next(
                        (n for n in range(number, start) if lines[n - 1].strip() and not holds_numbers(lines[n - 1])),
                        start,
                    )
                    - 1
                )
                expected = f"one table, as that in line {blocks[0].first}"
                raise sheet.fault(
                    sheet.line(first), None, expected, "rows of numbers without a header that is understood",
                    f"save each export by itself, or leave these lines out: --skip {first}-{last}",
                )  # fmt: skip
        at, count = max(at, end + 1), 0
