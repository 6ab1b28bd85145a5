"""The bar of an extraction: it rises from stage to stage, job by job, and ends full."""

import pytest

from otjdd.compact_models.build import SHARES, counted, stages
from otjdd.system.pool import one_by_one


def test_progress_rises_over_all_stages_and_ends_full():
    fractions: list[float] = []
    within = stages(fractions.append, list(SHARES))
    for name in SHARES:
        for _ in range(2):  # a stage may have several rounds of jobs
            assert list(counted(one_by_one, within[name])(abs, [(-1,), (2,)])) == [(0, 1), (1, 2)]
    assert len(fractions) == 4 * len(SHARES)
    assert fractions == sorted(fractions)
    assert fractions[1] == pytest.approx(SHARES["extraction"] / sum(SHARES.values()))
    assert fractions[-1] == pytest.approx(1.0)
    assert list(counted(one_by_one, stages(None, ["error"])["error"])(abs, [(-3,)])) == [(0, 3)]
