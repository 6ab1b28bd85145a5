"""Numbers of several runs of ferroelectric junctions: coercive fields, doping, and the speed of a memory that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.polarised import hysteresis, reversal
from otjdd.analysis.synapse import crossing, loop
from otjdd.analysis.trial import Trial, Trials

if TYPE_CHECKING:
    import xarray as xr

LOOPS, PULSES = "loops", "pulses"  # names of the cases
HALF = 0.5


def coercivity(trials: Trials) -> dict[str, float]:
    """Coercive field by pulses, and by loops with its slope against the frequency.

    trials : `loops`, triangles at several rates; `pulses` of several voltages. Raises ValueError for pulses of which none,
    or all, turn half of the polarisation.
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


def frequency_of(trial: Trial) -> float:
    """Cycles of a triangle in a second [Hz]."""
    drive = trial.case.drive
    return float(drive.rate / np.abs(np.diff(drive.path)).sum())


def pulse_shares(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Fields (n,) [V/m] of pulses on a film between alike metals, rising, and the shares (n,) that they turn."""
    pulses = [trial for trial in trials if trial.name == PULSES]
    pairs = sorted((trial.value / trial.case.device.film.thickness, reversal(trial.ds)["share"]) for trial in pulses)
    field, share = np.transpose(pairs)
    return field, share


def doping(trials: Trials) -> dict[str, float]:
    """Ratios of the resistances of loops on the most lightly and the most heavily doped electrode."""
    light, *_, heavy = sorted(trials, key=lambda trial: trial.case.device.right.doping)
    ratios = [loop(trial.ds)["ratio"] for trial in (light, heavy)]
    return {"light": ratios[0], "heavy": ratios[1], "falls": ratios[0] / ratios[1]}


def fast_and_kept(ds: xr.Dataset) -> dict[str, float]:
    """What a short set makes of a junction, and what time leaves of it.

    Four reads: after the reset and a pause, after the set, and after a second pause; before them one after the reset.
    Raises ValueError for other reads.
    """
    R = ds["read_resistance"].values
    if len(R) != 4:
        raise ValueError(f"{len(R)} reads, not the four of a reset, a pause, a set and a pause")
    return {"set_ratio": float(R[1] / R[2]), "kept_ratio": float(R[1] / R[3]), "high_kept": float(R[1] / R[0])}
