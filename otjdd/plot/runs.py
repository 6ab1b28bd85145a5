"""Results for panels, and the kinds of panels.

A result has its name in legends, the words for keys of its case, and the strokes of its curves. `@panel` gives a function
its name, what it shows and needs, and whether it is drawn by default.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

import otjdd.case
from otjdd.errors import CaseError
from otjdd.plot.style import CYCLE, DASHES
from otjdd.waveform.waveform import Waveform


class NamedResult(NamedTuple):
    """A result and its name in legends; "" for one that is drawn alone."""

    ds: xr.Dataset
    label: str = ""


def named_results(
    results: xr.Dataset | Sequence[xr.Dataset], label: str | Sequence[str] | None = None
) -> list[NamedResult]:
    """Results with their labels.

    results : a Dataset, or a sequence of them   label : one text, or one for each result
    Without labels, results are named by their titles, or by the values in which their cases differ.
    Raises ValueError when there is no result, or not one label for each.
    """
    results = listed(results)
    if not results:
        raise ValueError("there is no result to draw")
    if label is None:
        labels = [""] if len(results) == 1 else distinct([ds.attrs for ds in results])
    else:
        labels = [label] if isinstance(label, str) else [str(entry) for entry in label]
    if len(labels) != len(results):
        raise ValueError(f"{len(results)} results take as many labels, not {len(labels)}")
    return [NamedResult(ds, text) for ds, text in zip(results, labels, strict=True)]


def listed(results: xr.Dataset | Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """One result or several as a list."""
    if hasattr(results, "data_vars"):
        return [results]  # type: ignore[list-item]  # a Dataset, which is not imported to ask
    return list(results)


def waveform_of_result(ds: xr.Dataset) -> Waveform | None:
    """Waveform of the case of a result; None without a case or a file of it, without a waveform, or for a `Chain`."""
    try:
        drive = otjdd.case.case.parse_case(str(ds.attrs["case_resolved"]), allow_outside=True).drive
        waveform = drive.waveform() if hasattr(drive, "waveform") else None
        return waveform if isinstance(waveform, Waveform) else None
    except (CaseError, OSError, ValueError, KeyError):
        return None


def stroke(run: int, part: int, runs: int, parts: int) -> dict[str, Any]:
    """Colour and dashes of one curve.

    run, part : number of the result, and of the curve in it   runs, parts : numbers of results and of curves
    Colours distinguish the curves of a single result, or else the results. Dashes differ from curve to curve too, so that
    coinciding curves are visible.
    """
    colour = CYCLE[(run if runs > 1 else part) % len(CYCLE)]
    return {"color": colour, "linestyle": DASHES[(part if parts > 1 else run) % len(DASHES)]}


def legend_label(run: NamedResult, part: str = "") -> str | None:
    """Label of a part of a result in a legend; None for a single curve of a single result."""
    return ", ".join(filter(None, (run.label, part))) or None


def gathered(runs: Sequence[NamedResult], name: str) -> np.ndarray:
    """All values (n,) of a variable in all results."""
    return np.concatenate([np.ravel(run.ds[name].values) for run in runs])


def parts_of_array(array: xr.DataArray, *drawn: str) -> list[tuple[str, np.ndarray]]:
    """Name and values of each part of an array, which has the dimensions `drawn`: of each trap, column or kind."""
    others = [dim for dim in array.dims if dim not in drawn]
    parts, values = [], array.transpose(*others, *drawn).values
    for place in np.ndindex(values.shape[: len(others)]):
        names = [
            str(array[dim].values[i]) if dim in array.coords else f"{str(dim).replace('_', ' ')} {i + 1}"
            for dim, i in zip(others, place, strict=True)
            if dim in array.coords or array.sizes[dim] > 1
        ]
        parts.append((", ".join(names), values[place]))
    return parts


BESIDE = (
    "title",
    "record",
    "numerics",
    "study",
)  # tables of a case that describe neither the device nor the drive
WORDS = "words"  # attribute of a coordinate of a study
OF_KIND = re.compile(r"columns\.kinds\[(\d+)\]\.(.*)")
OF_SPREAD = re.compile(r'(?:columns\.)?spread\."([^"]+)"(?:\.(\w+))?')
LONGEST = 40  # characters of a label: more do not fit above axes


def distinct(attrs: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Labels that distinguish results: their titles, else up to two values in which their cases differ, else numbers.

    attrs : attributes of each result
    """
    titles = [str(own.get("title", "")) for own in attrs]
    if len(set(titles)) == len(titles) and max(map(len, titles)) <= LONGEST:
        return titles
    cases = [dict(leaves(case_data(own))) for own in attrs]
    keys = [
        key for key in dict.fromkeys(k for case in cases for k in case) if len({str(c.get(key)) for c in cases}) > 1
    ]
    keys = [key for key in keys if re.split(r"[.\[]", key)[0] not in BESIDE][:2]
    texts = [
        ", ".join(f"{key.rpartition('.')[2].replace('_', ' ')} = {case.get(key, 'none')}" for key in keys)
        for case in cases
    ]
    return (
        texts
        if len(set(texts)) == len(texts) and max(map(len, texts)) <= LONGEST
        else [f"result {i + 1}" for i in range(len(texts))]
    )


