"""Numbers in cells: decimal marks, and the words and values that stand for missing numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]{1,3})?|inf(?:inity)?)", re.IGNORECASE)
MISSING = {
    "",
    "-",
    "--",
    "---",
    "nan",
    "na",
    "n/a",
    "null",
    "none",
    "#n/a",
    "#ref",
    "overflow",
    "over range",
    "overrange",
}
# of a spreadsheet, "#DIV/0!"; of a C program on Windows, "-1.#IND", "1.#QNAN0e+000"
NO_NUMBER = re.compile(
    r"#(?:ref|div/0|value|num|name|null)[!?]?|[+-]?1\.#(?:ind|qnan|snan|inf)\w*(?:[+-]\d+)?", re.IGNORECASE
)
MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})  # signs of word processors
# SCPI instruments write 9.9e37 for a value over range, and 9.91e37 for "not a number".
OVERFLOW = 9.8e37
DIVIDED = re.compile(r"[\s;,]+")  # between words
COMMA = re.compile(r"[0-9]*,[0-9][0-9.,]*(?:[eEdD][+-]?[0-9]+)?")  # a number with a comma, or its end
THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")
WHOLE = re.compile(r"[+-]?[1-9][0-9]*")
QUOTED = re.compile(r'"([^"\n]*)"')
BETWEEN = "\0"  # a character that no text contains


def number_in(text: str, decimal: str) -> float | None:
    """Number of a cell, nan for a missing one; None for other text, and for another decimal mark."""
    text = text.strip().translate(MINUS)
    if text.lower() in MISSING or ("#" in text and NO_NUMBER.fullmatch(text)):
        return math.nan
    if decimal == ",":
        text = text.replace(".", "?").replace(",", ".")
    return float(text.replace("d", "e").replace("D", "e")) if NUMBER.fullmatch(text) else None


def may_group(text: str, divider: str) -> bool:
    """True if each comma in a number of a text has three digits behind it and up to three before, as in 1,500.

    divider : of cells; commas beside it are those in quotes
    """
    parts = QUOTED.findall(text) if divider == "," else [text]
    return all(THOUSANDS.fullmatch(number) for part in parts for number in COMMA.findall(part))


def first_grouped(cells: Sequence[str], divider: str) -> int | None:
    """Number of the first cell of a column that may be thousands: with a comma in quotes, or beside whole numbers."""
    texts = [cell.strip() for cell in cells]
    if divider != "," and not any(WHOLE.fullmatch(text) for text in texts):
        return None  # numbers with three decimals, all of them
    return next((i for i, text in enumerate(texts) if THOUSANDS.fullmatch(text)), None)


def is_number(text: str, decimal: str) -> bool:
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


def without_overflows(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Values with nan in place of marks of an overflow, and the count of these marks."""
    over = np.abs(values) >= OVERFLOW
    return np.where(over, np.nan, values), int(over.sum())
