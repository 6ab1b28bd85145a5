"""The first run on a machine: kernels are compiled by two processes, the currents by this one, the time step by a second.

Each half takes some 20 s. Both processes share the kernel cache. If the second process fails, this one compiles the rest.
"""

import subprocess
from collections.abc import Callable
from contextlib import contextmanager

from otjdd.physics import jit_cache
from otjdd.solver import integrate
from otjdd.system import interpreter
from otjdd.system.pool import ended_with_parent

SECOND = "from otjdd.solver import compile_ahead, self_check; compile_ahead.second(self_check.begin)"


def compile_kernels(run) -> None:
    """Compile all large kernels for runs like this one, which has not started."""
    with second_process():
        integrate.jump(run, 0.1)


@contextmanager
def second_process():
    """Process that compiles the time step. The block waits for its end, and ends it when interrupted."""
    try:
        process = subprocess.Popen(
            interpreter.command(SECOND), env=interpreter.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        yield
        return
    try:
        yield
        process.wait()
    finally:
        process.kill()
        process.wait()


def second(begin: Callable) -> None:
    """Work of the second process, for the run that begin() returns. It ends with the first one."""
    with ended_with_parent():
        compile_step(begin())


def compile_step(run) -> None:
    """Compile the time step and the kernels it calls for runs like this one, without taking a step."""
    from otjdd.physics import electron_step, rosenbrock, stepper
    from otjdd.physics import state as states

    junction, control, state = run.junction, run.control, run.state
    trial, source = rosenbrock.new_trial(*state.c.shape, False), rosenbrock.Ramp(0.0, 0.0)
    new, error = trial.state, trial.work.error
    for kernel, arguments in (
        (rosenbrock.rosenbrock_step, (junction, state, run.tangent, trial, source, 1.0, True)),
        (electron_step.electron_step, (junction, state, run.tangent, trial, source, 1.0, True)),
        (stepper.first_step, (junction, control, state, trial.work, 1.0)),
        (stepper.confine, (junction, new.c)),
        (states.copy_state, (new, state)),
        (stepper.worst_cell, (control, state.c, new.c, error)),
    ):
        jit_cache.compile_for(kernel, arguments)
