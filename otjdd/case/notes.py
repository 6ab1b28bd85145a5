"""Notes on a valid case, for `otjdd check`: what it inherits, leaves out, or states without an effect."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from otjdd.case.base import facts_of
from otjdd.case.case import Case
from otjdd.case.device import Ions, Published, materials
from otjdd.case.document import Document, changed, find_case, load_document, shipped_cases, value_at
from otjdd.case.electrodes import Metal, Semiconductor, exchanging_sides
from otjdd.case.film import OF_IONS, Film, LayeredFilm
from otjdd.case.kinds import OF_LAYERS, WELLS, stands_in
from otjdd.case.problem import KeyPath, Source, dotted
from otjdd.case.toml_text import toml_value
from otjdd.case.traps import Trap
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

FILM, LEFT, RIGHT = ("device", "film"), ("device", "left"), ("device", "right")


def of_material(path: KeyPath, *records: type[BaseModel]) -> list[KeyPath]:
    """Paths of the keys of a table that are numbers of its material."""
    fields = {name: field for record in records for name, field in record.model_fields.items()}
    return [(*path, name) for name, field in fields.items() if facts_of(field).of_material]


OF_MATERIAL: dict[KeyPath, list[KeyPath]] = {
    FILM: of_material(FILM, Film) + of_material(("ions",), Ions),
    LEFT: of_material(LEFT, Metal, Semiconductor),
    RIGHT: of_material(RIGHT, Metal, Semiconductor),
}
# Values that differ only between materials: they reveal another material where no name does.
DECIDING = ((*FILM, "permittivity"), (*LEFT, "kind"), (*RIGHT, "kind"))
OXIDE = re.compile(r"\b(?:[A-Z][a-z]?[0-9.]*){1,4}O[0-9](?:\.[0-9]+)?(?![A-Za-z0-9])")  # HfO2, BaTiO3, Hf0.5Zr0.5O2


def notes(case: Case, path: str | os.PathLike[str], settings: Mapping[str, str]) -> list[str]:
    """All lines on a case. path, settings : file, and dotted key -> value on top of it. Raises CaseError, OSError."""
    others = [ferroelectric_note(case), *layer_notes(case), *conduction_notes(case), *instrument_notes(case)]
    return [line for line in (*inherited_values(path, settings), *others, *unfollowed_notes(case)) if line]


def inherited_values(path: str | os.PathLike[str], settings: Mapping[str, str]) -> list[str]:
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
    """Reason in words why the junction of a document differs from the one of its base `source`; "" if it does not."""
    base = data_with_bases(source)
    for part in OF_MATERIAL:
        name = value_at(document.data, (*part, "material"))
        if name != value_at(base, (*part, "material")):
            return f"{dotted(part)} is of {name or 'another material'}"
    for path in DECIDING:
        if value_at(document.data, path) != value_at(base, path):
            return f"{dotted(path)} belongs to another material"
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
        none = str(value_at(document.data, path)).startswith("0 ")  # no well, no charge: no value of a material
        if path not in noted and not none and (base := base_of_another(document, path, part, name)):
            sources.setdefault(base, []).append(dotted(path))
    return [
        f"{dotted(part)} is of {name}, with values of {before} from {file}: {', '.join(keys)}"
        for (before, file), keys in sources.items()
    ]


def film_of_base(document: Document) -> list[str]:
    """A line where the film is taken from a base whose electrodes are of other materials; [] where it is not."""
    source = document.places.get((*FILM, "material"), (None, 0))[0]
    if source is None or source.text is None or source == document.source or value_at(document.data, (*FILM, "layers")):
        return []
    base = data_with_bases(source)
    others = [
        f"{dotted(part)} of {name}"
        for part in (LEFT, RIGHT)
        if (name := value_at(document.data, (*part, "material"))) and name != value_at(base, (*part, "material"))
    ]
    if not others:
        return []
    stand = "stand" if len(others) > 1 else "stands"
    thickness, film = (value_at(document.data, (*FILM, key)) for key in ("thickness", "material"))
    below = f"the film of {name_of(source)}, {thickness} of {film}"
    return [f"{' and '.join(others)} {stand} with {below}: state device.film with its material if yours is another"]


def ion_values_of_layers(document: Document) -> list[str]:
    """A line for each layer whose vacancies hop with values of [ions] that a base states for another material."""
    lines, layers = [], value_at(document.data, (*FILM, "layers"))
    for i, layer in enumerate(layers if isinstance(layers, list) else ()):
        name = layer.get("material")
        sources: dict[tuple[str, str], list[str]] = {}
        for key in () if layer.get("ions") == "none" or not name else OF_IONS:
            if key not in layer and (base := base_of_another(document, ("ions", key), FILM, name)):
                sources.setdefault(base, []).append(key)
        lines += [
            f"device.film.layers[{i}] is of {name}, with ion values of {before} from {file}: {', '.join(keys)}; "
            "state them in the layer"
            for (before, file), keys in sources.items()
        ]
    return lines


def base_of_another(document: Document, path: KeyPath, part: KeyPath, material: str | None) -> tuple[str, str] | None:
    """(material, file) of the base that states the value at a path, where it is for another material; else None.

    part : film or electrode that the value belongs to   material : of this part in the case
    """
    source = document.places.get(path, (None, 0))[0]
    before = source and source.text is not None and value_at(data_with_bases(source), (*part, "material"))
    return (before, name_of(source)) if source and before and material and before != material else None


def data_with_bases(source: Source) -> dict[str, Any]:
    """Data of a case file with its bases."""
    return load_document(source.file, shipped_cases(), allow_outside=True).data


def stack_of(source: Source) -> str:
    """Materials of a case file, from left to right."""
    data = data_with_bases(source)
    return " | ".join(str(value_at(data, (*part, "material")) or "?") for part in (LEFT, FILM, RIGHT))


def name_of(source: Source) -> str:
    """Name of a case file without its folder."""
    return os.path.basename(source.file)


NAMES = {
    "BaTiO3": r"BaTiO_?3|BTO\b",
    "Pb(Zr,Ti)O3": r"Pb\(?Zr|PbTiO_?3|PZT\b",
    "BiFeO3": r"BiFeO_?3|BFO\b",
    "(Hf,Zr)O2": r"\(?Hf[0-9.,]*Zr[0-9.]*\)?O|HZO\b",
}
WORDS = {name: re.compile(rf"(?<![A-Za-z])(?:{pattern})") for name, pattern in NAMES.items()}


def ferroelectric_note(case: Case) -> str:
    """Note for `otjdd check` if title or material of a case without polarisation name a ferroelectric, else ""."""
    if case.device.film.polarisation is not None:
        return ""
    text = f"{case.title} | {case.device.film.material or ''}"
    name = next((name for name, pattern in WORDS.items() if pattern.search(text)), "")
    without = f"{name} is ferroelectric, and this film is not polarised: a memory here is one of vacancies; "
    return (without + "put it into the model by [device.film.polarisation]") * bool(name)


NEAR = 0.3  # eV, within which affinities are known
ALIKE = {"SrTiO3": "nb-sto", "Nb:SrTiO3": "nb-sto", "AlOx": "al2o3", "NbOx": "nb2o5", "TaOx": "ta2o5", "HfOx": "hfo2"}


def affinity_of(material: str | None) -> Published | None:
    """Published affinity of a material; None where there is none."""
    name = ALIKE.get(material or "", (material or "").lower())
    return materials().get(f"{name}-affinity")


def layer_notes(case: Case) -> list[str]:
    """A line for each layer whose band offset is not stated, or far from the affinities; [] without layers."""
    film = case.device.film
    if not isinstance(film, LayeredFilm):
        return []
    lines, first = [], affinity_of(film.layers[0].material)
    for i, layer in enumerate(film.layers[1:], 1):
        key, own = f"device.film.layers[{i}].band_offset", affinity_of(layer.material)
        stated = "band_offset" in layer.model_fields_set
        given = f"{layer.band_offset:g} eV" if stated else "0 eV, as none is stated"
        if first is None or own is None:
            unknown = (film.layers[0] if first is None else layer).material or "its material"
            lines += [] if stated else [f"{key}: {given}; no affinity of {unknown} is known"]
            continue
        expected = first.value - own.value
        if not stated or abs(layer.band_offset - expected) > NEAR:
            lines.append(
                f"{key}: {given}; affinities of {film.layers[0].material}, {first.value:g} eV ({first.source}), and of "
                f"{layer.material}, {own.value:g} eV ({own.source}), give {expected:.3g} eV"
            )
    return lines


DENSE = 1e27  # 1/m3: traps are then a nanometre apart, and their states form bands
BREAKDOWN = 1e9  # V/m: oxides a few nanometres thick break down there


def density_of(case: Case, trap: Trap) -> float:
    """Traps of one kind per volume [1/m3], those at the vacancies as at the mean density of these."""
    return trap.density if trap.density is not None else (trap.per_ion or 1.0) * (case.ions.density or 0.0)


def charging_traps(case: Case) -> list[str]:
    """A line for each kind of traps that would make a field beyond BREAKDOWN, were all of them charged."""
    lines, film = [], case.device.film
    for i, trap in enumerate(case.device.traps or ()):
        if trap.kind == "none":
            continue
        layer = film.stack[trap.layer or 0]
        width = trap.width or (film.thickness if trap.layer is None else layer.thickness)
        charge = ELEMENTARY_CHARGE * density_of(case, trap) * width
        eps_inf, b, root_a = layer.permittivity.terms(case.temperature)
        most = 2.0 * VACUUM_PERMITTIVITY * (eps_inf * BREAKDOWN + b * math.asinh(BREAKDOWN / root_a))
        if charge > most:
            lines.append(
                f"device.traps[{i}]: were all charged, {charge:.2g} C/m^2 would make more than the {BREAKDOWN:.0e} V/m at "
                f"which films break down; a film carries at most the charge of {most / charge:.2g} of them"
            )
    return lines


def conduction_notes(case: Case) -> list[str]:
    """A line for each leak that the largest voltage leaves no barrier, built-in fields left out, and for dense traps."""
    drive, thickness = case.drive, case.device.film.thickness
    if hasattr(drive, "waveform"):
        most = max(float(abs(block.waveform.voltages).max()) for block in drive.waveform().blocks())
    else:
        most = max(map(abs, drive.bias_voltages())) if hasattr(drive, "bias_voltages") else 0.0
    bare = [
        f"device.leaks[{i}]: {most:.3g} V is a field of {most / thickness:.2g} V/m in the film, and beyond "
        f"{leak.saturating_field:.2g} V/m this leak has no barrier left: its prefactor limits its conductance"
        for i, leak in enumerate(case.device.leaks or ())
        if most / thickness > leak.saturating_field
    ]
    densities = [density_of(case, trap) for trap in case.device.traps or ()]
    dense = [
        f"device.traps[{i}]: {N:.2g} 1/m^3 is more than the {DENSE:.0e} 1/m^3 at which traps are a nanometre "
        "apart: electrons on single traps do not apply there"
        for i, N in enumerate(densities)
        if N > DENSE
    ]
    return bare + dense + charging_traps(case)


KEYS = ("range", "bandwidth", "time_constant")  # of [circuit]
IN_TIME = "act on `current` alone, what the instrument shows in time"


def instrument_notes(case: Case) -> list[str]:
    """A line where [circuit] states an instrument, and the drive takes curves at frozen ions or reads as well."""
    keys = ", ".join(f"circuit.{key}" for key in KEYS if getattr(case.circuit, key) is not None)
    if keys and not hasattr(case.drive, "waveform"):
        alone = "curves at frozen ions describe the junction alone"
        return [f"{keys} {IN_TIME}, and have no effect on this drive: {alone}"]
    if case.circuit.range is not None and case.waveform().read_count:
        return [f"{keys} {IN_TIME}: reads describe the junction alone, also beyond circuit.range"]
    return []


def unfollowed_notes(case: Case) -> list[str]:
    """A line for each key of [ions], and each energy of a layer, that the case states and nothing follows."""
    stated = case.ions.model_dump(exclude_unset=True, exclude_none=True)
    keys = [key for key in (*OF_LAYERS, *WELLS) if key.removeprefix("ions.") in stated]
    lines = [f"{key} has no effect: {why}" for key in keys if (why := stands_in(case, key)[0])]
    film = case.device.film
    formed = [side for side in exchanging_sides(case.device).values() if side.formation_energy is not None]
    if not isinstance(film, LayeredFilm) or formed:
        return lines
    energies = {sheet.site_energy for sheet in film.stack if sheet.mobile}
    if len(energies) == 1 and energies != {0.0}:
        same = "vacancies follow its differences, and all their layers have the same"
        lines += [
            f"device.film.layers[{i}].site_energy has no effect: {same}"
            for i, sheet in enumerate(film.stack)
            if sheet.mobile
        ]
    return lines
