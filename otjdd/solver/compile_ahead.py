"""Compile the kernels that any run calls before the first run on a machine, in two processes that share the kernel cache.

This process compiles the current. A second process compiles the stack and the time step, about as much work. When the
second reports that the steps are compiled, this one compiles the loop over the time steps, which calls everything. If the
second process fails, this one compiles the rest.

The garbage collector is off meanwhile: scanning the many objects of the compiler took a tenth of the time. At the end all
objects go to its oldest generation, or it would scan them three times when it is on again, which took a second.
"""

from __future__ import annotations

import gc
import logging
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from otjdd.compiler import kernel_cache
from otjdd.physics import bands, closing, conduction, electrostatics, fermi_dirac, tunnelling
from otjdd.physics.channels.table import transport
from otjdd.solver import integrate
from otjdd.solver.integrate import Run
from otjdd.stepping import course, electron_step, extremes, pieces, rosenbrock, run_log, trial_step
from otjdd.system import interpreter
from otjdd.system.pool import ended_with_parent

log = logging.getLogger(__name__)

BETWEEN = 10.0  # s between two lines of progress
NO_TASKS = np.zeros(0, np.int64)
SECOND = "from otjdd.solver import compile_ahead, self_check; compile_ahead.second(self_check.begin_between_metals)"


def compile_kernels(begin: Callable[[], Run]) -> None:
    """Compile all large kernels for runs like the one that begin() returns, but for deferred ones."""
    with without_collector(), telling_progress(), second_process() as wait_for_steps:
        run = begin()
        compile_currents(run)
        integrate.jump(run, 0.1)
        compile_around(run)
        wait_for_steps()
        integrate.follow_piece(run, 1e-12, 0.1, 0.1)


@contextmanager
def telling_progress() -> Iterator[None]:
    """Log a line every BETWEEN seconds within a block: what is compiled, how far that is, and when it will end."""
    began = last = time.monotonic()

    def note(kernel: str) -> None:
        nonlocal last
        now, place = time.monotonic(), kernel_cache.folder()
        if kernel and place and now - last >= BETWEEN:
            last = now
            log.warning(progress_line(kernel, now - began, compiled_share(path.name for path in place.iterdir())))

    kernel_cache.ON_COMPILING.append(note)
    try:
        yield
    finally:
        kernel_cache.ON_COMPILING.remove(note)


def compiled_share(files: Iterable[str]) -> float:
    """Share of the kernels that every run calls, by the names of their files, which both processes write."""
    kernels = kernel_cache.KERNELS.items()
    needed = {name for name, kernel in kernels if kernel.apart and not getattr(kernel, "deferred", False)}
    return len(needed & {name.rpartition("-")[0] for name in files}) / max(len(needed), 1)


def progress_line(kernel: str, seconds: float, share: float) -> str:
    """Progress in words, from a tenth on with the time left. seconds : since the beginning   share : of the kernels"""
    more = f", some {seconds * (1.0 / share - 1.0):.0f} s more" if share >= 0.1 else ""
    return f"compiling the kernels: {100.0 * share:.0f} %, now {kernel.replace('_', ' ').replace('.', ': ')}{more}"


@contextmanager
def without_collector() -> Iterator[None]:
    """Switch the garbage collector off within a block."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # into the oldest generation
        if was_on:
            gc.enable()


@contextmanager
def second_process() -> Iterator[Callable[[], object]]:
    """Start the second process; yield a function that waits for its report. The process ends with the block."""
    try:
        process = subprocess.Popen(
            interpreter.command(SECOND), env=interpreter.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        yield lambda: None
        return
    with process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline
        finally:
            process.kill()


def second(begin: Callable[[], Run]) -> None:
    """Compile what the second process compiles, for the run that begin() returns. Ends when the first process ends."""
    with ended_with_parent(), without_collector():
        run = begin()
        compile_steps(run)
        print("the steps are there", flush=True)
        compile_entry_points(run)


def compile_currents(run: Run) -> None:
    """Compile the current of a column, its slopes, and what they call, for runs like this one."""
    junction, state, tangent = run.junction, run.state, run.tangent
    for kernel, arguments in (
        (conduction.conduct_anew, (junction, state, tangent, 0.1, 0.1)),
        (conduction.conduct, (junction, state, tangent, True)),
    ):
        kernel_cache.compile_for(kernel, arguments)


def compile_around(run: Run) -> None:
    """Compile what surrounds a time step: a leap, and what is recorded of it, for runs like this one."""
    task = trial_step.StepTask(run.control, rosenbrock.Ramp(0.0, 0.0), 1.0, True)
    log = integrate.new_log(run, NO_TASKS, False)
    along = integrate.course_along(run, run.control, np.zeros((0, 4)), NO_TASKS, integrate.place_at_start(0.0))
    for kernel, arguments in (
        (trial_step.leap, (run.junction, run.state, run.tangent, run.trial, task)),
        (course.perform, (run.junction, run.state, run.tangent, run.memory, run.trial, along, log)),
    ):
        kernel_cache.compile_for(kernel, arguments)


def compile_steps(run: Run) -> None:
    """Compile the stack with electrons, a time step and its length, for runs like this one."""
    junction, state, source = run.junction, run.state, rosenbrock.Ramp(0.0, 0.0)
    for kernel, arguments in (
        (closing.close_all, (junction, state, 0.1, 0.1)),
        (electron_step.film_step, (junction, state, run.tangent, run.trial, source, 1.0, True, 1.0)),
        (pieces.first_step, (junction, run.control, state, run.trial.work, 1.0, True)),
    ):
        kernel_cache.compile_for(kernel, arguments)


def compile_entry_points(run: Run) -> None:
    """Compile the kernels that Python calls at the end of a run."""
    junction, state, log = run.junction, run.state, integrate.new_log(run, NO_TASKS, False)
    profile, E = bands.band_profile(junction, state, 0), np.zeros(2)
    for kernel, arguments in (
        (transport, (junction, state, np.empty(1), np.empty(1))),
        (electrostatics.edge, (junction.right[0], 0.0)),
        (bands.tunnelling_profile, (junction, state, 0)),
        (tunnelling.transmission, (junction.transmission, profile, E, 0.0, 1.0)),
        (fermi_dirac.supplies, (E, 0.0, junction.kT[0])),
        (run_log.write_row, (junction, state, run.tangent, 0.0, 0.0, 0.0, log)),
        (extremes.ratio_of_columns, (junction, state, run.watch)),
    ):
        kernel_cache.compile_for(kernel, arguments, from_python=True)
