"""The trial steps in time of one run, which runs of slightly other parameters take as well.

The numbers of such runs differ by the parameters alone: they are smooth functions of them, without the jumps of the error
control where it takes one step more or less. Their differences are derivatives, however small, as long as both runs
evaluate the current in the same steps and follow its tangent in the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

MOST = 2.0  # error norm, and factor of the ions out of bounds, up to which a step that another run accepted is accepted
# Steps of one call, whose currents are counted. In short loops of 12 to 24 cells, nine of 288 slopes were off by more than
# 1 %: with 16 all of these runs had other counts than the run that they followed, with 64 two of them had the same ones.
TOGETHER = 16


class Steps(NamedTuple):
    """What a run leaves for others to follow.

    trials : (S,) trial steps [s], in order, as of `pieces.Course`
    currents : (C,) of channels of columns, evaluated in each call of the kernels
    """

    trials: np.ndarray
    currents: np.ndarray

    def alike(self, other: Steps) -> bool:
        """True if another run evaluated as many currents in each call."""
        return np.array_equal(self.currents, other.currents)


NO_STEPS = Steps(np.zeros(0), np.zeros(0, np.int64))


@dataclass
class Trail:
    """The steps of a run, noted while it goes on.

    given : steps of another run, taken by this one; None where this run chooses its own
    count : trial steps so far
    """

    given: Steps | None = None
    parts: list[np.ndarray] = field(default_factory=list)
    currents: list[int] = field(default_factory=list)
    count: int = 0

    @property
    def steps(self) -> Steps:
        """All steps of this run so far."""
        trials = np.concatenate(self.parts) if self.parts else NO_STEPS.trials
        return Steps(trials, np.array(self.currents, np.int64))

    def fill(self, trials: np.ndarray) -> None:
        """Fill an array with the trial steps that are given, from where this run is, and with 0 beyond them."""
        if self.given is not None:
            ahead = self.given.trials[self.count : self.count + len(trials)]
            trials[: len(ahead)], trials[len(ahead) :] = ahead, 0.0

    def note(self, trials: np.ndarray, currents: int) -> None:
        """Note the trial steps of a call, and the currents that were evaluated in it."""
        self.parts.append(trials.copy())
        self.count += len(trials)
        self.currents.append(currents)
