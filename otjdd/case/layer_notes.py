"""Notes on the band offsets of layers, for `otjdd check`: what the affinities of their materials give."""

from __future__ import annotations

from otjdd.case.case import Case
from otjdd.case.device import Published, materials
from otjdd.case.film import LayeredFilm

NEAR = 0.3  # eV, within which affinities are known
ALIKE = {"SrTiO3": "nb-sto", "Nb:SrTiO3": "nb-sto", "AlOx": "al2o3", "NbOx": "nb2o5", "TaOx": "ta2o5", "HfOx": "hfo2"}


def affinity_of(material: str | None) -> Published | None:
    """Published affinity of a material; None where there is none."""
    name = ALIKE.get(material or "", (material or "").lower())
    return materials().get(f"{name}-affinity")


def notes(case: Case) -> list[str]:
    """A line for each layer whose band offset is not stated, or far from that of the affinities; [] without layers."""
    film = case.device.film
    if not isinstance(film, LayeredFilm):
        return []
    lines, first = [], affinity_of(film.layers[0].material)
    for i, layer in enumerate(film.layers[1:], 1):
        key, own, stated = (
            f"device.film.layers[{i}].band_offset",
            affinity_of(layer.material),
            "band_offset" in layer.model_fields_set,
        )
        if first is None or own is None:
            unknown = film.layers[0] if first is None else layer
            if not stated:
                lines.append(
                    f"{key}: 0 eV, as none is stated; no affinity of {unknown.material or 'its material'} is known"
                )
            continue
        expected = first.value - own.value
        if not stated or abs(layer.band_offset - expected) > NEAR:
            given = f"{layer.band_offset:g} eV" if stated else "0 eV, as none is stated"
            lines.append(
                f"{key}: {given}; affinities of {film.layers[0].material}, {first.value:g} eV ({first.source}), and of "
                f"{layer.material}, {own.value:g} eV ({own.source}), give {expected:.3g} eV"
            )
    return lines
