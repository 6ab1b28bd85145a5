"""A text as a table: its encoding, divider of cells, decimal mark and comments; its lines and cells with their places;
the numbers in cells, and the words and values that stand for missing numbers.

The divider and the decimal mark are those with which most cells are numbers.

The kind of a file shows in its first bytes, never in its name: text, a workbook, arrays, or a file without numbers.
Workbooks (.xls, .xlsx) and files of arrays (.mat, .npy) become sheets as well. Formulas are not computed: cells have their
stored values. Another process reads such files (`workbook_process`), within limits of memory and time.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from otjdd.case.problem import Problem, data_error
from otjdd.errors import DataError
from otjdd.measurements.names import heading, quantity_of_name
from otjdd.system import interpreter
from otjdd.system.files import Refused, read_regular

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
    grouped : each comma in a number may be a mark of thousands as well, see `may_group`
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
            line = self.line(number + first, texts[first])
            raise self.fault(line, None, "quotes that are closed in their line", "one")
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
        if quoted and len(bare) > 1 and bare[0] == bare[-1] == '"':
            bare = bare[1:-1].replace('""', '"').strip()
        yield Cell(at + len(text) - len(text.lstrip()) + 1, bare)
        at += len(text) + 1


NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]{1,3})?|inf(?:inity)?)", re.IGNORECASE)
MISSING = {"", *"- -- --- nan na n/a null none #n/a #ref overflow overrange".split(), "over range"}
# of a spreadsheet, "#DIV/0!"; of a C program on Windows, "-1.#IND", "1.#QNAN0e+000"
NO_NUMBER = re.compile(
    r"#(?:ref|div/0|value|num|name|null)[!?]?|[+-]?1\.#(?:ind|qnan|snan|inf)\w*(?:[+-]\d+)?", re.IGNORECASE
)
TO_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})  # signs of word processors
# SCPI instruments write 9.9e37 for a value over range, and 9.91e37 for "not a number".
OVERFLOW = 9.8e37
DIVIDED = re.compile(r"[\s;,]+")  # between words
COMMA = re.compile(r"[0-9]*,[0-9][0-9.,]*(?:[eEdD][+-]?[0-9]+)?")  # a number with a comma, or its end
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")
QUOTED = re.compile(r'"([^"\n]*)"')
BETWEEN = "\0"  # a character that no text contains


def number_in(text: str, decimal: str) -> float | None:
    """Number of a cell, nan for a missing one; None for other text, and for another decimal mark."""
    text = text.strip().translate(TO_MINUS)
    if text.lower() in MISSING or ("#" in text and NO_NUMBER.fullmatch(text)):
        return math.nan
    if decimal == ",":
        text = text.replace(".", "?").replace(",", ".")
    return float(text.replace("d", "e").replace("D", "e")) if NUMBER.fullmatch(text) else None


def may_group(text: str, divider: str) -> bool:
    """True if each comma in a number of a text has three digits behind it and up to three before, as in 1,500.

    divider : of cells; other commas are in quotes
    """
    parts = QUOTED.findall(text) if divider == "," else [text]
    return all(THOUSANDS.fullmatch(number) for part in parts for number in COMMA.findall(part))


def reads_as_number(text: str, decimal: str) -> bool:
    """True if a text is a number with this decimal mark or with a point. Words for missing numbers are no numbers."""
    number = number_in(text, decimal)
    if number is None and decimal != ".":
        number = number_in(text, ".")
    return number is not None and not math.isnan(number)


def holds_numbers(text: str) -> bool:
    """True for a line with two numbers or more that begins with a number, or with `DataValue` of EasyEXPERT."""
    words = DIVIDED.split(text[:2000].strip().replace('"', ""))
    numbers = [number_in(word, ".") is not None for word in words if word]
    return (numbers[:1] == [True] or text.startswith("DataValue")) and sum(numbers) > 1


def plain_numbers(cells: Sequence[str], decimal: str) -> np.ndarray | None:
    """Numbers of many cells at once, nan for empty ones; None if a cell needs `number_in`."""
    if not cells:
        return np.zeros(0)
    joined = BETWEEN.join(cells)
    if "_" in joined:  # which Python allows in numbers
        return None
    if decimal == ",":
        if "." in joined:
            return None
        cells = joined.replace(",", ".").split(BETWEEN)
    try:
        return np.array([float(cell) if cell else math.nan for cell in cells])
    except ValueError:
        return None


MAX_HEADER = 2000  # characters of a comment that may be a header
ENCODINGS = ("gb18030", "shift_jis")
DIVIDERS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
MARKS = "#%!"  # a line that begins with one of them is a comment
COMMENT = re.compile(rf"^[ \t]*[{MARKS}].*", re.MULTILINE)
CONTENT = re.compile(rf"^[ \t]*[^\s{MARKS}].*", re.MULTILINE)
SAMPLE, TAIL = 400, 200_000  # the divider follows from this many last lines, among this many last characters
BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def sheet_of(name: str, text: str) -> Sheet:
    """The sheet of the text of a file. Raises DataError."""
    begin = CONTENT.search(text)
    if begin is None:
        raise data_error(name, 1, "a table of numbers", "a file without any")
    comments = [match.span() for match in COMMENT.finditer(text, 0, begin.start())]
    above = text[slice(*comments[-1])] if comments else ""
    at = text.count("\n", 0, comments[-1][0]) + 1 if comments else 0
    original, count = "", 0
    if comments or any(mark in text for mark in MARKS):
        original = text
        text, count = COMMENT.subn(partial(comment_or_header, begin.start()), text)
    lines = [line for line in text[-TAIL:].split("\n")[len(text) > TAIL :] if line.strip()]
    divider, decimal = cell_format(lines[-SAMPLE:])
    notes = [f"cells between {DIVIDERS[divider]}"] + ["a decimal comma"] * (decimal == ",")
    notes += [f"{count} lines of comment"] * bool(count)
    grouped = decimal == "," and may_group(text, divider)
    sheet = Sheet(name, text, divider, decimal, tuple(notes), original=original, grouped=grouped)
    if not above or not reads_as_number(re.split(r"[\s;,]", begin.group().strip(), maxsplit=1)[0], "."):
        return sheet
    names = sheet.line(at, re.sub(f"[{MARKS}]", " ", above, count=1))  # the comment right above the numbers
    return sheet._replace(header=names._replace(text=f" {above[1:]}"))


def comment_or_header(begin: int, comment: re.Match[str]) -> str:
    """Text of a comment below the place `begin` if it names quantities, as a repeated header does; "" for others."""
    words = comment.group().strip().lstrip(MARKS)
    if comment.start() < begin or len(words) > MAX_HEADER:
        return ""
    cells = [cell.text for divider in DIVIDERS for cell in divided(words, divider, True)]
    return words if sum(heading(cell) is not None for cell in dict.fromkeys(cells)) > 1 else ""


def decoded(name: str, data: bytes) -> str:
    """Text in UTF-8, UTF-16, or else Windows-1252, which instruments use for micro signs. Ends of lines become "\\n".

    An encoding of ENCODINGS is taken if the first lines name a quantity in this encoding. Raises DataError.
    """
    order = BYTE_ORDER.get(data[:2]) or (
        "utf-16-le" if data[1:400:2].count(0) > 0.9 * len(data[1:400:2]) > 0 else "utf-8-sig"
    )
    for encoding in (order, *(code for code in ENCODINGS if named_in(data, code)), "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError as error:
            last = error
            continue
        if BETWEEN in text:
            break
        text = text.replace("\ufeff", "") if "\ufeff" in text else text  # of files that were joined
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    else:
        raise data_error(name, 1, "text in UTF-8, UTF-16 or Windows-1252", f"byte {last.start}")
    raise data_error(name, 1, "text, a workbook, a MAT-file or NetCDF", "a binary file of another kind")


def named_in(data: bytes, encoding: str) -> bool:
    """True if the first lines name a quantity in an encoding of East Asia."""
    text = data[:4000].decode(encoding, "ignore")
    return any(not word.isascii() and quantity_of_name(word) for word in re.findall(r"\w+", text))


def blanked(text: str, without: Sequence[tuple[int, int]]) -> str:
    """The text with some lines emptied. without : (first, last) lines, counted from 1"""
    if not without:
        return text
    lines = text.split("\n")
    for first, last in without:
        first, last = max(first - 1, 0), min(last, len(lines))
        lines[first:last] = [""] * max(last - first, 0)
    return "\n".join(lines)


def cell_format(lines: list[str]) -> tuple[str, str]:
    """Divider and decimal mark with which most cells are numbers and fewest are not."""
    best, most = (",", "."), 0
    for decimal, divider in product(".,", DIVIDERS):
        if decimal == divider and not any('"' in line for line in lines):
            continue
        rows = [[cell.text for cell in divided(line, divider, True) if cell.text] for line in lines]
        numbers = [[reads_as_number(text, decimal) for text in row] for row in rows if len(row) > 1]
        score = sum(2 * sum(row) - len(row) for row in numbers if any(row))
        if score > most:
            best, most = (divider, decimal), score
    return best


MOST_TEXT = 256_000_000  # of the text of a sheet
MEMORY, SECONDS = 2 * 2**30, 30  # limits of the process that reads: addresses [bytes], processor time [s]


def sheet_texts(name: str, data: bytes, kind: str) -> list[tuple[str, str]]:
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
    raise data_error(name, 1, "a workbook" if kind == "workbook" else "a file of arrays", fault, hint)


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
            raise data_error(name, 1, "a file of numbers", words)
    return next((kind for magic, kind in KINDS.items() if first.startswith(magic)), TEXT)


def sheets_of(path: str | os.PathLike[str], without: Sequence[tuple[int, int]]) -> list[Sheet]:
    """The sheets of a file of text, or of a workbook or of arrays those that are not empty. Raises DataError, OSError.

    without : (first, last) lines to leave empty
    An OSError says what to install for a workbook without python-calamine.
    """
    name, kind = os.fspath(path), kind_of(path)
    try:
        data = read_regular(Path(path), MAX_BYTES)
    except Refused as error:
        raise data_error(name, 1, "a file of numbers", f"something that {error.strerror}") from None
    if kind == TEXT:
        return [sheet_of(name, blanked(decoded(name, data), without))]
    if kind == "workbook" and find_spec("python_calamine") is None:
        raise OSError(f"{name}: workbooks need python-calamine: pip install 'otjdd[excel]'")
    sheets = []
    for title, text in sheet_texts(name, data, kind):
        rest = blanked(text, without)
        if rest.strip():
            label = f"{name}[{title}]" if title else name
            notes = (f"sheet {title}",) if title else ()
            sheets.append(Sheet(label, rest, notes=notes, quoted=False, counted=True, title=title))
    return sheets
