"""The functions of a compact model as pieces of cubic polynomials, and a binary tree of decisions that finds the piece.

Neither Verilog-A as the free compilers know it nor SPICE has tables. A tree of log2 n comparisons is as good.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from otjdd.compact_models.error import sentence
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import DEGREE, LN10, factors, knots_of, limited, monotone, spline

if TYPE_CHECKING:
    from scipy.interpolate import CubicHermiteSpline

EDGE = 0.05  # V, over which the capacitance at an end of the range is taken
UNSETTLED = 0.02  # of the thickness, by which a start moves at 0 V


class Pieces(NamedTuple):
    """R functions of one variable: cubic polynomials in the distance from the lower knot of each piece."""

    knots: np.ndarray  # (n + 1,)
    factors: np.ndarray  # (n, R, 4) of t^0 to t^3


class Functions(NamedTuple):
    """All functions of the voltage of one kind of column, and the range of its state.

    The names begin with the letter of the table: a of ln rate, b of ln conductance, c of ln limit where there is one, d of
    the charge.
    """

    groups: list[tuple[list[str], Pieces]]  # functions that share their knots: their names, their pieces
    letters: str  # of the tables
    count: int  # type: ignore[assignment]  # factors A_j of each table
    low: float
    high: float


def functions(model: CompactModel, t: int) -> Functions:
    """Functions of the kind of column with the number t of a model."""
    kind = model.kinds[t]
    rates, reads = "ac" if limited(kind) else "a", "bd"
    tables = {"a": ("log_rate", LN10), "b": ("log_conductance", LN10), "c": ("log_limit", LN10), "d": ("charge", 1.0)}
    smooth = {
        letter: pieces(spline(knots_of(kind, name), factors(kind, getattr(kind, name)) * scale))
        for letter, (name, scale) in tables.items()
        if letter in rates + reads
    }
    rest = pieces(monotone(kind.voltage, kind.rest[:, None]))
    groups = [
        ([*names_of(rates, t), f"rest{t}"], joined([*(smooth[letter] for letter in rates), rest])),
        (names_of(reads, t), joined([smooth[letter] for letter in reads])),
    ]
    return Functions(groups, "".join(smooth), DEGREE + 1, float(kind.state[0]), float(kind.state[-1]))


def names_of(letters: str, t: int) -> list[str]:
    """Names of the factors of tables of the kind of column with the number t."""
    return [f"{letter}{t}_{j}" for letter in letters for j in range(DEGREE + 1)]


def joined(parts: list[Pieces]) -> Pieces:
    """Functions that share their knots as one."""
    return Pieces(parts[0].knots, np.concatenate([each.factors for each in parts], axis=1))


def edge_capacitance(model: CompactModel) -> float:
    """Capacitance [F/m2] beyond the range of voltages: the smaller one of its ends, in the state at time 0."""
    low, high = model.limits.low, model.limits.high
    voltage = np.array([low, low + EDGE, high - EDGE, high])
    charge = model.charge(voltage, np.broadcast_to(model.start, (4, model.kind.size)))
    return max(0.0, float(np.diff(charge)[::2].min()) / EDGE)


def polynomial(j: int, variable: str) -> str:
    """Text of the Chebyshev polynomial of degree j."""
    powers = chebyshev.cheb2poly([0.0] * j + [1.0])
    text = number(powers[-1])
    for power in powers[-2::-1]:
        text = f"({text})*{variable}" + (f"+{number(power)}" if power else "")
    return text.replace("+-", "-")


def pieces(function: "CubicHermiteSpline") -> Pieces:
    """Pieces of one of scipy's piecewise cubics."""
    return Pieces(function.x, np.moveaxis(function.c[::-1], 0, -1))


def tree(knots: np.ndarray, leaf: Callable[[int], str], branch: Callable[[float, str, str], str]) -> str:
    """Text that finds the piece of a value: branch(knot, text below it, text above it) down to leaf(number of a piece)."""

    def grown(first: int, last: int) -> str:
        if last - first == 1:
            return leaf(first)
        middle = (first + last) // 2
        return branch(float(knots[middle]), grown(first, middle), grown(middle, last))

    return grown(0, len(knots) - 1)


def number(value: float) -> str:
    """A number as all these languages read it."""
    return f"{float(value):.9g}"


def horner(factors: np.ndarray, variable: str) -> str:
    """Text of the polynomial with these factors (4,)."""
    a, b, c, d = map(number, factors)
    return f"{a}+{variable}*({b}+{variable}*({c}+{variable}*{d}))".replace("+-", "-")


def header(model: CompactModel) -> list[str]:
    """First lines of every export: model, range and error. One line each, no markup."""
    limits, about = model.limits, model.about
    lines = [
        f"Compact model of an oxide tunnel junction, extracted by otjdd {about.get('otjdd_version', '')}",
        f"case: {about.get('title', '')}, sha256 of its text {about.get('case_sha256', '')}",
        f"range: {limits.low:g} V to {limits.high:g} V at the junction, {limits.shortest:g} s to {limits.longest:g} s, "
        f"{model.temperature:g} K only; what shorter pulses do is not resolved, and circuits do not tell of them",
        f"states: where the vacancies of each of {model.kind.size} columns come to rest at 0 V, 0 at p, 1 at n",
        f"reads against the solver, after drives that the extraction has not seen: {sentence(model)}",
        *start_text(model),
        "not modelled: self-heating, other temperatures, cycle-to-cycle noise",
    ]
    return [one_line(line) for line in lines]


def one_line(text: str) -> str:
    """A text as one line of printable ASCII: a model file comes from anywhere, and what follows a comment is code."""
    return " ".join("".join(c if c.isprintable() and c.isascii() else " " for c in text).split())


def start_text(model: CompactModel) -> list[str]:
    """A line on the start of a case that no voltage leads to, such as a film that was never written; else none."""
    moved = float(model.about.get("solver_start_shift", 0.0))
    if moved < UNSETTLED:
        return []
    return [
        f"start: the case begins with vacancies that are not at rest, at 0 V they move by {moved:.2g} of the thickness; "
        "this model begins where they come to rest, so reads of a film that was never written are off as told for the "
        "first pulses and sweeps of the case, until pulses of both signs have written it"
    ]
