"""Start from a profile of vacancies in a text file: two columns, distance from the left electrode and concentration."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.system.text_table import QuantityColumn, is_number, lines, numbers_of, units_of

COLUMNS = (QuantityColumn("x", "length"), QuantityColumn("concentration", "density"))
HEADER = "a header with units such as `x (nm), concentration (1/m^3)`"
ROUND_OFF = 1e-9  # of the thickness that a position may lie outside of the film


class StartProfile(NamedTuple):
    """Concentration along the film, straight between the points and constant outside of them."""

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

    def mean(self, thickness: float) -> float:
        """Mean concentration [1/m3] of a film [m]."""
        return float(self.below(thickness)) / thickness

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
        if rows and x <= rows[-1][0]:
            raise ValueError(
                f"{path}:{line.number}: x goes from {rows[-1][0]:g} m to {x:g} m; it rises from line to line"
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
