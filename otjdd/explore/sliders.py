"""What the page changes of a device: keys by sliders, and tables that it adds and removes again, of layers and of traps.

A slider has a unit, ends, and the range in the literature. A new layer is a copy of the next one, except for THICKNESS,
CELLS and the published values of its own material: permittivity, and affinity, which gives the band offset.

New traps are from the shipped case SOURCE, except for depth. The measured currents of SOURCE leave the depth open from 0.7
to 2.4 eV. In a film with a lower barrier, traps at the 2 eV of SOURCE carry 1e-26 of the current (`rv-loop`). So the depth
is the barrier at the left electrode: in a flat band, the traps are at the Fermi level of this electrode. The `kind` of the
traps is "none": they carry a current and no charge, and so are valid in every device.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from otjdd.case.case import Case, load_case
from otjdd.case.device import materials
from otjdd.case.film import LayeredFilm, Sheet
from otjdd.case.notes import affinity_of
from otjdd.explore.experiments import experiments, value_of_key
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
        return [key for key in self.keys if isinstance(value_of_key(plain, key), str if self.unit else float)]

    def value(self, plain: Mapping[str, Any]) -> float | None:
        """Its value in a case; None if its keys differ there, or are absent and `absent` is None.

        A logarithmic slider shows 0 at its left end.
        """
        texts = {value_of_key(plain, key) for key in self.keys_of(plain)}
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
    plain, sliders = driven.plain(), []
    for name, row in experiments()[experiment].drive.items():
        slider = Slider(f"{experiment}-{name}", **row | {"keys": tuple(row["keys"])})
        value = slider.value(plain)
        if value is not None and not slider.low <= value <= slider.high and slider.unit.endswith("s"):
            time = value * quantity(f"1 {slider.unit}")[0]
            unit = next((unit for unit in TIMES if time >= quantity(f"1 {unit}")[0]), TIMES[-1])
            middle = float(f"{time / quantity(f'1 {unit}')[0]:.6g}")
            slider = slider._replace(unit=unit, low=middle / FAR, high=middle * FAR, step=0.0)
        sliders.append(slider)
    return tuple(sliders)


def slider_values(case: Case, sliders: Sequence[Slider]) -> dict[str, float]:
    """Name -> value of each slider in a case, in its unit. Sliders without a value are left out."""
    plain = case.plain()
    values = {slider.name: slider.value(plain) for slider in sliders}
    return {name: value for name, value in values.items() if value is not None}


def moved(
    case: Case, sliders: Sequence[Slider], values: Mapping[str, float], bounded: bool = True
) -> dict[str, str | float]:
    """Dotted key -> value of the changes of a case that moved sliders make. Unchanged values make no change.

    values : name of slider -> value   bounded : False if values may be beyond the ends, as in a drive
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
    """The sliders of a case as data for the page. values : name of slider -> value, where it differs from the case"""
    own, rows = slider_values(case, sliders), []
    own |= {name: value for name, value in values.items() if name in own}
    for slider in sliders:
        if (value := own.get(slider.name)) is not None:
            low, high = slider_ends(slider, value)
            rows.append(slider._asdict() | {"value": value, "low": low, "high": high})
    return rows


# Tables of layers and traps

MATERIALS = ("Al2O3", "HfO2", "Nb2O5", "SrTiO3", "Ta2O5")
THICKNESS, CELLS = "1 nm", 40  # of a new layer
SOURCE = "hfo2-leakage"
LAYERS, TRAPS = "device.film.layers", "device.traps"


class LayerChange(NamedTuple):
    """A layer that is added, of a material, or removed where `material` is empty.

    place : number of the layer that is removed, or that the new one has, from 0 at the left
    """

    place: int
    material: str


def layers_of(case: Case) -> list[dict[str, Any]]:
    """Tables of the layers of a case; a film of one material is one layer."""
    film: dict[str, Any] = case.plain()["device"]["film"]
    if "layers" in film:
        return [dict(layer) for layer in film["layers"]]
    return [{key: film[key] for key in Sheet.model_fields if key in film}]


def traps_of(case: Case) -> list[dict[str, Any]]:
    """Tables of the traps of a case."""
    return [dict(table) for table in case.plain()["device"].get("traps", ())]


def with_tables(changes: Mapping[str, Any], key: str, tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Changes of a case, by dotted key, with tables under LAYERS or TRAPS in place of all changes of parts of them."""
    film = LAYERS.removesuffix("layers")
    replaced = (LAYERS, *(film + part for part in Sheet.model_fields)) if key == LAYERS else (TRAPS,)
    others = {name: value for name, value in changes.items() if not name.split("[")[0].startswith(replaced)}
    return others | ({key: tables} if tables else {})


def changed_layers(case: Case, change: LayerChange) -> list[dict[str, Any]]:
    """Tables of the layers of a case after a change. Raises ValueError without such a layer, or if none would remain.

    Band offsets follow the published affinities, relative to the first layer; without a published affinity an offset stays.
    """
    tables, place = layers_of(case), change.place
    if place >= len(tables) + bool(change.material):
        raise ValueError(f"the film has {len(tables)} layers")
    if change.material:
        beside = {key: value for key, value in tables[max(place - 1, 0)].items() if key != "interface_barrier"}
        own: dict[str, Any] = {"material": change.material, "thickness": THICKNESS, "cells": CELLS}
        published = materials().get(f"{change.material.lower()}-permittivity")
        if published is not None:
            own["permittivity"] = {"law": "linear", "eps_r": published.value}
        tables = [*tables[:place], beside | own, *tables[place:]]
    elif len(tables) == 1:
        raise ValueError("a film has at least one layer")
    else:
        del tables[place]
    first = affinity_of(tables[0].get("material"))
    tables[0]["band_offset"] = "0 eV"
    for table in tables[1:]:
        affinity = affinity_of(table.get("material"))
        if first is not None and affinity is not None:
            table["band_offset"] = f"{first.value - affinity.value:.4g} eV"
    tables[-1].pop("interface_barrier", None)
    return tables


def new_traps(case: Case) -> list[dict[str, Any]]:
    """Tables of the traps that are added to a case."""
    barrier = case.plain()["device"]["left"]["barrier"]
    return [table | {"depth": barrier} for table in traps_of(load_case(SOURCE))]
