"""Sensitivity of the results of a study: slope along one key, and Sobol indices of many keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from otjdd.studies.dataset import SAMPLE_COUNT, SAMPLE_METHOD

if TYPE_CHECKING:
    import xarray as xr

FEWEST_ROWS = 8  # of a sample, for indices with an interval


def slope(ds: xr.Dataset, name: str, key: str, *, log_x: bool = False, log_y: bool = False) -> xr.Dataset:
    """Fit a straight line to a result against a numeric key, for each combination of the other axes.

    name : of an array of the study   key : an axis   log_x, log_y : take the decimal logarithm of the key, of the result
    Returns an xarray.Dataset with `slope` (per unit of the key, or per decade), its standard `error`, `intercept` and
    `correlation`; nan where fewer than three points are finite. Raises ValueError for a key that is no numeric axis.
    """
    import xarray as xr
    from scipy.stats import linregress

    if key not in ds.dims or ds[key].dtype.kind not in "if":
        raise ValueError(f"{key!r} is no numeric axis of this study; there are {', '.join(map(str, ds[name].dims))}")
    x = np.log10(ds[key].values) if log_x else ds[key].values

    def line(y: np.ndarray) -> tuple[float, float, float, float]:
        good = np.isfinite(y)
        if good.sum() < 3:
            return np.nan, np.nan, np.nan, np.nan
        fit = linregress(x[good], y[good])
        return fit.slope, fit.stderr, fit.intercept, fit.rvalue

    y = np.log10(ds[name]) if log_y else ds[name]
    fits = xr.apply_ufunc(line, y, input_core_dims=[[key]], output_core_dims=[[]] * 4, vectorize=True)
    of = "1" if log_y else str(ds[name].attrs.get("units", "1"))
    per = "1" if log_x else str(ds[key].attrs.get("units", "1"))
    inverse = f"{per}^-1" if per.isalpha() else f"({per})^-1"
    slope = of if per == "1" else f"{of} {inverse}".removeprefix("1 ")
    about = {
        "slope": (slope, "slope"), "error": (slope, "standard error of the slope"),
        "intercept": (of, "intercept"), "correlation": ("1", "correlation"),
    }  # fmt: skip
    return xr.Dataset({
        word: values.drop_attrs().assign_attrs(units=units, long_name=f"{words} of {name} against {key}")
        for values, (word, (units, words)) in zip(fits, about.items(), strict=True)
    })  # fmt: skip


def sobol_indices(ds: xr.Dataset, name: str, *, log: bool = False, resamples: int = 400, seed: int = 0) -> xr.Dataset:
    """Sobol indices of a result: shares of its variance by key, from a study with a sample of the method "saltelli".

    name : of an array with the one dimension `sample`   log : take its decimal logarithm, for results over decades
    Returns an xarray.Dataset along `key`: `first`, the share of the variance due to the key alone; `total`, the share that
    is left when all other keys are fixed; the ends of the 95 % interval of each (bootstrap); `rows`, the number of complete
    rows of the design. Rows with a failed point are left out.
    First order after Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), total after Jansen (1999).
    Raises ValueError when the study has no such sample, or fewer than eight complete rows.
    """
    import xarray as xr

    if ds.attrs.get(SAMPLE_METHOD) != "saltelli" or ds[name].dims != ("sample",):
        raise ValueError(f'{name}: Sobol indices need a study of one [study.sample] with method = "saltelli"')
    keys = [str(key) for key, c in ds.coords.items() if c.dims == ("sample",)]
    count = int(ds.attrs[SAMPLE_COUNT])
    blocks = ds[name].values.reshape(len(keys) + 2, count)
    blocks = np.log10(blocks) if log else blocks
    blocks = blocks[:, np.isfinite(blocks).all(axis=0)]
    if blocks.shape[1] < FEWEST_ROWS:
        raise ValueError(
            f"{name}: {blocks.shape[1]} of {count} rows of the sample are whole, {FEWEST_ROWS} are needed; "
            f"draw more by study.sample.count (a row takes {len(keys) + 2} points)"
        )
    rng = np.random.default_rng(seed)
    again = [indices(blocks[:, rng.integers(0, blocks.shape[1], blocks.shape[1])]) for _ in range(resamples)]
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    columns: dict[str, np.ndarray] = {}
    for i, kind in enumerate(("first", "total")):
        columns |= {kind: indices(blocks)[i], f"{kind}_low": low[i], f"{kind}_high": high[i]}
    attrs = {"units": "1"}
    variables = {column: ("key", values, attrs) for column, values in columns.items()}
    return xr.Dataset(variables | {"rows": ((), blocks.shape[1])}, {"key": keys})


def indices(blocks: np.ndarray) -> np.ndarray:
    """First and total indices (2, keys) from results (2 + keys, rows) of the blocks A, B, and A with one column of B."""
    A, B, mixed = blocks[0], blocks[1], blocks[2:]
    both = np.concatenate([A, B])
    A, B, mixed = A - both.mean(), B - both.mean(), mixed - both.mean()
    return np.array([(B * (mixed - A)).mean(axis=1), ((A - mixed) ** 2).mean(axis=1) / 2]) / both.var()


def worth_logarithms(values: ArrayLike) -> bool:
    """True if results are positive and span more than a decade, so that their logarithm is the better quantity."""
    good = np.asarray(values)[np.isfinite(values)]
    return bool(good.size and good.min() > 0 and good.max() > 10 * good.min())
