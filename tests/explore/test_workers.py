"""The turns of a tab: a newer move ends an old one, a pulse waits, tabs are apart; what a job says while the page waits."""

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from otjdd.compiler import kernel_cache
from otjdd.explore import workers
from otjdd.explore.workers import FIRST_NEEDED_BY, Shared, Turns, kept_fraction, reporting


class Pretended:
    """Workers whose jobs are sleeps of this process."""

    def __init__(self):
        self.ended = []
        self.ready = asyncio.Event()
        self.ready.set()

    def submit(self, function, name, seconds):
        async def job():
            try:
                await asyncio.sleep(seconds)
                return name
            finally:
                self.ended.append(name)

        return SimpleNamespace(task=asyncio.ensure_future(job()), fraction=0.0, compiling="")


async def ask(each, names, waits=False):
    """Results of jobs that are asked for one after the other, 10 ms apart."""
    tasks = []
    for name, seconds in names:
        tasks.append(asyncio.ensure_future(each.take(None, name, seconds, waits=waits)))
        await asyncio.sleep(0.01)
    return await asyncio.gather(*tasks)


def test_a_newer_move_ends_a_long_one_and_those_between_never_start():
    workers = Pretended()
    found = asyncio.run(ask(Turns(workers), [("long", 1000), ("a", 1000), ("b", 1000), ("last", 0.01)]))
    assert found == [None, None, None, "last"]
    assert workers.ended == ["long", "last"]


def test_a_job_that_is_young_may_end_so_that_a_moving_slider_is_answered(monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 5.0)
    found = asyncio.run(ask(Turns(Pretended()), [("first", 0.1), ("a", 60), ("last", 0.01)]))
    assert found == ["first", None, "last"]


def test_of_moves_before_the_workers_are_ready_the_last_is_answered():
    async def early():
        workers = Pretended()
        workers.ready.clear()
        each = Turns(workers)
        tasks = [asyncio.ensure_future(each.take(None, name, 0.01)) for name in "abc"]
        await asyncio.sleep(0.02)
        workers.ready.set()
        return await asyncio.gather(*tasks), workers.ended

    assert asyncio.run(early()) == ([None, None, "c"], ["c"])


def test_pulses_wait_for_each_other():
    async def both():
        each = Turns(Pretended())
        one = asyncio.ensure_future(each.take(None, "one", 0.4))
        await asyncio.sleep(0.01)
        return await each.take(None, "two", 0.01, waits=True), await one

    assert asyncio.run(both()) == ("two", "one")


def test_a_tab_that_is_left_ends_its_job_and_another_goes_on():
    async def both():
        workers = Pretended()
        one, other = Turns(workers), Turns(workers)
        jobs = [asyncio.ensure_future(each.take(None, "job", 0.3)) for each in (one, other)]
        await asyncio.sleep(0.01)
        assert one.fraction == 0.0
        one.stop()
        return [*await asyncio.gather(*jobs), one.fraction]

    assert asyncio.run(both()) == [None, "job", None]


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_what_goes_wrong_in_a_job_is_told(error):
    class Broken(Pretended):
        def submit(self, *_):
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error("no"))
            return SimpleNamespace(task=future, fraction=0.0, compiling="")

    with pytest.raises(error):
        asyncio.run(Turns(Broken()).take(None))


def test_a_job_says_what_it_compiles_for_and_how_far_it_is(monkeypatch):
    monkeypatch.setattr(kernel_cache, "ON_COMPILING", [])
    shared = Shared.new()
    monkeypatch.setattr(workers, "SHARED", list(shared))
    job = SimpleNamespace(_shared=shared)
    steps = []

    def state():
        steps.append((workers.RunningJob.fraction.fget(job), workers.RunningJob.compiling.fget(job)))

    def work(progress):
        progress(0.25)
        with kernel_cache.compiling("traps_kinetic.fill_traps"):
            state()
            with kernel_cache.compiling("traps_sites.placed"):  # which the first one calls
                state()
        state()
        with kernel_cache.compiling("tunnelling.of_another_type"):
            state()
        return "done"

    assert reporting(work, ()) == "done"
    state()
    assert steps == [(0.25, "traps"), (0.25, "traps"), (0.25, ""), (0.25, "tunnelling"), (0.25, "")]


def test_the_kernels_that_have_words_are_compiled_when_they_are_first_needed():
    kept_fraction()  # imports all modules of kernels
    names = {kernel.name.partition(".")[0] for kernel in kernel_cache.KERNELS.values() if kernel.deferred}
    assert names >= set(FIRST_NEEDED_BY)


def test_a_tab_without_a_job_compiles_nothing():
    assert Turns(SimpleNamespace()).compiling == ""


class SlowToStart:
    """A worker whose process takes its time to start; its jobs are calls in a thread."""

    def __init__(self):
        self.future, self.threads = Future(), ThreadPoolExecutor(1)
        self.busy = self.most = 0

    def give(self, function, arguments, limit):
        self.busy += 1
        self.most = max(self.most, self.busy)
        time.sleep(0.2)
        self.future = self.threads.submit(function, *arguments)
        self.busy -= 1
        return self.future

    def look_after(self):
        pass

    def result(self, future, arguments, limit, lost):
        return future.result()

    def stop(self):
        return None


def test_a_job_that_is_ended_while_its_process_starts_never_begins(monkeypatch):
    monkeypatch.setattr(kernel_cache, "ON_COMPILING", [])
    monkeypatch.setattr(workers, "SHARED", list(Shared.new()))
    began, worker = [], SlowToStart()

    def job(name, progress):
        began.append(name)
        return name

    async def both():
        idle = asyncio.Queue()
        idle.put_nowait((worker, Shared.new()))
        first = workers.RunningJob(idle, job, ("first",))
        await asyncio.sleep(0.05)
        first.task.cancel()
        return await asyncio.gather(first.task, workers.RunningJob(idle, job, ("next",)).task, return_exceptions=True)

    worker.threads.submit(time.sleep, 0.4)  # so that a job which is not ended would begin
    ended, done = asyncio.run(both())
    assert isinstance(ended, asyncio.CancelledError)
    assert (done, began, worker.most) == ("next", ["next"], 1)
