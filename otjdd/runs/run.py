"""From a case to its Dataset, after a check of all that the case takes from elsewhere and of what no key alone shows.

ds = otjdd.run("rv-loop", {"device.film.thickness": "3.2 nm"})

`rerun` repeats a stored run from its result file, for a crossbar also from the file of its compact model. On the same
machine the numbers are the same, bit for bit.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from otjdd import runs, solver
from otjdd.case import toml_text
from otjdd.case.case import Case, changed_case, named_files, parse_case, put_value
from otjdd.case.document import parse_document
from otjdd.case.electrodes import exchanging_sides
from otjdd.case.problem import KeyPath, Problem, Source, dotted
from otjdd.compact_models import crossbars
from otjdd.compact_models.model import CompactModel
from otjdd.errors import CaseError, NotAsExpected, ResultError, SolverError
from otjdd.results import store
from otjdd.results.store import ENGINE
from otjdd.results.summary import crowded_walls
from otjdd.solver import checkpoint, initial, model, model_limits
from otjdd.solver.at_rest import why_unchecked
from otjdd.solver.start import Start, Trail, at_snapshot
from otjdd.system.late import xr
from otjdd.system.steps import Progress


def check_inputs(case: Case, file: str = "case") -> None:
    """Build the columns and the waveform of a case, and read its files. file : name of the case in messages

    Raises CaseError, ResultError.
    """
    try:
        parts = model.members(case)
        if case.crossbar is not None:
            crossbars.models.check_devices(case, file)
        if hasattr(case.drive, "waveform"):
            try:
                waveform = case.waveform()
            except ValueError as error:
                raise CaseError([problem_at(case, file, ("drive",), reason_in(case, error))]) from None
            case.record.instants(waveform.duration)
            case.record.check_reads(waveform.read_count)
        if hasattr(case.ions.initial, "result"):
            for other in (case, *runs.error_estimate.on_coarser_grids(case).values()):
                of_grid = model.members(other)
                initial.from_result(other, model.junction(other, parts=of_grid), of_grid)
        if case.ions.initial == "equilibrium" and (unlike := initial.disagreement(case)):
            raise NotAsExpected("another state to start from", f'"equilibrium": {unlike}', "ions", "initial")
        if case.ions.noise != "none" and (case.ions.initial != "equilibrium" or exchanging_sides(case.device)):
            junction = model.junction(case, parts=parts)
            with suppress(SolverError):  # said by the run
                initial.with_ions_drawn(case, junction, parts, initial.smooth_start(case, junction, parts))
    except NotAsExpected as error:
        raise CaseError([problem_at(case, file, error.key, error.expected, error.got)]) from None
    except (ValueError, OSError) as error:
        raise CaseError([Problem(file, 0, 0, "", reason_in(case, error))]) from None


def problem_at(case: Case, file: str, key: KeyPath, expected: str, got: str = "") -> Problem:
    """A problem of a case, with the line of a key if the file states it."""
    offset = toml_text.scan(case.source).places.get(key)
    at_none = Problem(file, 0, 0, dotted(key), expected, got)
    return at_none if offset is None else Source(file, case.source).problem(offset, key, expected, got)


def reason_in(case: Case, error: Exception) -> str:
    """Reason of an error in words, with files in the folder of the case by their names in it."""
    return str(error).replace(f"{case.folder}{os.sep}", "")


def run(
    case: Case | str | os.PathLike[str],
    changes: Mapping[str, Any] | None = None,
    *,
    progress: Progress = None,
    checkpoints: checkpoint.CheckpointPlace | None = None,
    **more: Any,
) -> xr.Dataset:
    """Simulate a case: a record, the path of a case file, or the name of a shipped case ("rv-loop").

    changes, more : dotted key -> value with unit: run("rv-loop", {"device.film.thickness": "3.2 nm"})
    Returns an xarray.Dataset (SI, energies in eV; names and units in `otjdd.results.outputs.OUTPUTS`).
    progress : called with the fraction done   checkpoints : where to write them, None for none
    The error of the first and the last read by the grid is estimated (`read_grid_error`, `solver.grid_error`).
    A limit of the model that the run exceeds is logged as a warning, and named in the attribute `model_limits`; walls
    where vacancies crowd are named in `crowded_walls`, and `unchecked_grid` says why the grid of a curve is not checked.
    Raises CaseError, OSError, SolverError (its `partial` is the Dataset so far), ResultError for a checkpoint of
    another run.
    """
    case = changed_case(case, changes, more)
    check_inputs(case)
    try:
        ds = simulate(case, progress, checkpoints=checkpoints, check_grid=True)
    except NotAsExpected as error:  # of a start that only a solution shows, as in `check_inputs`
        raise CaseError([problem_at(case, "case", error.key, error.expected, error.got)]) from None
    except (SolverError, KeyboardInterrupt) as error:
        model_limits.warn(getattr(error, "partial", None))
        raise
    model_limits.warn(ds)
    if crowded := crowded_walls(ds, case):
        ds.attrs["crowded_walls"] = crowded
    of_curves = case.drive.kind in solver.simulate.WITHOUT_WAVEFORM and case.numerics.error == "none"
    if of_curves and (unchecked := why_unchecked(case)):
        ds.attrs["unchecked_grid"] = unchecked
    return ds


def simulate(
    case: Case,
    progress: Progress = None,
    start: Start | None = None,
    checkpoints: checkpoint.CheckpointPlace | None = None,
    check_grid: bool = False,
    trail: Trail | None = None,
) -> xr.Dataset:
    """Dataset of a case: of a crossbar for a drive of patterns, else of one junction with errors by `numerics.error`.

    start, checkpoints, check_grid, trail : as in `simulate_junction`; not used for a crossbar, the last two not with errors
    """
    if case.drive.kind == "patterns":
        return crossbars.simulate.simulate_crossbar(case, progress)
    simulate_junction = solver.simulate.simulate_junction
    if case.numerics.error != "none":
        return runs.error_estimate.simulate_with_error(case, simulate_junction, progress, start, checkpoints)
    return simulate_junction(case, progress, start, checkpoints, check_grid, trail)


def makes_dataset(case: Case) -> bool:
    """True for a case whose outputs come as a Dataset only, and not as single arrays of `outputs_in_steps`."""
    return not hasattr(case.drive, "waveform") or case.numerics.error != "none"


ABOUT_THE_CASE = ("title", "case", "case_sha256", "case_resolved", "case_files")
ABOUT_THE_MACHINE = ("system", "processor")


def rerun(path: str | Path, progress: Progress = None) -> tuple[xr.Dataset, xr.Dataset]:
    """Simulate the case of a result file again. Returns the stored Dataset and the new one.

    A run that failed fails again; the new Dataset then holds the part before the failure.
    Raises ResultError when the file lacks information, CaseError when its case is not valid in this version.
    """
    stored = store.read(path)
    missing = {"case_resolved", "solver_status"} - set(stored.attrs)
    if missing:
        if ENGINE in stored.attrs:
            advice = "run one point: otjdd run CASE --set KEY=VALUE ..."
            raise ResultError(path, "holds the points of a study, not one run", advice)
        raise ResultError(path, "is not the result of one run", "rerun the results that it was made from")
    if str(stored.attrs["solver_status"]).startswith("interrupted"):
        raise ResultError(path, "holds a run that was interrupted", "run its case again")
    with tempfile.TemporaryDirectory() as folder:
        case, start = stored_case(path, stored, Path(folder))
        try:
            new = simulate(
                case, progress, start, check_grid="read_grid_error" in stored or "curve_grid_error" in stored
            )
        except SolverError as error:
            if error.partial is None:
                raise
            new = error.partial
    return stored, new.assign_attrs({name: stored.attrs[name] for name in ABOUT_THE_CASE if name in stored.attrs})


def stored_case(path: str | Path, stored: xr.Dataset, folder: Path) -> tuple[Case, Start | None]:
    """Case of a result, with its files written into a folder; and its initial state if that came from another result."""
    (data, texts), start = stored_case_data(path, stored), None
    for k, (place, name) in enumerate(list(named_files(data))):
        if place == ("crossbar", "model"):
            put_value(data, place, str(model_file(path, stored, name)))
        elif place[-1] != "result":
            if name not in texts:
                raise ResultError(path, f"does not hold the file {name} that its case names")
            (folder / f"{k}.csv").write_text(texts[name], encoding="utf-8")
            put_value(data, place, f"{k}.csv")
        elif "vacancy_concentration_columns" in stored:
            states: np.ndarray = stored.vacancy_concentration_columns.values
            if states.ndim != 3 or not len(states) or states.dtype.kind != "f":
                raise ResultError(path, "does not hold the state that it started from")
            start = at_snapshot(stored, 0)
            put_value(data, ("ions", "initial"), "uniform")
            data["ions"].setdefault("density", f"{model.mean_of(stored, 0):.17g} 1/m^3")
        else:
            raise ResultError(path, f"does not hold the state of {name} that it started from")
    case = parse_case(toml_text.write(data), folder, file=str(path), allow_outside=True)
    expected = len(model.members(case)), case.device.film.cells
    if start is not None and (there := start["c"].shape) != expected:
        raise ResultError(path, f"starts from {there} columns and cells, its case has {expected}")
    return case, start


def model_file(path: str | Path, stored: xr.Dataset, name: str) -> Path:
    """File of the compact model of a crossbar: next to the result, or as its case named it. Raises ResultError."""
    for file in (Path(path).resolve().parent / name, Path(name).resolve()):
        if file.exists() and CompactModel.load(file).digest == stored.attrs.get("solver_model_sha256"):
            return file
    raise ResultError(path, f"was computed with the compact model {name}, which is not there, or is another now")


def stored_case_data(path: str | Path, stored: xr.Dataset) -> tuple[dict[str, Any], dict[str, str]]:
    """Data of the case of a result, and name -> text of its files. Raises ResultError."""
    resolved, files = stored.attrs["case_resolved"], stored.attrs.get("case_files", "{}")
    try:
        if not isinstance(resolved, str):
            raise ValueError(f"{type(resolved).__name__} instead of a text")
        data = parse_document(Source("case_resolved", resolved)).data
    except (CaseError, ValueError) as error:
        raise ResultError(path, f"does not say its case: {str(error).splitlines()[0]}") from error
    try:
        texts = json.loads(files)
        if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
            raise ValueError("other things than texts by name")
    except (ValueError, TypeError, RecursionError) as error:
        raise ResultError(path, f"does not say the files of its case: {error}") from error
    return data, texts


def differences(stored: xr.Dataset, new: xr.Dataset) -> list[str]:
    """Differences of two results in words, of numbers first, then of versions and machine; [] if all bits agree."""
    if store.data_sha256(stored) == store.data_sha256(new):
        return []
    names = sorted(map(str, {*stored.variables, *new.variables}))
    lines = [words for name in names if (words := unlike(name, stored, new))]
    versions = [name for name in stored.attrs if name.endswith("_version") or name in ABOUT_THE_MACHINE]
    changed = {name: new.attrs.get(name) for name in versions if new.attrs.get(name) != stored.attrs[name]}
    return lines + [f"{name}: {stored.attrs[name]} then, {now} now" for name, now in changed.items()]


def unlike(name: str, stored: xr.Dataset, new: xr.Dataset) -> str:
    """How a variable differs between two results, in words; "" if it does not."""
    if name not in stored or name not in new:
        return f"{name}: is only in the {'new' if name in new else 'stored'} result"
    a, b = stored[name].values, new[name].values
    if a.shape != b.shape:
        return f"{name}: {a.shape} values, now {b.shape}"
    if a.dtype.kind != "f":
        return "" if (a == b).all() else f"{name}: other values"
    if np.array_equal(a, b, equal_nan=True):
        return ""
    if missing := int((np.isnan(a) != np.isnan(b)).sum()):
        return f"{name}: nan in one result alone, at {missing} of {a.size} values"
    change = np.nanmax(np.abs(a - b)) / max(np.nanmax(np.abs(a)), np.nanmax(np.abs(b)))
    return f"{name}: differs by up to {change:.2g} of its largest value"
