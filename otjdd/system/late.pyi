import tomllib
from collections.abc import Callable
from types import ModuleType

import numpy as np
import rich.console
import rich.progress
import xarray as xr

from otjdd import compiler, plot, selftest

__all__ = ["compiler", "np", "plot", "rich", "room", "selftest", "tomllib", "when_imported", "xr"]

def room(package: str, file: str) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]: ...
def when_imported(first: str, then: str) -> None: ...
