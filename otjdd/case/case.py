"""A case: all inputs of one simulation as one frozen record.

case file -> document (data with places) -> Case -> text again (`resolved`), which loads to an equal Case
"""

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, StringConstraints, ValidationError

from otjdd.case import crossbar, electrodes, film, kinds, rules, toml_text
from otjdd.case.base import Count, Number, Quantity, Record, key
from otjdd.case.columns import Columns
from otjdd.case.crossbar import Crossbar, Patterns
from otjdd.case.device import Circuit, Device, Ions
from otjdd.case.document import (
    OUTSIDE,
    Document,
    changed,
    find_case,
    load_document,
    parse_document,
    shipped_cases,
    split_key,
    with_calibrated,
    without_none,
)
from otjdd.case.drive import Drive, DrivePart, Recording
from otjdd.case.drive_curves import Curves
from otjdd.case.explain import problems_of, schema_of
from otjdd.case.fit import Expect, Fit
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.case.study_axes import ROWS, Study
from otjdd.errors import MAX_PROBLEMS, CaseError
from otjdd.system.files import MAX_BYTES as MAX_FILE_BYTES
from otjdd.system.files import read_regular
from otjdd.system.remember import remembered_by_record
from otjdd.units import brief
from otjdd.waveform.waveform import Chain, Waveform

__all__ = ["Case", "CaseError", "Numerics", "Problem", "Recording", "load_case", "parse_case", "shipped_cases"]

SHARED = 16  # sections whose texts are remembered
FILES = re.compile(  # keys that name a file, their parts on a line each, which no name of a part has
    r"fit data \d+ file|ions initial (result|profile)|columns (kinds \d+ )?spread .+ file|crossbar model"
    r"|drive ((parts|pieces) .+ )*(targets picture|(targets )?file)".replace(" ", "\n")
)
FEW = 2  # waveforms that are remembered; one takes 80 MB at most


LEAST_RTOL, LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_LEAP = 1e-10, 1e-14, 1e-12, 1e-3
# numerics.error -> divisors of the number of cells, one for each coarser grid
PARTS = {"limit": (2,), "estimate": (2, 3), "extrapolate": (2, 3)}
ERRORS = ("none", *PARTS)


class Numerics(Record):
    """Accuracy and limits of a run.

    rtol : error of a time step: of the band edge in units of kT, of the share of the ions on either side of a point, and
        relative error of a concentration. Below 1e-2 the method is of order 5, else of order 4
    largest_leap : in the mean of a step, see `stepping.trial_step`   error : see `runs.error_estimate`
    """

    # 7e-3: with 1e-2 the errors of 4000 pulses add up, see validation/benchmarks/peers
    rtol: Annotated[Number, Field(ge=LEAST_RTOL, le=1e-1)] = key(
        "error of a time step: of the band edge in kT, of charges and of concentrations relative", 7e-3, example=1e-3
    )
    atol: Annotated[Number, Field(ge=LEAST_ATOL, le=1)] = key(
        "error of a concentration, in units of the mean density of the ions", 1e-2, example=1e-4
    )
    max_steps: Annotated[Count, Field(ge=1, le=10**9)] = key("most time steps of a run", 10_000_000, example=10000000)
    current_tolerance: Annotated[Number, Field(ge=LEAST_CURRENT_TOLERANCE, le=0.1)] = key(
        "relative error of recorded currents", 1e-4, example=1e-5
    )
    largest_leap: Annotated[Number, Field(ge=LEAST_LEAP, le=1)] = key(
        "fraction of the ions of a column that may pass a face in a step, where they hop stochastically",
        0.1,
        example=0.03,
    )
    error: Literal[ERRORS] = key(  # type: ignore[valid-type]  # the names of a table
        "reads extrapolated from two grids, errors stated from three, or both", "none", example="estimate"
    )


