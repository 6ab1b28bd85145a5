"""Processes with a pipe of their own: whatever becomes of one of them, every job comes to an end."""

import contextlib
import os
import pickle
import random
import signal
import threading
import time
from functools import partial

import pytest

from otjdd.system.crew import AHEAD, SOON, Crew
from otjdd.system.pool import DATASETS, begin, context

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of Unix")


@pytest.fixture
def crew():
    crew = Crew(2, context(DATASETS), begin)  # the template is that of all tests of this process
    yield crew
    crew.stop()


def told(arguments, error) -> str:
    return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.campaign) for seed in (1, 2))])
def test_processes_that_are_killed_at_any_moment_cost_one_job_each_at_most(crew, seed):
    chance, over, killed = random.Random(seed), threading.Event(), []

    def kill():
        while not over.wait(chance.uniform(0.01, 0.05)):
            victim = chance.choice([*crew.members] or [None])
            if victim:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim.process.pid, signal.SIGKILL)
                    killed.append(victim)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        found = dict(crew.do(pow, [(3, 1000 + n) for n in range(10_000)], lost=told))
    finally:
        over.set()
        killer.join()
    lost = [n for n, result in found.items() if isinstance(result, str)]
    assert len(found) == 10_000
    assert len(lost) <= len(killed)
    assert {found[n] for n in lost} <= {"MemoryError: the process was killed by signal 9; out of memory?"}
    assert all(found[n] == 3 ** (1000 + n) for n in found if n not in lost)


def test_a_process_that_dies_without_a_job_costs_none(crew):
    assert dict(crew.do(abs, [(-1,), (-2,)])) == {0: 1, 1: 2}
    for member in crew.members:
        os.kill(member.process.pid, signal.SIGKILL)
        member.process.join()
    assert dict(crew.do(abs, [(-n,) for n in range(10)])) == {n: n for n in range(10)}


def test_jobs_that_a_killed_process_had_not_begun_are_done_by_others(crew):
    jobs = [(0,)] * 8 + [(signal.SIGKILL,)] + [(0,)] * 8
    found = dict(crew.do(signal.raise_signal, jobs, lost=told))
    assert [n for n, result in found.items() if result is not None] == [8]


def test_long_jobs_wait_for_a_process_that_is_free_and_not_behind_one_that_is_busy(crew):
    found = crew.do(time.sleep, [(2 * SOON,), (1000,), *[(2 * SOON,)] * 3])
    assert sorted(next(found) for _ in range(4)) == [(number, None) for number in (0, 2, 3, 4)]


def test_no_more_processes_are_started_than_there_are_jobs(crew):
    assert dict(crew.do(abs, [(-1,)])) == {0: 1}
    assert len(crew.members) == 1


def test_the_time_of_a_job_begins_when_its_process_has(crew):
    crew.begin = partial(time.sleep, 1.5)
    assert dict(crew.do(abs, [(-1,), (-2,)], limit=1.0)) == {0: 1, 1: 2}
    with pytest.raises(TimeoutError, match="longer than 1 s"):
        list(crew.do(time.sleep, [(1000,)], limit=1.0))


def test_short_jobs_are_handed_out_ahead(crew):
    held = []
    for _ in crew.do(abs, ((n,) for n in range(200))):
        held += [len(member.jobs) for member in crew.members]
    assert max(held) == AHEAD


def test_what_a_job_raises_says_where_even_when_it_cannot_be_pickled(crew):
    with pytest.raises(ZeroDivisionError) as raised:
        list(crew.do(divmod, [(1, 0)]))
    assert "function(*arguments)" in raised.value.__notes__[0]
    with pytest.raises(RuntimeError, match="generator"):
        list(crew.do(eval, [("(_ for _ in ()).throw(ValueError((lambda: 0), 'a generator'))",)]))


def test_a_result_that_cannot_be_pickled_is_an_error_of_its_job(crew):
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError), match="lambda"):
        list(crew.do(eval, [("lambda: 0",)]))


def test_large_arguments_and_results_pass(crew):
    text = "x" * 10**7
    assert dict(crew.do(str.upper, [(text,)] * 6)) == {n: text.upper() for n in range(6)}


def test_jobs_of_one_that_is_left_early_are_not_those_of_the_next(crew):
    for number, _ in crew.do(time.sleep, [(0,), (1000,), (1000,)]):
        assert number == 0
        break
    assert dict(crew.do(abs, [(-5,), (-6,)])) == {0: 5, 1: 6}
