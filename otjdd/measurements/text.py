"""Text files as sheets: encoding, divider of cells, decimal mark, comments.

All of these are found from the text: the divider and the decimal mark are those with which most cells are numbers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.numbers import is_number
from otjdd.measurements.sheet import Cell, Line, Sheet
from otjdd.system.files import Refused, read_regular

MAX_BYTES = 256_000_000
DIVIDERS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
MARKS = "#%!"  # a line that begins with one of them is a comment
SAMPLE = 400  # lines from which the divider is found
BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text(path: str | os.PathLike[str]) -> Sheet:
    """Return the sheet of a text file. Raises OSError, DataError for what is no text."""
    text = decoded(path)
    said = [(number, line.rstrip("\r")) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    rows = [(number, line) for number, line in said if line.lstrip()[0] not in MARKS]
    if not rows:
        raise DataError([Problem(os.fspath(path), 1, 1, "", "a table of numbers", "a file without any")])
    heading = commented_header([line for _, line in said if line.lstrip()[0] in MARKS], rows[0][1])
    divider, decimal = form_of([line for _, line in rows[-SAMPLE:]])
    lines = [Line(number, list(cells(line, divider)), line) for number, line in rows]
    told = [f"cells between {DIVIDERS[divider]}"] + ["a decimal comma"] * (decimal == ",")
    if len(rows) < len(said):
        told.append(f"{len(said) - len(rows)} lines of comment")
    if heading:  # the names stand in a comment above the numbers
        number = next(n for n, line in said if line == heading)
        bare = re.sub(f"[{MARKS}]", " ", heading, count=1)
        lines.insert(0, Line(number, list(cells(bare, divider)), heading))
    return Sheet(os.fspath(path), lines, decimal, tuple(told))


def decoded(path: str | os.PathLike[str]) -> str:
    """Text of a file: UTF-8, UTF-16 with its mark, else Windows-1252, in which instruments write their micro signs."""
    name = os.fspath(path)
    try:
        data = read_regular(Path(path), MAX_BYTES)
    except Refused as error:
        raise DataError([Problem(name, 1, 1, "", "a file of numbers", f"something that {error.strerror}")]) from None
    if b"\0" in data[:4096] and data[:2] not in BYTE_ORDER:
        raise DataError([Problem(name, 1, 1, "", "a text file, .xls, .xlsx or .nc", "a binary file of another kind")])
    for encoding in (BYTE_ORDER.get(data[:2], "utf-8-sig"), "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            last = error
    raise DataError([Problem(name, 1, 1, "", "text in UTF-8, UTF-16 or Windows-1252", f"byte {last.start}")])


def commented_header(comments: list[str], first: str) -> str:
    """The last comment, when the first row that is none begins with a number; "" otherwise."""
    begins = re.split(r"[\s;,]", first.strip(), maxsplit=1)[0]
    return comments[-1] if comments and is_number(begins, ".") else ""


def form_of(lines: list[str]) -> tuple[str, str]:
    """Divider and decimal mark with which most cells are numbers and fewest are not, in rows with numbers."""
    best, most = (",", "."), 0
    for decimal, divider in product(".,", DIVIDERS):
        if decimal == divider and not any('"' in line for line in lines):
            continue
        rows = [[cell.text for cell in cells(line, divider) if cell.text] for line in lines]
        numbers = [[is_number(text, decimal) for text in row] for row in rows if len(row) > 1]
        score = sum(2 * sum(row) - len(row) for row in numbers if any(row))
        if score > most:
            best, most = (divider, decimal), score
    return best


def cells(line: str, divider: str) -> Iterator[Cell]:
    """Cells of a line with their places; what stands in double quotes is one cell."""
    inside = r'"[^"]*"' + (r"|[^\s\[(]+(?:\s*[\[(][^\])]*[\])])?" if divider == " " else rf"|[^{divider}]*")
    pattern = re.compile(inside if divider == " " else rf"\s*(?:{inside})\s*(?:{divider}|$)")
    for match in pattern.finditer(line):
        if match.group() == "" and (match.start() == 0 or line[match.start() - 1] != divider):
            continue  # the end of a line after its last cell
        content = match.group().removesuffix(divider).strip().strip('"')
        blanks = len(match.group()) - len(match.group().lstrip())
        yield Cell(match.start() + blanks + 1, content)
