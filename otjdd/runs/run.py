"""From a case to its Dataset.

ds = otjdd.run("rv-loop", {"device.film.thickness": "3.2 nm"})
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Mapping
from typing import TYPE_CHECKING, Any

from otjdd.case.case import Case, changed_case
from otjdd.errors import SolverError
from otjdd.solver import checkpoint, model_limits

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from otjdd.solver.simulate import Found


Progress = Callable[[float], None] | None  # called with the fraction done


def run(
    case: Case | str | os.PathLike[str],
    changes: Mapping[str, Any] | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    checkpoints: checkpoint.Place | None = None,
    **more: Any,
) -> xr.Dataset:
    """Simulate a case: a record, the path of a case file, or the name of a shipped case ("rv-loop").

    changes, more : dotted key -> value with unit: run("rv-loop", {"device.film.thickness": "3.2 nm"})
    Returns an xarray.Dataset (SI, energies in eV; names and units in `otjdd.results.outputs.OUTPUTS`).
    progress : called with the fraction done   checkpoints : `checkpoint.Place` of them, None for none
    A limit of the model that the run exceeds is logged as a warning and stands in the attribute `model_limits`.
    Raises CaseError, OSError, SolverError (its `partial` is what was computed), ResultError for a checkpoint of
    another run.
    """
    case = changed_case(case, changes, more)
    try:
        ds = simulate(case, progress, checkpoints=checkpoints)
    except (SolverError, KeyboardInterrupt) as error:
        model_limits.warn(getattr(error, "partial", None))
        raise
    model_limits.warn(ds)
    return ds


def simulate(
    case: Case,
    progress: Progress = None,
    start: np.ndarray | None = None,
    checkpoints: checkpoint.Place | None = None,
) -> xr.Dataset:
    """Dataset of a case, by the kind of its drive: patterns in a crossbar, or what one junction undergoes.

    start, checkpoints : as of `solver.simulate.simulate`; a crossbar has none
    """
    if case.drive.kind == "patterns":
        from otjdd.compact_models.crossbars.simulate import simulate as patterns

        return patterns(case, progress)
    from otjdd.solver.simulate import simulate as junction

    if case.numerics.error != "none":
        from otjdd.runs import error_estimate

        return error_estimate.simulate(case, junction, progress, start, checkpoints)
    return junction(case, progress, start, checkpoints)


def in_steps(case: Case, only: Collection[str], progress: Progress = None) -> Generator[None, None, Found]:
    """Outputs of a case by name, for callers that take a few: those in `only`, of some cases others too.

    A Dataset is made on the way for cases that need one; its making takes longer than a short run. Steps: as of
    `solver.simulate.in_steps`
    """
    from otjdd.solver.simulate import Found
    from otjdd.solver.simulate import in_steps as of_waveform

    if not makes_dataset(case):
        return (yield from of_waveform(case, only, progress))
    ds = simulate(case, progress)
    return Found({str(name): ds[name].values for name in ds.variables}, ds.attrs[model_limits.ATTRIBUTE])


def makes_dataset(case: Case) -> bool:
    """True for a case whose outputs only come in a Dataset."""
    return not hasattr(case.drive, "waveform") or case.numerics.error != "none"
