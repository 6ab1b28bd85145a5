"""Pictures of claims: simulated curves with the numbers of the paper. One function for each metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from otjdd.claims.claim import Verdict
from otjdd.claims.paper_marks import paper, stated
from otjdd.claims.papers import (
    exchange,
    ferroelectric,
    interface_pictures,
    layers,
    leakage,
    learning_pictures,
    switching_pictures,
    variability,
)
from otjdd.plot import reads, small_signal, style
from otjdd.plot.axes import legend, quantity_axis, volts
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import Axes
from otjdd.plot.style import Figure as Drawing


def picture(verdict: Verdict) -> Drawing:
    """Figure of a judged claim that has results."""
    count, fill = DRAW[verdict.claim.metric]
    with style.style():
        fig, axes = style.panels(count)
        fill(verdict, axes)
    return fig


def save_all(verdicts: Sequence[Verdict], folder: Path) -> None:
    """Draw each claim that has results into folder/<id>.png. Raises ResultError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for verdict in verdicts:
        if verdict.values and verdict.claim.metric in DRAW:
            fig = picture(verdict)
            fig.suptitle(f"{verdict.id}: {verdict.status}", fontsize=8)
            style.save(fig, folder / f"{verdict.id}.png")


def loop(verdict: Verdict, axes: Sequence[Axes]) -> None:
    reads.loop(axes[0], [NamedResult(verdict.trials[0].ds)])
    goal = verdict.claim.figure[0]
    if goal.unit == "ohm":
        stated(verdict, axes[0])
    elif goal.name == "ratio":
        ratio, least, most = goal.published
        low = verdict.values["low"]
        paper(axes[0], low * ratio, low * least, low * most, label=f"paper, {ratio:g} × low")
    if goal.value is not None:
        legend(axes[0])


def retention(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    reads.retention(axes[0], [NamedResult(ds)])
    for R, goal, label in zip(
        np.split(ds.read_resistance.values, 2), verdict.claim.figure[:2], ("paper", None), strict=True
    ):
        value, least, most = goal.published
        first = R[-1] / verdict.values[goal.name]
        paper(axes[0], first * value, first * least, first * most, label=label)
    legend(axes[0])


def potentiation(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    reads.conductance(axes[0], [NamedResult(ds.isel(read=slice(-80, None)))])
    stated(verdict, axes[0], scale=1e-6)  # in uS
    axes[0].autoscale(axis="y")
    axes[0].set_ylim(bottom=0)
    axes[0].set_xlabel("read of the last two rounds")
    legend(axes[0])


def endurance(verdict: Verdict, axes: Sequence[Axes]) -> None:
    R = verdict.trials[0].ds.read_resistance.values.reshape(-1, 2)
    number = np.arange(1, len(R) + 1)
    for column, colour, voltage in ((0, style.ORANGE, -4.3), (1, style.BLUE, 2.2)):
        axes[0].plot(number, R[:, column], "o", color=colour, label=f"after {volts(voltage)}")
    ratio, least, most = verdict.claim.figure[0].published
    low = float(np.median(R[:, 1]))
    paper(axes[0], low * ratio, low * least, low * most, label=f"paper, {ratio:g} × low")
    axes[0].set(yscale="log", ylabel="resistance (Ω)")
    quantity_axis(axes[0], "x", number, "cycle")
    legend(axes[0])


def impedance(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for draw, ax in zip((small_signal.nyquist, small_signal.bode), axes, strict=True):
        draw(ax, [NamedResult(verdict.trials[0].ds)])


def mott_schottky(verdict: Verdict, axes: Sequence[Axes]) -> None:
    small_signal.mott_schottky(axes[0], [NamedResult(verdict.trials[0].ds)])


DRAW = {  # metric -> number of panels, and the function that fills them
    **switching_pictures.DRAW,
    **learning_pictures.DRAW,
    **interface_pictures.DRAW,
    **ferroelectric.DRAW,
    **layers.DRAW,
    **leakage.DRAW,
    **exchange.DRAW,
    **variability.DRAW,
    "loop": (1, loop),
    "retention": (1, retention),
    "potentiation": (1, potentiation),
    "endurance": (1, endurance),
    "impedance": (2, impedance),
    "mott_schottky": (1, mott_schottky),
}
