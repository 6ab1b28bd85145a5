"""Least squares in the unit cube from one Jacobian: rank-one updates keep it while they serve, damped steps follow it.

A Jacobian costs a run or two a parameter, an update nothing (Broyden, Math. Comp. 19, 577 (1965)): it makes the model agree
with what the last step has shown, and leaves it as it was across that step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEEP = 200.0  # pulls per range of a parameter, beyond which a slope is that of a failure
FARTHEST = 0.25  # ranges of a parameter that a step moves it by at most


def updated(slopes: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Slopes (pull, parameter) that agree with the change (pull,) after a move (parameter,); the same without a move."""
    size = float(move @ move)
    found: np.ndarray = slopes + np.outer(change - slopes @ move, move) / size if size else slopes
    return found


def damped_move(slopes: np.ndarray, pulls: np.ndarray, x: np.ndarray, damping: float) -> np.ndarray:
    """Damped Gauss-Newton move (parameter,) from a place x of the unit cube that stays in it.

    Parameters that the move would take across their bound are held there, and the others move without them. Slopes of what
    fails are steep, and are cut.
    """
    A = np.clip(np.nan_to_num(slopes), -STEEP, STEEP)
    normal = A.T @ A
    weight = damping * (3.0 * np.eye(len(x)) + 0.3 * np.diag(np.diag(normal)))
    free = np.ones(len(x), dtype=bool)
    move = np.zeros(len(x))
    while free.any():
        part = np.ix_(free, free)
        move[free] = -np.linalg.solve((normal + weight)[part], (A.T @ pulls)[free])
        stuck = free & (((x <= 0.0) & (move < 0.0)) | ((x >= 1.0) & (move > 0.0)))
        if not stuck.any():
            break
        free &= ~stuck
        move[~free] = 0.0
    found: np.ndarray = np.clip(x + np.clip(move, -FARTHEST, FARTHEST), 0.0, 1.0) - x
    return found


def best_of(scores: Sequence[float], before: float, gain: float = 1e-3) -> int | None:
    """Number of the lowest score if it is lower than the one before by a gain, else None."""
    least = int(np.argmin(scores))
    return least if scores[least] <= before - gain else None
