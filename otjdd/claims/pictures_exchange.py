"""Pictures of claims on electrodes that exchange oxygen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from otjdd.analysis.oxygen import BLOCKED, CELLS, EXCHANGED, RESET, changes_at_rest
from otjdd.claims.paper_marks import PAPER
from otjdd.plot import exchange
from otjdd.plot.axes import legend
from otjdd.plot.runs import NamedResult

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict
    from otjdd.plot.style import Axes


def uptake(verdict: Verdict, axes: Sequence[Axes]) -> None:
    exchange.vacancies(axes[0], [NamedResult(verdict.trials[0].ds)])


def oxygen_loss(verdict: Verdict, axes: Sequence[Axes]) -> None:
    before, change = changes_at_rest(verdict.trials)
    axes[0].plot(1e6 * CELLS[:, 0], -100.0 * CELLS[:, 1], "s", color=PAPER, label="1024 cells")
    axes[0].plot(1e6 * CELLS[-1, 0] * before / before[-1], 100.0 * change, "o-", markersize=3, label="film, scaled")
    axes[0].set(xlabel="conductance (µS)", ylabel="change in 30 min (%)")
    legend(axes[0])


def reset_limit(verdict: Verdict, axes: Sequence[Axes]) -> None:
    for name, marker in ((BLOCKED, "o"), (EXCHANGED, "x")):
        pulses = [trial for trial in verdict.trials if trial.name == name]
        width = [1e12 * trial.case.drive.parts[-1].width for trial in pulses]
        ratio = [float(trial.ds.read_resistance[-1] / trial.ds.read_resistance[0]) for trial in pulses]
        axes[0].plot(width, ratio, marker, markersize=4, fillstyle="none", label=name)
    axes[0].axhline(RESET, color="0.6", linestyle="--", linewidth=0.8)
    axes[0].set(xscale="log", yscale="log", xlabel="width (ps)", ylabel="resistance after over before")
    legend(axes[0])


DRAW = {
    "uptake": (1, uptake),
    "oxygen_loss": (1, oxygen_loss),
    "reset_limit": (1, reset_limit),
}
