"""Description of measured data: columns, units, ranges, findings from the numbers, and the command that fits them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.measurements.names import UNCERTAINTY

if TYPE_CHECKING:
    import xarray as xr


def described_data(ds: xr.Dataset, words: Sequence[str] = ()) -> str:
    """Description of measured data: a line for each column and each finding, and the command of a fit.

    words : files and options with which `otjdd fit` reads the same data; without, that line is left out
    """
    lines = [f"{ds.attrs['file']}: {ds.sizes['point']} points"]
    records = int(ds["record"].max()) + 1 if "record" in ds.coords else 1
    if records > 1:
        lines[0] += f" in {records} records"
    for name, variable in ds.data_vars.items():
        about = variable.attrs
        written = f", written in {about['written_unit']}" if about.get("written_unit") else ""
        unit = "" if about["units"] == "1" else f" {about['units']}"
        low, high = float(variable.min()), float(variable.max())
        size = f"{low:.4g} to {high:.4g}{unit}" if low != high else f"{low:.4g}{unit}"
        what = f"|{name}|" if about.get("magnitude") else str(name)
        what = f"-{what}" if about.get("sign_turned") else what
        count = f"{about['numbers']} numbers, " if "numbers" in about else ""
        lines.append(f"  {about.get('header', name)!r} is {what}{written}: {count}{size}")
    lines += [f"  {line}" for line in ds.attrs["understood"].splitlines()]
    if words:
        case, compared = case_for(ds)
        files = " ".join(map(shlex.quote, words))
        lines.append(f"  to fit {compared}: otjdd fit {files} {case} --vary device.left.barrier")
    return "\n".join(lines)


def case_for(ds: xr.Dataset) -> tuple[str, str]:
    """(shipped case whose drive suits measured data, output of this case that a fit compares with them, in words)."""
    names = {str(name) for name in ds if not str(name).endswith(UNCERTAINTY)}
    swept = "voltage" in names and np.ptp(ds["voltage"].values) > 0
    if {"polarisation", "electrode_charge"} & names:
        return "ftj-hzo", "the loop of the polarisation"
    if "capacitance" in names:
        return "cv", "the capacitance at frozen ions"
    if {"resistance", "conductance", "read_current"} & names or "write_voltage" in names:
        if {"write_voltage"} & names or swept:
            return "rv-loop", "the reads of the loop of the case"
        return ("ltp-ltd", "the reads of its pulses") if "number" in names else ("retention", "the reads of its hold")
    if "time" in names:
        return (
            "rv-loop",
            "the current, with the measured waveform as the drive" if swept else "the current along its drive",
        )
    return "iv", "the curve at frozen ions"
