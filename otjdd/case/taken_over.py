"""Notes on values that a case inherits from its base although its junction is of other materials.

There are two kinds of such values: those that the base lists in `calibrated`, which were fitted to one device; and those
of a film or an electrode whose `material` the case changes.
"""

import os
import re
from collections.abc import Mapping
from typing import Any

from otjdd.case.document import Document, changed, load_document
from otjdd.case.problem import KeyPath, Source, dotted
from otjdd.case.shipped import find_case, shipped_cases
from otjdd.case.toml_text import toml_value

FILM, LEFT, RIGHT = ("device", "film"), ("device", "left"), ("device", "right")
FILM_KEYS = ("permittivity", "fixed_charge", "tunnelling_mass", "image_permittivity", "density_of_states")
ION_KEYS = (
    "site_density", "hop_distance", "activation_energy", "activation_energy_rise", "prefactor", "well_left", "well_right",
)  # fmt: skip
LAYER_ION_KEYS = ("site_density", "hop_distance", "activation_energy", "prefactor")  # which a layer may state
ELECTRODE_KEYS = (
    "barrier", "screening_length", "relative_permittivity", "mass", "band_depth", "band_offset", "doping",
    "density_of_states", "permittivity",
)  # fmt: skip
OF_MATERIAL: dict[KeyPath, list[KeyPath]] = {
    FILM: [*((*FILM, key) for key in FILM_KEYS), *(("ions", key) for key in ION_KEYS)],
    LEFT: [(*LEFT, key) for key in ELECTRODE_KEYS],
    RIGHT: [(*RIGHT, key) for key in ELECTRODE_KEYS],
}
# Values that differ only between materials: they reveal another material where no name does.
DECIDING = ((*FILM, "permittivity"), (*LEFT, "kind"), (*RIGHT, "kind"))
OXIDE = re.compile(r"\b(?:[A-Z][a-z]?[0-9.]*){1,4}O[0-9](?:\.[0-9]+)?(?![A-Za-z0-9])")  # HfO2, BaTiO3, Hf0.5Zr0.5O2


def notes(path: str | os.PathLike[str], settings: Mapping[str, str]) -> list[str]:
    """Lines for `otjdd check` on the values that a case inherits from another material; [] if there are none.

    settings : dotted key -> value on top of the file. Raises CaseError, OSError.
    """
    document = load_document(find_case(path), shipped_cases(), allow_outside=True)  # of a case that was checked
    document = changed(document, settings, "--set") if settings else document
    noted, lines = set(), []
    for source in dict.fromkeys(source for _, source in document.calibrated):
        paths = [path for path, of in document.calibrated if of == source and document.place(path)[0] == source]
        if paths and (why := other_material(document, source)):
            noted |= set(paths)
            lines.append(f"{why}, but these values were calibrated for {stack_of(source)} in {name_of(source)}:")
            lines += [f"  {dotted(path)} = {toml_value(value_at(document.data, path))}" for path in paths]
            lines.append('  state each of them, or begin from base = "junction.toml", in which nothing is calibrated')
    lines += [line for part in OF_MATERIAL for line in of_other_material(document, part, noted)]
    return lines + ([] if noted else film_of_base(document)) + ion_values_of_layers(document)


def other_material(document: Document, source: Source) -> str:
    """Reason in words why the junction of a document differs from that of its base `source`; "" if it does not."""
    base = data_of(source)
    for part in OF_MATERIAL:
        name = value_at(document.data, (*part, "material"))
        if name != value_at(base, (*part, "material")):
            return f"{dotted(part)} is of {name or 'another material'}"
    for path in DECIDING:
        if value_at(document.data, path) != value_at(base, path):
            return f"{dotted(path)} is that of another material"
    material = f"{value_at(base, ('title',))} {stack_of(source)}"
    others = [name for name in OXIDE.findall(str(document.data.get("title", ""))) if name not in material]
    return f"the title names {others[0]}" if others else ""


def of_other_material(document: Document, part: KeyPath, noted: set[KeyPath]) -> list[str]:
    """A line for each base from which a film or an electrode of another material inherits values.

    noted : paths that `calibrated` has listed already
    """
    name = value_at(document.data, (*part, "material"))
    sources: dict[tuple[str, str], list[str]] = {}
    for path in OF_MATERIAL[part]:
        source = document.places.get(path, (None, 0))[0]
        before = source and source.text is not None and value_at(data_of(source), (*part, "material"))
        none = str(value_at(document.data, path)).startswith("0 ")  # no well, no charge: no value of a material
        if source and name and before and before != name and path not in noted and not none:
            sources.setdefault((before, name_of(source)), []).append(dotted(path))
    return [
        f"{dotted(part)} is of {name}, with values of {before} from {file}: {', '.join(keys)}"
        for (before, file), keys in sources.items()
    ]


def film_of_base(document: Document) -> list[str]:
    """A line where the film is that of a base whose electrodes are of other materials; [] where it is not."""
    source, film = document.places.get((*FILM, "material"), (None, 0))[0], value_at(document.data, (*FILM, "material"))
    if source is None or source.text is None or source == document.source or value_at(document.data, (*FILM, "layers")):
        return []
    base = data_of(source)
    others = [
        f"{dotted(part)} of {name}"
        for part in (LEFT, RIGHT)
        if (name := value_at(document.data, (*part, "material"))) and name != value_at(base, (*part, "material"))
    ]
    if not others:
        return []
    stand = "stand" if len(others) > 1 else "stands"
    below = f"the film of {name_of(source)}, {value_at(document.data, (*FILM, 'thickness'))} of {film}"
    return [f"{' and '.join(others)} {stand} beside {below}: state device.film with its material if yours is another"]


def ion_values_of_layers(document: Document) -> list[str]:
    """A line for each layer whose vacancies hop with values of [ions] that a base states for another material."""
    lines, layers = [], value_at(document.data, (*FILM, "layers"))
    for i, layer in enumerate(layers if isinstance(layers, list) else ()):
        name = layer.get("material")
        sources: dict[tuple[str, str], list[str]] = {}
        for key in () if layer.get("ions") == "none" or not name else LAYER_ION_KEYS:
            source = document.places.get(("ions", key), (None, 0))[0]
            before = source and source.text is not None and value_at(data_of(source), (*FILM, "material"))
            if key not in layer and source and before and before != name:
                sources.setdefault((before, name_of(source)), []).append(key)
        lines += [
            f"device.film.layers[{i}] is of {name}, with ion values of {before} from {file}: {', '.join(keys)}; "
            "state them in the layer"
            for (before, file), keys in sources.items()
        ]
    return lines


def data_of(source: Source) -> dict[str, Any]:
    """Data of a case file with its bases."""
    return load_document(source.file, shipped_cases(), allow_outside=True).data


def stack_of(source: Source) -> str:
    """Materials of a case file, from left to right."""
    data = data_of(source)
    return " | ".join(str(value_at(data, (*part, "material")) or "?") for part in (LEFT, FILM, RIGHT))


def name_of(source: Source) -> str:
    """Name of a case file without its folder."""
    return os.path.basename(source.file)


def value_at(data: Any, path: KeyPath) -> Any:
    """Value at a path of nested tables; None where there is none."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data
