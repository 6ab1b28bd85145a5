"""`ds.otjdd`: figures, reads, metrics and tables of a Dataset, in any session that has imported otjdd.

xarray takes half a second to import, so `import otjdd` does not import it. If xarray is imported already, the accessor is
registered at once. Otherwise an import hook at the head of `sys.meta_path` waits until xarray is imported, registers the
accessor, and removes itself.
"""

from __future__ import annotations

import os
import sys

from otjdd.system.late import xr

TYPE_CHECKING = False  # as in otjdd/__init__.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from otjdd.plot.figure import Figure

NAME = "otjdd"


class Accessor:
    """Methods for a Dataset of otjdd, or for one with the same variable names (`otjdd.measured`)."""

    def __init__(self, ds: xr.Dataset):
        self._ds = ds

    def figure(self, kinds: str | Sequence[str] = (), **options: Any) -> Figure:
        """Figure of the named panels, by default of those that suit the result; see `otjdd.figure`."""
        from otjdd.plot.figure import figure

        return figure(self._ds, kinds, **options)

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
        from otjdd.analysis.metrics import METRICS

        if name not in METRICS:
            raise ValueError(f"there is no metric {name!r} of a run; there are {', '.join(METRICS)}")
        try:
            return METRICS[name].of(self._ds, **settings)
        except (ValueError, IndexError, KeyError, ZeroDivisionError, AttributeError) as error:
            raise ValueError(f"the metric {name!r} does not fit this result ({error})") from error

    def resample(self, step: float | str) -> xr.Dataset:
        """The time series at even times; see `otjdd.resample`."""
        from otjdd.solver.time_series import resample

        return resample(self._ds, step)

    def to_csv(self, path: str | os.PathLike[str], over: str | None = None) -> None:
        """Write the variables over one dimension as comma-separated text; see `otjdd.to_csv`."""
        from otjdd.results.summary import to_csv

        to_csv(self._ds, path, over)


class AfterXarray:
    """Import hook: finds xarray by the other finders, and registers the accessor when the module has been executed."""

    looking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "xarray" or self.looking:
            return None
        from importlib.util import find_spec

        self.looking = True
        try:
            spec = find_spec(name)
        finally:
            self.looking = False
        if spec and spec.loader:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                load(module)
                module.register_dataset_accessor(NAME)(Accessor)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def register() -> None:
    """Register the accessor now, or when xarray is imported."""
    if "xarray" in sys.modules:
        sys.modules["xarray"].register_dataset_accessor(NAME)(Accessor)
    else:
        sys.meta_path.insert(0, AfterXarray())
