"""The sliders: keys of a case that the page moves, with unit, ends and the range that literature allows."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.case.case import Case
from otjdd.explore.experiments import experiments
from otjdd.units import quantity

LEAST_SHARE = 1e-6  # of the area, of a kind of columns


class Slider(NamedTuple):
    """One slider, whose keys move together. low, high, step and literature (low, high) are numbers of its unit.

    step : 0 for a logarithmic one   absent : value that stands for a key that the case does not have
    """

    name: str
    keys: tuple[str, ...]
    label: str
    unit: str
    low: float
    high: float
    step: float
    literature: Sequence[float] | None = None
    source: str = ""
    absent: float | None = None

    def text(self, value: float) -> str | float:
        """A value of this slider as a case file has it."""
        return f"{value:.6g} {self.unit}" if self.unit else float(f"{value:.6g}")

    def keys_of(self, plain: Mapping[str, Any]) -> list[str]:
        """Those of its keys that a case has."""
        return [key for key in self.keys if isinstance(at(plain, key), str if self.unit else float)]

    def value(self, plain: Mapping[str, Any]) -> float | None:
        """Its value in a case; None for one that has none, or several."""
        texts = {at(plain, key) for key in self.keys_of(plain)}
        if len(texts) != 1:
            return None if texts else self.absent
        (found,) = texts
        return float(f"{quantity(found)[0] / quantity(f'1 {self.unit}')[0]:.10g}") if self.unit else float(found)


class OutsideError(ValueError):
    """A value beyond the ends of its slider; `slider` is the name of that."""

    def __init__(self, reason: str, slider: str):
        super().__init__(reason, slider)
        self.reason, self.slider = reason, slider

    def __str__(self) -> str:
        return self.reason


def at(plain: Any, key: str) -> Any:
    """Value of a case at a dotted key with indices; None where there is none."""
    for name in re.findall(r"[^.\[\]]+", key):
        if isinstance(plain, list):
            plain = plain[int(name)] if int(name) < len(plain) else None
        else:
            plain = plain.get(name) if isinstance(plain, dict) else None
    return plain


@cache
def device_sliders() -> tuple[Slider, ...]:
    """The sliders of the device, as sliders.toml has them."""
    data = tomllib.loads(Path(__file__).with_name("sliders.toml").read_text(encoding="utf-8"))
    return tuple(Slider(name, (row.pop("key"),), **row) for name, row in data.items())


def sliders_of(case: Case) -> tuple[Slider, ...]:
    """The sliders of the device of a case: those that a kind of its columns follows, and the share of each kind."""
    kinds = case.columns.kinds or ()
    followed = (
        slider for slider in device_sliders() if not kinds or any(set(slider.keys) - set(kind.set) for kind in kinds)
    )
    shares = (
        Slider(f"share-{i}", (f"columns.kinds[{i}].share",), f"Share of {kind.name}", "", LEAST_SHARE, 1.0, 0.0)
        for i, kind in enumerate(kinds)
    )
    return (*followed, *shares)


@cache
def drive_sliders(experiment: str) -> tuple[Slider, ...]:
    """The sliders of the drive of an experiment, as experiments.toml has them."""
    rows = experiments()[experiment].drive
    return tuple(Slider(f"{experiment}-{name}", **row | {"keys": tuple(row["keys"])}) for name, row in rows.items())


def slider_values(case: Case, sliders: Sequence[Slider]) -> dict[str, float]:
    """Values of a case by name of slider, in the unit of each; sliders that have none are left out."""
    plain = case.plain()
    found = {slider.name: slider.value(plain) for slider in sliders}
    return {name: value for name, value in found.items() if value is not None}


def moved(case: Case, sliders: Sequence[Slider], values: Mapping[str, float]) -> dict[str, str | float]:
    """Changes (key -> value) that values by name of slider make to a case; values that are the case's own make none.

    Raises OutsideError for a value beyond the ends of its slider.
    """
    own, plain = slider_values(case, sliders), case.plain()
    found: dict[str, str | float] = {}
    for slider in sliders:
        value = values.get(slider.name)
        if value is None or slider.name not in own or slider.text(value) == slider.text(own[slider.name]):
            continue
        low, high = slider_ends(slider, own[slider.name])
        if not low <= value <= high:
            allowed = f"{low:g} to {high:g} {slider.unit}"
            raise OutsideError(f"{slider.label}: {allowed} here; a case file goes further", slider.name)
        found |= dict.fromkeys(slider.keys_of(plain) or slider.keys, slider.text(value))
    return found


def slider_ends(slider: Slider, value: float) -> tuple[float, float]:
    """Ends of a slider, moved out to hold the case's own value."""
    return min(slider.low, value), max(slider.high, value)


def described_sliders(case: Case, sliders: Sequence[Slider]) -> list[dict[str, Any]]:
    """The sliders of a case as the page needs them."""
    own, rows = slider_values(case, sliders), []
    for slider in sliders:
        if (value := own.get(slider.name)) is not None:
            low, high = slider_ends(slider, value)
            rows.append(slider._asdict() | {"value": value, "low": low, "high": high})
    return rows
