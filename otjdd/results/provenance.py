"""Provenance of a result as attributes: case, versions, machine, solver."""

import datetime
import hashlib
import json
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from otjdd.system import sources

ENGINE = "study_engine"  # attribute of the Datasets of studies, and of those alone
CALIBRATION = "calibration"  # attribute of the Datasets of calibrations, and of those alone

CONVENTIONS = "CF-1.11"  # units by UDUNITS, coordinates; names of outputs are otjdd's own


def provenance(
    case_text: str,
    resolved: str,
    *,
    title: str = "",
    statistics: Mapping[str, object] | None = None,
    wall_time: float = float("nan"),
) -> dict[str, Any]:
    """Attributes of the provenance, without names of hosts, users or folders.

    case_text, resolved : the case as written, and with all defaults
    statistics : name -> number or text, of the solver; stored as solver_<name>   wall_time : [s]
    """
    case = {"title": title, "case": case_text, "case_sha256": hashlib.sha256(case_text.encode()).hexdigest()}
    versions = {f"{package}_version": _version(package) for package in ("otjdd", "numpy", "numba", "scipy", "xarray")}
    machine = {"python_version": platform.python_version(), "system": platform.system(), "processor": _processor()}
    run = {"created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "wall_time": float(wall_time)}
    solver = {f"solver_{name}": _plain(value) for name, value in (statistics or {}).items()}
    return {
        "Conventions": CONVENTIONS,
        **case,
        "case_resolved": resolved,
        "source_sha256": sources.digest(),
        **versions,
        **machine,
        **run,
        **solver,
    }


def _plain(value: object) -> int | float | str:
    """The value as a type that NetCDF has."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int | float | str) else json.dumps(value, default=str)


@cache
def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
