"""A study of cycled devices whose resistances are drawn from log-normal distributions that are known."""

import numpy as np
import xarray as xr

RADII = (10e-9, 100e-9, 1e-6)


def cycled(devices=50, cycles=20, c2c=(0.05, 0.2), d2d=(0.1, 0.4), *, radii=(), median=(1e4, 1e6), seed=1, power=0.0):
    """A Dataset as `otjdd.study` makes it: reads after -4.3 V (high) and 2.2 V (low) in turn.

    c2c, d2d, median : of the low and the high state   radii : an axis; sigma goes with (radius / first)^power
    """
    rng = np.random.default_rng(seed)
    outer, dims = ((len(radii),), ("device.radius",)) if radii else ((), ())
    scale = (np.array(radii or (1.0,)) / (radii or (1.0,))[0]) ** power
    shape = (*outer, devices, 2 * cycles)
    R, V = np.empty(shape), np.broadcast_to(np.tile([-4.3, 2.2], cycles), shape).copy()
    for first, state in ((0, 1), (1, 0)):
        own = d2d[state] * rng.standard_normal((len(scale), devices, 1))
        noise = c2c[state] * rng.standard_normal((len(scale), devices, cycles))
        ln = np.log(median[state]) + scale[:, None, None] * (own + noise)
        R[..., first::2] = np.exp(ln).reshape(*outer, devices, cycles)
    over, attrs = (*dims, "sample"), {"units": "ohm", "long_name": "resistance"}
    return xr.Dataset(
        {
            "read_resistance": ((*over, "read"), R, attrs),
            "write_voltage": ((*over, "read"), V, {"units": "V", "long_name": "voltage of the write"}),
            "status": (over, np.zeros(shape[:-1], dtype="i1")),
            "reason": (over, np.full(shape[:-1], "", dtype=object)),
        },
        {"device.radius": ("device.radius", list(radii), {"units": "m", "long_name": "device.radius"})}
        if radii
        else {},
    )
