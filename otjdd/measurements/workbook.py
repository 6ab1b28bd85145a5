"""Workbooks of instruments, .xls and .xlsx, and files of arrays, .mat and .npy, as sheets.

Formulas are not computed: cells have their stored values. Another process reads the files (`workbook_process`), within
limits of memory and time.
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

MAX_BYTES = 256_000_000  # of the text of a sheet
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
    words = [str(MEMORY), str(SECONDS), str(MAX_BYTES), kind]
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
