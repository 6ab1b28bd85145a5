"""A fault of a case as a message: file, line, key, what was expected and what was found."""

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

from otjdd.errors import DataError
from otjdd.units import brief

KeyPath = tuple[str | int, ...]  # keys of nested tables and places in lists
NO_BLANKS = "names have no blanks"


class Problem(NamedTuple):
    """One fault of a case: place, what was expected, what was found.

    line and column count from 1; line 0 stands for a value that is not from a file. Without `got`, `expected` is the
    whole message.
    """

    file: str
    line: int
    column: int
    key: str  # dotted
    expected: str
    got: str = ""
    hint: str = ""
    source: str = ""  # the line of the file

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        what = f"expected {self.expected}, got {self.got}" if self.got else self.expected
        text = f"{where}{' ' if self.key else ''}{self.key}: {what}" + (f" ({self.hint})" if self.hint else "")
        if not self.source.strip():
            return text
        start = max(0, self.column - 80)  # of a very long line only the part around the fault is shown
        excerpt = "".join(c if c.isprintable() else " " for c in self.source[start : start + 120])
        return f"{text}\n    {excerpt}\n    {' ' * (self.column - 1 - start)}^"


class Source(NamedTuple):
    """A case file: its name as given, and its text; None for values from outside of a file."""

    file: str
    text: str | None

    def problem(self, offset: int, key: KeyPath, expected: str, got: str = "", hint: str = "") -> Problem:
        """A problem at an offset of the text."""
        if self.text is None:
            return Problem(self.file, 0, 0, dotted(key), expected, got, hint)
        start = self.text.rfind("\n", 0, offset) + 1
        line = self.text[start:].split("\n", 1)[0].rstrip("\r")
        row = self.text.count("\n", 0, start) + 1
        return Problem(self.file, row, offset - start + 1, dotted(key), expected, got, hint, line)


def dotted(path: KeyPath) -> str:
    """Path as text: drive.parts[0].voltage, columns.spread."ions.density"."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", part) else brief(part))
    return text


def nearest(word: str, words: Iterable[str]) -> str:
    """Hint for an unknown word: the one of `words` that it resembles, "" when there is none."""
    close = difflib.get_close_matches(word[:100], words, 1)
    return f'did you mean "{close[0]}"?' if close else ""


def data_error(file: str, line: int, expected: str, got: str = "", hint: str = "", key: str = "") -> DataError:
    """An error of measured data with one problem, at the start of a line, or at none (0)."""
    return DataError([Problem(file, line, min(line, 1), key, expected, got, hint)])
