"""Devices that differ from each other, as compact models.

A sample describes how devices differ: each device is a draw from its distributions. A spread of columns describes how
patches within one device differ. Each device is then assumed to consist of as many patches as the case has columns, each
drawn from that spread. This is a hypothesis, and an upper limit of the differences: devices of more patches differ less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np

from otjdd.case.case import Case
from otjdd.compact_models import build
from otjdd.compact_models.draws import patches, sampled, source
from otjdd.compact_models.ends import SETTLED
from otjdd.compact_models.limits import Range
from otjdd.compact_models.model import CompactModel
from otjdd.solver import model
from otjdd.solver.integrate import of_part
from otjdd.solver.model import Member
from otjdd.system.pool import Spread
from otjdd.system.steps import Progress


def devices(
    case: Case, count: int, limits: Range, spread: Spread, progress: Progress = None, noise: bool = False
) -> list[CompactModel]:
    """Compact models of `count` devices, whose errors are not measured.

    spread : what `pool.team` yields   noise : add the scatter of the states by single ions that hop at random
    Each device of a study takes an extraction; patches that differ in their activation energy only share one extraction.
    Raises NotAsExpected, CaseError.
    """
    source(case, count)
    if case.study is not None and case.study.sample is not None:
        return list(one_by_one(sampled(case, count), limits, spread, progress, noise))
    return together([patches(case, number) for number in range(count)], case, limits, spread, progress, noise)


def one_by_one(
    cases: Sequence[Case], limits: Range, spread: Spread, progress: Progress = None, noise: bool = False
) -> Iterator[CompactModel]:
    """Compact models of devices, each from an extraction of its own. Raises NotAsExpected, CaseError."""
    for number, case in enumerate(cases):
        device = build.extracted(case, limits, spread, of_part(progress, number, len(cases)))
        yield replace(device, noise=build.noise_of(device, case, spread)) if noise else device


def together(
    cases: Sequence[Case], base: Case, limits: Range, spread: Spread, progress: Progress = None, noise: bool = False
) -> list[CompactModel]:
    """Compact models of devices that differ in the values of their columns only, from one extraction.

    base : the case whose columns are drawn
    """
    parts = [model.members(case) for case in cases]
    members = [part for of_device in parts for part in of_device]
    joined = build.extracted(base, limits, spread, progress, members)
    joined = replace(joined, noise=build.noise_of(joined, base, spread, members)) if noise else joined
    ends = list(accumulate(map(len, parts)))
    return [only(case, joined, mine, end) for case, mine, end in zip(cases, parts, ends, strict=True)]


def only(case: Case, joined: CompactModel, parts: list[Member], end: int) -> CompactModel:
    """The model of one device, out of a model with the columns of all devices.

    case, parts : of the device, and its columns   end : number of the column after its last one
    """
    mine = slice(end - len(parts), end)
    kind, speed = joined.kind[mine], joined.speed[mine]
    tables = [joined.kinds[k] for k in kind]
    settling = np.array([of_kind.emptying * SETTLED for of_kind in tables]) / speed
    start, unsettled, _ = build.starting_states(case, parts, settling, tables)
    weight = np.array([part.weight for part in parts])
    return replace(joined, kind=kind, speed=speed, weight=weight, start=start, unsettled=unsettled)
