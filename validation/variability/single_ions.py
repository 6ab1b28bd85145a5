"""Claims on ions that hop at random, and their pictures: scatter of pulses, spread over contacts, a level that relaxes.

Spreads are standard deviations of ln |I|. The runs of one case are contacts of one kind, or seeds of one contact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from otjdd.analysis.metrics import Metric
from otjdd.analysis.synapse import trains_of
from otjdd.claims.claim import ClaimTrial, Trials, Verdict, by_radius
from otjdd.claims.report import COLOURS, PAPER, diameter, figures_of, published_points
from otjdd.plot import style
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.style import Axes

MOST = 4  # most sizes of junctions, and most reads
SPREADS = ("drawn", "shot", "switching")  # names of cases
AT_ONCE = 1  # index of the read right after a level is programmed


def log_currents(trials: Trials, name: str) -> np.ndarray:
    """ln |I| (runs, reads) of all runs of a case. Raises ValueError if there are none."""
    rows = [np.log(np.abs(trial.ds["read_current"].values)) for trial in trials if trial.name == name]
    if not rows:
        raise ValueError(f"there is no run of the case {name}")
    return np.array(rows)


def pulse_scatter(trials: Trials, measured: float) -> dict[str, float]:
    """Scatter of ln |I| from pulse to pulse, in trains of resets and sets of junctions of several sizes.

    trials : for each size one run without hop noise, and runs with several seeds   measured : scatter for `radius`
    Numbers: scatter_1 : of the smallest junction, of ln |I| less ln |I| without noise, from second differences
    radius [m] : at which the scatter is `measured`, from scatter_1 by scatter proportional to area^(-1/2)
    Raises ValueError for a size without runs of both kinds.
    """
    sizes = sorted({trial.case.device.disc_radius for trial in trials})
    scatters = [size_scatter([trial for trial in trials if trial.case.device.disc_radius == size]) for size in sizes]
    named = dict.fromkeys((f"scatter_{i}" for i in range(1, MOST + 1)), np.nan)
    named |= {f"scatter_{i}": value for i, value in enumerate(scatters, 1)}
    return named | {"radius": float(sizes[0] * scatters[0] / measured)}


def size_scatter(trials: Sequence[ClaimTrial]) -> float:
    """Scatter of ln |I| from pulse to pulse over the seeds of one junction; the larger one of resets and of sets."""
    still = [trial for trial in trials if trial.case.ions.noise == "none"]
    seeds = [trial for trial in trials if trial.case.ions.noise != "none"]
    if len(still) != 1 or not seeds:
        raise ValueError("each junction takes one run without noise, and seeds")
    smooth = trains_of(still[0].ds)
    trains = zip(smooth[1:], *(trains_of(trial.ds)[1:] for trial in seeds), strict=True)
    return max(scattered(np.log(np.array(drawn) / mean)) for mean, *drawn in trains)


def scattered(x: np.ndarray) -> float:
    """Scatter of independent numbers x (..., n) along the last axis about a smooth course, by second differences."""
    return float(np.sqrt(np.mean(np.square(np.diff(x, 2, axis=-1))) / 6.0))


def contact_spread(trials: Trials, columns: float) -> dict[str, float]:
    """Spread of ln |I| over contacts, at each read.

    trials : `drawn`, contacts whose columns are drawn; `shot`, contacts with the same columns, whose ions are random;
        `switching`, as `shot` without the columns whose ions do not move
    columns : number in a real contact, to which the spread of `drawn` is scaled by number^(-1/2)
    """
    count = next(trial.case.columns.count for trial in trials if trial.name == "drawn")
    named = {f"{name}_{i}": np.nan for name in SPREADS for i in range(1, MOST + 1)}
    for name in SPREADS:
        scale = np.sqrt(count / columns) if name == "drawn" else 1.0
        spread = log_currents(trials, name).std(axis=0, ddof=1) * scale
        named |= {f"{name}_{i}": float(value) for i, value in enumerate(spread, 1)}
    return named


def relaxation(trials: Trials) -> dict[str, float]:
    """Spread over seeds of the change of ln |I| since the read right after a level is programmed.

    trials : five reads: before the level is programmed, right after, and at three later times
    Raises ValueError for another number of reads.
    """
    rows = log_currents(trials, trials[0].name)
    if rows.shape[1] != AT_ONCE + 4:
        raise ValueError(f"{rows.shape[1]} reads, not five: before, at once and three later")
    moved = rows[:, AT_ONCE + 1 :] - rows[:, AT_ONCE : AT_ONCE + 1]
    soon, later, latest = (float(x) for x in moved.std(axis=0, ddof=1))
    return {
        "soon": soon, "later": later, "latest": latest, "growth": later / soon, "end": latest / later,
        "fall": float(moved[:, 1].mean()),
    }  # fmt: skip


def draw_pulse_scatter(verdict: Verdict, axes: Sequence[Axes]) -> None:
    sizes = sorted({trial.case.device.disc_radius for trial in verdict.trials})
    for trial in by_radius(verdict.trials):
        reset, set_ = trains_of(trial.ds)[1:]
        colour, still = COLOURS[sizes.index(trial.case.device.disc_radius)], trial.case.ions.noise == "none"
        n = np.arange(1, len(reset) + 1)
        for current, panel in zip((reset, set_), axes, strict=True):
            label = diameter(trial) if still else None
            panel.plot(n, current, "-" if still else ".", color=colour, linewidth=1, markersize=3, label=label)
    for panel, name in zip(axes, ("reset", "set"), strict=True):
        panel.set(xscale="log", yscale="log", xlabel=f"{name} pulse", ylabel="|current| (A)")
    axes[0].plot([], [], ".", color="0.5", label="single ions")
    legend(axes[0])


def draw_contact_spread(verdict: Verdict, axes: Sequence[Axes]) -> None:
    labels = ("columns drawn from the laws", "ions alone", "ions of switching columns")
    for name, label, colour in zip(SPREADS, labels, (style.BLUE, style.ORANGE, style.GREY), strict=True):
        spreads = [
            value for key, value in sorted(verdict.values.items()) if key.startswith(name) and np.isfinite(value)
        ]
        axes[0].plot(range(1, len(spreads) + 1), spreads, "o-", color=colour, label=label)
    measured = figures_of(verdict, *(f"drawn_{i}" for i in range(1, len(spreads) + 1)))
    published_points(axes[0], range(1, len(spreads) + 1), measured, label="measured")
    axes[0].set(yscale="log", xlabel="read", ylabel="spread of ln |I|", xticks=range(1, len(spreads) + 1))
    legend(axes[0])


def draw_relaxation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    rows = log_currents(verdict.trials, verdict.trials[0].name)[:, AT_ONCE:]
    time = verdict.trials[0].ds["read_time"].values[AT_ONCE:]
    since = time[1:] - time[0]
    moved = rows[:, 1:] - rows[:, :1]
    axes[0].plot(since, np.exp(moved).T, "-", color="0.7", linewidth=0.5)
    axes[0].plot(since, np.exp(moved.mean(axis=0)), "o-", label="mean")
    axes[1].plot(since, moved.std(axis=0, ddof=1), "o-", label="simulated")
    published_points(axes[1], since, figures_of(verdict, "soon", "later", "latest"), label="measured", color=PAPER)
    axes[0].set(yscale="log", ylabel="current over the programmed one")
    axes[1].set(ylabel="spread of ln |I|", ylim=(0, None))
    for panel in axes:
        quantity_axis(panel, "x", since, "time since programming", "s", log=True)
        legend(panel)


METRICS = {
    "pulse_scatter": Metric(pulse_scatter, {
        **{f"scatter_{i}": ("1", f"scatter of ln |I| from pulse to pulse of junction {i}, from the smallest on")
           for i in range(1, MOST + 1)},
        "radius": ("m", "radius of a junction with the measured scatter"),
    }),
    "contact_spread": Metric(contact_spread, {
        f"{name}_{i}": ("1", f"spread of ln |I| of read {i} over contacts {words}")
        for name, words in (("drawn", "with columns of their own"), ("shot", "that differ in their ions"),
                            ("switching", "that differ in the ions of columns that switch"))
        for i in range(1, MOST + 1)
    }),
    "relaxation": Metric(relaxation, {
        "soon": ("1", "spread of ln |I| over that right after programming, at the first later read"),
        "later": ("1", "that at the second later read"),
        "latest": ("1", "that at the third later read"),
        "growth": ("1", "later over soon"),
        "end": ("1", "latest over later"),
        "fall": ("1", "mean change of ln |I| until the second later read"),
    }),
}  # fmt: skip

DRAW = {
    "pulse_scatter": (2, draw_pulse_scatter),
    "contact_spread": (1, draw_contact_spread),
    "relaxation": (2, draw_relaxation),
}
