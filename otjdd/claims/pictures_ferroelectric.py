"""Pictures of claims on ferroelectric junctions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.ferroelectric import HALF, loop_fields, pulse_shares
from otjdd.case.electrodes import Semiconductor
from otjdd.claims.paper_marks import PAPER
from otjdd.plot import polarised, reads
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.runs import NamedResult

if TYPE_CHECKING:
    from otjdd.claims.claim import Verdict
    from otjdd.plot.style import Axes

MV_PER_CM = 1e-8  # of V/m


def hysteresis(verdict: Verdict, axes: Sequence[Axes]) -> None:
    polarised.hysteresis(axes[0], [NamedResult(verdict.trials[0].ds)])


def in_time(verdict: Verdict, axes: Sequence[Axes]) -> None:
    polarised.in_time(axes[0], [NamedResult(verdict.trials[0].ds)])


def ter(verdict: Verdict, axes: Sequence[Axes]) -> None:
    polarised.electroresistance(axes[0], [NamedResult(verdict.trials[0].ds)])


def coercivity(verdict: Verdict, axes: Sequence[Axes]) -> None:
    stated = {figure.name: figure for figure in verdict.claim.figure}
    frequency, field = loop_fields(verdict.trials)
    axes[0].plot(frequency, MV_PER_CM * field, "o-", label="loops")
    slope = MV_PER_CM * stated["slope"].si(stated["slope"].published[0])
    line = MV_PER_CM * field[0] + slope * np.log10(frequency[-1] / frequency[0]), MV_PER_CM * field[0]
    axes[0].plot([frequency[-1], frequency[0]], line, "--", color=PAPER, label=f"{slope:.3g} MV/cm a decade")
    quantity_axis(axes[0], "x", frequency, "frequency", "Hz", log=True)
    axes[0].set(ylabel="coercive field (MV/cm)", xticks=frequency)
    legend(axes[0])
    (applied, share), card = pulse_shares(verdict.trials), stated["pulse_field"]
    axes[1].plot(MV_PER_CM * applied, share, "o-", label="pulses")
    axes[1].axvline(MV_PER_CM * card.si(card.published[0]), linestyle="--", color=PAPER, label="card")
    axes[1].axhline(HALF, color="0.8", linewidth=0.5)
    axes[1].set(xlabel="field (MV/cm)", ylabel="share of P that turns")
    legend(axes[1])


def doping(verdict: Verdict, axes: Sequence[Axes]) -> None:
    rights = [(trial.ds, trial.case.device.right) for trial in verdict.trials]
    doped = [(ds, right.doping) for ds, right in rights if isinstance(right, Semiconductor)]
    reads.loop(axes[0], [NamedResult(ds, f"{doping:.3g} 1/m³") for ds, doping in doped])


def fast_and_kept(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    axes[0].plot(range(1, ds.sizes["read"] + 1), ds.read_resistance.values, "o-")
    axes[0].set(yscale="log", ylabel="resistance (Ω)", xticks=range(1, 5))
    axes[0].set_xticklabels(["reset", "a day", "set", "a day"])


DRAW = {
    "hysteresis": (1, hysteresis),
    "pund": (1, in_time),
    "reversal": (1, in_time),
    "ter": (1, ter),
    "coercivity": (2, coercivity),
    "doping": (1, doping),
    "fast_and_kept": (1, fast_and_kept),
}
