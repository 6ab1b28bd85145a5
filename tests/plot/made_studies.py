"""Datasets like those of studies and calibrations, made from numbers that a test can find again in a figure."""

import numpy as np
import xarray as xr

AXES = {"thickness": ("m", np.linspace(2e-9, 3e-9, 20)), "width": ("s", np.logspace(-9, -3, 20)), "law": ("1", None)}


def study_of(sizes: dict, inner: int = 0, attrs=None, coords=None) -> xr.Dataset:
    """A smooth result over axes of some lengths. inner : reads of each point"""
    shape = tuple(sizes.values())
    values = 10.0 ** sum(np.indices(shape))
    places = {}
    for dim, n in sizes.items():
        unit, x = AXES.get(dim, ("1", np.arange(20.0)))
        if dim != "sample":
            places[dim] = (dim, np.array([f"law {i}" for i in range(n)]) if x is None else x[:n], {"units": unit})
    ds = xr.Dataset(
        {"R": (tuple(sizes), values, {"units": "ohm", "long_name": "resistance"})}, places | (coords or {}), attrs or {}
    )
    if inner:
        ds = ds.expand_dims(read=inner, axis=-1)
    text = {name: (tuple(sizes), np.full(shape, "", dtype=object)) for name in ("reason", "model_limits")}
    return ds.assign(status=(tuple(sizes), np.zeros(shape, dtype="i1")), **text)


def front() -> xr.Dataset:
    """Sets of which a small barrier excludes a small resistance; the threshold is always met."""
    x = np.linspace(0.0, 4.0, 21)
    distances = np.stack([x, x / 2, 4.0 - x, 0 * x], axis=1)
    distances[3, 2] = np.nan
    coords = {
        "target": ["height", "slope", "R", "V"],
        "aim": ("target", ["barrier", "barrier", "resistance", "threshold"]),
    }
    return xr.Dataset({"visited_distance": (("visit", "target"), distances)}, coords, {"calibration": "made"})
