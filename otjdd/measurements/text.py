"""Text files as sheets. Encoding, divider of cells, decimal mark and comments follow from the text.

The divider and the decimal mark are those with which most cells are numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import product

from otjdd.case.problem import Problem
from otjdd.errors import DataError
from otjdd.measurements.names import heading, quantity_of
from otjdd.measurements.numbers import BETWEEN, is_number, may_group
from otjdd.measurements.sheet import Sheet, divided

MAX_HEADER = 2000  # characters of a comment that may be a header
ENCODINGS = ("gb18030", "shift_jis")
DIVIDERS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
MARKS = "#%!"  # a line that begins with one of them is a comment
COMMENT = re.compile(rf"^[ \t]*[{MARKS}].*", re.MULTILINE)
CONTENT = re.compile(rf"^[ \t]*[^\s{MARKS}].*", re.MULTILINE)
SAMPLE, TAIL = 400, 200_000  # the divider follows from this many last lines, among this many last characters
BYTE_ORDER = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def text_sheet(name: str, data: bytes, without: Sequence[tuple[int, int]] = ()) -> Sheet:
    """The sheet of the content of a text file. without : (first, last) lines to leave empty. Raises DataError."""
    return sheet_of(name, blanked(decoded(name, data), without))


def sheet_of(name: str, text: str) -> Sheet:
    """The sheet of the text of a file. Raises DataError."""
    begin = CONTENT.search(text)
    if begin is None:
        raise DataError([Problem(name, 1, 1, "", "a table of numbers", "a file without any")])
    comments = [match.span() for match in COMMENT.finditer(text, 0, begin.start())]
    above = text[slice(*comments[-1])] if comments else ""
    at = text.count("\n", 0, comments[-1][0]) + 1 if comments else 0
    original, count = "", 0
    if comments or any(mark in text for mark in MARKS):
        original = text
        text, count = COMMENT.subn(partial(comment_or_header, begin.start()), text)
    lines = [line for line in text[-TAIL:].split("\n")[len(text) > TAIL :] if line.strip()]
    divider, decimal = form_of(lines[-SAMPLE:])
    notes = [f"cells between {DIVIDERS[divider]}"] + ["a decimal comma"] * (decimal == ",")
    notes += [f"{count} lines of comment"] * bool(count)
    grouped = decimal == "," and may_group(text, divider)
    sheet = Sheet(name, text, divider, decimal, tuple(notes), original=original, grouped=grouped)
    if not above or not is_number(re.split(r"[\s;,]", begin.group().strip(), maxsplit=1)[0], "."):
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
        raise DataError([Problem(name, 1, 1, "", "text in UTF-8, UTF-16 or Windows-1252", f"byte {last.start}")])
    raise DataError(
        [Problem(name, 1, 1, "", "text, a workbook, a MAT-file or NetCDF", "a binary file of another kind")]
    )


def named_in(data: bytes, encoding: str) -> bool:
    """True if the first lines name a quantity in an encoding of East Asia."""
    text = data[:4000].decode(encoding, "ignore")
    return any(not word.isascii() and quantity_of(word) for word in re.findall(r"\w+", text))


def blanked(text: str, without: Sequence[tuple[int, int]]) -> str:
    """The text with some lines emptied. without : (first, last) lines, counted from 1"""
    if not without:
        return text
    lines = text.split("\n")
    for first, last in without:
        first, last = max(first - 1, 0), min(last, len(lines))
        lines[first:last] = [""] * max(last - first, 0)
    return "\n".join(lines)


def form_of(lines: list[str]) -> tuple[str, str]:
    """Divider and decimal mark with which most cells are numbers and fewest are not."""
    best, most = (",", "."), 0
    for decimal, divider in product(".,", DIVIDERS):
        if decimal == divider and not any('"' in line for line in lines):
            continue
        rows = [[cell.text for cell in divided(line, divider, True) if cell.text] for line in lines]
        numbers = [[is_number(text, decimal) for text in row] for row in rows if len(row) > 1]
        score = sum(2 * sum(row) - len(row) for row in numbers if any(row))
        if score > most:
            best, most = (divider, decimal), score
    return best