def case_data(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """The case of a result as nested tables; {} where it has none."""
    try:
        return tomllib.loads(str(attrs.get("case_resolved", "")))
    except (tomllib.TOMLDecodeError, RecursionError):  # RecursionError: tables nested thousands deep
        return {}


def leaves(data: dict[str, Any] | list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of all values in nested tables and lists."""
    pairs = data.items() if isinstance(data, dict) else ((f"[{i}]", value) for i, value in enumerate(data))
    for key, value in pairs:
        name = f"{prefix}{key}" if str(key).startswith("[") or not prefix else f"{prefix}.{key}"
        if isinstance(value, dict | list):
            yield from leaves(value, name)
        else:
            yield name, value


def with_words(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset of a study, with the name in words of each coordinate as its attribute WORDS."""
    # key -> name of each part of the drive of a case: "drive.parts[1]" -> "pulse", or "pulse 2" if there are several
    parts = case_data(ds.attrs).get("drive", {}).get("parts", [])
    kinds = [str(part.get("kind", "")) for part in parts]
    idle = [
        kind == "pulse" and str(part.get("voltage", "")).split(" ")[0] == "0"
        for kind, part in zip(kinds, parts, strict=True)
    ]
    named: dict[str, str] = {}
    for i, (kind, off) in enumerate(zip(kinds, idle, strict=True)):
        alike = [k for k, other in enumerate(kinds) if other == kind and idle[k] == off]
        if not off:
            named[f"drive.parts[{i}]"] = kind + (f" {alike.index(i) + 1}" if len(alike) > 1 else "")
    # key -> material of each layer of a film: "device.film.layers[1]" -> "TiO2", if no other layer is of it
    layers = case_data(ds.attrs).get("device", {}).get("film", {}).get("layers", [])
    materials = [str(layer.get("material", "")) for layer in layers]
    names = named | {f"device.film.layers[{i}]": m for i, m in enumerate(materials) if m and materials.count(m) == 1}
    in_words = {}
    for key in map(str, ds.coords):
        path, _, name = key.rpartition(".")
        in_words[key] = f"{names[path]} {name.replace('_', ' ')}" if path in names else readable(key)
    return ds.assign_coords({key: ds[key].assign_attrs({WORDS: words}) for key, words in in_words.items()})


def key_in_words(ds: xr.Dataset | xr.DataArray, key: Hashable) -> str:
    """Name in words of a varied key of a study."""
    words = readable(str(key))
    return str(ds.coords[key].attrs.get(WORDS, words)) if key in ds.coords else words


def readable(key: str) -> str:
    """A key of a case in words: "device.film.thickness" is "film thickness", "drive.parts[1].width" "width of part 2".

    Layers count from 1: "device.film.layers[1].thickness" is "layer 2 thickness".
    """
    path, _, name = key.rpartition(".")
    name, inner = name.replace("_", " "), path.removeprefix("device.").removeprefix("drive.")
    if inner.startswith("parts[") and inner.endswith("]") and inner.count("[") == 1:
        return f"{name} of part {int(inner[6:-1]) + 1}"
    inner = re.sub(r"^film\.layers\[(\d+)\]", lambda match: f"layer {int(match[1]) + 1}", inner)
    inner = inner.replace(".", " ").replace("_", " ").replace("ions", "ion")
    return name if inner in ("", "device", "drive") else f"{inner} {name}"


def parameter_words(keys: Iterable[object], attrs: Mapping[str, Any]) -> list[str]:
    """Names of fitted parameters in words, the last part of a key if it is unique: "barrier", "left barrier of background".

    attrs : of the fit, whose case has the names of the kinds of columns
    """
    kinds = case_data(attrs).get("columns", {}).get("kinds", [])
    owned = []  # key within its kind of columns, and " of " with the name of the kind
    for key in map(str, keys):
        if match := OF_KIND.fullmatch(key):
            number = int(match[1])
            name = str(kinds[number].get("name")) if number < len(kinds) else f"kind {number + 1}"
            owned.append((match[2].removeprefix("set."), f" of {name}"))
        else:
            owned.append((key, ""))
    short = [last_words(inner) + owner for inner, owner in owned]
    return [
        words if short.count(words) == 1 else readable(inner.replace('"', "")) + owner
        for words, (inner, owner) in zip(short, owned, strict=True)
    ]


def last_words(key: str) -> str:
    """Last part of a key in words; for a spread, with the quantity that is spread: "width of activation energy"."""
    match = OF_SPREAD.fullmatch(key)
    if match:
        return f"{match[2] or 'spread'} of {last_words(match[1])}"
    return key.replace('"', "").rpartition(".")[2].replace("_", " ")


def meant(name: str, names: Iterable[str]) -> str:
    """ " (did you mean ...?)" of a misspelt name, "" when nothing is near."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


Draw = Callable[[Axes, Sequence[NamedResult]], None]
OfResult = Callable[[xr.Dataset], object]  # a predicate
OfResults = Callable[[Sequence[NamedResult]], bool]


class PanelKind(NamedTuple):
    """A kind of panel.

    draw : fills axes from results   shows, needs : contents of the panel, and of results for it, in words
    fits : True if results have what the kind needs   usual : True if it is drawn by default
    """

    draw: Draw
    shows: str
    needs: str
    fits: OfResults
    usual: OfResults


KINDS: dict[str, PanelKind] = {}  # by name, in the order of a figure: the order of CHAPTERS, which `figure` loads
CHAPTERS = "reads", "iv", "small_signal", "over_time", "over_x", "crossbar"


def panel(
    name: str,
    *variables: str,
    shows: str,
    needs: str,
    instead: Sequence[str] = (),
    when: OfResult = lambda ds: True,
    usual: bool | OfResult = True,
    alone: bool = False,
    together: OfResults = lambda runs: True,
    usual_from: int = 1,
    unless: str = "",
) -> Callable[[Draw], Draw]:
    """Decorator of a function that fills axes: its row of KINDS.

    variables : each result has them, none of them empty   instead : other variables that do as well
    when : holds for each result   usual : True, False, or what also holds for each result where it is drawn by default
    alone : a single result, whose variables have finite numbers   together : holds for all results as a whole
    usual_from : fewest results with which it is drawn by default   unless : a kind that is drawn instead where it fits
    """

    def has(ds: xr.Dataset, names: Sequence[str]) -> bool:
        there = all(name in ds and ds[name].size for name in names)
        return there and (not alone or all(np.isfinite(ds[name].values).any() for name in names))

    def have(runs: Sequence[NamedResult]) -> bool:
        choices = [names for names in (variables, instead) if names] or [()]
        return (not alone or len(runs) == 1) and any(all(has(run.ds, names) for run in runs) for names in choices)

    def fits(runs: Sequence[NamedResult]) -> bool:
        return have(runs) and all(when(run.ds) for run in runs) and together(runs)

    def is_usual(runs: Sequence[NamedResult]) -> bool:
        if not usual or len(runs) < usual_from or not have(runs):
            return False
        if callable(usual) and not all(usual(run.ds) for run in runs):  # before `when`, which may take a whole analysis
            return False
        return fits(runs) and not (unless and KINDS[unless].fits(runs))

    def register(draw: Draw) -> Draw:
        kinds = {**KINDS, name: PanelKind(draw, shows, needs, fits, is_usual)}
        KINDS.clear()
        KINDS.update(sorted(kinds.items(), key=lambda row: chapter(row[1])))
        return draw

    return register


def chapter(kind: PanelKind) -> int:
    """Number of the chapter of a kind of panel; that behind the last for any other module."""
    name = kind.draw.__module__.rpartition(".")[2]
    return CHAPTERS.index(name) if name in CHAPTERS else len(CHAPTERS)
