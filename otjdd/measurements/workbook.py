"""Workbooks of instruments, .xls and .xlsx, as sheets. Formulas are not computed: cells have their stored values.

Another process reads them (`workbook_process`), within limits of memory and time.
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
from otjdd.measurements.sheet import Sheet
from otjdd.measurements.text import blanked
from otjdd.system import interpreter
from otjdd.system.files import Refused, read_regular

MAX_BYTES = 256_000_000
MEMORY, SECONDS = 2 * 2**30, 30  # limits of the process that reads: addresses [bytes], processor time [s]
SUFFIXES = (".xls", ".xlsx", ".xlsm", ".xlsb", ".ods")


def read_workbook(
    path: str | os.PathLike[str], wanted: str = "", without: Sequence[tuple[int, int]] = ()
) -> list[Sheet]:
    """The sheet with the title `wanted`, or all sheets of a workbook that are not empty, in order.

    without : (first, last) rows to leave empty
    Raises OSError, DataError for a file that is no workbook; OSError, with what to install, without python-calamine.
    """
    if find_spec("python_calamine") is None:
        raise OSError(f"{path}: workbooks need python-calamine: pip install 'otjdd[excel]'")
    name = os.fspath(path)
    try:
        data = read_regular(Path(path), MAX_BYTES)
    except Refused as error:
        raise DataError([Problem(name, 1, 1, "", "a workbook", f"something that {error.strerror}")]) from None
    sheets = []
    for title, text in texts(name, data, wanted):
        shown = blanked(text, without)
        if shown.strip():
            told = (f"sheet {title}",)
            sheets.append(Sheet(f"{name}[{title}]", shown, told=told, quoted=False, counted=True))
    return sheets


def texts(name: str, data: bytes, wanted: str) -> list[tuple[str, str]]:
    """(title, text) of the sheets of a workbook, with tabs between cells. Raises DataError."""
    program = [sys.executable, "-P", os.fspath(Path(__file__).with_name("workbook_process.py"))]
    words = [str(MEMORY), str(SECONDS), str(MAX_BYTES), wanted]
    try:
        done = subprocess.run(
            program + words, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2 * SECONDS,
            env=interpreter.environment(), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        done = None
    fault = f"one that takes more than {MEMORY >> 30} GiB or {SECONDS} s, or that is damaged"
    found, rest = [], done.stdout if done else b""
    while rest:
        line, _, rest = rest.partition(b"\n")
        about = json.loads(line)
        if "fault" in about:
            fault = f"one that cannot be read ({about['fault']})"
            break
        found.append((about["title"], rest[: about["bytes"]].decode()))
        rest = rest[about["bytes"] :]
    else:
        if done and done.returncode == 0:
            return found
    hint = "" if "cannot be read" in fault else "save the sheet as .csv"
    raise DataError([Problem(name, 1, 1, "", "a workbook", fault, hint)])
