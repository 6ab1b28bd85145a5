"""What a run starts from, what it keeps, and where a result ends: the memory of a state by name, all of it or none.

Runs of slightly other parameters take the trial steps in time of one run as well. The numbers of such runs differ by
the parameters alone: they are smooth functions of them, without the jumps of the error control where it takes one step
more or less. Their differences are derivatives, however small, as long as both runs evaluate the current in the same
steps and follow its tangent in the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.variables import OUTPUT

if TYPE_CHECKING:
    import xarray as xr

Start = dict[str, np.ndarray]  # memory of a state by name, see `otjdd.variables`; what is absent is as the case says


class KeptState(NamedTuple):
    """A state kept during a run."""

    time: float  # s
    voltage: float  # V, of the source
    junction_voltage: float  # V
    D_left: np.ndarray  # (K,) C/m2
    D_right: np.ndarray  # (K,)
    stack: np.ndarray  # (K, W) fields, band and charges, `integrate.stack_arrays` side by side
    start: Start  # of a run that goes on from here

    @property
    def c(self) -> np.ndarray:
        """Concentrations (K, N) [1/m3]."""
        return self.start["c"]


def at_snapshot(ds: xr.Dataset, number: int) -> Start:
    """State of a result at one of its snapshots, of which there are some."""
    return {name: ds[output].values[number] for name, output in OUTPUT.items() if output in ds}


def without(start: Start, *names: str) -> Start:
    """A start but for some of its variables."""
    return {name: value for name, value in start.items() if name not in names}


LENIENT = (
    2.0  # error norm, and factor of the ions out of bounds, up to which a step that another run accepted is accepted
)
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
