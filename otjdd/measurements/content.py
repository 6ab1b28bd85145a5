"""The kind of a file by its first bytes, never by its name: text, a workbook, arrays, or a file without numbers.

Workbooks (.xls, .xlsx) and files of arrays (.mat, .npy) become sheets as well. Formulas are not computed: cells have their
stored values. Another process reads such files (`workbook_process`), within limits of memory and time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.sheet import Sheet, blanked, text_sheet
from otjdd.system import interpreter
from otjdd.system.files import Refused, read_regular

MOST_TEXT = 256_000_000  # of the text of a sheet
MEMORY, SECONDS = 2 * 2**30, 30  # limits of the process that reads: addresses [bytes], processor time [s]


def binary_sheets(name: str, data: bytes, kind: str, without: Sequence[tuple[int, int]] = ()) -> list[Sheet]:
    """The sheets of a workbook, or of a file of arrays, that are not empty, in order.

    kind : "workbook" or "arrays"   without : (first, last) rows to leave empty
    Raises DataError for a file that cannot be read; OSError, with what to install, without python-calamine.
    """
    if kind == "workbook" and find_spec("python_calamine") is None:
        raise OSError(f"{name}: workbooks need python-calamine: pip install 'otjdd[excel]'")
    sheets = []
    for title, text in texts(name, data, kind):
        rest = blanked(text, without)
        if rest.strip():
            label = f"{name}[{title}]" if title else name
            notes = (f"sheet {title}",) if title else ()
            sheets.append(Sheet(label, rest, notes=notes, quoted=False, counted=True, title=title))
    return sheets


def texts(name: str, data: bytes, kind: str) -> list[tuple[str, str]]:
    """(title, text) of the sheets of a workbook or of arrays, with tabs between cells. Raises DataError."""
    program = [sys.executable, "-P", os.fspath(Path(__file__).with_name("workbook_process.py"))]
    words = [str(MEMORY), str(SECONDS), str(MOST_TEXT), kind]
    try:
        done = subprocess.run(
            program + words, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * SECONDS,
            env=interpreter.environment(), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        done = None
    fault = f"one that takes more than {MEMORY >> 30} GiB or {SECONDS} s, or that is damaged"
    sheets, rest = [], done.stdout if done else b""
    while rest:
        line, _, rest = rest.partition(b"\n")
        about = json.loads(line)
        if "fault" in about:
            fault = f"one that cannot be read ({about['fault']})"
            break
        sheets.append((about["title"], rest[: about["bytes"]].decode()))
        rest = rest[about["bytes"] :]
    else:
        if done and done.returncode == 0:
            return sheets
    hint = "" if "cannot be read" in fault else "save the sheet as .csv"
    raise DataError([Problem(name, 1, 1, "", "a workbook" if kind == "workbook" else "a file of arrays", fault, hint)])


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
