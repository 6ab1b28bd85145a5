"""Keys of a case that nothing follows, since other keys stand in the place of their values: what a spread, a study or a
fit of such a key would vary without any effect."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from otjdd.case.film import OF_IONS, LayeredFilm
from otjdd.case.kinds import Kind, kinds_of
from otjdd.case.problem import KeyPath
from otjdd.case.study_axes import Study

OF_LAYERS = {f"ions.{name}": name for name in OF_IONS}
WELLS = ("ions.well_left", "ions.well_right")
OF_OTHERS = "device", "columns", "ions.well_width", "ions.noise", "ions.law"  # beginnings of keys that others depend on
LEAST = 1e-9  # share of the depth of a well: what is left of it in the next layer is far below kT


def stands_in(case: Any, key: str) -> tuple[str, str]:
    """What takes the effect of a key in a case away, and what to do about it; ("", "") for a key that counts.

    case : a Case, or a kind of its columns
    """
    film = case.device.film
    if key == "ions.seed" and case.ions.noise == "none":
        return 'ions.noise is "none": no ion hops at random', 'set ions.noise = "shot"'
    barriers = any(layer.interface_barrier for layer in film.stack)
    if key == "ions.hop_distance" and case.ions.law == "linear" and not barriers:
        why = 'ions.law is "linear", which no field accelerates, and no layer has an interface_barrier'
        return why, 'take ions.law = "mott-gurney" for hops of a length'
    if not isinstance(film, LayeredFilm):
        return "", ""
    mobile = [i for i, layer in enumerate(film.layers) if layer.ions == "mobile"]
    if key in OF_LAYERS:
        name = OF_LAYERS[key]
        if any(getattr(film.layers[i], name) is None for i in mobile):
            return "", ""
        layer = f"device.film.layers[{mobile[0]}].{name}"
        return f"each layer with ions states its own {name}", f"vary {layer}, or leave {name} out of a layer"
    if key in WELLS:
        until = film.layers[: mobile[0]] if key == "ions.well_left" else film.layers[mobile[-1] + 1 :]
        away = sum(layer.thickness for layer in until)
        if math.exp(-((away / case.ions.well_width) ** 2)) < LEAST:
            return "the layer at that interface has no sites of ions", "vary another key"
    return "", ""


def faults(case: Any) -> Iterator[tuple[KeyPath, str, str, str]]:  # of a Case
    """Path, expected, found and hint of each spread, each value of a kind and each axis that nothing follows."""
    kinds, tables = kinds_of(case), case.columns.kinds or ()
    alike = [kind for kind, table in zip(kinds, tables, strict=True) if table.spread is None] if tables else kinds
    spreads: list[tuple[KeyPath, Sequence[Kind]]] = [(("columns",), alike)] if alike else []
    spreads += [(("columns", "kinds", i), [kinds[i]]) for i, table in enumerate(tables) if table.spread is not None]
    for path, of_kinds in spreads:
        for key in (key for key, law in of_kinds[0].columns.spread.items() if law):
            reasons = [stands_in(kind, key) for kind in of_kinds]
            if all(why for why, _ in reasons):
                advice = reasons[0][1].replace("vary device", "let kinds of columns set device")
                yield (*path, "spread", key), "a key that columns follow", reasons[0][0], advice
    for i, table in enumerate(tables):
        for key in table.set:
            why, advice = stands_in(kinds[i], key)
            if why:
                yield (
                    ("columns", "kinds", i, "set", key),
                    "a key that columns follow",
                    why,
                    advice.replace("vary", "set"),
                )
    if case.study is not None:
        yield from faults_of_study(case, case.study)


def faults_of_study(case: Any, study: Study) -> Iterator[tuple[KeyPath, str, str, str]]:
    """As `faults`, of the axes of a study whose other keys leave the device as it is."""
    over = study.sample.over if study.sample else {}
    tables: dict[str, Mapping[str, Any]] = {"grid": study.grid, "zip": study.zip, "sample": over}
    tables["points"] = study.points[0] if study.points else {}
    keys = [key for table in tables.values() for key in table]
    for name, table in tables.items():
        for key in table:
            if any(other.startswith(OF_OTHERS) or other == "ions" for other in keys if other != key):
                continue
            why, advice = stands_in(case, key)
            inner = {"points": ("points", 0), "sample": ("sample", "over")}.get(name, (name,))
            if why:
                yield ("study", *inner, key), "an axis that something follows", why, advice
