"""Texts of options as values: pairs, ranges, quantities and shares, each with one form and one way to refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from otjdd import units


@contextmanager
def usage_of(option: str, says: str = "") -> Iterator[None]:
    """A ValueError within the block is a wrong value of an option, for typer. says : words before it"""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(f"{says} ({error})" if says else str(error), param_hint=option) from None


def refuse(option: str, expected: str, got: str) -> typer.BadParameter:
    """The error of an option with another form than expected."""
    return typer.BadParameter(f"expected {expected}, got {got!r}", param_hint=option)


def pair(text: str, option: str, form: str) -> tuple[str, str]:
    """Both sides of NAME=VALUE. The "=" stands behind the last quotation mark of a name. Raises typer.BadParameter."""
    quoted = '"' in text.partition("=")[0]
    end = text.rfind('"', 0, text.find("=", text.find('"') + 1)) + 1 if quoted else 0
    name, equals, value = text[end:].partition("=")
    name = (text[:end] + name).strip()
    if not (name and equals):
        raise refuse(option, form, text)
    return name, value.strip()


def range_of(text: str, option: str, form: str) -> tuple[str, str]:
    """Both ends of LOW:HIGH as texts, "" for one that is left out. Raises typer.BadParameter."""
    low, colon, high = text.partition(":")
    if not colon:
        raise refuse(option, form, text)
    return low.strip(), high.strip()


def two_numbers(text: str, option: str) -> tuple[float, float]:
    """The two numbers of LOW:HIGH. Raises typer.BadParameter."""
    form = "two numbers with a colon between them"
    try:
        low, high = map(float, range_of(text, option, form))
    except ValueError:
        raise refuse(option, form, text) from None
    return low, high


def number_or_text(text: str) -> str | float:
    """The number that a text holds, else the text, which is then a quantity."""
    try:
        return float(text)
    except ValueError:
        return text


def pulse_of(text: str, option: str) -> tuple[float, float]:
    """Voltage [V] and width [s] of a text such as "2.2 V, 50 ns". Raises typer.BadParameter."""
    voltage, comma, width = text.partition(",")
    if not comma or "," in width:
        raise refuse(option, 'a voltage, a comma and a width such as "2.2 V, 50 ns"', text)
    with usage_of(option):
        return units.parse(voltage.strip(), "voltage"), units.parse(width.strip(), "time")


def share_of(text: str, option: str) -> tuple[int, int]:
    """The two numbers of I/N, with 1 <= I <= N. Raises typer.BadParameter."""
    part, _, whole = text.partition("/")
    if not (part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole) <= 1_000_000):
        raise refuse(option, "I/N with I from 1 to N", text)
    return int(part), int(whole)
