"""Numbers of films that exchange oxygen: vacancies after forming and cycles, conductance lost at rest, shortest resets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from otjdd.analysis.trial import Trials

if TYPE_CHECKING:
    import xarray as xr

# Conductance [S] of 1024 cells, in classes of 25 uS, and the share that each class loses in 30 min at 80 C
CELLS = np.array([
    [17e-6, 0.19], [37e-6, 0.47], [62e-6, 0.36], [87e-6, 0.18],
    [112e-6, 0.10], [137e-6, 0.07], [162e-6, 0.03], [212e-6, 0.01],
])  # fmt: skip
BLOCKED, EXCHANGED = "blocked", "exchanged"  # names of the cases of `reset_limit`
RESET = 3.0  # factor by which a reset raises the resistance


def uptake(ds: xr.Dataset, settling: int = 1) -> dict[str, float]:
    """Numbers of a run with a read before forming, one after it, and two in each cycle that follows.

    settling : number of first cycles that `cycle` leaves out
    formed [1] : vacancies after forming over those before   cycle [1] : largest relative change of them over a cycle
    ratio [1] : high over low resistance of the last cycle
    Raises ValueError for a run with fewer reads.
    """
    count = np.interp(ds.read_time.values, ds.time.values, ds.vacancies.values)
    ends = count[3 + 2 * settling :: 2]
    if len(ends) < 2:
        raise ValueError(
            f"{len(count)} reads are less than one before forming, one after, and two in {settling + 2} cycles"
        )
    last = np.asarray(ds.read_resistance)[-2:]
    return {
        "formed": float(count[1] / count[0]),
        "cycle": float(np.abs(ends[1:] / ends[:-1] - 1.0).max()),
        "ratio": float(last.max() / last.min()),
    }


def oxygen_loss(trials: Trials) -> dict[str, float]:
    """Numbers of the conductance that cells of several conductances lose at rest, against those of CELLS.

    trials : runs with two reads, before a rest and after it, in order of the conductance; the last stands for that of CELLS
    largest_at [S] : conductance of CELLS at which the loss is largest   largest [1] : that loss
    falls [1] : loss at the largest conductance over the largest loss
    misfit [1] : largest factor between the losses and those of CELLS, each over its largest
    Raises ValueError if no cell loses conductance.
    """
    before, change = changes_at_rest(trials)
    scale = CELLS[-1, 0] / before[-1]
    loss = np.interp(CELLS[:, 0], scale * before, -change)
    most = int(np.argmax(loss))
    if loss[most] <= 0.0:
        raise ValueError("no cell loses conductance")
    factors = np.maximum(loss, 0.0) / loss[most] / (CELLS[:, 1] / CELLS[:, 1].max())
    with np.errstate(divide="ignore"):
        misfit = float(np.exp(np.abs(np.log(factors)).max()))
    return {
        "largest_at": float(CELLS[most, 0]),
        "largest": float(loss[most]),
        "falls": float(loss[-1] / loss[most]),
        "misfit": misfit,
    }


def changes_at_rest(trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """Conductances [S] before a rest and their relative changes in it, of runs with two reads."""
    G = np.array([1.0 / np.asarray(trial.ds.read_resistance)[[0, -1]] for trial in trials])
    return G[:, 0], G[:, 1] / G[:, 0] - 1.0


def reset_limit(trials: Trials) -> dict[str, float]:
    """Shortest reset [s] at any voltage of junctions whose electrode blocks vacancies, and of those that exchange them.

    trials : runs of the cases BLOCKED and EXCHANGED, each with a read before and after a pulse of a width and a voltage
    A reset raises the resistance RESET times. unipolar [1] : share of the pulses of EXCHANGED that lower it by as much
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
