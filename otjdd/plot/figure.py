"""Figures of results: suitable or named panels; a result with the one before it; predictions; measured data.

All panels of results are in KINDS of `runs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Figure

from otjdd.analysis.sweeps import LOST, monotonic_slices
from otjdd.fitting.prediction import PREDICTION, band_width, main_output
from otjdd.measurements.names import AXES, UNCERTAINTY, unit_of
from otjdd.measurements.read import swept_axis
from otjdd.plot import axes as parts
from otjdd.plot import crossbar, fit, iv, over_time, over_x, reads, small_signal, study
from otjdd.plot.over_x import output_panel
from otjdd.plot.runs import KINDS as KINDS
from otjdd.plot.runs import NamedResult, PanelKind, listed, meant, named_results
from otjdd.plot.style import CYCLE, GREY, ORANGE, PAGE_PANEL, style
from otjdd.results.outputs import OUTPUTS, measured
from otjdd.results.store import ENGINE, MARKS, is_of_kind

PLACE = (0.155, 0.1, 0.815, 0.84)  # left, bottom, width and height of the axes, as fractions of the figure
BEFORE = "#b4b8be"
Line = tuple[np.ndarray, np.ndarray]  # x and y of points
PALE = 0.2  # opacity of a band
FULL = 12  # most groups that are named in the legend
SIGNED = ("current", "read_current", "current_density")  # drawn as magnitudes on a logarithmic axis
MOVIE = "movie"
OTHER_KINDS = {  # what is drawn that is no panel of KINDS
    "OUTPUT": "any output by its name, over its times, or at snapshots over position, as film_field",
    "cdf, box": "cumulative distributions, or boxes, of the results of a study's sample, or of both states of its devices",
    "sigma, sigma-median": "scatter of both states of cycled devices, against an axis (area) or the median resistance",
    "parallel": "a line for each device of a study's sample over the keys that were drawn, coloured by a result",
    "CLAIM --kind CLAIM": "two targets of a calibration over all evaluated sets, with the Pareto front between them",
    MOVIE: "vacancies, bands and current in the course of time: a GIF or, where ffmpeg is, an MP4",
}
CHAPTERS_OF_PANELS = reads, iv, small_signal, over_time, over_x, crossbar  # loaded for their panels


def figure(
    results: xr.Dataset | Sequence[xr.Dataset],
    kinds: str | Sequence[str] = (),
    *,
    label: str | Sequence[str] | None = None,
    ax: Any = None,
) -> Figure:
    """Figure of one result or study, or of several results in the same axes.

    results : a Dataset of `otjdd.run` or `otjdd.read_data`, a sequence of such, or one Dataset of `otjdd.study`,
        `otjdd.fit`, `otjdd.predict` or `otjdd calibrate`. Measured points are drawn into the panels of the results
    kinds : one kind of panel or several (see `otjdd plot --kind help`), or names of outputs. For a study: names of its
        results, and for a sample also "cdf", "box" or "parallel". For a calibration: two of its aims or more. Empty:
        those that suit
    label : name of each result in the legends, a text or a sequence of them
    ax : axes of a figure of your own to draw into, one for each kind, in the style of that figure. Without kinds,
        the suitable kinds are drawn in order, as many as there are axes
    Raises ValueError for unknown kinds, and when there is nothing to draw, with what would be needed.
    """
    own = None if ax is None else [ax] if hasattr(ax, "plot") else list(ax)
    given = listed(results)
    if hasattr(results, "data_vars"):
        (only,) = given
        if is_of_kind(only, "fit"):
            return fit.fit_figure(only)
        if MARKS["calibration"][0] in only.attrs:
            return fit.front_figure(only, kinds, own)
        if ENGINE in only.attrs:
            return study.study_figure(only, kinds, own)
        if PREDICTION in only.attrs:
            return prediction_figure(only, kinds, own)
        if is_measured(only) and not kinds and own is None:
            return measured_figure(only)
    every = named_results([as_result(ds) if is_measured(ds) else ds for ds in given], label)
    for mark, words in ((ENGINE, "study"), (PREDICTION, "prediction"), (MARKS["calibration"][0], "calibration")):
        if any(mark in run.ds.attrs for run in every):
            raise ValueError(f"a {words} is drawn alone, not with other results")
    data = [NamedResult(ds, run.label) for ds, run in zip(given, every, strict=True) if is_measured(ds)]
    runs = [run for ds, run in zip(given, every, strict=True) if not is_measured(ds)]
    if not runs:
        runs, data = every, []
    names = shown_by(data, runs) if data and not kinds else kinds_to_draw(runs, kinds)
    if own is not None and not kinds:
        names = names[: len(own)]
    with parts.laid_out(len(names), own, "kinds") as (fig, places):
        for name, axes in zip(names, places, strict=True):
            panel_named(name).draw(axes, runs)
            for i, run in enumerate(data):
                if points := measured_points(name, run.ds):
                    parts.draw_points(axes, *points, run.label, i, near_zero=name != "iv")
    return fig


def panel_named(name: str) -> PanelKind:
    """A kind of panel, or the panel of an output, by its name. Raises ValueError for a name of neither."""
    named = KINDS.get(name) or (output_panel(name) if name in OUTPUTS else None)
    if named is None:
        hint = meant(name, [*KINDS, *filter(output_panel, OUTPUTS)])
        raise ValueError(
            f"there is no kind of figure {name!r}{hint}; there are {', '.join(KINDS)}, and outputs with times"
        )
    return named


def kinds_to_draw(runs: Sequence[NamedResult], kinds: str | Sequence[str] = ()) -> list[str]:
    """Names of the kinds to draw: `kinds`, or the usual kinds for these results if `kinds` is empty.

    Raises ValueError for an unknown kind, for one whose needs are not met, and when nothing can be drawn.
    """
    asked = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in asked:
        if not panel_named(kind).fits(runs):
            raise ValueError(f"nothing to draw for {kind!r}: it needs {panel_named(kind).needs}; {contents(runs)}")
    drawn = asked or [kind for kind, row in KINDS.items() if row.usual(runs)]
    if not drawn:
        raise ValueError(
            f"nothing to draw: {contents(runs)}. Figures need two reads or more, a time series "
            '(record.every = "all"), snapshots, or curves of a drive of kind iv, cv or impedance'
        )
    return drawn


def contents(runs: Sequence[NamedResult]) -> str:
    """Contents of results, in words."""
    texts = []
    for run in runs:
        sizes = run.ds.sizes
        parts = [("read", "read"), ("instant", "time"), ("snapshot", "snapshot"), ("bias voltage", "bias")]
        parts += [("step of a crossbar", "step")]
        counts = [f"{sizes[dim]} {name}" + ("s" if sizes[dim] != 1 else "") for name, dim in parts if sizes.get(dim)]
        texts.append(f"{run.label or 'this result'} holds {', '.join(counts) or 'no reads, instants or snapshots'}")
    return "; ".join(texts)


def listing() -> str:
    """A line for each kind: its name, and what it shows."""
    rows = {kind: row.shows for kind, row in KINDS.items()} | OTHER_KINDS
    width = max(map(len, rows))
    return "\n".join(f"{kind:{width}}  {shows}" for kind, shows in rows.items())


def shown_by(data: Sequence[NamedResult], runs: Sequence[NamedResult]) -> list[str]:
    """Kinds that can show both the results and measured points. Raises ValueError when there are none."""
    names = [kind for kind in KINDS if KINDS[kind].fits(runs) and any(measured_points(kind, run.ds) for run in data)]
    names = [kind for kind in names if kind != "iv-linear"]
    if not names:
        contents = "; ".join(f"{run.label} holds {', '.join(map(str, run.ds.data_vars))}" for run in data)
        raise ValueError(f"no figure of these results shows what was measured: {contents}")
    return names


def comparison(
    results: Sequence[xr.Dataset], kind: str = "", before: Sequence[xr.Dataset] = (), measured: xr.Dataset | None = None
) -> Figure:
    """Figure of results as one kind of panel: the kind that `panel_kind` returns.

    before : results that are drawn behind, in grey   measured : Dataset of `read_data`, drawn if it holds these quantities
    The place of the axes is fixed, since a layout takes longer than the rest of the figure.
    Raises ValueError when there is nothing to draw.
    """
    runs, earlier = named_results(results), named_results(before) if before else []
    kind = panel_kind(runs, kind)
    with style():
        fig = Figure(figsize=PAGE_PANEL, layout="constrained")
        fig.set_layout_engine("none")
        axes = fig.add_axes(PLACE)
        if earlier and KINDS[kind].fits(earlier):
            KINDS[kind].draw(axes, earlier)
            # what is drawn so far turns grey, and loses its texts, legend and inset axes
            for child in list(axes.child_axes):  # the panel that is drawn on top has its own
                child.remove()
            for text in list(axes.texts):
                text.remove()
            if legend_there := axes.get_legend():
                legend_there.remove()
            axes.set_title("", loc="left")
            for line in axes.lines:
                line.set(color=BEFORE, markerfacecolor=BEFORE, markeredgecolor=BEFORE, zorder=0.6, label="_before")
        KINDS[kind].draw(axes, runs)
        points = measured_points(kind, measured) if measured is not None else None
        if points:
            axes.plot(*points, "o", color="black", markersize=2.4, markerfacecolor="none", label="measured", zorder=0.5)
            parts.legend(axes)
        fig.set_layout_engine(None)  # with one, matplotlib would draw twice, first to find the layout
    return fig


def panel_kind(runs: Sequence[NamedResult], kind: str) -> str:
    """The kind of panel to draw: `kind` if it fits, else "hysteresis" if it fits, else the first usual kind.

    Raises ValueError when there is nothing to draw.
    """
    fitting = [name for name in (kind, "hysteresis") if name in KINDS and KINDS[name].fits(runs)]
    return (fitting or kinds_to_draw(runs))[0]


def shows(results: Sequence[xr.Dataset], kind: str, measured: xr.Dataset | None) -> bool:
    """True if `comparison` draws measured points with these results."""
    kind = panel_kind(named_results(results), kind)
    return measured is not None and measured_points(kind, measured) is not None


def measured_points(kind: str, ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray] | None:
    """x and y of measured points in a kind of panel; None if the data hold other quantities."""
    resistance, current = of_resistance(ds), first(ds, "current", "read_current")
    points = {
        "loop": (first(ds, "write_voltage", "voltage"), resistance),
        "iv": (first(ds, "voltage", "read_voltage"), None if current is None else np.abs(current)),
        "iv-linear": (first(ds, "voltage", "read_voltage"), current),
        "conductance": (first(ds, "number"), None if resistance is None else 1 / resistance),
        "retention": (first(ds, "time"), resistance),
    }
    x, y = points.get(kind, (None, None))
    return None if x is None or y is None else (x, y)


def of_resistance(ds: xr.Dataset) -> np.ndarray | None:
    """Measured resistance [ohm]: as measured, or from a conductance, or from a read current and its voltage."""
    resistance = first(ds, "read_resistance", "resistance")
    if resistance is not None:
        return resistance
    conductance, current, voltage = first(ds, "conductance"), first(ds, "read_current"), first(ds, "read_voltage")
    with np.errstate(divide="ignore"):
        if conductance is not None:
            return np.asarray(1 / conductance)
        return None if current is None or voltage is None else voltage / current


def as_result(ds: xr.Dataset) -> xr.Dataset:
    """Measured points as a Dataset with names of outputs of a run, for any kind of panel. Its title is their file."""
    voltage, time, resistance = first(ds, "write_voltage", "voltage"), first(ds, "time"), of_resistance(ds)
    current = first(ds, "current", "read_current")
    arrays: dict[str, np.ndarray] = {}
    if resistance is not None:
        as_outputs = {"read_resistance": resistance, "read_time": time, "write_voltage": voltage}
        arrays |= {name: values for name, values in as_outputs.items() if values is not None}
    elif current is not None and voltage is not None and time is not None:
        arrays |= {"time": time, "voltage": voltage, "current": current, "conduction_current": current}
    elif current is not None and voltage is not None:
        arrays |= {"read_voltage": voltage, "read_current": current}
    return measured(**arrays).assign_attrs(title=str(ds.attrs.get("file", "measured")))


def is_measured(ds: xr.Dataset) -> bool:
    """True for measured points, as `read_data` gives them; False for a result."""
    return "point" in getattr(ds, "dims", ())


def first(ds: xr.Dataset, *names: str) -> np.ndarray | None:
    """Values of the first of these variables that a Dataset has; None if it has none."""
    return next((ds[name].values for name in names if name in ds), None)


def prediction_figure(ds: xr.Dataset, kinds: str | Sequence[str], own: Sequence[Any] | None = None) -> Figure:
    """Figure of a prediction. kinds, own : as `kinds` and `ax` of `otjdd.figure`

    Raises ValueError when there is nothing to draw, and if the number of axes is not the number of kinds.
    """
    levels = ds["percentile"].values
    middle = NamedResult(ds.isel(percentile=len(levels) // 2))
    pairs = [(i, len(levels) - 1 - i) for i in range(len(levels) // 2)]
    names = kinds_to_draw([middle], kinds)
    if own is not None and not kinds:
        names = names[: len(own)]
    with parts.laid_out(len(names), own, "kinds") as (fig, places):
        for name, axes in zip(names, places, strict=True):
            panel_named(name).draw(axes, [middle])
            edges = [
                (drawn_lines(name, ds.isel(percentile=i)), drawn_lines(name, ds.isel(percentile=j))) for i, j in pairs
            ]
            for low, high in edges:
                for line, (x, bottom), (other, top) in zip(list(axes.lines), low, high, strict=False):
                    if len(x) < 2 or x.shape != other.shape or not np.allclose(x, other, equal_nan=True):
                        continue
                    for inside in monotonic_slices(x):
                        shade: dict[str, Any] = {"color": line.get_color(), "alpha": PALE, "linewidth": 0}
                        axes.fill_between(x[inside], bottom[inside], top[inside], **shade)
            parts.show_all(axes, "y", [y for pair in edges for lines in pair for _, y in lines])
        shares = " and ".join(f"{levels[high] - levels[low]:g} %" for low, high in pairs[::-1])
        quantity = main_output(ds)
        caption = f"median and bands of {shares} of {ds.attrs['draws']} samples of the fitted parameters"
        parts.small_print(places[0], caption + (f"; {band_width(ds, quantity)}" if quantity else ""))
    return fig


def drawn_lines(kind: str, ds: xr.Dataset) -> list[Line]:
    """Points (x, y) of the lines that a panel draws of a result."""
    axes = Figure().add_subplot()
    panel_named(kind).draw(axes, [NamedResult(ds)])
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in axes.lines]


def measured_figure(ds: xr.Dataset) -> Figure:
    """Figure of a Dataset of `read_data`: a panel for each measured quantity, and one for the waveform.

    Raises ValueError for a Dataset without an axis.
    """
    measured = [str(n) for n in ds if n not in AXES and not str(n).endswith(UNCERTAINTY)]
    axis = swept_axis(ds)
    if axis is None:
        raise ValueError(f"nothing to draw: measured data have one of the axes {', '.join(AXES)}")
    timed = axis != "time" and "time" in ds and "voltage" in ds
    with parts.laid_out(len(measured) + timed) as (fig, places):
        for axes, name in zip(places, measured, strict=False):
            curve(axes, ds, axis, name)
        if timed:
            curve(places[-1], ds, "time", "voltage")
    return fig


def curve(axes: Axes, ds: xr.Dataset, axis: str, name: str) -> None:
    """Fill axes with one quantity against another, a colour for each record or temperature."""
    log_x = axis == "time" and name != "voltage" and parts.over_decades(ds[axis].values)
    x, y = parts.magnitude(ds[axis].values) if log_x else ds[axis].values, ds[name].values
    on_axis = parts.magnitude(y) if name in SIGNED else y
    floor = ds[name].attrs.get("noise_floor", 0.0)
    lost = np.abs(y) < LOST * floor
    record = ds["record"].values
    words, values = "record" if record.max() else "", record + 1
    if "temperature" in ds and np.ptp(ds["temperature"].values) > 1:
        words, values = "T =", np.round(ds["temperature"].values)
    several = np.unique(values)
    for i, value in enumerate(several):
        inside, colour = values == value, CYCLE[i % 6]
        label = f"{words} {value:g}" + (" K" if words == "T =" else "") if words and len(several) <= FULL else None
        clear = np.where(lost, np.nan, on_axis)[inside]
        axes.plot(x[inside], clear, "o-", markersize=2.2, linewidth=0.6, color=colour, label=label)
        axes.plot(x[inside & lost], on_axis[inside & lost], "o", markersize=1.6, color=colour, alpha=0.4)
    plain = name.replace("_", " ")
    parts.quantity_axis(axes, "x", x, axis.replace("_", " "), unit_of(axis), log=log_x)
    log = None if name in (*SIGNED, "resistance", "conductance") else False
    limits = parts.current_limits(axes, x, y) if name in SIGNED and axis.endswith("voltage") else on_axis
    parts.quantity_axis(axes, "y", limits, f"|{plain}|" if name in SIGNED else plain, unit_of(name), log)
    if floor:
        bottom = min(floor / 10, axes.get_ylim()[1])
        axes.set_ylim(bottom=bottom)
        axes.axhspan(bottom, LOST * floor, color=GREY, alpha=0.2, linewidth=0)
        axes.axhline(floor, color=GREY, linewidth=0.6, label=f"noise {parts.three_digits(floor, 'A')}")
    elif ds["branch"].values.max() > 0 and axis != "time":
        parts.arrows(axes, x[record == record[0]], on_axis[record == record[0]], ORANGE)
    if axes.get_legend_handles_labels()[0]:
        parts.legend(axes)
