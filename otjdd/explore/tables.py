"""Tables that the page adds to a device and removes again: layers of its film, and traps.

A new layer is a copy of the layer beside it, but for THICKNESS, CELLS and the published values of its own material:
permittivity, and affinity, which gives the band offset.

New traps are those of the shipped case SOURCE, but for depth. The measured currents of SOURCE leave the depth open from 0.7
to 2.4 eV. In a film with a lower barrier, traps at the 2 eV of SOURCE carry 1e-26 of the current (`rv-loop`). So the depth
is the barrier at the left electrode: in a flat band, the traps are at the Fermi level of this electrode. The `kind` of the
traps is "none": they carry a current and no charge, and so are valid in every device.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from otjdd.case.case import Case, load_case
from otjdd.case.device import materials
from otjdd.case.film import OF_EACH_LAYER
from otjdd.case.notes import affinity_of

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
    return [{key: film[key] for key in OF_EACH_LAYER if key in film}]


def names_of_layers(case: Case) -> list[str]:
    """Names of the layers from left to right."""
    return [layer.get("material") or f"layer {i + 1}" for i, layer in enumerate(layers_of(case))]


def traps_of(case: Case) -> list[dict[str, Any]]:
    """Tables of the traps of a case."""
    return [dict(table) for table in case.plain()["device"].get("traps", ())]


def with_tables(changes: Mapping[str, Any], key: str, tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Changes of a case, by dotted key, with tables under LAYERS or TRAPS in place of all changes of parts of them."""
    film = LAYERS.removesuffix("layers")
    replaced = (LAYERS, *(film + part for part in OF_EACH_LAYER)) if key == LAYERS else (TRAPS,)
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
