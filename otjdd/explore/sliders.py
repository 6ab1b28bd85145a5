"""The sliders: keys of a case that the page changes, with units, ends, and ranges in the literature."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from otjdd.case.case import Case
from otjdd.case.film import LayeredFilm
from otjdd.case.notes import affinity_of
from otjdd.explore.experiments import experiments
from otjdd.units import quantity

FIRST_TRAPS = "device.traps[0]."
TIMES = "s", "ms", "us", "ns"  # units of sliders
FAR = 1e3  # ratio of the end of a slider and the time in its middle
LEAST_SHARE = 1e-6  # least share of a kind of columns in the area


class Slider(NamedTuple):
    """One slider, whose keys have the same value. Numbers are in its unit.

    low, high : ends   step : 0 for a logarithmic slider   literature : lowest and highest value in the literature
    absent : value that it shows for a case without its keys
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
        """Its keys that a case has. plain : data of the case"""
        return [key for key in self.keys if isinstance(at(plain, key), str if self.unit else float)]

    def value(self, plain: Mapping[str, Any]) -> float | None:
        """Its value in a case; None if its keys differ there, or are absent and `absent` is None.

        A logarithmic slider shows 0 at its left end.
        """
        texts = {at(plain, key) for key in self.keys_of(plain)}
        if len(texts) != 1:
            return None if texts else self.absent
        (text,) = texts
        value = float(f"{quantity(text)[0] / quantity(f'1 {self.unit}')[0]:.10g}") if self.unit else float(text)
        return self.low if value == 0.0 and not self.step else value


class OutsideError(ValueError):
    """A value beyond the ends of a slider; `slider` is the name of the slider."""

    def __init__(self, reason: str, slider: str):
        super().__init__(reason, slider)
        self.reason, self.slider = reason, slider

    def __str__(self) -> str:
        return self.reason


def at(plain: Any, key: str) -> Any:
    """Value of a case at a dotted key, which may have indices; None where there is none."""
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
    """The sliders of the device of a case, of its layers and traps, and one for the share of each kind of columns.

    A slider is left out if all kinds set its keys themselves; a slider of the whole film also if the film has layers.
    """
    kinds, layers = case.columns.kinds or (), layer_sliders(case)
    followed = (
        slider
        for row in (*device_sliders(), *layers)
        for slider in of_each_trap(row, case)
        if not (layers and slider.keys[0].startswith("device.film.") and slider not in layers)
        if not kinds or any(set(slider.keys) - set(kind.set) for kind in kinds)
    )
    shares = (
        Slider(f"share-{i}", (f"columns.kinds[{i}].share",), f"Share of {kind.name}", "", LEAST_SHARE, 1.0, 0.0)
        for i, kind in enumerate(kinds)
    )
    return (*followed, *shares)


def layer_sliders(case: Case) -> tuple[Slider, ...]:
    """Sliders of the thickness of each layer, and of the band offset of each but the first; () for one material."""
    film, rows = case.device.film, []
    for i, layer in enumerate(film.layers if isinstance(film, LayeredFilm) else ()):
        name, key = layer.material or f"layer {i + 1}", f"device.film.layers[{i}]"
        rows.append(Slider(f"layer-{i}-thickness", (f"{key}.thickness",), f"Thickness of {name}", "nm", 0.3, 5.0, 0.05))
        if i > 0:
            affinity = affinity_of(layer.material)
            source = f"{affinity.what}, {affinity.text}. {affinity.source}" if affinity else ""
            rows.append(
                Slider(
                    f"layer-{i}-offset", (f"{key}.band_offset",), f"Band offset of {name}", "eV", -3.0, 3.0, 0.01,
                    source=source,
                )
            )  # fmt: skip
    return tuple(rows)


def of_each_trap(slider: Slider, case: Case) -> tuple[Slider, ...]:
    """For a slider of the first kind of traps, a slider of each kind in a case; any other slider unchanged."""
    (key,) = slider.keys
    if not key.startswith(FIRST_TRAPS):
        return (slider,)
    return tuple(
        slider._replace(
            name=f"{slider.name}-{i}", keys=(key.replace("[0]", f"[{i}]"),), label=f"{trap.name}: {slider.label}"
        )
        for i, trap in enumerate(case.device.traps or ())
    )


def drive_sliders(experiment: str, driven: Case) -> tuple[Slider, ...]:
    """The sliders of the drive of an experiment, as experiments.toml has them. driven : a case with this drive

    A time beyond the ends of its slider there gets a unit and ends of its own.
    """
    rows = experiments()[experiment].drive
    sliders = (Slider(f"{experiment}-{name}", **row | {"keys": tuple(row["keys"])}) for name, row in rows.items())
    plain = driven.plain()
    return tuple(of_other_times(slider, slider.value(plain)) for slider in sliders)


def of_other_times(slider: Slider, value: float | None) -> Slider:
    """A slider, with a unit and ends for a value, if this is a time beyond its ends."""
    if value is None or slider.low <= value <= slider.high or not slider.unit.endswith("s"):
        return slider
    time = value * quantity(f"1 {slider.unit}")[0]
    unit = next((unit for unit in TIMES if time >= quantity(f"1 {unit}")[0]), TIMES[-1])
    here = float(f"{time / quantity(f'1 {unit}')[0]:.6g}")
    return slider._replace(unit=unit, low=here / FAR, high=here * FAR, step=0.0)


def slider_values(case: Case, sliders: Sequence[Slider]) -> dict[str, float]:
    """Name -> value of each slider in a case, in its unit. Sliders without a value are left out."""
    plain = case.plain()
    values = {slider.name: slider.value(plain) for slider in sliders}
    return {name: value for name, value in values.items() if value is not None}


def moved(
    case: Case, sliders: Sequence[Slider], values: Mapping[str, float], bounded: bool = True
) -> dict[str, str | float]:
    """Dotted key -> value of the changes of a case that moved sliders make. Unchanged values make no change.

    values : name of slider -> value   bounded : False if values may be beyond the ends, as those of a drive may
    Raises OutsideError for another value beyond the ends of its slider.
    """
    own, plain = slider_values(case, sliders), case.plain()
    changes: dict[str, str | float] = {}
    for slider in sliders:
        value = values.get(slider.name)
        if value is None or slider.name not in own or slider.text(value) == slider.text(own[slider.name]):
            continue
        low, high = slider_ends(slider, own[slider.name])
        if bounded and not low <= value <= high:
            allowed = f"{low:g} to {high:g} {slider.unit}"
            raise OutsideError(f"{slider.label}: {allowed} here; a case file goes further", slider.name)
        changes |= dict.fromkeys(slider.keys_of(plain) or slider.keys, slider.text(value))
    return changes


def slider_ends(slider: Slider, value: float) -> tuple[float, float]:
    """Ends of a slider; one that the value of the case is beyond is twice this value."""
    low = slider.low if value >= slider.low else value / 2 if value > 0.0 else 2 * value
    return low, slider.high if value <= slider.high else 2 * value


def described_sliders(
    case: Case, sliders: Sequence[Slider], values: Mapping[str, float] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """The sliders of a case as data for the page. values : name of slider -> value, where it is not that of the case"""
    own, rows = slider_values(case, sliders), []
    own |= {name: value for name, value in values.items() if name in own}
    for slider in sliders:
        if (value := own.get(slider.name)) is not None:
            low, high = slider_ends(slider, value)
            rows.append(slider._asdict() | {"value": value, "low": low, "high": high})
    return rows
