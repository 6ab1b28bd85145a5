"""Kinds of columns: device and ions of each kind are taken from the case, with the values that the kind sets.

Here also: keys that nothing follows, and columns with less than one ion.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from pydantic import ValidationError

from otjdd.case.base import Record, facts_of, records_of
from otjdd.case.columns import MOST_COLUMNS, OF_SPREAD, ColumnKind, Columns, column_values
from otjdd.case.device import Device, Ions
from otjdd.case.document import Document, changed, split_key, value_at
from otjdd.case.electrodes import exchanging_sides
from otjdd.case.explain import problems_of, schema_of
from otjdd.case.film import OF_IONS, LayeredFilm
from otjdd.case.problem import KeyPath, Source
from otjdd.case.study_axes import Study
from otjdd.errors import CaseError
from otjdd.system.remember import remembered_by_record
from otjdd.units import DIMENSIONS, brief

Fault = tuple[KeyPath, str, str, str]  # path, expected, found, hint

SECTIONS: dict[str, type[Record]] = {"device": Device, "ions": Ions}
ROUND_OFF = 1e-9  # within which a sum of shares counts as 1


class Kind(NamedTuple):
    """A kind of columns: its part of the area, with the device, the ions and the spread there."""

    name: str
    share: float  # of the area of the junction
    device: Device
    ions: Ions
    columns: Columns  # without kinds


def kinds_of(case: Any) -> tuple[Kind, ...]:
    """The kinds of columns of a case, in the order of the file. A case without kinds has one, of share 1."""
    return of_sections(case.columns, case.device, case.ions)


def column_count(case: Any) -> int:
    """Number of columns of all kinds. Raises OSError, ValueError ("file:line: ...") for the table of a law."""
    return sum(len(column_values(kind.columns, spread_values(kind, 1.0))[1]) for kind in kinds_of(case))


def in_one_column(case: Any) -> Any:
    """The case with one column of each kind, without spread."""
    columns, kinds = case.columns, case.columns.kinds
    alike = {"count": None, "spread": None, "together": None}
    alone: dict[str, Any] = {"count": 1, "spread": {}, "together": None}
    alone["kinds"] = kinds and tuple(kind.model_copy(update=alike) for kind in kinds)
    return case.model_copy(update={"columns": columns.model_copy(update=alone)})


def with_half_the_nodes(case: Any) -> Any:
    """The case with half as many columns of each kind that has a spread by a law; None if there is no such kind."""
    of_kinds = [kind.columns for kind in kinds_of(case)]
    halved = [columns.count // 2 if is_quadrature(columns) else columns.count for columns in of_kinds]
    if not any(map(is_quadrature, of_kinds)):
        return None
    columns, kinds = case.columns, case.columns.kinds
    if kinds is None:
        return case.model_copy(update={"columns": columns.model_copy(update={"count": halved[0]})})
    fewer = tuple(kind.model_copy(update={"count": n}) for kind, n in zip(kinds, halved, strict=True))
    return case.model_copy(update={"columns": columns.model_copy(update={"kinds": fewer})})


def is_quadrature(columns: Columns) -> bool:
    """True for columns that are several nodes of a law, whose number is a choice of accuracy. Drawn columns are not."""
    return columns.count > 1 and columns.nodes != "draws" and any(columns.spread.values())


def covered_by(kinds: tuple[Kind, ...]) -> float:
    total = math.fsum(kind.share for kind in kinds)
    return 1.0 if abs(total - 1.0) <= ROUND_OFF else total


@remembered_by_record(most=32, records=3)
def of_sections(columns: Columns, device: Device, ions: Ions) -> tuple[Kind, ...]:
    """As `kinds_of`. Raises CaseError for a kind that sets an invalid value of device or ions."""
    if columns.kinds is None:
        return (Kind("all", 1.0, device, ions, columns),)
    return tuple(
        Kind(kind.name, kind.share, *with_set(device, ions, kind), own_columns(columns, kind)) for kind in columns.kinds
    )


def own_columns(columns: Columns, kind: ColumnKind) -> Columns:
    """The columns of a kind: the keys that it states, and for the others the keys of [columns]."""
    own: dict[str, Any] = {"kinds": None} | ({} if kind.spread is None else {"together": None})
    own |= {name: value for name, value in kind if name in Columns.model_fields and value is not None}
    return columns.model_copy(update=own)


def with_set(device: Device, ions: Ions, kind: ColumnKind, *, strict_units: bool = True) -> tuple[Device, Ions]:
    """Device and ions of a kind. strict_units : refuse bare numbers for quantities. Raises CaseError."""
    touched = {name for name in SECTIONS if any(key.split(".")[0] == name for key in kind.set)}
    sections: dict[str, Any] = {"device": device, "ions": ions}
    data = {name: sections[name].model_dump(mode="json", exclude_none=True) for name in touched}
    document = changed(Document(Source("columns.kinds", None), data, {}), kind.set, f"columns.kinds {kind.name}")
    for name in touched:
        try:
            sections[name] = SECTIONS[name].model_validate(document.data[name], context={"strict_units": strict_units})
        except ValidationError as error:
            invalid = [{**fault, "loc": (name, *fault["loc"])} for fault in error.errors()]
            table = schema_of(SECTIONS[name])
            schema = {"type": "object", "properties": {name: table}, "$defs": table.get("$defs", {})}
            raise CaseError(problems_of(invalid, document, schema)) from None
    return sections["device"], sections["ions"]


def with_units(case: Any) -> Any:
    """The case with the bare numbers [SI, eV] that its kinds set, as Python code may, written as text with units."""
    kinds = case.columns.kinds or ()
    if not any(is_plain_number(value) for kind in kinds for value in kind.set.values()):
        return case
    written = []
    for kind in kinds:
        values = dict(kind.set)
        with suppress(CaseError):  # of an invalid value, which `faults_of_set` reports
            device, ions = with_set(case.device, case.ions, kind, strict_units=False)
            plain = {"device": device.model_dump(mode="json"), "ions": ions.model_dump(mode="json")}
            for key, value in kind.set.items():
                if is_plain_number(value) and key.split(".")[0] in SECTIONS:
                    values[key] = value_at(plain, split_key(key, Source("columns.kinds", None)))
        written.append(kind.model_copy(update={"set": values}))
    return case.model_copy(update={"columns": case.columns.model_copy(update={"kinds": tuple(written)})})


def is_plain_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def faults_of_kinds(case: Any) -> Iterator[Fault]:
    """Faults of names, shares and set keys of the kinds."""
    kinds, names = case.columns.kinds or (), [kind.name for kind in case.columns.kinds or ()]
    for i, kind in enumerate(kinds):
        path = ("columns", "kinds", i)
        if names.index(kind.name) < i:
            yield (*path, "name"), "another name for each kind", brief(kind.name), ""
        for key in kind.set:
            inside = key.split(".")[0] in SECTIONS
            why = reason_to_share(key) if inside else "all columns share it"
            if why:
                yield (*path, "set", key), "a key of device or ions in which columns may differ", brief(key), why
                break
        else:
            yield from faults_of_set(case, i, kind)
    total = math.fsum(kind.share for kind in kinds)
    if total > 1.0 + ROUND_OFF:
        last = ("columns", "kinds", len(kinds) - 1, "share")
        yield last, "fractions that add up to at most 1", f"{total:.6g} in all", ""


def reason_to_share(key: str) -> str:
    """Why a kind cannot set a key of device or ions; "" if it can. Keys of a layer belong to the film."""
    parts = re.findall(r"[^.\[\]]+", key)
    records: list[Any] = [SECTIONS[parts[0]]]
    for i, part in enumerate(parts[1:], 1):
        fields = [record.model_fields[part] for record in records if part in record.model_fields]
        reasons = [facts.shared for field in fields if (facts := facts_of(field)).shared]
        if reasons and not (part == "layers" and len(parts) > i + 2):
            return reasons[0]
        records = records if part.isdigit() else [inner for field in fields for inner in records_of(field.annotation)]
    return ""


def faults_of_set(case: Any, i: int, kind: ColumnKind) -> Iterator[Fault]:
    """Faults of the values that a kind sets."""
    table = ("columns", "kinds", i, "set")
    try:
        device, ions = with_set(case.device, case.ions, kind)
    except CaseError as error:
        for problem in error.problems:
            at = problem.key  # of `set`, or of a part of a table or of a list there
            keys = (key for key in kind.set if at == key or at.startswith(f"{key}.") or key.startswith(f"{at}."))
            yield (*table, next(keys, at)), problem.expected, problem.got, problem.hint
        return
    if (ions.ionisation_energy is None) != (case.ions.ionisation_energy is None):
        expected = "ions that hold electrons in all kinds, or in none"
        yield (*table, "ions.ionisation_energy"), expected, brief(ions.ionisation_energy), ""
    for side in set(exchanging_sides(device)) ^ set(exchanging_sides(case.device)):
        key = next(key for key in kind.set if key.startswith(f"device.{side}"))
        yield (*table, key), f"a {side} electrode that exchanges in all kinds, or in none", "", ""
    own, other = (getattr(of.film.polarisation, "law", "none") for of in (device, case.device))
    if own != other:
        key = next(key for key in kind.set if key.startswith("device.film"))
        yield (*table, key), "films of one law of polarisation in all kinds", own, ""


def faults_of_values(case: Any) -> Iterator[Fault]:
    """Faults of the values that a spread gives to the columns, and of the number of columns."""
    total = 0
    for i, kind in enumerate(kinds_of(case)):
        own = case.columns.kinds is not None and case.columns.kinds[i].spread is not None
        path = ("columns", "kinds", i, "spread") if own else ("columns", "spread")
        value = spread_values(kind, kind.ions.density or 0.5 * kind.ions.site_density)
        try:
            spread, weights = column_values(kind.columns, value)
        except (OSError, ValueError) as error:
            yield path, str(error), "", ""
            continue
        total += len(weights)
        of_kind = "" if case.columns.kinds is None else f"kind {kind.name}"
        for key, values in spread.items():
            low, high, unit = spread_limits(key, kind.ions)
            wrong = next((k for k, number in enumerate(values) if not low < number < high), None)
            if wrong is not None:
                which = f"{values[wrong]:.3g} {unit} in column {wrong + 1} of {len(weights)}"
                most = f" and below {high:.4g} {unit}" if high < math.inf else ""
                yield (*path, key), f"values above {low:g} {unit}{most}", which, of_kind
    if total > MOST_COLUMNS:
        hint = "keys of a spread make all combinations, unless they move together"
        yield ("columns", "count"), f"at most {MOST_COLUMNS} columns", f"{total} in all", hint


def spread_values(kind: Kind, density: float) -> dict[str, float]:
    """Values [SI, eV] of the keys that can be spread. The barrier of the left electrode is spread by its shift, 0."""
    stated = {key: value_at(kind, key.split(".")) for key in OF_SPREAD}
    values = {key: 1.0 if value is None else value for key, value in stated.items()}
    return values | {"ions.density": density, "device.left.barrier": 0.0}


def spread_limits(key: str, ions: Ions) -> tuple[float, float, str]:
    """Open interval of the values of a key that can be spread, and their unit."""
    dimension = OF_SPREAD[key][0]
    low = {"ions.activation_energy": 0.5 * abs(ions.activation_energy_rise)}.get(key, -math.inf)
    high = ions.site_density if key == "ions.density" else math.inf
    return low if dimension == "energy" else 0.0, high, DIMENSIONS[dimension].unit


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


def faults_of_unfollowed(case: Any) -> Iterator[Fault]:
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
                yield (*path, "spread", key), "a key with an effect on columns", reasons[0][0], advice
    for i, table in enumerate(tables):
        for key in table.set:
            why, advice = stands_in(kinds[i], key)
            if why:
                place = ("columns", "kinds", i, "set", key)
                yield place, "a key with an effect on columns", why, advice.replace("vary", "set")
    if case.study is not None:
        yield from faults_of_study(case, case.study)


def faults_of_study(case: Any, study: Study) -> Iterator[Fault]:
    """As `faults_of_values`, of the axes of a study whose other keys leave the device as it is."""
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
                yield ("study", *inner, key), "an axis with an effect", why, advice


FEWEST = 1.0  # ions of a column
MORE_IONS = (
    "a column has its share of device.conducting_fraction of the junction: make device.radius, device.area "
    "or the fraction larger, or take fewer columns"
)


def column_area(device: Device, share: float) -> float:
    """Area [m2] through which the ions of a column move that has a share of the junction."""
    return share * device.conducting_fraction * device.junction_area


def faults_of_noise(case: Any) -> Iterator[Fault]:
    """Path, expected, found and hint of random hops in a column with less than one ion."""
    if case.ions.noise == "none":
        return
    for kind in kinds_of(case):
        if kind.ions.density is None:  # given by a profile, which the run reads
            continue
        try:
            spread, weights = column_values(kind.columns, spread_values(kind, kind.ions.density))
        except (OSError, ValueError):
            continue  # said by `faults_of_values`
        densities = spread.get("ions.density", [kind.ions.density] * len(weights))
        film = kind.device.film
        thickness = spread.get("device.film.thickness", [film.thickness] * len(weights))
        for k, weight in enumerate(weights):
            holds = densities[k] * film.mobile_thickness * (thickness[k] / film.thickness)
            ions = holds * column_area(kind.device, kind.share * weight)
            if not ions >= FEWEST:
                of_kind = "" if case.columns.kinds is None else f" of the kind {kind.name}"
                got = f"{ions:.2g} ions in column {k + 1} of {len(weights)}{of_kind}"
                yield ("ions", "noise"), f'"none", or {FEWEST:g} ion in each column at least', got, MORE_IONS
                return
