"""Claims on films that exchange oxygen: conductance lost at rest, shortest resets, and their pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from otjdd.analysis.metrics import Metric
from otjdd.claims.claim import Trials, Verdict
from otjdd.claims.report import PAPER
from otjdd.plot.axes import legend
from otjdd.plot.over_time import draw_exchanged_vacancies
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import Axes

BLOCKED, EXCHANGED = "blocked", "exchanged"  # names of the cases of `reset_limit`
RESET = 3.0  # factor by which a reset raises the resistance


def oxygen_loss(trials: Trials, measured: Sequence[Sequence[float]]) -> dict[str, float]:
    """Loss of conductance of films at rest, compared with that of cells.

    trials : runs with two reads, before a rest and after it, from the lowest conductance; all are scaled by one factor,
        with which the last run has the conductance of the last class of cells
    measured : conductance [S] of each class of cells, and the fraction that it loses
    Raises ValueError if no cell loses conductance.
    """
    (before, change), cells = changes_at_rest(trials), np.array(measured)
    scale = cells[-1, 0] / before[-1]
    loss = np.interp(cells[:, 0], scale * before, -change)
    most = int(np.argmax(loss))
    if loss[most] <= 0.0:
        raise ValueError("no cell loses conductance")
    factors = np.maximum(loss, 0.0) / loss[most] / (cells[:, 1] / cells[:, 1].max())
    with np.errstate(divide="ignore"):
        misfit = float(np.exp(np.abs(np.log(factors)).max()))
    return {
        "largest_at": float(cells[most, 0]),
        "largest": float(loss[most]),
        "falls": float(loss[-1] / loss[most]),
        "misfit": misfit,
    }


def changes_at_rest(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Conductances (n,) [S] of runs at their first read, and the relative changes (n,) until their last read."""
    G = np.array([1.0 / np.asarray(trial.ds.read_resistance)[[0, -1]] for trial in trials])
    return G[:, 0], G[:, 1] / G[:, 0] - 1.0


def reset_limit(trials: Trials) -> dict[str, float]:
    """Shortest pulse [s] of any voltage that resets, for electrodes that block vacancies and for one that exchanges them.

    trials : runs of the cases BLOCKED and EXCHANGED, each with a read before and after a pulse of a width and a voltage
    A reset raises the resistance by the factor RESET.
    nan where no pulse resets.
    """
    shortest = {BLOCKED: math.inf, EXCHANGED: math.inf}
    ratios = []
    for trial in trials:
        R = np.asarray(trial.ds.read_resistance)
        if trial.name == EXCHANGED:
            ratios.append(R[-1] / R[0])
        if R[-1] >= RESET * R[0]:
            shortest[trial.name] = min(shortest[trial.name], trial.case.drive.parts[-1].width)
    limits = {name: width if math.isfinite(width) else math.nan for name, width in shortest.items()}
    return {
        "blocked": limits[BLOCKED],
        "exchanged": limits[EXCHANGED],
        "factor": limits[EXCHANGED] / limits[BLOCKED],
        "unipolar": float(np.mean(np.array(ratios) <= 1.0 / RESET)),
    }


def draw_uptake(verdict: Verdict, axes: Sequence[Axes]) -> None:
    draw_exchanged_vacancies(axes[0], [NamedResult(verdict.trials[0].ds)])


def draw_oxygen_loss(verdict: Verdict, axes: Sequence[Axes]) -> None:
    (before, change), cells = changes_at_rest(verdict.trials), np.array(verdict.claim.settings["measured"])
    axes[0].plot(1e6 * cells[:, 0], -100.0 * cells[:, 1], "s", color=PAPER, label="1024 cells")
    axes[0].plot(1e6 * cells[-1, 0] * before / before[-1], 100.0 * change, "o-", markersize=3, label="film, scaled")
    axes[0].set(xlabel="conductance (µS)", ylabel="change in 30 min (%)")
    legend(axes[0])


def draw_reset_limit(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for name, marker in ((BLOCKED, "o"), (EXCHANGED, "x")):
        pulses = [trial for trial in verdict.trials if trial.name == name]
        width = [1e12 * trial.case.drive.parts[-1].width for trial in pulses]
        ratio = [float(trial.ds.read_resistance[-1] / trial.ds.read_resistance[0]) for trial in pulses]
        axes[0].plot(width, ratio, marker, markersize=4, fillstyle="none", label=name)
    axes[0].axhline(RESET, color="0.6", linestyle="--", linewidth=0.8)
    axes[0].set(xscale="log", yscale="log", xlabel="width (ps)", ylabel="resistance after over before")
    legend(axes[0])


METRICS = {
    "oxygen_loss": Metric(oxygen_loss, {
        "largest_at": ("S", "conductance of the measured class that loses the largest share in a rest"),
        "largest": ("1", "that share"),
        "falls": ("1", "share lost at the largest conductance over it"),
        "misfit": ("1", "largest factor between these shares and the measured ones, each over its largest"),
    }),
    "reset_limit": Metric(reset_limit, {
        "blocked": ("s", "shortest reset at any voltage, electrodes that block vacancies"),
        "exchanged": ("s", "shortest reset at any voltage, an electrode that exchanges them"),
        "factor": ("1", "ratio of both"),
        "unipolar": ("1", "share of the pulses that set instead, an electrode that exchanges them"),
    }),
}  # fmt: skip

DRAW = {
    "uptake": (1, draw_uptake),
    "oxygen_loss": (1, draw_oxygen_loss),
    "reset_limit": (1, draw_reset_limit),
}
