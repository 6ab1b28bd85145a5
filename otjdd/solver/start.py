"""What a run starts from, what it keeps, and where a result ends: the memory of a state by name, all of it or none.

Runs of slightly other parameters take the trial steps in time of one run as well. The numbers of such runs differ by
the parameters alone: they are smooth functions of them, without the jumps of the error control where it takes one step
more or less. Their differences are derivatives, however small, as long as both runs evaluate the current in the same
steps and follow its tangent in the others.

A profile of vacancies is a text file of two columns, distance from the left electrode and concentration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.system.late import xr
from otjdd.system.text_files import QuantityColumn, is_number, lines, numbers_of, units_of
from otjdd.variables import OUTPUT

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


def bounded(c: np.ndarray, width: np.ndarray, c_max: np.ndarray) -> np.ndarray:
    """Concentrations (K, N) [1/m3] between zero and the sites c_max (K, N), which steps leave by some 1e-6 of the ions.

    What is missing below zero is taken from all cells of a column in proportion to what they hold, what is too much is
    given to them in proportion to their free sites: no ion is lost. A column with more missing than it holds has emptied
    into its electrodes, to the accuracy of the steps: it is empty. The run itself goes on from c (`step_control.outside`).
    """
    within: np.ndarray = np.clip(c, 0.0, c_max)
    if (within == c).all():
        return within
    missing = ((within - c).clip(min=0.0) * width).sum(axis=1, keepdims=True)
    excess = ((c - within).clip(min=0.0) * width).sum(axis=1, keepdims=True)
    ions, free = ((part * width).sum(axis=1, keepdims=True) for part in (within, c_max - within))
    less = np.divide(missing, ions, out=np.ones_like(ions), where=ions > missing)
    more = np.divide(excess, free, out=np.zeros_like(free), where=excess > 0.0)
    whole: np.ndarray = within + more * (c_max - within) - less * within
    return whole


LENIENT = (
    2.0  # error norm, and factor of the ions out of bounds, up to which a step that another run accepted is accepted
)


# Steps of one call, whose currents are counted. In short loops of 12 to 24 cells, nine of 288 slopes were off by more than
# 1 %: with 16 all of these runs had other counts than the run that they followed, with 64 two of them had the same ones.
TOGETHER = 16


class Steps(NamedTuple):
    """What a run leaves for others to follow.

    trials : (S,) trial steps [s], in order, as of `step_control.Course`
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


COLUMNS = (QuantityColumn("x", "length"), QuantityColumn("concentration", "density"))
HEADER = "a header with units such as `x (nm), concentration (1/m^3)`"
ROUND_OFF = 1e-9  # of the thickness that a position may lie outside of the film


class StartProfile(NamedTuple):
    """Concentration along the film, straight between the points and constant outside of them.

    It jumps where two points have the same x.
    """

    x: np.ndarray  # (P,) m, rising
    c: np.ndarray  # (P,) 1/m3

    def below(self, x: ArrayLike) -> np.ndarray:
        """Vacancies per area [1/m2] between 0 and each x [m]."""
        area = np.concatenate(([0.0], np.cumsum(0.5 * np.diff(self.x) * (self.c[1:] + self.c[:-1]))))
        x = np.asarray(x, dtype=float)
        i = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 1)
        after = x - self.x[i]  # negative left of the first point
        inside = np.minimum(i + 1, len(self.x) - 1)
        step = self.x[inside] - self.x[i]
        slope = np.divide(self.c[inside] - self.c[i], step, out=np.zeros(x.shape), where=(step > 0.0) & (after > 0.0))
        below: np.ndarray = self.c[0] * self.x[0] + area[i] + after * (self.c[i] + 0.5 * slope * after)
        return below

    def cells(self, faces: np.ndarray) -> np.ndarray:
        """Mean concentration (N,) [1/m3] of cells between faces (N+1,) [m]: as many vacancies as in the file."""
        return np.diff(self.below(faces)) / np.diff(faces)


def read_profile(path: str | Path, thickness: float, site_density: float) -> StartProfile:
    """Profile of a text file for a film of a thickness [m] with a site density [1/m3].

    Columns are divided by a comma, semicolon, tab or spaces; `#` begins a comment; the first line names both columns with
    their units in brackets. Raises OSError when the file cannot be read, ValueError ("file:line: ...") for what is not a
    profile of this film.
    """
    path = Path(path)
    text_rows = lines(path)
    if not text_rows or is_number(text_rows[0].cells[0]):
        raise ValueError(f"{path}:{text_rows[0].number if text_rows else 1}: expected {HEADER}")
    scale = units_of(path, text_rows[0], COLUMNS)
    length, density = scale
    if length is None or density is None:
        raise ValueError(f"{path}:{text_rows[0].number}: expected {HEADER}")
    rows: list[tuple[float, float]] = []
    for line in text_rows[1:]:
        x, c = numbers_of(path, line, COLUMNS)
        x, c = x * length, c * density
        if any(x < before for before, _ in rows[-1:]) or [x, x] == [before for before, _ in rows[-2:]]:
            raise ValueError(
                f"{path}:{line.number}: x goes from {rows[-1][0]:g} m to {x:g} m; it rises from line to line, "
                "but for two rows at a jump"
            )
        if not -ROUND_OFF * thickness <= x <= thickness * (1.0 + ROUND_OFF):
            raise ValueError(f"{path}:{line.number}: x = {x:g} m is outside of the film, 0 to {thickness:g} m")
        if not 0.0 <= c < site_density:
            raise ValueError(
                f"{path}:{line.number}: {c:g} 1/m^3; a concentration lies between 0 and the site density, {site_density:g}"
            )
        rows.append((x, c))
    if len(rows) < 2:
        raise ValueError(f"{path}:{text_rows[-1].number}: {len(rows)} rows of numbers; a profile has at least two")
    if not any(c > 0.0 for _, c in rows):
        raise ValueError(f"{path}:{text_rows[-1].number}: a profile without vacancies")
    x_of, c_of = np.array(rows).T
    return StartProfile(x_of, c_of)
