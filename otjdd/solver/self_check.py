"""Check of the compiled kernels: a short run with a known answer, before any other run of a process.

It costs some 5 ms, once in a process. The answer holds for any time stepping that is accurate: ions driven to the
right electrode and half of the way back, electrons read after that.

Before it kernels that any run calls are compiled, where there are none yet, in two processes that share the kernel cache.
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
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import parse_case
from otjdd.compiler import kernel_cache
from otjdd.errors import KernelError
from otjdd.physics import bands, channels, columns, electrostatics
from otjdd.solver import integrate, model
from otjdd.solver.integrate import Run
from otjdd.stepping import course, film_step, rosenbrock, run_log, step_control, trial_step
from otjdd.system import interpreter
from otjdd.system.pool import ended_with_parent

log = logging.getLogger(__name__)


TOLERANCE = 1e-3  # relative: wrong machine code differs by more, a finer quadrature by less
CASE = """
title = "a small junction with a known answer"
temperature = "300 K"
drive = { kind = "hold", voltage = "0 V", duration = "1 s" }
numerics = { rtol = 1e-7, atol = 1e-9, current_tolerance = 1e-5 }
[device]
radius = "10 um"
conducting_fraction = 1e-4
[device.left]
kind = "metal"
barrier = "0.7 eV"
screening_length = "0.05 nm"
[device.film]
thickness = "2.8 nm"
cells = 12
grading = 3
permittivity = { law = "nonlinear", b = "1.4e10 V/m", a = "2.65e15 V^2/m^2", eps_inf = 5 }
tunnelling_mass = 0.5
[device.right]
kind = "semiconductor"
band_offset = "0 eV"
doping = "1.4e26 1/m^3"
density_of_states = "1e26 1/m^3"
permittivity = { law = "nonlinear", b = "1.2e10 V/m", a = "1.64e15 V^2/m^2", eps_inf = 20 }
[ions]
density = "2e26 1/m^3"
site_density = "1e28 1/m^3"
law = "mott-gurney"
hop_distance = "0.4 nm"
activation_energy = "0.45 eV"
prefactor = "5e-7 m^2/s"
well_right = "0.3 eV"
well_width = "0.3 nm"
[circuit]
series_resistance = "10 ohm"
"""


class KnownNumbers(NamedTuple):
    """Numbers that the check compares."""

    mean_position: float  # m
    band_edge: float  # eV, of the film at the right electrode
    electrode_charge: float  # C/m2
    conductance: float  # S
    transport_energy: float  # eV


# Computed by this code with rtol 1e-9 and 1e-10 and a current tolerance of 1e-8; the two agree to nine digits.
EXPECTED = KnownNumbers(
    mean_position=1.469103221e-09,
    band_edge=-0.02165316336,
    electrode_charge=-0.1789309256,
    conductance=0.008393122995,
    transport_energy=0.02768404777,
)


@cache
def verify_kernels() -> None:
    """Check the kernels; compile them where there are none. Raises KernelError, and removes them, when they are wrong."""
    if kernel_cache.is_empty():
        log.warning("compiling the kernels: about a minute, once for this version on this machine")
        compile_kernels(begin_known)
        if kernel_cache.is_empty() or kernel_cache.COUNTS["not kept"]:
            log.warning(
                "the compiled kernels cannot be kept in %s, and the next run compiles them again: is the disk full? "
                "NUMBA_CACHE_DIR names another folder", kernel_cache.folder(),
            )  # fmt: skip
    wrong = difference_from_known(computed_answer())
    if not wrong:
        return
    kernel_cache.forget()
    raise KernelError(
        f"the compiled kernels gave wrong numbers on this machine: {wrong}. They are removed: the next command compiles "
        "them again"
    )


def begin_known(**changes: Any) -> integrate.Run:
    """The run at its start. changes : of the case."""
    case = parse_case(CASE).replace(**changes)
    parts = model.members(case)
    c = model.uniform(case, parts)
    return integrate.begin(model.junction(case, parts=parts), c, rtol=case.numerics.rtol, atol=case.numerics.atol)


def begin_between_metals() -> integrate.Run:
    """A run of the same types, without the tables of a semiconductor and the kernels that make them."""
    return begin_known(**{"device.right": {"kind": "metal", "barrier": "0.7 eV"}})


def computed_answer(**changes: Any) -> KnownNumbers:
    """Numbers at the end of the run."""
    run = begin_known(**changes)
    for voltage, duration in ((1.5, 4e-7), (-1.0, 2e-7)):
        integrate.jump(run, voltage)
        integrate.follow_piece(run, duration, voltage, voltage, False)
    integrate.jump(run, 0.1)
    conductance, _, _, energy, _ = channels.transport(
        run.junction, run.state, run.tangent.present, np.empty(len(run.junction.channels.code))
    )
    junction, c = run.junction, run.state.c[0]
    width = junction.columns.width[0]
    position = float((c * width) @ (width.cumsum() - width / 2) / (c @ width))
    edge = float(electrostatics.edge(junction.right[0], -run.state.D_right[0])[0])
    return KnownNumbers(position, edge, float(run.state.D_left[0]), conductance, energy)


def difference_from_known(answer: KnownNumbers) -> str:
    """Differences from the known answer in words; "" when there are none."""
    for name, value, expected in zip(KnownNumbers._fields, answer, EXPECTED, strict=True):
        if not abs(value - expected) <= TOLERANCE * abs(expected):
            return f"{name.replace('_', ' ')} {value:.6g}, known to be {expected:.6g}"
    return ""


BETWEEN = 10.0  # s between two lines of progress
NO_TASKS = np.zeros(0, np.int64)
SECOND = "from otjdd.solver import self_check; self_check.second(self_check.begin_between_metals)"


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
            interpreter.interpreter_command(SECOND), env=interpreter.environment(), stdin=subprocess.DEVNULL,
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
        (columns.conduct_anew, (junction, state, tangent, 0.1, 0.1)),
        (columns.conduct, (junction, state, tangent, True)),
    ):
        kernel_cache.compile_for(kernel, arguments)


def compile_around(run: Run) -> None:
    """Compile what surrounds a time step: a leap, and what is recorded of it, for runs like this one."""
    task = trial_step.StepTask(run.control, rosenbrock.Ramp(0.0, 0.0), 1.0, True)
    log = integrate.new_log(run, NO_TASKS, False)
    steps = integrate.course_along(run, run.control, np.zeros((0, 4)), NO_TASKS, integrate.place_at_start(0.0))
    for kernel, arguments in (
        (trial_step.leap, (run.junction, run.state, run.tangent, run.trial, task)),
        (course.perform, (run.junction, run.state, run.tangent, run.memory, run.trial, steps, log)),
    ):
        kernel_cache.compile_for(kernel, arguments)


def compile_steps(run: Run) -> None:
    """Compile the stack with electrons, a time step and its length, for runs like this one."""
    junction, state, source = run.junction, run.state, rosenbrock.Ramp(0.0, 0.0)
    for kernel, arguments in (
        (columns.close_all, (junction, state, 0.1, 0.1)),
        (film_step.film_step, (junction, state, run.tangent, run.trial, source, 1.0, True, 1.0)),
        (step_control.first_step, (junction, run.control, state, run.trial.work, 1.0, True)),
    ):
        kernel_cache.compile_for(kernel, arguments)


def compile_entry_points(run: Run) -> None:
    """Compile the kernels that Python calls at the end of a run."""
    junction, state, log = run.junction, run.state, integrate.new_log(run, NO_TASKS, False)
    for kernel, arguments in (
        (channels.transport, (junction, state, np.empty(1), np.empty(1))),
        (electrostatics.edge, (junction.right[0], 0.0)),
        (bands.band_diagram, (junction, state, 0)),
        (channels.current_by_energy, (junction, state, 0)),
        (run_log.write_row, (junction, state, run.tangent, 0.0, 0.0, 0.0, log)),
        (run_log.ratio_of_columns, (junction, state, run.watch)),
    ):
        kernel_cache.compile_for(kernel, arguments, from_python=True)
