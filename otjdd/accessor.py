"""`ds.otjdd`: figures, reads, metrics and tables of a Dataset, in any session that has imported otjdd.

xarray takes half a second to import, so `import otjdd` does not import it. This module registers the accessor when it is
imported: at once if xarray is there already, otherwise as soon as it is (`otjdd.system.late.when_imported`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import xarray as xr

import otjdd
from otjdd import analysis
from otjdd.system.late import plot


@xr.register_dataset_accessor("otjdd")  # type: ignore[no-untyped-call]
class Accessor:
    """Methods for a Dataset of otjdd, or for one with the same variable names (`otjdd.measured`)."""

    def __init__(self, ds: xr.Dataset):
        self._ds = ds

    def figure(self, kinds: str | Sequence[str] = (), **options: Any) -> plot.figure.Figure:
        """Figure of the named panels, by default of those that suit the result; see `otjdd.figure`."""
        return otjdd.figure(self._ds, kinds, **options)

    @property
    def reads(self) -> xr.Dataset:
        """The variables over the dimension `read`."""
        return self._ds[[name for name, v in self._ds.variables.items() if v.dims == ("read",)]].drop_attrs(deep=False)

    @property
    def model_limits(self) -> list[str]:
        """Warnings, one sentence for each limit of the model that the run exceeds; [] if none."""
        return str(self._ds.attrs.get("model_limits", "")).splitlines()

    def metrics(self, name: str, **settings: Any) -> dict[str, float]:
        """Numbers of a metric, such as "loop" or "retention", in the units of `otjdd.analysis.metrics`.

        settings : keyword arguments of the metric
        Raises ValueError if no metric of a run has that name, or if it cannot be computed from this result.
        """
        if name not in analysis.metrics.METRICS:
            raise ValueError(f"there is no metric {name!r} of a run; there are {', '.join(analysis.metrics.METRICS)}")
        try:
            return analysis.metrics.METRICS[name].of(self._ds, **settings)
        except (ValueError, IndexError, KeyError, ZeroDivisionError, AttributeError) as error:
            raise ValueError(f"the metric {name!r} does not fit this result ({error})") from error

    def resample(self, step: float | str) -> xr.Dataset:
        """The time series at even times; see `otjdd.resample`."""
        return otjdd.resample(self._ds, step)

    def to_csv(self, path: str | os.PathLike[str], over: str | None = None) -> None:
        """Write the variables over one dimension as comma-separated text; see `otjdd.to_csv`."""
        otjdd.to_csv(self._ds, path, over)
