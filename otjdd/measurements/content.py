"""The kind of a file by its first bytes, never by its name: text, a workbook, arrays, or a file without numbers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.sheet import Sheet
from otjdd.measurements.text import text_sheet
from otjdd.measurements.workbook import binary_sheets
from otjdd.system.files import Refused, read_regular

MAX_BYTES = 256_000_000
WORKBOOK, ARRAYS, HDF5, TEXT = "workbook", "arrays", "HDF5", "text"
KINDS = {  # first bytes -> what is read
    b"\xd0\xcf\x11\xe0": WORKBOOK, b"PK\x03\x04": WORKBOOK, b"MATLAB 5.0 MAT": ARRAYS, b"\x93NUMPY": ARRAYS,
    b"\x89HDF\r\n\x1a\n": HDF5,
}  # fmt: skip
_NETCDF3, _PACKED = "NetCDF 3; save it as NetCDF 4", "a compressed file; unpack it first"
_HTML = "a page of HTML; save the table as .csv"
OTHERS = {  # first bytes -> what is refused, in words
    b"\x89PNG": "a picture (PNG)", b"\xff\xd8\xff": "a picture (JPEG)", b"GIF8": "a picture (GIF)",
    b"BM": "a picture (BMP)", b"II*\0": "a picture (TIFF)", b"MM\0*": "a picture (TIFF)", b"%PDF": "a PDF document",
    b"CDF\x01": _NETCDF3, b"CDF\x02": _NETCDF3, b"\x1f\x8b": _PACKED, b"7z\xbc\xaf": _PACKED,
    b"TDSm": "a TDMS file; export it as text, or give its arrays to otjdd.read_data",
    b"MATLAB 7.3 MAT": "a MAT-file of version 7.3; save it with -v7", b"<html": _HTML, b"<!DOC": _HTML,
    b"<?xml": "XML; save the table as .csv", b"{\\rtf": "a text document; save it as plain text",
}  # fmt: skip


def kind_of(path: str | os.PathLike[str]) -> str:
    """One of WORKBOOK, ARRAYS, HDF5 and TEXT. Raises DataError for a file that holds none of them, OSError."""
    name = os.fspath(path)
    if Path(path).exists() and not Path(path).is_file():  # a pipe may wait for ever
        return TEXT
    with Path(path).open("rb") as file:
        first = file.read(64)
    for magic, words in OTHERS.items():
        if first.lstrip().startswith(magic) and (magic != b"BM" or b"\0" in first):
            raise DataError([Problem(name, 1, 1, "", "a file of numbers", words)])
    return next((kind for magic, kind in KINDS.items() if first.startswith(magic)), TEXT)


def sheets_of(path: str | os.PathLike[str], without: Sequence[tuple[int, int]]) -> list[Sheet]:
    """The sheets of a file of text, of a workbook, or of arrays. Raises OSError, DataError.

    without : (first, last) lines to leave empty
    """
    name, kind = os.fspath(path), kind_of(path)
    try:
        data = read_regular(Path(path), MAX_BYTES)
    except Refused as error:
        raise DataError([Problem(name, 1, 1, "", "a file of numbers", f"something that {error.strerror}")]) from None
    return [text_sheet(name, data, without)] if kind == TEXT else binary_sheets(name, data, kind, without)
