"""Workbooks of instruments, .xls and .xlsx, as sheets. Formulas are not computed: cells hold what was last stored."""

from __future__ import annotations

import io
import os
from pathlib import Path

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.sheet import Cell, Line, Sheet
from otjdd.system.files import Refused, read_regular

MAX_BYTES = 256_000_000
SUFFIXES = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods")


def read_workbook(path: str | os.PathLike[str]) -> list[Sheet]:
    """Return the sheets of a workbook that hold anything, in its order; the column of a cell counts cells.

    Raises OSError, DataError for what is no workbook; OSError, with what to install, without python-calamine.
    """
    try:
        import python_calamine
    except ImportError as error:
        raise OSError(f"{path}: workbooks need python-calamine: pip install 'otjdd[excel]'") from error
    name = os.fspath(path)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(read_regular(Path(path), MAX_BYTES)))
        tables = [(title, book.get_sheet_by_name(title).to_python(skip_empty_area=False)) for title in book.sheet_names]
    except Refused as error:
        raise DataError([Problem(name, 1, 1, "", "a workbook", f"something that {error.strerror}")]) from None
    except (python_calamine.CalamineError, ValueError) as error:
        raise DataError([Problem(name, 1, 1, "", "a workbook", f"one that cannot be read ({error})")]) from None
    sheets = [Sheet(f"{name}[{title}]", list(lines(rows)), told=(f"sheet {title}",)) for title, rows in tables]
    return [sheet for sheet in sheets if sheet.lines]


def lines(rows: list[list]):
    """Lines of the rows of a sheet, without empty ones."""
    for number, row in enumerate(rows, start=1):
        found = [Cell(column, content) for column, content in enumerate(row, start=1)]
        if any(cell.text for cell in found):
            yield Line(number, found)
