"""Straight pieces of the source voltage, the place of the ions on them, and the trial steps of this or of another run."""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.stepping.error_norm import Control

# counts of a call: steps accepted, rejected, rejected for a concentration outside its bounds, tried; and the cell with the
# largest error in the last rejected step
COUNTS = 5
ACCEPTED, REJECTED, UNPHYSICAL, TRIED, WORST_CELL = range(COUNTS)
# columns of a piece: start and end [s], source voltage at the start and at the end [V]
FROM, UNTIL, V_FROM, V_UNTIL = range(4)


@by_pointer
class Place(NamedTuple):
    """Place of the ions on a course; arrays (1,), updated."""

    piece: np.ndarray  # number of the piece
    elapsed: np.ndarray  # s, in the piece
    step: np.ndarray  # s, of the next step; 0 where it is chosen anew
    settled_at: np.ndarray  # V, of the source where the state is settled; nan where it is not
    last_norm: np.ndarray  # error norm of the last step since an edge, 0 before the first
    last_step: np.ndarray  # s, its length
    leaps: np.ndarray  # of the stack since the voltage jumped or turned
    rejected: np.ndarray  # 1 where the last trial step was rejected, else 0


@by_pointer
class Course(NamedTuple):
    """Straight pieces of the source voltage, the place of the ions on them, and the trial steps between.

    The trial steps of a call are written into `trials`, or, where they are `given`, taken from it: those of another run,
    also the rejected ones, after which the current is known elsewhere. A step is negative where it was rejected, infinite
    to the end of its piece, and nan where it was a leap, which has its time from one run alone.
    """

    pieces: np.ndarray  # (P, 4) FROM, UNTIL, V_FROM, V_UNTIL
    tasks: np.ndarray  # (P,) bits of `course`: EDGE at the start; OBSERVE, READ, KEEP at the end
    place: Place
    counts: np.ndarray  # (COUNTS,) ACCEPTED, REJECTED, UNPHYSICAL, TRIED, WORST_CELL; updated
    trials: np.ndarray  # (max_steps,) s, of this call; (0,) for none
    given: bool  # a step that was accepted in the other run and is rejected in this one ends the call
    lenient: Control  # of steps that were accepted in the other run


@bare
def next_trial(course: Course, dt: float, remaining: float):
    """The next trial step [s], whether it ends the piece, and whether it was accepted in another run that gave it.

    dt : step that the error control allows [s]   remaining : of the piece [s]
    """
    if course.given:
        step = course.trials[course.counts[TRIED] - 1]
        last = abs(step) == math.inf
        return remaining if last else abs(step), last, not step < 0.0
    last = dt >= 0.99 * remaining
    return remaining if last else min(dt, 0.5 * remaining), last, False


@bare
def note_trial(course: Course, step: float, accepted: bool, last: bool, leapt: bool):
    """Note the trial step [s] that was made last, for other runs. last : it ends the piece"""
    if course.given or course.trials.size == 0:
        return
    if leapt:
        step = math.nan
    elif last:
        step = math.inf
    course.trials[course.counts[TRIED] - 1] = step if accepted else -step
