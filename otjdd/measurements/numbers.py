"""Numbers in cells: decimal marks, and the words and values with which instruments mark missing numbers."""

import math
import re

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][+-]?[0-9]{1,3})?")
MISSING = {"", "-", "--", "---", "nan", "na", "n/a", "null", "none", "inf", "+inf", "-inf", "#n/a", "#ref", "overflow"}
MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})  # as word processors write it
# Readings of SCPI instruments that are none: 9.9e37 over range, 9.91e37 not a number.
OVERFLOW = 9.8e37


def number_in(content: str | float, decimal: str) -> float | None:
    """Number of a cell; nan where there is none, or for an overflow; None for any other text."""
    if isinstance(content, int | float) and not isinstance(content, bool):
        value = float(content)
    else:
        text = str(content).strip().translate(MINUS)
        if text.lower() in MISSING:
            return math.nan
        if decimal == "," and "." not in text:
            text = text.replace(",", ".")
        if not NUMBER.fullmatch(text):
            return None
        value = float(text.replace("d", "e").replace("D", "e"))
    return value if abs(value) < OVERFLOW else math.nan


def is_overflow(content: str | float, decimal: str) -> bool:
    """Tell if a cell holds the number with which an instrument marks an overflow."""
    text = str(content).strip().replace(decimal, ".")
    return bool(NUMBER.fullmatch(text)) and abs(float(text.replace("d", "e").replace("D", "e"))) >= OVERFLOW


def is_number(text: str, decimal: str) -> bool:
    """Tell if a text is a number, and not one of the words for none."""
    found = number_in(text, decimal)
    return found is not None and not math.isnan(found)
