"""The trial steps in time of one run, which runs of slightly other parameters take as well.

The numbers of such runs differ by the parameters alone: they are smooth functions of them, without the jumps of the error
control where it takes one step more or less. Their differences are derivatives, however small.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MOST = 2.0  # error norm, and factor of the ions out of bounds, up to which a step that another run accepted is accepted


class Trail(NamedTuple):
    """Trial steps of a run [s], in order, as of `pieces.Course`.

    parts : of the trail, added while the run goes on
    given : (S,) of another run, taken by this one; None where this run chooses its own
    """

    parts: list[np.ndarray]
    given: np.ndarray | None = None

    @property
    def trials(self) -> np.ndarray:
        """All trial steps (S,) of this run."""
        return np.concatenate(self.parts) if self.parts else np.zeros(0)

    def fill(self, trials: np.ndarray, first: int) -> None:
        """Fill an array with the trial steps that are given, from number `first` on, and with 0 beyond them."""
        if self.given is not None:
            ahead = self.given[first : first + len(trials)]
            trials[: len(ahead)], trials[len(ahead) :] = ahead, 0.0
