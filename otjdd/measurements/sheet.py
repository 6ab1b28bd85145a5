"""A table as text: its lines and cells with their places in the file, before they are interpreted."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from functools import partial
from typing import Literal, NamedTuple

from otjdd.case.problem import Problem
from otjdd.errors import DataError

HEAD = 2000  # lines in which a header is searched
BLOCK = 2**16  # characters that are divided into cells at a time, few enough for the caches of the processor
# A word, with a unit in brackets behind it; text in double quotes is one cell.
WORD = re.compile(r'"[^"]*"|[^\s\[(]+(?:\s*[\[(][^\])]{0,40}[\])])?|\S+')


class Cell(NamedTuple):
    """A cell: the column where it begins in its line, counted from 1, and its text without blanks around it."""

    column: int
    text: str


class SheetLine(NamedTuple):
    """A line with content: its number in the file, counted from 1, its cells, and its text."""

    number: int
    cells: list[Cell]
    text: str = ""

    @property
    def texts(self) -> list[str]:
        """Texts of the cells."""
        return [cell.text for cell in self.cells]


class Sheet(NamedTuple):
    """A table in a file.

    text : without comments   divider : of cells   decimal : decimal mark   notes : on the format, in words
    header : names in a comment above the numbers, or None
    original : text with its comments, "" without any   title : of the sheet of a workbook
    quoted : double quotes may enclose cells   counted : places in a line count cells and not characters, as in workbooks
    grouped : each comma in a number may be a mark of thousands as well, see `numbers.may_group`
    """

    file: str
    text: str
    divider: str = "\t"
    decimal: str = "."
    notes: tuple[str, ...] = ()
    header: SheetLine | None = None
    quoted: bool = True
    counted: bool = False
    original: str = ""
    title: str = ""
    grouped: bool = False

    def line(self, number: int, text: str | None = None) -> SheetLine:
        """The line with a number, counted from 1. text : of the line, None to take it from the sheet"""
        if text is None:
            text = self.text.split("\n", number)[number - 1]
        cells = list(divided(text, self.divider, self.quoted))
        if self.counted:
            return SheetLine(number, [Cell(i, cell.text) for i, cell in enumerate(cells, start=1)])
        return SheetLine(number, cells, text)

    def head(self, first: int = 1, last: int = sys.maxsize) -> list[SheetLine]:
        """The lines with content among HEAD lines from `first` on; a header in a comment is the first of all."""
        at = 0
        for _ in range(first - 1):
            at = self.text.find("\n", at) + 1
        texts = self.text[at:].split("\n", HEAD)
        numbered = enumerate(texts[: min(HEAD, last - first + 1)], start=first)
        lines = [self.line(number, text) for number, text in numbered if text.strip()]
        return [self.header, *lines] if self.header and first == 1 else lines

    def blocks(self, number: int, last: int) -> Iterator[tuple[int, list[list[str]]]]:
        """Yield (number of the first line, texts of the cells of each line) in blocks, from line `number` to line `last`.

        An empty line has []. Raises DataError for a quote that is not closed in its line.
        """
        at = 0
        for _ in range(number - 1):
            at = self.text.find("\n", at) + 1
            if not at:
                return
        while at < len(self.text) and number <= last:
            end = self.text.find("\n", at + BLOCK)
            end = len(self.text) if end < 0 else end
            texts = self.text[at:end].split("\n")[: last - number + 1]
            yield number, self.rows(number, texts)
            at, number = end + 1, number + len(texts)

    def rows(self, number: int, texts: list[str]) -> list[list[str]]:
        """Texts of the cells of lines. number : of the first line. Raises DataError."""
        if self.divider == " ":
            return [line.split() for line in texts]
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE
        reader = partial(csv.reader, delimiter=self.divider, quoting=quoting, skipinitialspace=True)
        try:
            rows = list(reader(texts))
        except csv.Error as error:
            raise self.fault(None, None, "a table of numbers", f"a line that cannot be divided ({error})") from None
        if len(rows) < len(texts):  # a quote encloses the end of a line
            again = reader(texts)
            first = next(i for i, _ in enumerate(again) if again.line_num != i + 1)
            raise self.fault(
                self.line(number + first, texts[first]), None, "quotes that are closed in their line", "one"
            )
        return rows

    def fault(
        self, line: SheetLine | None, cell: Cell | None, expected: str, got: str = "", hint: str = ""
    ) -> DataError:
        """An error about a place in the table, its beginning if `line` is None."""
        number, column = (line.number if line else 1), (cell.column if cell else 1)
        text = line.text if line else ""
        return DataError([Problem(self.file, number, column, "", expected, got, hint, text)])


def divided(line: str, divider: str, quoted: bool) -> Iterator[Cell]:
    """Yield the cells of a line with their places."""
    if divider == " ":
        yield from (Cell(match.start() + 1, match.group().strip('"').strip()) for match in WORD.finditer(line))
        return
    if not line.strip():
        return
    texts = line.split(divider)
    if quoted and '"' in line:
        texts = [match[1] for match in re.finditer(rf'((?:\s*"(?:[^"]|"")*")?[^{divider}]*)(?:{divider}|$)', line)]
        texts = texts[:-1] if line.rstrip("\r\n")[-1:] != divider and not texts[-1] else texts
    at = 0
    for text in texts:
        bare = text.strip()
        yield Cell(at + len(text) - len(text.lstrip()) + 1, unquoted(bare) if quoted else bare)
        at += len(text) + 1


def unquoted(text: str) -> str:
    """Text without the quotes around it."""
    return text[1:-1].replace('""', '"').strip() if len(text) > 1 and text[0] == text[-1] == '"' else text
