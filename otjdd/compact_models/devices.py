"""Devices that differ from each other, as compact models.

A [study.sample] describes how devices differ: each device is a draw from its distributions. A spread of columns describes
how patches within one device differ. Each device is then assumed to consist of as many patches as the case has columns,
each drawn from that spread. This is a hypothesis, and an upper limit of the differences: devices of more patches differ
less.
"""

from dataclasses import replace

import numpy as np

from otjdd.case.case import Case
from otjdd.compact_models import build
from otjdd.compact_models.draws import patches, sampled, source
from otjdd.compact_models.ends import SETTLED
from otjdd.compact_models.limits import Range
from otjdd.compact_models.model import CompactModel
from otjdd.solver import model
from otjdd.solver.model import Member
from otjdd.system.pool import Spread
from otjdd.system.steps import Progress


def devices(case: Case, count: int, limits: Range, spread: Spread, progress: Progress = None) -> list[CompactModel]:
    """Compact models of `count` devices, whose errors are not measured.

    spread : what `pool.team` yields
    Each device of a study takes an extraction; patches that differ in their activation energy only share one.
    Raises NotAsExpected, CaseError.
    """
    source(case, count)
    if case.study is not None and case.study.sample is not None:
        found = []
        for number, changed in enumerate(sampled(case, count)):
            found.append(build.extracted(changed, limits, spread))
            if progress:
                progress((number + 1) / count)
        return found
    parts = [model.members(patches(case, number)) for number in range(count)]
    joined = build.extracted(case, limits, spread, progress, [part for each in parts for part in each])
    return [only(case, joined, number, parts[number]) for number in range(count)]


def only(case: Case, joined: CompactModel, number: int, parts: list[Member]) -> CompactModel:
    """One device by its number, from a model with the columns of all devices.

    parts : its columns, as many for each device
    """
    mine = slice(number * len(parts), (number + 1) * len(parts))
    kind, speed = joined.kind[mine], joined.speed[mine]
    tables = [joined.kinds[k] for k in kind]
    settling = np.array([each.emptying * SETTLED for each in tables]) / speed
    start, unsettled, _ = build.starting_states(patches(case, number), parts, settling, tables)
    weight = np.array([part.weight for part in parts])
    return replace(joined, kind=kind, speed=speed, weight=weight, start=start, unsettled=unsettled)
