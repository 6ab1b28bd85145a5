"""Drift and scatter of written levels as text of the files for networks: tables over conductance and time.

G -> G exp[m(G, t) + s(G, t) x]      x normal, at programming (t = 1 us) and as drift after a time

s is the scatter of levels that equal pulses have written; for levels that are written and verified, that of ln[G(t)/G(0)].
Both files, of aihwkit and of CrossSim, interpolate in ln G and ln t, with constant values beyond the ends.
"""

from typing import TYPE_CHECKING

import numpy as np

from otjdd.compact_models.exports.functions import number

if TYPE_CHECKING:
    import xarray as xr

TABLES = {
    "SHIFT": "level_shift",
    "SIGMA": "level_sigma",
    "SIGMA_VERIFIED": "level_moved",
}  # name in a file -> of a Dataset
DRAWS = 4000


def ascending(noise: "xr.Dataset") -> "xr.Dataset":
    """The Dataset with its levels in ascending order of their conductance."""
    return noise.isel(level=np.argsort(noise.level_mean.values))


def read_sigma(noise: "xr.Dataset") -> np.ndarray:
    """Standard deviation (level,) of ln I of a read, by hops and by electrons."""
    return np.hypot(noise.read_sigma.values, noise.electron_sigma.values)


def tables(noise: "xr.Dataset") -> list[str]:
    """Lines with the tables of levels and times."""
    ordered = ascending(noise)
    lines = [
        "LEVELS = [" + ", ".join(map(number, ordered.level_mean.values)) + "]  # S, as written",
        "TIMES = [" + ", ".join(map(number, ordered.time.values)) + "]  # s after the last pulse",
        "# of ln G by level and time: mean change, scatter of what is written, scatter of the change since",
    ]
    for name, variable in TABLES.items():
        rows = ["    [" + ", ".join(map(number, row)) + "]," for row in ordered[variable].values]
        lines += [f"{name} = [", *rows, "]"]
    return [
        *lines,
        "READ = [" + ", ".join(map(number, read_sigma(ordered))) + "]  # scatter of ln I of a read, by level",
    ]


def drawn(noise: "xr.Dataset", seed: int) -> np.ndarray:
    """Standard deviation (level, time) of ln G of draws at the levels, by the rule of the files."""
    x = np.random.default_rng(seed).standard_normal((DRAWS, 1, 1))
    ln_G: np.ndarray = noise.level_shift.values + noise.level_sigma.values * x
    return ln_G.std(axis=0, ddof=1)
