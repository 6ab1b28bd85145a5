"""Variability: how much the two states of a study's devices scatter, from cycle to cycle and from device to device."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.scatter import Scatter, scatter
from otjdd.analysis.synapse import two_in_turn

if TYPE_CHECKING:
    import xarray as xr

DEVICES, CYCLES = "sample", "read"  # dimensions of a study
SEEDS = "ions.seed"  # axis along which devices differ, where there is no sample
STATES = ("low", "high")
NEEDS = "read_resistance", "write_voltage"
AREA = "junction_area"
MEANINGS = {
    "c2c": ("sigma_c2c", "standard deviation of ln R from cycle to cycle"),
    "d2d": ("sigma_d2d", "standard deviation of ln R from device to device"),
    "drift": ("drift", "change of ln R over the cycles"),
}


def variability(study: xr.Dataset, settling: int = 0) -> xr.Dataset:
    """Scatter of the low and the high resistance of devices that are written to both states in each cycle.

    study : Dataset of `otjdd.study` with `keep = ["read_resistance", "write_voltage"]`, whose reads follow writes of two
        voltages of opposite sign in turn. Its devices are the draws of [study.sample] or, without a sample, the values of
        `ions.seed` in [study.grid]. Other axes remain axes of the result
    settling : number of first cycles that are left out

    Returns an xarray.Dataset along `state` ("low", "high": the smaller and the larger median) and the other axes:
        median_resistance [ohm] : median of the medians of devices
        sigma_c2c : standard deviation of ln R within a device, from cycle to cycle
        sigma_d2d : standard deviation of the expected ln R of devices, without the scatter of means over few cycles
        drift : change of ln R over all cycles along a straight line, which also counts in sigma_c2c
        devices, cycles : number of devices, and largest number of cycles of a device
    All but the last two have standard errors (`sigma_c2c_error`), which assume that ln R is normally distributed. Along
    `device.radius` there is also the coordinate `junction_area` [m^2]. Numbers are nan where a point has too few devices
    or cycles; with one cycle `sigma_d2d` includes the scatter from cycle to cycle. Method: `otjdd.analysis.scatter`.
    Raises ValueError if the study does not hold such reads, and for a resistance that is not positive.
    """
    import xarray as xr

    R = resistances(study, settling)
    medians = np.exp(xr.apply_ufunc(np.log, R).median(CYCLES))

    def numbers(rows: np.ndarray, middles: np.ndarray) -> tuple[float, ...]:
        return *scatter(np.log(rows)), *median(middles)

    names = [*Scatter._fields, "median", "median_error"]
    inner: list[list[Hashable]] = [[DEVICES, CYCLES], [DEVICES]]
    values = xr.apply_ufunc(
        numbers, R, medians, input_core_dims=inner, output_core_dims=[[]] * len(names), vectorize=True
    )
    by_name = {name: array.drop_attrs(deep=False) for name, array in zip(names, values, strict=True)}
    what = {
        "median_resistance": (by_name["median"], "ohm", "median resistance of the devices"),
        "median_resistance_error": (by_name["median_error"], "ohm", "standard error of the median resistance"),
    }
    for key, (name, meaning) in MEANINGS.items():
        what |= {
            name: (by_name[key], "1", meaning),
            f"{name}_error": (by_name[f"{key}_error"], "1", f"standard error of the {meaning}"),
        }
    what |= {name: (by_name[name], "1", f"number of {name}") for name in ("devices", "cycles")}
    ds = xr.Dataset(
        {name: array.assign_attrs(units=unit, long_name=words) for name, (array, unit, words) in what.items()}
    )
    return with_area(ds)


def resistances(study: xr.Dataset, settling: int = 0) -> xr.DataArray:
    """Resistances (state, ..., sample, read) [ohm] of the low and the high state; nan for reads of the other state.

    Raises ValueError as `variability`.
    """
    import xarray as xr

    if why := unfit(study):
        raise ValueError(f"no variability of this study: {why}")
    devices = devices_of(study)
    R, V = (study[name].isel({CYCLES: slice(2 * settling, None)}) for name in NEEDS)
    if devices != DEVICES:
        R, V = (array.drop_vars(devices).rename({devices: DEVICES}) for array in (R, V))
    if not R.sizes[CYCLES]:
        raise ValueError(f"settling = {settling} leaves no cycle of this study")
    if (R <= 0).any():
        raise ValueError("no variability of this study: a resistance that is not positive has no logarithm")
    either = [R.where(V > 0), R.where(V < 0)]
    after_positive, after_negative = (of_sign.median([DEVICES, CYCLES]) for of_sign in either)
    positive_is_low = after_positive <= after_negative
    low, high = either[0].where(positive_is_low, either[1]), either[1].where(positive_is_low, either[0])
    states = xr.DataArray(list(STATES), dims="state", attrs={"units": "1", "long_name": "state"})
    return xr.concat([low, high], states).assign_attrs(units="ohm", long_name="resistance")


def unfit(study: xr.Dataset) -> str:
    """Why a study shows no variability, in words; "" if it does."""
    missing = [name for name in NEEDS if name not in study or CYCLES not in study[name].dims]
    if missing:
        needed = ", ".join(f'"{name}"' for name in NEEDS)
        return f"it holds no {' and no '.join(missing)}: study.keep = [{needed}]"
    if not devices_of(study):
        return f"it has no devices: [study.sample] draws them, or {SEEDS} in [study.grid]"
    if not two_in_turn(study.write_voltage.transpose(..., CYCLES).values):
        return "its reads do not follow writes of two voltages of opposite sign in turn"
    return ""


def devices_of(study: xr.Dataset) -> str:
    """Dimension of a study along which one device follows another; "" for none."""
    return next((dim for dim in (DEVICES, SEEDS) if dim in study.read_resistance.dims), "")


def median(values: np.ndarray) -> tuple[float, float]:
    """Median of positive numbers (n,), nan left out, and its standard error for normal logarithms."""
    good = values[np.isfinite(values)]
    if not good.size:
        return math.nan, math.nan
    middle = float(np.median(good))
    spread = float(np.std(np.log(good), ddof=1)) if good.size > 1 else math.nan
    return middle, middle * spread * math.sqrt(math.pi / (2 * good.size))


def with_area(ds: xr.Dataset) -> xr.Dataset:
    """The Dataset with the area of the junction beside its radius, where that is a coordinate."""
    radius = "device.radius"
    if radius not in ds.coords or ds[radius].dims != (radius,) or ds[radius].dtype.kind != "f":
        return ds
    area = math.pi * ds[radius].values ** 2
    return ds.assign_coords({AREA: (radius, area, {"units": "m^2", "long_name": "area of the junction"})})
