"""Messages of the page as data, checked before they are used."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from otjdd.explore.experiments import experiments

VOLTAGE, WIDTHS = 10.0, (1e-10, 100.0)  # limits of a pulse by hand: V of either sign; s, shortest and longest


class Settings(NamedTuple):
    """A state of the page: experiment, name -> value of each slider, and True if the slider was released."""

    experiment: str
    values: Mapping[str, float]
    final: bool


def settings_of(data: Any) -> Settings:
    """Settings of a message. Raises ValueError for a message that the page would not send."""
    name = data.get("experiment") if isinstance(data, dict) else None
    if not isinstance(name, str) or name not in experiments():
        raise ValueError("expected an experiment that there is")
    return Settings(name, values_of(data), bool(data.get("final")))


def values_of(data: Any) -> dict[str, float]:
    """Name -> value of each slider of a message. Raises ValueError."""
    values = data.get("values") if isinstance(data, dict) else None
    if not isinstance(values, dict) or len(values) > 100:
        raise ValueError("expected a number for each slider")
    return {str(name): checked_number(value) for name, value in values.items()}


def checked_number(value: Any) -> float:
    """A finite number. Raises ValueError."""
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer of hundreds of digits
        pass
    raise ValueError("expected a number")


def pulse_of(data: Any) -> tuple[float, float]:
    """Voltage [V] and width [s] of a pulse by hand. Raises ValueError."""
    if not isinstance(data, dict):
        raise ValueError("expected a pulse")
    voltage, width = checked_number(data.get("voltage")), checked_number(data.get("width"))
    if abs(voltage) > VOLTAGE or not WIDTHS[0] <= width <= WIDTHS[1]:
        raise ValueError(f"a pulse has up to {VOLTAGE:g} V of either sign, and takes {WIDTHS[0]:g} to {WIDTHS[1]:g} s")
    return voltage, width
