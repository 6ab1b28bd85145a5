"""Layers that the page adds to a film and takes away: the tables of the layers after such a change.

A new layer is a copy of the layer beside it, but for THICKNESS, CELLS and the published values of its own material:
permittivity, and affinity, which gives the band offset.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from otjdd.case.case import Case
from otjdd.case.device import Published, materials
from otjdd.case.film import OF_EACH_LAYER
from otjdd.case.layer_notes import affinity_of

MATERIALS = ("Al2O3", "HfO2", "Nb2O5", "SrTiO3", "Ta2O5")
THICKNESS, CELLS = "1 nm", 40  # of a new layer
KEY = "device.film.layers"


class Change(NamedTuple):
    """A layer that is added, of a material, or taken away where `material` is empty.

    place : number of the layer that is taken away, or that the new one has, from 0 at the left
    """

    place: int
    material: str


def change_of(data: Any) -> Change:
    """A change of a message. Raises ValueError for a message that the page would not send."""
    place, material = (data.get(name) for name in ("place", "material")) if isinstance(data, dict) else (None, None)
    if not isinstance(place, int) or isinstance(place, bool) or place < 0 or material not in ("", *MATERIALS):
        raise ValueError("expected a layer to add or to take away")
    return Change(place, material)


def tables_of(case: Case) -> list[dict[str, Any]]:
    """Tables of the layers of a case; a film of one material is one layer."""
    film: dict[str, Any] = case.plain()["device"]["film"]
    if "layers" in film:
        return [dict(layer) for layer in film["layers"]]
    return [{key: film[key] for key in OF_EACH_LAYER if key in film}]


def beside_layers(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a case, by dotted key, without the keys that the tables of layers can have."""
    film = KEY.removesuffix("layers")
    of_layers = (KEY, *(film + key for key in OF_EACH_LAYER))
    return {key: value for key, value in changes.items() if not key.split("[")[0].startswith(of_layers)}


def changes_with_layers(changes: Mapping[str, Any], case: Case, change: Change) -> dict[str, Any]:
    """Changes for a case whose layers are changed. changes : those that led to `case`. Raises as `changed_layers`."""
    return beside_layers(changes) | {KEY: changed_layers(case, change)}


def names_of(case: Case) -> list[str]:
    """Names of the layers from left to right."""
    return [layer.get("material") or f"layer {i + 1}" for i, layer in enumerate(tables_of(case))]


def changed_layers(case: Case, change: Change) -> list[dict[str, Any]]:
    """Tables of the layers of a case after a change. Raises ValueError without such a layer, or if none would remain."""
    tables = tables_of(case)
    if change.place >= len(tables) + bool(change.material):
        raise ValueError(f"the film has {len(tables)} layers")
    if change.material:
        beside = tables[max(change.place - 1, 0)]
        return counted_anew([*tables[: change.place], new_layer(beside, change.material), *tables[change.place :]])
    if len(tables) == 1:
        raise ValueError("a film has one layer at least")
    return counted_anew(tables[: change.place] + tables[change.place + 1 :])


def new_layer(beside: Mapping[str, Any], material: str) -> dict[str, Any]:
    """Table of a layer of a material. Values that are not published for the material are those of the layer beside it."""
    table = {key: value for key, value in beside.items() if key != "interface_barrier"}
    own = {"material": material, "thickness": THICKNESS, "cells": CELLS}
    if (given := published(material, "permittivity")) is not None:
        own["permittivity"] = {"law": "linear", "eps_r": given.value}
    return table | own


def published(material: str, what: str) -> Published | None:
    """A published value of a material; None where there is none."""
    return materials().get(f"{material.lower()}-{what}")


def counted_anew(tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tables, changed in place: band offsets by the published affinities, relative to the first layer.

    Without a published affinity an offset stays. The last layer has no interface barrier.
    """
    first = affinity_of(tables[0].get("material"))
    for i, table in enumerate(tables):
        own = affinity_of(table.get("material"))
        if i == 0:
            table["band_offset"] = "0 eV"
        elif first is not None and own is not None:
            table["band_offset"] = f"{first.value - own.value:.4g} eV"
    tables[-1].pop("interface_barrier", None)
    return tables
