"""Claims on ferroelectric junctions: coercive fields, doping, fast writes and their retention, and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from otjdd.analysis.metrics import Metric
from otjdd.analysis.small_signal import hysteresis, reversal
from otjdd.analysis.synapse import crossing, loop
from otjdd.case.electrodes import Semiconductor
from otjdd.claims.claim import ClaimTrial, Trials, Verdict
from otjdd.claims.report import PAPER
from otjdd.plot import reads
from otjdd.plot.axes import legend, quantity_axis
from otjdd.plot.runs import NamedResult
from otjdd.plot.style import Axes

LOOPS, PULSES = "loops", "pulses"  # names of the cases
HALF = 0.5


def coercivity(trials: Trials) -> dict[str, float]:
    """Coercive field [V/m] by pulses and by the loop nearest to 1 kHz, and its rise [V/m] with a decade of frequency.

    trials : `loops`, triangles at several rates; `pulses` of several voltages
    Raises ValueError unless the weakest pulse turns less than half of the polarisation and the strongest turns more.
    """
    frequency, field = loop_fields(trials)
    applied, share = pulse_shares(trials)
    if not share[0] < HALF < share[-1]:
        raise ValueError("no pulse turns half of the polarisation")
    nearest = int(np.argmin(np.abs(np.log(frequency / 1e3))))
    return {
        "pulse_field": crossing(applied, share, HALF),
        "loop_field": float(field[nearest]),
        "slope": float(np.polyfit(np.log10(frequency), field, 1)[0]),
    }


def loop_fields(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (n,) [Hz] of the loops, rising, and their coercive fields (n,) [V/m]."""
    pairs = sorted(
        (frequency_of(trial), hysteresis(trial.ds)["coercive_field"]) for trial in trials if trial.name == LOOPS
    )
    frequency, field = np.transpose(pairs)
    return frequency, field


def frequency_of(trial: ClaimTrial) -> float:
    """Frequency [Hz] of a triangle."""
    drive = trial.case.drive
    return float(drive.rate / np.abs(np.diff(drive.path)).sum())


def pulse_shares(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Fields (n,) [V/m] of pulses on a film between alike metals, rising, and the shares (n,) of P that they turn."""
    pulses = [trial for trial in trials if trial.name == PULSES]
    pairs = sorted((trial.value / trial.case.device.film.thickness, reversal(trial.ds)["share"]) for trial in pulses)
    field, share = np.transpose(pairs)
    return field, share


def doping(trials: Trials) -> dict[str, float]:
    """High over low resistance on the most lightly and on the most heavily doped electrode, and the ratio of both."""
    light, *_, heavy = sorted(trials, key=lambda trial: trial.case.device.right.doping)
    ratios = [loop(trial.ds)["ratio"] for trial in (light, heavy)]
    return {"light": ratios[0], "heavy": ratios[1], "falls": ratios[0] / ratios[1]}


MV_PER_CM = 1e-8  # MV/cm in 1 V/m


def draw_coercivity(verdict: Verdict, axes: Sequence[Axes]) -> None:
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


def draw_doping(verdict: Verdict, axes: Sequence[Axes]) -> None:
    rights = [(trial.ds, trial.case.device.right) for trial in verdict.trials]
    doped = [(ds, right.doping) for ds, right in rights if isinstance(right, Semiconductor)]
    reads.draw_loop(axes[0], [NamedResult(ds, f"{doping:.3g} 1/m³") for ds, doping in doped])


def draw_fast_and_kept(verdict: Verdict, axes: Sequence[Axes]) -> None:
    ds = verdict.trials[0].ds
    axes[0].plot(range(1, ds.sizes["read"] + 1), ds.read_resistance.values, "o-")
    axes[0].set(yscale="log", ylabel="resistance (Ω)", xticks=range(1, 5))
    axes[0].set_xticklabels(["reset", "a day", "set", "a day"])


METRICS = {
    "coercivity": Metric(coercivity, {
        "pulse_field": ("V/m", "field of pulses that turn half of the polarisation"),
        "loop_field": ("V/m", "coercive field of the loop whose frequency is nearest to 1 kHz"),
        "slope": ("V/m", "rise of the coercive field of loops with a decade of frequency"),
    }),
    "doping": Metric(doping, {
        "light": ("1", "high over low resistance on the most lightly doped electrode"),
        "heavy": ("1", "high over low resistance on the most heavily doped electrode"),
        "falls": ("1", "ratio of both"),
    }),
}  # fmt: skip

DRAW = {
    "coercivity": (2, draw_coercivity),
    "doping": (1, draw_doping),
    "fast_and_kept": (1, draw_fast_and_kept),
}