class Case(Record):
    """One junction or a crossbar of it, its circuit, its drive, and the outputs to keep.

    Equal cases have equal `resolved` text.
    """

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] = key(
        "title of figures and results", example="R-V loop"
    )
    temperature: Annotated[float, Quantity("temperature", "1 K", "2000 K")] = key(
        "temperature of the junction, or of its surroundings with `device.heat`", example="300 K"
    )
    device: Device = key("the junction", title="Device")
    ions: Ions = key("the mobile ions", title="Ions")
    columns: Columns = key("parallel columns of a junction that is not uniform", Columns(), title="Columns")
    circuit: Circuit = key("source and instrument around the junction", Circuit(), title="Circuit")
    crossbar: Crossbar | None = key("an array of this junction, for a drive of patterns", None, title="Crossbar")
    drive: Drive = key("what the source does", title="Drive")
    record: Recording = key("what a result keeps", Recording(), title="Record")
    numerics: Numerics = key("accuracy and limits", Numerics(), title="Numerics")
    study: Study | None = key("what a study varies and keeps", None, title="Study")
    fit: Fit | None = key("measured data, and the parameters that may move to meet them", None, title="Fit")
    expect: Expect | None = key("what a run of the case should give, and how near", None)

    _folder: Path | None = PrivateAttr(None)
    _source: str = PrivateAttr("")
    _allow_outside: bool = PrivateAttr(False)
    _typed: frozenset[str] = PrivateAttr(frozenset())
    _located: dict[str, Problem] = PrivateAttr(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Folder of the case file; the files that the case names lie in it or below."""
        return self._folder or Path.cwd()

    @property
    def source(self) -> str:
        """Text of the case file as read; the resolved text of a case without file."""
        return self._source or self.resolved()

    def plain(self) -> dict[str, Any]:
        """The whole case as plain data, with bases and defaults filled in and files relative to the folder."""
        return with_names(self.model_dump(mode="json", exclude_none=True), self.folder)

    def resolved(self) -> str:
        """Return the TOML text of `plain`."""
        sections = {name: value for name, value in self if isinstance(value, Record)}
        values, folder = self.model_dump(mode="json", exclude_none=True, exclude=set(sections)), self.folder
        return toml_text.joined_text([
            toml_text.of_table(values), *(section_text(section, name, folder) for name, section in sections.items())
        ])  # fmt: skip

    def waveform(self) -> Waveform | Chain:
        """Waveform of the drive. Cases that share a drive share its waveform.

        Raises AttributeError for a drive without one ("iv", "cv", "impedance", "patterns"), OSError for its files.
        """
        drive = self.drive
        if isinstance(drive, Curves | Patterns):
            raise AttributeError(f"a drive of kind {drive.kind} has no waveform")
        return drive.waveform() if files_of_section(drive, "drive") else waveform_of(drive)

    def texts(self) -> dict[str, str]:
        """Name in `resolved` -> text, of the waveforms and the profile that the case reads. Raises OSError."""
        return {
            name: read_regular(self.folder / name, MAX_FILE_BYTES).decode("utf-8-sig")
            for path, name in named_files(self.plain())
            if path[-1] not in ("result", "model", "picture") and path[0] != "fit"
        }

    @property
    def digest(self) -> str:
        """sha256 of the resolved text, without [expect] and [fit], and of the files that a run reads. Raises OSError."""
        run = self.model_copy(update={"expect": None, "fit": None})
        digest = hashlib.sha256(run.resolved().encode())
        for section in ("ions", "columns", "crossbar", "drive"):
            for name in files_of_section(getattr(self, section), section):
                digest.update(read_regular(name, MAX_FILE_BYTES))
        return digest.hexdigest()

    def replace(self, *change: Any, **changes: Any) -> "Case":
        """A case with other values, by dotted key: replace("device.film.thickness", "3.2 nm"), or a dict of them.

        Values are text with units or, unlike in a case file, bare numbers in SI; a number as text has no unit and is
        refused. A table that names its kind or law replaces the one that is there. Raises CaseError.
        """
        changes = (dict(*change) if len(change) == 1 else dict([change] if change else [])) | changes
        # Sections without a change are passed as records, which pydantic does not validate again.
        names = {str(split_key(key, Source("replace", None))[0]) for key in changes}
        data = {name: value for name, value in self if value is not None and name != "expect"}
        data |= self.model_dump(mode="json", exclude_none=True, include=names - {"expect"})
        document = changed(Document(Source("case", None), data, {}), changes, "replace")
        return build(document, self.folder, self._source, self._allow_outside, self._typed, strict_units=False)

    @property
    def located(self) -> dict[str, Problem]:
        """Dotted key -> its place as a problem without words, of what programs may refuse."""
        return self._located

    def isothermal(self) -> "Case":
        """The case without its `device.heat`."""
        if self.device.heat is None:
            return self
        return self.model_copy(update={"device": self.device.model_copy(update={"heat": None})})

    def without_noise(self) -> "Case":
        """The case with ions that are a density, the mean of what it asks for."""
        if self.ions.noise == "none":
            return self
        return self.model_copy(update={"ions": self.ions.model_copy(update={"noise": "none", "seed": 0})})

    def without_fit(self) -> "Case":
        """The case without its fit, whose data no run reads."""
        return self.model_copy(update={"fit": None}) if self.fit else self

    def without_study(self) -> "Case":
        """The case without study, fit and expect: the point that the study's changes start from.

        A crossbar whose devices are the draws of the study keeps them.
        """
        crossbar = self.crossbar
        if crossbar and self.study and crossbar.cells.devices == "study":
            cells = crossbar.cells.model_copy(update={"devices": self.study.sample})
            crossbar = crossbar.model_copy(update={"cells": cells})
        point = self.model_copy(update={"study": None, "fit": None, "expect": None, "crossbar": crossbar})
        point._source = ""
        return point

    @property
    def varied(self) -> Study | None:
        """The study without a sample whose draws are the devices of a crossbar; None where nothing else is varied."""
        if self.study is None or self.crossbar is None or self.crossbar.cells.devices != "study":
            return self.study
        study = self.study.model_copy(update={"sample": None})
        return study if study.sizes else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Case) and self.resolved() == other.resolved()

    def __hash__(self) -> int:
        return hash(self.resolved())


def faults_of_grids(case: Case) -> Iterator[tuple[KeyPath, str, str, str]]:
    """Path, expected, got and a hint where cells do not part into coarser grids; the hint has a number that does."""
    parts, its_film = PARTS.get(case.numerics.error, (1,)), case.device.film
    most = max(parts)
    if isinstance(its_film, film.Film) and its_film.cells // most < film.FEWEST_CELLS and most > 1:
        expected = f'at least {film.FEWEST_CELLS * most} cells with numerics.error = "{case.numerics.error}"'
        yield ("device", "film", "cells"), expected, f"{its_film.cells}", ""
    for i, layer in enumerate(its_film.stack if isinstance(its_film, film.LayeredFilm) and most > 1 else ()):
        if layer.cells % most or layer.cells // most < film.FEWEST_CELLS_OF_LAYER:
            fewest, whole = film.FEWEST_CELLS_OF_LAYER * most, math.lcm(*parts)
            enough = whole * -(-max(layer.cells, fewest) // whole)
            hint = f"such as {enough}: --set device.film.layers[{i}].cells={enough}"
            expected = f"a multiple of {most}, of {fewest} at least, with numerics.error"
            yield ("device", "film", "layers", i, "cells"), expected, str(layer.cells), hint


def load_case(
    path: str | os.PathLike[str], set: Mapping[str, Any] | None = None, *, allow_outside: bool = False, **changes: Any
) -> Case:
    """Read a case file, or a shipped case by its name ("rv-loop").

    set, changes : dotted key -> value as in the file ("3.2 nm", 200), which replaces the one in the file. A file named here
        is looked for in the folder of the case, then in the working folder
    allow_outside : let the case name files that are not in its folder
    Raises CaseError with all faults, OSError when the file cannot be read.
    """
    path = find_case(path)
    document = load_document(path, shipped_cases(), allow_outside)
    source, changes, folder = document.source.text or "", dict(set or {}) | changes, Path(path).resolve().parent
    if changes:
        document = changed(document.without("expect"), changes, "--set")
    return build(document, folder, source, allow_outside, typed_files(document, folder))


def changed_case(
    case: Case | str | os.PathLike[str], changes: Mapping[str, Any] | None, more: Mapping[str, Any],
    *, allow_outside: bool = False,
) -> Case:  # fmt: skip
    """A case with changes.

    case : a record, the path of a file, or the name of a shipped case   changes, more : dotted key -> value
    Raises CaseError, OSError.
    """
    changes = dict(changes or {}) | dict(more)
    if not isinstance(case, Case):
        return load_case(case, changes, allow_outside=allow_outside)
    return case.replace(changes) if changes else case


def parse_case(text: str, folder: str | Path = ".", *, file: str = "case.toml", allow_outside: bool = False) -> Case:
    """Case of a TOML text without `base`.

    folder : where the files that it names are   file : name of the text in messages
    Raises CaseError.
    """
    return build(with_calibrated(parse_document(Source(file, text))), Path(folder).resolve(), text, allow_outside)


def build(
    document: Document, folder: Path, source: str, allow_outside: bool, typed: frozenset[str] = frozenset(),
    *, strict_units: bool = True,
) -> Case:  # fmt: skip
    """Find the files that a document names, and validate its data. Raises CaseError with all problems at once.

    folder : of the case   source : text of the case file   typed : see `typed_files`
    strict_units : refuse bare numbers for quantities
    """
    document = document._replace(data=without_none(document.data, [Case]))
    problems = find_files(document, folder, allow_outside, typed)
    try:
        case = Case.model_validate(document.data, context={"strict_units": strict_units})
    except ValidationError as error:
        strange = {problem.key for problem in document.problems}
        invalid = problems_of(error.errors(), document, json_schema())
        problems += [problem for problem in invalid if problem.key not in strange]
    else:
        case = case if strict_units else kinds.with_units(case)
        if not problems:  # these read the files, which must be there, and in the folder of the case
            of_kinds = list(kinds.faults_of_kinds(case)) or list(kinds.faults_of_values(case))
            beside = [] if of_kinds else [*kinds.faults_of_noise(case), *kinds.faults_of_unfollowed(case)]
            checks = (
                crossbar.faults_of_crossbar(case),
                film.faults_of_layers(case),
                faults_of_grids(case),
                film.faults_of_polarisation(case),
                electrodes.faults_of_exchange(case),
            )
            faults: Iterator[tuple[Any, ...]] = chain(rules.faults(case), *checks, of_kinds, beside)
            problems += [document.problem(*fault) for fault in faults]
    if problems or document.problems:
        raise CaseError(
            sorted((*document.problems, *problems), key=lambda p: (p.file, p.line, p.column))[:MAX_PROBLEMS]
        )
    case._folder, case._source, case._allow_outside, case._typed = folder, source, allow_outside, typed
    for subject in [rules.SUBJECTS[rule.subject] for rule in rules.RULES if rule.program]:  # what programs may refuse
        case._located |= {dotted(path): document.problem(path, "") for path, _, _ in subject.places(case)}
    return case


def named_files(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """(path, name) of the files in the data of a case: waveforms, results, profiles, compact models, targets,
    distributions, data to fit."""
    for part, value in data.items() if isinstance(data, dict) else enumerate(data):
        place = (*path, part)
        if isinstance(value, dict | list | tuple):
            yield from named_files(value, place)
        elif isinstance(value, str) and FILES.fullmatch("\n".join(map(str, place))):
            yield place, value


def typed_files(document: Document, folder: Path) -> frozenset[str]:
    """Files in the working folder, or below it, that changes of the case name. Their names are made absolute, in place.

    A file of the same name in the folder of the case has priority.
    """
    working_folder, names = os.path.realpath("."), set()
    for path, name in list(named_files(document.data)):
        file = os.path.realpath(os.path.join(working_folder, name.replace("\0", "")))
        typed = document.place(path)[0].text is None and not os.path.isfile(folder / name)
        if typed and os.path.isfile(file) and Path(file).is_relative_to(working_folder):
            put_value(document.data, path, file)
            names.add(file)
    return frozenset(names)


def find_files(document: Document, folder: Path, allow_outside: bool, typed: frozenset[str]) -> list[Problem]:
    """Make the names of files absolute, in place. Returns the problems found.

    A name is relative to the folder of the case file that states it.
    typed : absolute names that are allowed outside of that folder, see `typed_files`
    """
    problems = []
    for path, name in named_files(document.data):
        allowed = folder, shipped_cases().resolve()
        source, _ = document.place(path)
        beside = folder if source.text is None or source is document.source else Path(source.file).resolve().parent
        try:
            location = (beside / name).resolve()
            inside = allow_outside or str(location) in typed or any(location.is_relative_to(place) for place in allowed)
            there = inside and location.is_file()
        except (OSError, RuntimeError, ValueError):  # too long, a link to itself, a zero byte
            inside, there = True, False
        if not inside:
            problems.append(document.problem(path, "a file in the folder of the case, or below", brief(name), OUTSIDE))
        elif not there:
            too = f" and {Path.cwd()}" if source.text is None and beside != Path.cwd() else ""
            looked = f"a file that is there (looked for in {beside}{too})"
            problems.append(document.problem(path, looked, brief(name)))
        else:
            put_value(document.data, path, os.fspath(location))
    return problems


def with_names(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the names of files in a folder relative to it, in place. Returns the data."""
    for path, name in named_files(data):
        inside = Path(name).is_relative_to(folder)
        put_value(data, path, Path(name).relative_to(folder).as_posix() if inside else name)
    return data


@remembered_by_record(SHARED)
def section_text(section: Record, name: str, folder: Path) -> str:
    """TOML text of a section of a case."""
    data = with_names({name: section.model_dump(mode="json", exclude_none=True)}, folder)
    return toml_text.of_table(data[name], name)


@remembered_by_record(SHARED)
def files_of_section(section: Record | None, name: str) -> tuple[str, ...]:
    """Names of the files of a section of a case. The contents of a file may change between two calls."""
    return tuple(file for _, file in named_files({name: section and section.model_dump(mode="json")}))


@remembered_by_record(FEW)
def waveform_of(drive: DrivePart) -> Waveform | Chain:
    """Waveform of a drive."""
    return drive.waveform()


def put_value(data: Any, path: KeyPath, value: object) -> None:
    """Set a value at a path of nested tables and lists."""
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


def json_schema() -> dict[str, Any]:
    """JSON Schema of case files, for editors that complete and check TOML, and for messages.

    `expected` of a quantity has its dimension and bounds in words.
    """
    schema = schema_of(Case)
    base = {"type": "string", "description": "case file that this one is based on"}
    listed = "dotted keys whose values are fitted to one device; `otjdd check` reports those that another case inherits"
    calibrated = {"type": "array", "items": {"type": "string"}, "description": listed}
    properties = {"base": base, "calibrated": calibrated} | schema["properties"]
    return schema | {"title": "otjdd case", "properties": properties}


PLACES = ("study",), ("expect",), ("crossbar", "cells", "devices")  # tables that name keys to vary


def located(problem: Problem, case: Case, changes: Mapping[str, Any], file: str) -> Problem:
    """A problem of a changed case, moved to the line of the case file that varies its key.

    changes : dotted key -> value   file : name of the case file
    """
    point = ", ".join(f"{key} = {brief(value)}" for key, value in changes.items())
    point = f"at {point}" if changes else ""
    source = Source(file, case.source)
    for path, offset in toml_text.scan(case.source).places.items():
        inner = next((path[len(place) :] for place in PLACES if path[: len(place)] == place), None)
        if inner is None:
            continue
        # the key that is varied there: ("grid", "ions", "density") -> "ions.density"
        varied = [str(part) for part in inner if part not in (*ROWS, "grid", "over") and not isinstance(part, int)]
        key = ".".join(varied) if len(varied) != 1 or "." in varied[0] else dotted(tuple(varied))
        if problem.key in (dotted(path), key):
            return source.problem(offset, path, problem.expected, problem.got, problem.hint or point)
    return problem._replace(file=file, hint=problem.hint or point)
