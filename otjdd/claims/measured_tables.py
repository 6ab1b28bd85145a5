"""Measured numbers of a claim from a table in a file, so that claim.toml need not repeat them. In claim.toml:

[settings]
measured = { file = "../data/sweeps.csv", columns = ["|I| (A)"], by = "contact (um)" }
"""

import csv
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from otjdd.case.base import Record
from otjdd.case.document import Document
from otjdd.case.problem import Problem
from otjdd.errors import CaseError
from otjdd.units import brief


class MeasuredTable(Record):
    """A comma-separated table of measured numbers with a header; lines that begin with # are comments.

    file : path relative to the folder of the claim   columns : names of the columns that are read
    by : name of a column; rows with the same entry in this column form one list, in the order of the first rows
    """

    file: str
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    by: str = ""

    def numbers(self, folder: Path) -> list[list[float]]:
        """Lists of numbers, one for each row, or one for each value of `by`. Raises OSError, KeyError, ValueError."""
        with (folder / self.file).open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(line for line in text if not line.startswith("#")))
        lists: dict[str, list[float]] = {}
        for i, row in enumerate(rows):
            lists.setdefault(row[self.by] if self.by else str(i), []).extend(float(row[name]) for name in self.columns)
        return list(lists.values())


def with_numbers(settings: dict[str, Any], folder: Path, document: Document) -> dict[str, Any]:
    """Settings of a claim, in which each `MeasuredTable` is replaced by its numbers. Raises CaseError."""
    replaced = {}
    for key, value in settings.items():
        try:
            replaced[key] = (
                MeasuredTable(**value).numbers(folder) if isinstance(value, dict) and "file" in value else value
            )
        except (OSError, KeyError, ValueError, TypeError) as error:
            expected = "file, columns and by of a table of numbers"
            raise CaseError([strange(document, key, expected, error)]) from error
    return replaced


def strange(document: Document, key: str, expected: str, error: Exception) -> Problem:
    """Problem of a setting whose table cannot be read."""
    return document.problem(("settings", key), expected, brief(" ".join(str(error).split())[:100]))
