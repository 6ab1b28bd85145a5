import tomllib
from collections.abc import Callable
from importlib import metadata
from types import ModuleType

import cma
import dask
import distributed
import emcee
import h5py
import imageio_ffmpeg
import jinja2
import numpy as np
import pandas as pd
import PIL.Image
import rich.box
import rich.console
import rich.progress
import rich.table
import rich.text
import scipy
import xarray as xr
from scipy.optimize import elementwise

from otjdd import compiler, plot, selftest

__all__ = [
    "PIL",
    "cma",
    "compiler",
    "dask",
    "distributed",
    "elementwise",
    "emcee",
    "h5py",
    "imageio_ffmpeg",
    "jinja2",
    "metadata",
    "np",
    "pd",
    "plot",
    "rich",
    "room",
    "scipy",
    "selftest",
    "tomllib",
    "when_imported",
    "xr",
]

def room(package: str, file: str) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]: ...
def when_imported(first: str, then: str) -> None: ...
