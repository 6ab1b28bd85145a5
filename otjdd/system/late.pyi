import tomllib
from collections.abc import Callable
from types import ModuleType

import cma
import dask
import distributed
import emcee
import h5py
import jinja2
import numpy as np
import pandas as pd
import rich.console
import rich.progress
import rich.table
import rich.text
import scipy
import xarray as xr

from otjdd import compiler, plot, selftest

__all__ = [
    "cma", "compiler", "dask", "distributed", "emcee", "h5py", "jinja2", "np", "pd", "plot", "rich", "room", "scipy",
    "selftest", "tomllib", "when_imported", "xr",
]  # fmt: skip

def room(package: str, file: str) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]: ...
def when_imported(first: str, then: str) -> None: ...
