"""A goal: what a number should be, and how far a number is from it.

The [expect] of a case, the targets of a calibration and the figures of claims are goals. A verdict states the distance of a
number in tolerances, 0 for an exact result and 1 at the limit:

    value             |x - value| / tolerance; for a factor f: |ln(x / value)| / ln f
    two limits        distance from the middle, in halves of the interval
    one limit, met    from 1 at the limit to 0 at `best`. Without `best`: x / limit for an upper limit above 0,
                      limit / x for a lower one above 0, and 0 for any other limit, which has no scale
    one limit, missed 1 + |x - limit| / max(|x|, |limit|), which is at most 3

A search goes along the residual, which is signed: for a value as above, and beyond limits the distance from the nearer one
in tolerances. It is 0 within the limits, since a search has nothing to gain there.

Aims may exclude each other: of many points with their distances, which meet two aims at once, and which are the best
compromises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

FAILED = 30.0  # residual of a number that could not be computed, or has no common logarithm with the goal


class Goal(NamedTuple):
    """What a number should be, in any unit: within its limits, None for none; of a value these are its tolerance.

    tolerance : a difference, or with `by_factor` a factor   best : the best possible number of a goal with one limit
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    tolerance: float = 1.0
    by_factor: bool = False
    best: float | None = None

    def met(self, x: float) -> bool:
        """True when a number is within all limits; False for nan."""
        return (self.low is None or x >= self.low) and (self.high is None or x <= self.high)

    def off(self, x: float, goal: float) -> float:
        """Signed distance of a number from a goal in tolerances; inf where they have no common logarithm."""
        if not self.by_factor:
            return (x - goal) / self.tolerance
        return math.log(x / goal) / math.log(self.tolerance) if x / goal > 0 else math.inf

    def scaled(self, x: float) -> float:
        """A number on the scale of the goal, whose unit is the tolerance: x, or ln |x|; nan where it has none."""
        if not self.by_factor:
            return x / self.tolerance if math.isfinite(x) else math.nan
        size = math.copysign(x, x * (self.value or 1.0))
        return math.log(size) / math.log(self.tolerance) if 0 < size < math.inf else math.nan

    def unscaled(self, number: float) -> float:
        """The number of which `scaled` gives this one."""
        if not self.by_factor:
            return number * self.tolerance
        return math.copysign(math.exp(number * math.log(self.tolerance)), self.value or 1.0)

    def residual(self, x: float) -> float:
        """Signed distance for a search; FAILED for a number that is not finite or has no logarithm."""
        if not math.isfinite(x) or (self.by_factor and x * (self.value or 1.0) <= 0):
            return FAILED
        if self.value is not None:
            return self.off(x, self.value)
        below = 0.0 if self.low is None else min(0.0, self.off(x, self.low))
        return below + (0.0 if self.high is None else max(0.0, self.off(x, self.high)))

    def distance(self, x: float) -> float:
        """Distance for a verdict, see the module; nan for nan, and without limits."""
        if math.isnan(x) or (self.low is None and self.high is None):
            return math.nan
        if self.value is not None:
            return abs(self.off(x, self.value))
        if self.low is not None and self.high is not None:
            return abs(x - (self.low + self.high) / 2) / ((self.high - self.low) / 2)
        limit, depth = self.limit, self.depth(x)
        if depth < 0:
            return 1 - depth / max(abs(x), abs(limit))
        if self.best is not None:
            whole = self.depth(self.best)
            return max(0.0, 1 - depth / whole) if whole else 0.0
        if limit <= 0:
            return 0.0
        return limit / x if self.high is None else max(x, 0.0) / limit

    @property
    def limit(self) -> float:
        """The limit of a goal with a single limit."""
        limit = self.low if self.high is None else self.high
        assert limit is not None
        return limit

    def depth(self, x: float) -> float:
        """Distance of a number from the single limit, positive where the limit is met."""
        return x - self.limit if self.high is None else self.limit - x


def around(value: float, within: float | str) -> Goal:
    """Goal of a value. within : a factor as "x2", a share of the value as "30 %", or a difference"""
    if isinstance(within, str) and within.startswith("x"):
        tolerance = float(within[1:])
        ends = value / tolerance, value * tolerance
    elif isinstance(within, str):
        share = float(within[:-2]) / 100
        tolerance, ends = abs(value) * share, (value * (1 - share), value * (1 + share))
    else:
        tolerance, ends = within, (value - within, value + within)
    return Goal(value, min(ends), max(ends), tolerance, isinstance(within, str) and within.startswith("x"))


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


def least_joint_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Smallest distance that both aims keep at one point; inf without points. x, y : distances (point,), nan is left out"""
    both = np.maximum(x, y)
    return float(np.min(both[np.isfinite(both)], initial=np.inf))


def never_met(distances: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the aims that no point meets. distances : name -> (point,)"""
    return [name for name, distance in distances.items() if not np.any(distance <= LIMIT)]


def exclusive_pairs(distances: Mapping[str, np.ndarray]) -> list[ExclusivePair]:
    """Pairs of aims that exclude each other at all points, the farthest apart first. distances : name -> (point,)"""
    met = [name for name in distances if name not in never_met(distances)]
    pairs = [ExclusivePair(a, b, least_joint_distance(distances[a], distances[b])) for a, b in combinations(met, 2)]
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
