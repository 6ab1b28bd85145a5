"""Points in processes: batches of short ones, and what becomes of a batch whose process dies."""

import os
import signal

import pytest
from small_studies import POINT

from otjdd.case.case import load_case
from otjdd.studies import points
from otjdd.studies.jobs import (
    ENOUGH,
    MOST,
    RECENT,
    Batches,
    PointJob,
    StudyWork,
    compute,
    computed_points,
    finished_points,
    lost,
    settle,
)
from otjdd.studies.points import PointOutcome, plan

VARIED = POINT + '[study.grid]\ndrive.width = { start = "20 ns", stop = "80 ns", count = 12 }\n'


@pytest.fixture
def study(tmp_path):
    """Work and jobs of a study of twelve short points."""
    (tmp_path / "case.toml").write_text(VARIED)
    made = plan(load_case(tmp_path / "case.toml"))
    (tmp_path / points.FOLDER).mkdir()
    return StudyWork(made.case, made.keep, tmp_path), [PointJob(d, made.changes(i)) for i, d in enumerate(made.digests)]


def same(one: PointOutcome, other: PointOutcome) -> bool:
    """True for points of the same numbers; how long they took differs."""
    numbers = [(name, array.dims, array.values.tobytes()) for name, array in one.arrays.items()]
    others = [(name, array.dims, array.values.tobytes()) for name, array in other.arrays.items()]
    return (one.status, one.reason, one.limits, numbers) == (other.status, other.reason, other.limits, others)


def test_points_that_are_computed_together_are_those_computed_alone(study):
    work, jobs = study
    found = list(computed_points(work, jobs[:5]))
    assert [job for job, _ in found] == jobs[:5]
    for job, point in found:
        assert point.status == "done"
        assert same(point, compute(work, job))


def test_a_point_that_fails_takes_no_other_along(study):
    work, jobs = study
    wrong = jobs[1]._replace(changes={"numerics.max_steps": 3})
    outside = jobs[2]._replace(changes={"temperature": "-1 K"})
    found = settle(work, jobs[0], wrong, outside, jobs[3])
    assert [point.status for point in found] == ["done", "solver", "error", "done"]
    assert [points.read_point(work.folder, job.digest).status for job in jobs[:4]] == [point.status for point in found]


def test_a_batch_is_as_large_as_the_longest_of_the_last_points_allows():
    batches = Batches(iter(range(100)), 100, 1)
    assert next(batches) == (0,)
    batches.look_at(PointOutcome("done", seconds=ENOUGH / 1000))
    assert next(batches) == tuple(range(1, 1 + MOST))
    batches.look_at(PointOutcome("done", seconds=ENOUGH / 3.5))
    batches.look_at(PointOutcome("done", seconds=ENOUGH / 1000))
    assert len(next(batches)) == 3
    batches.look_at(PointOutcome("done", seconds=10 * ENOUGH))
    assert len(next(batches)) == 1
    for _ in range(RECENT):
        batches.look_at(PointOutcome("done", seconds=ENOUGH / 1000))
    assert len(next(batches)) == MOST
    batches.look_at(PointOutcome("lost"))  # of a process that told no time
    assert len(next(batches)) == 1
    assert batches.ended(1) == tuple(range(1, 1 + MOST))


def test_batches_get_smaller_in_the_end_so_that_all_processes_end_together():
    batches = Batches(iter(range(100)), 100, 8)
    batches.look_at(PointOutcome("done", seconds=ENOUGH / 1000))
    sizes = [len(batch) for batch in batches]
    assert sizes[:3] == [12, 11, 9]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-8:] == [1] * 8
    assert sum(sizes) == 100
    few, timed = Batches(iter(range(4)), 4, 1), Batches(iter(range(4)), 4, 1, 1)  # one by one with a limit of time
    for batches, expected in ((few, [(0, 1, 2), (3,)]), (timed, [(0,), (1,), (2,), (3,)])):
        batches.look_at(PointOutcome("done", seconds=ENOUGH / 3))
        assert [*batches] == expected


def test_of_a_lost_batch_what_is_on_disk_is_taken_and_the_rest_left_for_later(study, caplog):
    work, jobs = study
    settle(work, jobs[1])
    found = lost(work, tuple(jobs[:3]), MemoryError("gone"))
    assert [point and point.status for point in found] == [None, "done", None]
    assert "gone: its points without a file are computed once more" in caplog.text
    assert not points.path_of(work.folder, jobs[0].digest).exists()


def test_a_point_that_was_alone_is_lost_with_its_process(study):
    work, jobs = study
    (point,) = lost(work, (jobs[0],), MemoryError("gone"))
    assert (point.status, point.reason) == ("lost", "gone")
    assert points.read_point(work.folder, jobs[0].digest).status == "lost"


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_a_point_that_ends_its_process_ends_no_other(study, monkeypatch):
    work, jobs = study
    fatal = jobs[7].digest
    monkeypatch.setattr("otjdd.studies.jobs.settle", Deadly(fatal))
    found = {job.digest: point.status for job, point in finished_points(work, jobs, len(jobs), 2, alone=True)}
    assert found == {job.digest: "lost" if job.digest == fatal else "done" for job in jobs}


class Deadly:
    """`settle`, in a process that one of the points kills."""

    def __init__(self, digest: str):
        self.digest = digest

    def __call__(self, work, *jobs):
        if any(job.digest == self.digest for job in jobs):
            os.kill(os.getpid(), signal.SIGKILL)
        return settle(work, *jobs)
