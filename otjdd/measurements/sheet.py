"""A table as it stands in a file: its lines and cells with their places, before they are interpreted."""

from __future__ import annotations

from typing import NamedTuple

from otjdd.case.problem import Problem
from otjdd.errors import DataError


class Cell(NamedTuple):
    """A cell: where it begins in its line, counted from 1, and its content; numbers of workbooks are numbers already."""

    column: int
    content: str | float

    @property
    def text(self) -> str:
        """Content as text without blanks around it."""
        return str(self.content).strip()


class Line(NamedTuple):
    """A line with content: its number in the file, counted from 1, its cells, and its text."""

    number: int
    cells: list[Cell]
    text: str = ""

    @property
    def texts(self) -> list[str]:
        """Texts of the cells."""
        return [cell.text for cell in self.cells]


class Sheet(NamedTuple):
    """A table: the name of its file, its lines, the decimal mark of its numbers, and findings from its form."""

    file: str
    lines: list[Line]
    decimal: str = "."
    told: tuple[str, ...] = ()

    def fault(self, line: Line | None, cell: Cell | None, expected: str, got: str = "", hint: str = "") -> DataError:
        """An error at a place of the table; at its beginning without a line."""
        number, column = (line.number if line else 1), (cell.column if cell else 1)
        text = line.text if line else ""
        return DataError([Problem(self.file, number, column, "", expected, got, hint, text)])
