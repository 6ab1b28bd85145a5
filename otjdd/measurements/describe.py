"""Description of measured data: columns, units, ranges, findings from the numbers, and the command that fits them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from otjdd.measurements.names import CURRENT, UNCERTAINTY

if TYPE_CHECKING:
    import xarray as xr

HYSTERETIC = 1.5  # ratio of the currents of two branches, above which ions have moved between them
NEAR_ZERO = 0.1  # of the largest voltage
RATE = "RATE"  # in a proposed command, for what the reader has to state


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
        if RATE in case:
            lines.append(
                f"  put the rate of the sweep, such as 0.5 V/s, in the place of {RATE}: the data do not state it"
            )
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
    if branch_ratio(ds) > HYSTERETIC:
        ends = np.append(np.flatnonzero(np.diff(ds["branch"].values)), ds.sizes["point"] - 1)
        path = [f"{v:.6g} V" for v in ds["voltage"].values[[0, *ends]]]
        drive = f"""drive={{ kind = "triangle", path = {json.dumps(path)}, rate = "{RATE}" }}"""
        return f"li2019 --set {shlex.quote(drive)}", "the current along the loop, whose branches differ"
    return "iv", "the curve at frozen ions"


def branch_ratio(ds: xr.Dataset) -> float:
    """Ratio of the currents of two successive branches of a sweep, which a tenth of the common voltages exceeds.

    1 for a single branch. Voltages near zero, where the current changes its sign, do not count.
    """
    name = next((name for name in CURRENT if name in ds), None)
    if name is None or "voltage" not in ds or ds["record"].values.max() > 0:
        return 1.0
    voltage, size, branch = ds["voltage"].values, np.abs(ds[name].values), ds["branch"].values
    usable = (np.abs(voltage) > NEAR_ZERO * np.abs(voltage).max()) & (size > 0)
    curves = [np.flatnonzero(usable & (branch == number)) for number in range(branch.max() + 1)]
    curves = [at[np.argsort(voltage[at], kind="stable")] for at in curves if at.size]
    ratios = [1.0]
    for at, after in pairwise(curves):
        common = at[(voltage[at] >= voltage[after[0]]) & (voltage[at] <= voltage[after[-1]])]
        if common.size:
            apart = np.log(size[common]) - np.interp(voltage[common], voltage[after], np.log(size[after]))
            ratios.append(float(np.exp(np.quantile(np.abs(apart), 0.9))))
    return max(ratios)
