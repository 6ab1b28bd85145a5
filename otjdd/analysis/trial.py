"""A run as metrics need it: its result and its case. `claims.trials.Trial` is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import xarray as xr


class Trial(Protocol):
    """A run: its name, the varied value [SI], its case and its result."""

    @property
    def name(self) -> str: ...

    @property
    def value(self) -> float: ...

    @property
    def case(self) -> Any: ...  # a Case, which a package above this one defines

    @property
    def ds(self) -> xr.Dataset: ...


Trials = Sequence[Trial]
