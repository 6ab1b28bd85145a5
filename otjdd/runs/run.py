"""From a case to its Dataset, after a check of all that the case takes from elsewhere and of what no key alone shows.

ds = otjdd.run("rv-loop", {"device.film.thickness": "3.2 nm"})
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otjdd.case import toml_text
from otjdd.case.case import Case, changed_case
from otjdd.case.problem import Problem, Source, dotted
from otjdd.errors import CaseError, NotAsExpected, SolverError
from otjdd.results.summary import crowded_walls
from otjdd.solver import checkpoint, initial, model, model_limits
from otjdd.solver.start import Start, Trail
from otjdd.system.steps import Progress

if TYPE_CHECKING:
    import xarray as xr

    from otjdd.waveform.chain import Chain
    from otjdd.waveform.waveform import Waveform


def check_inputs(case: Case, file: str = "case") -> None:
    """Build the columns and the waveform of a case, and read its files. file : name of the case in messages

    Raises CaseError, ResultError.
    """
    try:
        columns = model.members(case)
        if case.crossbar is not None:
            from otjdd.compact_models.crossbars import models

            models.check_devices(case, file)
        if hasattr(case.drive, "waveform"):
            waveform = built_waveform(case, file)
            case.record.instants(waveform.duration)
            case.record.check_reads(waveform.read_count)
        if hasattr(case.ions.initial, "result"):
            initial.from_result(case, model.junction(case, parts=columns), columns)
        if case.ions.initial == "equilibrium" and (unlike := initial.disagreement(case)):
            raise NotAsExpected("another state to start from", f'"equilibrium": {unlike}', "ions", "initial")
    except NotAsExpected as error:
        raise case_error(error, file) from None
    except (ValueError, OSError) as error:
        raise CaseError([Problem(file, 0, 0, "", reason_in(case, error))]) from None


def case_error(error: NotAsExpected, file: str = "case") -> CaseError:
    """The error of a case whose key is that of a wrong value."""
    return CaseError([Problem(file, 0, 0, dotted(error.key), error.expected, error.got)])


def built_waveform(case: Case, file: str) -> Waveform | Chain:
    """Waveform of a case. Raises CaseError, with the line of [drive] if the file states it; OSError for a file of it."""
    try:
        return case.waveform()
    except ValueError as error:
        source, offset = Source(file, case.source), toml_text.scan(case.source).places.get(("drive",))
        problem = source.problem(offset or 0, ("drive",), reason_in(case, error))
        raise CaseError([problem if offset is not None else problem._replace(line=0, source="")]) from None


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
    where vacancies crowd are named in `crowded_walls`.
    Raises CaseError, OSError, SolverError (its `partial` is the Dataset so far), ResultError for a checkpoint of
    another run.
    """
    case = changed_case(case, changes, more)
    check_inputs(case)
    try:
        ds = simulate(case, progress, checkpoints=checkpoints, check_grid=True)
    except NotAsExpected as error:  # of a start that only a solution shows, such as too few single ions
        raise case_error(error) from None
    except (SolverError, KeyboardInterrupt) as error:
        model_limits.warn(getattr(error, "partial", None))
        raise
    model_limits.warn(ds)
    if crowded := crowded_walls(ds, case):
        ds.attrs["crowded_walls"] = crowded
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
        from otjdd.compact_models.crossbars.simulate import simulate_crossbar

        return simulate_crossbar(case, progress)
    from otjdd.solver.simulate import simulate_junction

    if case.numerics.error != "none":
        from otjdd.runs.error_estimate import simulate_with_error

        return simulate_with_error(case, simulate_junction, progress, start, checkpoints)
    return simulate_junction(case, progress, start, checkpoints, check_grid, trail)


def makes_dataset(case: Case) -> bool:
    """True for a case whose outputs come as a Dataset only, and not as single arrays of `outputs_in_steps`."""
    return not hasattr(case.drive, "waveform") or case.numerics.error != "none"
