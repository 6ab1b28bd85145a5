"""The sliders: keys of a case that the page moves, each with its unit, its ends and the range that literature allows."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from otjdd.case.case import Case
from otjdd.units import quantity


class Slider(NamedTuple):
    """One slider. low, high, step and literature (low, high) are numbers of its unit; a step of 0 is logarithmic."""

    name: str
    key: str
    label: str
    unit: str
    low: float
    high: float
    step: float
    literature: tuple[float, float]
    source: str

    def text(self, value: float) -> str:
        """A value of this slider as a case file has it."""
        return f"{value:.6g} {self.unit}"


@cache
def sliders() -> tuple[Slider, ...]:
    """All sliders, as sliders.toml has them."""
    data = tomllib.loads(Path(__file__).with_name("sliders.toml").read_text(encoding="utf-8"))
    return tuple(Slider(name, **row | {"literature": tuple(row["literature"])}) for name, row in data.items())


def values_of(case: Case) -> dict[str, float]:
    """Values of a case by name of slider, in the unit of each; keys that the case has not are left out."""
    found, plain = {}, case.plain()
    for slider in sliders():
        value: object = plain
        for part in slider.key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str):
            found[slider.name] = float(f"{quantity(value)[0] / quantity(f'1 {slider.unit}')[0]:.10g}")
    return found


def moved(case: Case, values: Mapping[str, float]) -> dict[str, str]:
    """Changes (key -> text) that values by name of slider make to a case; values that are the case's own make none.

    Raises ValueError for a slider that there is not.
    """
    own, by_name = values_of(case), {slider.name: slider for slider in sliders()}
    if unknown := set(values) - set(own):
        raise ValueError(f"this case has no slider {sorted(unknown)[0]!r}")
    return {
        by_name[n].key: by_name[n].text(v) for n, v in values.items() if by_name[n].text(v) != by_name[n].text(own[n])
    }


def described(case: Case) -> list[dict]:
    """The sliders of a case as the page needs them; ends are moved out to hold the case's own value."""
    rows = []
    for slider in sliders():
        if (value := values_of(case).get(slider.name)) is not None:
            ends = {"low": min(slider.low, value), "high": max(slider.high, value)}
            rows.append(slider._asdict() | {"value": value} | ends)
    return rows
