"""Damped least-squares steps in the unit cube, and Broyden's rank-one update of the Jacobian after a step.

Source: Broyden, Math. Comp. 19, 577 (1965). To measure a Jacobian costs one or two runs for each parameter; an update costs
none. The updated Jacobian reproduces the change over the last step, and is unchanged in all directions normal to that step.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

STEEP = 200.0  # pulls per range of a parameter: steeper slopes come from failed runs and are cut off
AGREES = 0.5  # largest relative error of the change predicted by slopes that are updated instead of measured again
FARTHEST = 0.25  # largest change of a parameter by a step, as a share of the range between its bounds


def updated(slopes: np.ndarray, move: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Slopes (pull, parameter), updated so that they give the change (pull,) over a move (parameter,)."""
    size = float(move @ move)
    return slopes + np.outer(change - slopes @ move, move) / size if size else slopes


def serves(slopes: np.ndarray, move: np.ndarray, change: np.ndarray) -> bool:
    """True if slopes (pull, parameter) predict the change (pull,) over a move (parameter,) well enough, see AGREES."""
    return bool(np.linalg.norm(change - slopes @ move) <= AGREES * np.linalg.norm(change))


def damped_move(slopes: np.ndarray, pulls: np.ndarray, x: np.ndarray, damping: float) -> np.ndarray:
    """Damped Gauss-Newton move (parameter,) from a place x (parameter,) that stays in the unit cube.

    A parameter on its bound that would move outwards stays there, and the move of the others is computed again. A parameter
    moves by FARTHEST at most, and not beyond its bound.
    slopes : (pull, parameter)   pulls : (pull,)
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
    return np.clip(x + np.clip(move, -FARTHEST, FARTHEST), 0.0, 1.0) - x


def best_of(scores: Sequence[float], before: float, gain: float = 1e-3) -> int | None:
    """Index of the lowest score if it is lower than `before` by at least `gain`, else None."""
    least = int(np.argmin(scores))
    return least if scores[least] <= before - gain else None
