"""Processes that do jobs, each with a pipe of its own: one that is killed takes its job along, and nothing else.

In a pool whose processes share a pipe, one that is killed while it takes a job or holds the lock of the pipe leaves the
others waiting for ever.
"""

import math
import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import NamedTuple

AHEAD = 2  # most jobs that a member holds, the one that it does included
SOON, SMALL = 0.5, 2**14  # s, bytes: jobs that take less and are smaller are handed out ahead
READY = b""  # said by a process that has begun
FUNCTION = b"function"  # before a function, for the calls that follow; pickled data begins with another byte
PATIENCE = 5.0  # s that a process may take to end when its pipe is closed


class Job(NamedTuple):
    """A job on its way: its number, its arguments, and the same as bytes."""

    number: int
    arguments: tuple
    packed: memoryview


class Ended(NamedTuple):
    """The end of a job: its result, what it raised, or the error for which it has neither."""

    job: Job
    result: object = None
    raised: Exception | None = None
    lost: Exception | None = None


class Member:
    """One process, its pipe, and the jobs that it holds: it does the first of them since a moment [s], inf until it can."""

    def __init__(self, context, begin: Callable[[], None]):
        self.pipe, theirs = context.Pipe()
        self.jobs: deque[Job] = deque()
        self.since = self.took = math.inf
        self.told = b""  # the function that it was sent last
        self.process = context.Process(target=work, args=(theirs, begin))
        self.process.start()
        theirs.close()

    def may_hold(self, job: Job) -> bool:
        """True when a job may wait for the one that it does, which ends before the next could be handed out."""
        return len(self.jobs) < AHEAD and self.took < SOON and len(job.packed) < SMALL

    def give(self, job: Job, function: bytes) -> None:
        """Hand it a job, and the function unless it has it. If it has ended meanwhile, `hear` says so."""
        if not self.jobs and self.since < math.inf:
            self.since = time.monotonic()
        self.jobs.append(job)
        try:
            if self.told is not function:
                self.told = function
                self.pipe.send_bytes(FUNCTION + function)
            self.pipe.send_bytes(job.packed)
        except ConnectionError:
            pass

    def hear(self) -> Ended | None:
        """The end of the first of its jobs, or None: it has begun only now."""
        try:
            said = self.pipe.recv_bytes()
        except (EOFError, OSError):
            return Ended(self.jobs.popleft(), lost=MemoryError(f"the process {self.fate()}; out of memory?"))
        began, self.since = self.since, time.monotonic()
        if said == READY:
            return None
        self.took = self.since - began
        good, value = ForkingPickler.loads(said)
        return Ended(self.jobs.popleft(), value) if good else Ended(self.jobs.popleft(), raised=value)

    def fate(self) -> str:
        """The end of a process whose pipe is closed, in words."""
        self.process.join(PATIENCE)
        code = self.process.exitcode
        if code is None:
            return "closed its pipe"
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def gone(self) -> bool:
        """True when it has ended while it had no job."""
        return not self.jobs and self.pipe.poll()

    def late(self, limit: float) -> bool:
        """True when its job takes longer than a limit [s]."""
        return bool(self.jobs) and time.monotonic() > self.since + limit

    def dismiss(self) -> None:
        """End the process, whatever it does, and wait for its end."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Crew:
    """So many processes, started when there are jobs, each of which calls `begin` before its first one."""

    def __init__(self, count: int, context, begin: Callable[[], None]):
        self.count, self.context, self.begin = count, context, begin
        self.members: list[Member] = []

    def do(
        self, function: Callable, jobs: Iterable[tuple], *, limit: float | None = None, alone: bool = False,
        lost: Callable | None = None,
    ) -> Iterator[tuple]:  # fmt: skip
        """Iterator over (number of a job, its result), in the order in which the jobs end.

        jobs : arguments of the function, a tuple for each call; taken as members have room for them
        limit : time that a job may take [s]; its process is then ended and replaced
        alone : the first job ends, and the caller has looked at its result, before others begin
        lost : (arguments of a job, error) -> result of a job without one: TimeoutError over the limit, MemoryError when
            the process was ended from outside. Without `lost` the error is raised.
        Raises what a job raises.
        """
        waiting = Waiting(function, jobs)
        try:
            while True:
                self._hand_out(waiting, alone)
                if not any(member.jobs for member in self.members):
                    return
                for ended in self._heard(waiting, limit):
                    error = ended.raised or (None if lost else ended.lost)
                    if error:
                        raise error
                    yield ended.job.number, lost(ended.job.arguments, ended.lost) if ended.lost else ended.result
                    alone = False
        finally:
            for member in [member for member in self.members if member.jobs]:
                self._leave(member)

    def stop(self) -> None:
        """End all processes."""
        for member in [*self.members]:
            self._leave(member)

    def _hand_out(self, waiting: "Waiting", alone: bool) -> None:
        """Give jobs to members that have none, then to processes that are missing, then ahead; but one when it is alone."""
        most = 1 if alone else self.count
        for member in [member for member in self.members if member.gone()]:
            self._leave(member)
        for member in [member for member in self.members if not member.jobs][:most]:
            if waiting.first():
                member.give(waiting.taken(), waiting.function)
        while len(self.members) < most and waiting.first():
            self.members.append(Member(self.context, self.begin))
            self.members[-1].give(waiting.taken(), waiting.function)
        for member in () if alone else self.members:
            if (job := waiting.first()) and member.may_hold(job):
                member.give(waiting.taken(), waiting.function)

    def _heard(self, waiting: "Waiting", limit: float | None) -> Iterator[Ended]:
        """Ends of jobs, as soon as there is one."""
        busy = {member.pipe: member for member in self.members if member.jobs}
        left = min(member.since for member in busy.values()) + (limit or math.inf) - time.monotonic()
        for pipe in wait(busy, max(left, 0.0) if left < math.inf else None):
            member = busy.pop(pipe)
            ended = member.hear()
            if ended and ended.lost:
                waiting.returned(member.jobs)
                self._leave(member)
            if ended:
                yield ended
        for member in busy.values():
            if limit is not None and member.late(limit):
                job = member.jobs.popleft()
                waiting.returned(member.jobs)
                self._leave(member)
                yield Ended(job, lost=TimeoutError(f"took longer than {limit:g} s"))

    def _leave(self, member: Member) -> None:
        self.members.remove(member)
        member.dismiss()


class Waiting:
    """Jobs that no member holds: those that were given back, then those that come. `function` : as bytes."""

    def __init__(self, function: Callable, jobs: Iterable[tuple]):
        self.function, self.coming, self.held = bytes(ForkingPickler.dumps(function)), enumerate(jobs), deque()

    def first(self) -> Job | None:
        """The next job, None when there is none."""
        if not self.held and (coming := next(self.coming, None)):
            number, arguments = coming
            self.held.append(Job(number, arguments, ForkingPickler.dumps(arguments)))
        return self.held[0] if self.held else None

    def taken(self) -> Job:
        """The next job, which is then held by another."""
        return self.held.popleft()

    def returned(self, jobs: Iterable[Job]) -> None:
        """Jobs that a member was given and has not begun."""
        self.held.extendleft(reversed([*jobs]))


def work(pipe, begin: Callable[[], None]) -> None:
    """The work of a member: one call after the other, until its pipe is closed or its parent has ended."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    begin()
    function = None
    try:
        pipe.send_bytes(READY)
        while True:
            said = pipe.recv_bytes()
            if said.startswith(FUNCTION):
                function = ForkingPickler.loads(said[len(FUNCTION) :])
            else:
                pipe.send_bytes(outcome(function, ForkingPickler.loads(said)))
    except (EOFError, ConnectionError):
        return


def end_with_parent() -> None:
    """End this process, in whatever it does, when the one that asked for it has ended: also when that was killed.

    The one that it was copied from tells nothing: it lives as long as its copies.
    """
    parent_process().join()
    os._exit(1)


def outcome(function: Callable, arguments: tuple) -> memoryview:
    """(True, result) of a call, or (False, what it raised), pickled."""
    try:
        return ForkingPickler.dumps((True, function(*arguments)))
    except Exception as error:
        error.add_note(f"in another process:\n{traceback.format_exc()}")
        try:
            ForkingPickler.loads(said := ForkingPickler.dumps((False, error)))
        except Exception:  # it cannot be pickled, or not be made again from its arguments
            return ForkingPickler.dumps((False, RuntimeError("".join(traceback.format_exception(error)))))
        return said
