"""Aims that exclude each other: which of many tried points meet two aims at once, and the front of the best compromises.

Points are judged by distances in tolerances, as in claims: 0 is exact, 1 is at the limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

LIMIT = 1.0  # distance up to which an aim is met


class ExclusivePair(NamedTuple):
    """Two aims that no point meets together, though each is met by some point.

    nearest : the smallest distance that both aims keep at one point, above LIMIT
    """

    first: str
    second: str
    nearest: float


def pareto_front(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Indices (front,) of the points that no other point beats in both distances, by rising x. x, y : (point,)

    Of points with the same x only the one with the smallest y counts. A nan is left out.
    """
    order = np.lexsort((y, x))
    order = order[np.isfinite(x[order]) & np.isfinite(y[order])]
    before = np.concatenate([[np.inf], np.minimum.accumulate(y[order])[:-1]]) if order.size else np.empty(0)
    return order[y[order] < before]


def nearest(x: np.ndarray, y: np.ndarray) -> float:
    """Smallest distance that both aims keep at one point; inf without points. x, y : distances (point,), nan is left out"""
    both = np.maximum(x, y)
    return float(np.min(both[np.isfinite(both)], initial=np.inf))


def never_met(distances: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the aims that no point meets. distances : name -> (point,)"""
    return [name for name, distance in distances.items() if not np.any(distance <= LIMIT)]


def exclusive_pairs(distances: Mapping[str, np.ndarray]) -> list[ExclusivePair]:
    """Pairs of aims that exclude each other at all points, the farthest apart first. distances : name -> (point,)"""
    met = [name for name in distances if name not in never_met(distances)]
    pairs = [ExclusivePair(a, b, nearest(distances[a], distances[b])) for a, b in combinations(met, 2)]
    return sorted((pair for pair in pairs if pair.nearest > LIMIT), key=lambda pair: -pair.nearest)


def of_aims(distances: np.ndarray, aims: Sequence[str]) -> dict[str, np.ndarray]:
    """Aim -> distances (point,): the largest of its targets. distances : (point, target)   aims : (target,), may repeat

    A target that could not be computed, nan, makes the distance of its aim infinite.
    """
    whole = np.where(np.isnan(distances), np.inf, distances)
    return {
        aim: whole[:, [i for i, other in enumerate(aims) if other == aim]].max(axis=1) for aim in dict.fromkeys(aims)
    }


def within_reach(distances: np.ndarray, aims: Sequence[str], targets: Sequence[str]) -> dict[str, np.ndarray]:
    """Aim -> distances (point,), see `of_aims`, with the targets of an aim that no point meets in its place.

    targets : (target,), names
    """
    whole = of_aims(distances, aims)
    names = [target if aim in never_met(whole) else aim for aim, target in zip(aims, targets, strict=True)]
    return of_aims(distances, names)
