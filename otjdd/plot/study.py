"""Figures of studies: a result against the keys that were varied, one panel a result. Drawn as in `otjdd.plot.result`.

One axis: a curve. Two: a curve for each place of a short one, else a map. Three: a map for each place of the first. A
sample: parallel coordinates, Sobol indices where its design allows, or, along another axis, all draws and their median.
"""

import math
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from otjdd.plot.style import BLUE, CYCLE, GREY, HEIGHT, ORANGE, WIDTH, style
from otjdd.studies.dataset import SAMPLE_METHOD
from otjdd.studies.sensitivity import sobol_indices, worth_logarithms

PREFIXED = {"m", "s", "V", "Hz", "A", "ohm", "F", "S"}  # units whose ticks take prefixes
CURVES, MAPS, RESULTS = 6, 6, 6  # of one figure, at most


def results_of(ds) -> list[str]:
    """Names of what was kept, without what only tells about the points."""
    return [str(n) for n in ds.data_vars if n not in ("status", "reason") and not str(n).startswith("point_")]


def figure(ds, names=()) -> Figure:
    """Figure of some results of a study, of the first few when none are named.

    Raises ValueError for a name that is none, and when no point is done.
    """
    known = results_of(ds)
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is none of what was kept: {', '.join(known)}")
    drawn = [last(ds, name) for name in names or known[:RESULTS]]
    if not any(np.isfinite(result).any() for result in drawn):
        raise ValueError("no point of this study is done")
    panels = [panel for result in drawn for panel in panels_of(ds, result)]
    columns = min(len(panels), 2 if len(panels) in (2, 4) else 3)
    rows = -(-len(panels) // columns)
    with style():
        fig = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
        for i, draw in enumerate(panels):
            draw(fig.add_subplot(rows, columns, i + 1))
    return fig


def last(ds, name: str):
    """A result as one number a point: the last of a row."""
    array = ds[name]
    return array.isel({dim: -1 for dim in array.dims if dim not in ds.status.dims}).rename(name)


def panels_of(ds, result) -> list[Callable]:
    """The panels of one result, each a function of axes."""
    axes = sorted(result.dims, key=lambda dim: (dim == "sample", -result.sizes[dim]))
    if axes == ["sample"]:
        if ds.attrs.get(SAMPLE_METHOD) == "saltelli":
            return [lambda a: sensitivities(ds, result, a)]
        return [lambda a: parallel(ds, result, a)]
    if axes[-1] == "sample" and len(axes) == 2:
        return [lambda a: spread(result, axes[0], a)]
    if len(axes) == 1 or (len(axes) == 2 and result.sizes[axes[1]] <= CURVES):
        return [lambda a: curves(result, *axes, axes=a)]
    while len(axes) > 3:
        dim = axes.pop()
        result = result.isel({dim: 0})
    if len(axes) == 2:
        return [lambda a: image(result, *axes, axes=a)]
    places = np.unique(np.linspace(0, result.sizes[axes[2]] - 1, MAPS).round().astype(int))
    return [lambda a, i=i: image(result.isel({axes[2]: i}), *axes[:2], axes=a) for i in places]


def curves(result, along: str, other: str | None = None, *, axes) -> None:
    """A result along one axis, a colour for each place of another."""
    for i, colour in zip(range(result.sizes[other] if other else 1), CYCLE, strict=False):
        row = result.isel({other: i}) if other else result
        label = place(row, other) if other else None
        axes.plot(values_of(row, along), row.values, "o-", color=colour, label=label)
    abscissa(axes, result, along)
    ordinate(axes, result)
    if other:
        axes.legend(loc="best", title=other, title_fontsize=7)


def spread(result, along: str, axes) -> None:
    """All draws of a sample along an axis, their median, and the middle eight tenths."""
    rows = result.transpose("sample", along).values
    x = values_of(result, along)
    axes.plot(x, rows.T, color=GREY, linewidth=0.4, alpha=0.6)
    low, middle, high = np.nanquantile(rows, [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(x, low, high, color=BLUE, alpha=0.15, linewidth=0)
    axes.plot(x, middle, "o-", color=BLUE, label=f"median of {len(rows)}")
    abscissa(axes, result, along)
    ordinate(axes, result)
    axes.legend(loc="best")


def image(result, along: str, up: str, *, axes) -> None:
    """A result as colours over two axes; points without a result are left white."""
    rows = result.transpose(up, along)
    x, y = values_of(rows, along), values_of(rows, up)
    norm = mpl.colors.LogNorm() if worth_logarithms(rows.values) else None
    mesh = axes.pcolormesh(edges(x), edges(y), rows.values, norm=norm, shading="flat", rasterized=True)
    axes.figure.colorbar(mesh, ax=axes, label=name_of(result))
    abscissa(axes, rows, along)
    abscissa(axes, rows, up, vertical=True)
    fixed = [f"{c.attrs.get('long_name', n)} {place(rows, n)}" for n, c in rows.coords.items() if not c.dims]
    if fixed:
        axes.set_title(", ".join(fixed), fontsize=7)


def edges(x: np.ndarray) -> np.ndarray:
    """Edges (n + 1,) of the cells around centres, halfway in the spacing in which they are even."""
    u = np.log(x) if worth_logarithms(x) else np.asarray(x, dtype=float)
    middle = (u[1:] + u[:-1]) / 2
    half = (u[1] - u[0]) / 2 if len(u) > 1 else 0.5, (u[-1] - u[-2]) / 2 if len(u) > 1 else 0.5
    ends = np.concatenate(([u[0] - half[0]], middle, [u[-1] + half[1]]))
    return np.exp(ends) if worth_logarithms(x) else ends


def parallel(ds, result, axes) -> None:
    """A line for each draw over the keys of the sample, each from its lowest to its highest, coloured by the result."""
    keys = [str(k) for k, c in ds.coords.items() if c.dims == ("sample",)]
    columns = [column(ds[key].values) for key in keys]
    colours = np.log10(result.values) if worth_logarithms(result.values) else result.values
    order = np.argsort(np.nan_to_num(colours, nan=-np.inf))
    shade = mpl.cm.ScalarMappable(mpl.colors.Normalize(np.nanmin(colours), np.nanmax(colours)), "viridis")
    for i in order[np.isfinite(colours[order])]:
        axes.plot(range(len(keys)), [c[i] for c in columns], color=shade.to_rgba(colours[i]), linewidth=0.5, alpha=0.7)
    logarithm = "log₁₀ " if worth_logarithms(result.values) else ""
    axes.figure.colorbar(shade, ax=axes, label=logarithm + name_of(result))
    axes.set_xticks(
        range(len(keys)), [key.rsplit(".", 1)[-1].replace("_", " ") for key in keys], rotation=40, ha="right"
    )
    axes.set_yticks([0, 1], ["lowest", "highest"])


def column(values: np.ndarray) -> np.ndarray:
    """Values from 0 (lowest) to 1; of text its place in the alphabet."""
    if values.dtype.kind not in "if":
        values = np.unique(values.astype(str), return_inverse=True)[1].astype(float)
    u = np.log(values) if worth_logarithms(values) else values
    return (u - u.min()) / max(np.ptp(u), 1e-300)


def sensitivities(ds, result, axes) -> None:
    """First and total Sobol indices of the keys, with their 95 % intervals, the most influential on top."""
    log = worth_logarithms(result.values)
    found = sobol_indices(ds.assign({result.name: result}), result.name, log=log).sortby("total")
    at = np.arange(found.sizes["key"])
    for kind, colour, shift in (("total", ORANGE, -0.2), ("first", BLUE, 0.2)):
        low, high = found[kind] - found[f"{kind}_low"], found[f"{kind}_high"] - found[kind]
        bars = np.maximum([low.values, high.values], 0.0)
        axes.barh(at + shift, found[kind].values, 0.38, color=colour, label=kind)
        axes.errorbar(found[kind].values, at + shift, xerr=bars, fmt="none", ecolor=GREY, elinewidth=0.8)
    axes.set_yticks(at, found.key.values)
    axes.set_title("log " * log + result.name, fontsize=7)
    axes.set(xlabel="share of the variance", xlim=(min(0, axes.get_xlim()[0]), None))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right")


def values_of(result, dim: str) -> np.ndarray:
    """Numbers along an axis; places where it has none."""
    numeric = dim in result.coords and result[dim].dtype.kind in "if"
    return result[dim].values if numeric else np.arange(result.sizes[dim], dtype=float)


def abscissa(axes, result, dim: str, vertical: bool = False) -> None:
    """Label, scale and ticks of an axis of the study."""
    side, x = ("y" if vertical else "x"), values_of(result, dim)
    unit = result[dim].attrs.get("units", "1") if dim in result.coords else "1"
    own, shown = (axes.yaxis if vertical else axes.xaxis), unit
    if worth_logarithms(x):
        axes.set(**{f"{side}scale": "log"})
        if unit in PREFIXED:
            own.set_major_formatter(EngFormatter(symbol(unit), sep="\N{THIN SPACE}"))
            shown = "1"
    elif unit in PREFIXED and np.abs(x).max() > 0:
        exponent = 3 * math.floor(math.log10(np.abs(x).max()) / 3)
        own.set_major_formatter(lambda value, _: f"{value / 10.0**exponent:.4g}")
        shown = EngFormatter.ENG_PREFIXES[exponent] + symbol(unit)
    if dim in result.coords and result[dim].dtype.kind not in "if":
        own.set_ticks(x, [str(v) for v in result[dim].values])
    axes.set(**{f"{side}label": dim + f" ({shown})" * (shown != "1")})


def symbol(unit: str) -> str:
    return unit.replace("ohm", "Ω")


def ordinate(axes, result) -> None:
    axes.set(ylabel=name_of(result), yscale="log" if worth_logarithms(result.values) else "linear")
    if axes.get_yscale() == "linear":
        axes.ticklabel_format(axis="y", useOffset=False)


def name_of(result) -> str:
    unit = symbol(result.attrs.get("units", "1"))
    return result.name + f" ({unit})" * (unit != "1")


def place(result, dim: str) -> str:
    """Where a row stands on an axis, in words."""
    if dim not in result.coords:
        return ""
    value, unit = result[dim].values[()], result[dim].attrs.get("units", "1")
    if unit in PREFIXED:
        return EngFormatter(symbol(unit), sep="\N{THIN SPACE}")(float(value))
    return f"{value:.4g}" + f" {unit}" * (unit != "1") if isinstance(value, float) else str(value)
