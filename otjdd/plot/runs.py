"""Results for panels: their labels, their waveforms, and the strokes of their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from otjdd.errors import CaseError
from otjdd.plot.labels import distinct
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
    from otjdd.case.case import parse_case

    try:
        drive = parse_case(str(ds.attrs["case_resolved"]), allow_outside=True).drive
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
