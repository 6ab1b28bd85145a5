"""The functions of a compact model as pieces of cubic polynomials, and a binary tree of decisions that finds the piece.

Neither Verilog-A as the free compilers know it nor SPICE has tables. A tree of log2 n comparisons is as good.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from otjdd.compact_models.error import sentence
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import DEGREE, LN10, factors, knots_of, limited, monotone, spline
from otjdd.compact_models.temperatures import monomials

if TYPE_CHECKING:
    from scipy.interpolate import CubicHermiteSpline

EDGE = 0.05  # V, over which the capacitance at an end of the range is taken
NO_WAY = "1e-6"  # share of the vacancies: less fills no way
UNSETTLED = 0.02  # of the thickness, by which a start moves at 0 V


class Pieces(NamedTuple):
    """R functions of one variable: cubic polynomials in the distance from the lower knot of each piece.

    Each factor is a polynomial of u, see `otjdd.compact_models.temperatures`; a number where there is one temperature.
    """

    knots: np.ndarray  # (n + 1,)
    factors: np.ndarray  # (n, R, 4, N) of t^0 to t^3, of u^0 to u^(N - 1)


class Functions(NamedTuple):
    """All functions of the voltage of one kind of column, and the range of its state.

    The names begin with the letter of the table: a of ln rate, b of ln conductance, c of ln limit where there is one, d of
    the charge.
    """

    groups: list[tuple[list[str], Pieces]]  # functions that share their knots: their names, their pieces
    letters: str  # of the tables
    count: int  # type: ignore[assignment]  # factors A_j of each table
    low: np.ndarray  # (N,) of u
    high: np.ndarray


def functions(model: CompactModel, t: int) -> Functions:
    """Functions of the kind of column with the number t of a model."""
    kind, each = model.kinds[t], [one.kinds[t] for one in nodes(model)]
    rates, reads = "ac" if limited(kind) else "a", "bd"
    tables = {"a": ("log_rate", LN10), "b": ("log_conductance", LN10), "c": ("log_limit", LN10), "d": ("charge", 1.0)}
    smooth = {
        letter: pieces(model, [spline(knots_of(one, name), factors(one, getattr(one, name)) * by) for one in each])
        for letter, (name, by) in tables.items()
        if letter in rates + reads
    }
    rest = pieces(model, [monotone(one.voltage, one.rest[:, None]) for one in each])
    groups = [
        ([*names_of(rates, t), f"rest{t}"], joined([*(smooth[letter] for letter in rates), rest])),
        (names_of(reads, t), joined([smooth[letter] for letter in reads])),
    ]
    ends = (by_u(model, np.array([one.state[end] for one in each])) for end in (0, -1))
    return Functions(groups, "".join(smooth), DEGREE + 1, *ends)


def nodes(model: CompactModel) -> tuple[CompactModel, ...]:
    """The model at each of its temperatures."""
    return model.nodes or (model,)


def by_u(model: CompactModel, values: np.ndarray) -> np.ndarray:
    """Factors (N, ...) of u^0 to u^(N - 1) of what has values (N, ...) at the temperatures of a model."""
    return monomials(values, model.temperatures)


def coefficient(factors: np.ndarray, u: str) -> str:
    """Text of a polynomial of u with factors (N,), the number itself for one; u : how the text names it."""
    if factors.size == 1 or not np.any(factors[1:]):
        return number(factors[0])
    text = number(factors[-1])
    for factor in factors[-2::-1]:
        text = f"({number(factor)}+{u}*{text})"
    return text.replace("+-", "-")


def own_speed(model: CompactModel, k: int, u: str, divided: bool = False) -> str:
    """Text of the speed of column k, counted from 1; `divided` by the time in which its way empties."""
    found = [one.speed[k - 1] / (one.kinds[one.kind[k - 1]].emptying if divided else 1.0) for one in nodes(model)]
    return number(found[0]) if len(found) == 1 else f"exp({coefficient(by_u(model, np.log(found)), u)})"


def fillings(model: CompactModel, k: int, u: str) -> tuple[str, str]:
    """Texts of 1/a of column k, for states that rise and that fall; 0 where a flow fills no way."""
    ways = np.array([one.kinds[one.kind[k - 1]].way for one in nodes(model)])
    found = []
    for way in ways.T:
        text = coefficient(by_u(model, way), u)
        one = number(1.0 / way[0] if way[0] > 0.0 else 0.0)
        found.append(one if np.ptp(way) == 0.0 else f"({text} > {NO_WAY} ? 1.0/{text} : 0.0)")
    return found[0], found[1]


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


def pieces(model: CompactModel, each: "Sequence[CubicHermiteSpline]") -> Pieces:
    """Pieces of scipy's piecewise cubics, one at each temperature of a model, which share their knots."""
    found = by_u(model, np.array([function.c[::-1] for function in each]))  # (N, 4, n, R)
    return Pieces(each[0].x, np.moveaxis(found, (1, 0), (-2, -1)))


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


def horner(factors: np.ndarray, variable: str, u: str) -> str:
    """Text of the polynomial with these factors (4, N); u : the text of u."""
    a, b, c, d = (coefficient(factor, u) for factor in factors)
    return f"{a}+{variable}*({b}+{variable}*({c}+{variable}*{d}))".replace("+-", "-")


def header(model: CompactModel) -> list[str]:
    """First lines of every export: model, range and error. One line each, no markup."""
    limits, about = model.limits, model.about
    lines = [
        f"Compact model of an oxide tunnel junction, extracted by otjdd {about.get('otjdd_version', '')}",
        f"case: {about.get('title', '')}, sha256 of its text {about.get('case_sha256', '')}",
        f"range: {limits.low:g} V to {limits.high:g} V at the junction, {limits.shortest:g} s to {limits.longest:g} s, "
        f"{temperature_text(model)}; what shorter pulses do is not resolved, and circuits do not tell of them",
        f"states: where the vacancies of each of {model.kind.size} columns come to rest at 0 V, 0 at p, 1 at n",
        f"reads against the solver, after drives that the extraction has not seen: {sentence(model)}",
        *start_text(model),
        *heat_text(model),
        f"not modelled: {'self-heating, ' if model.heat is None else ''}other temperatures, cycle-to-cycle noise",
    ]
    return [one_line(line) for line in lines]


def temperature_text(model: CompactModel) -> str:
    """The temperatures of a model in words."""
    found = model.temperatures
    if len(found) == 1:
        return f"{found[0]:g} K only"
    return f"{found[0]:g} K to {found[-1]:g} K, extracted at {', '.join(f'{T:g}' for T in found)} K and interpolated in 1/T"


def heat_text(model: CompactModel) -> list[str]:
    """A line on the self-heating of a model; none where it has none."""
    if model.heat is None:
        return []
    return [
        f"self-heating in circuits: {model.heat.resistance:g} K/W, {model.heat.time_constant:g} s (rth, tau, which do not "
        "follow the area); the errors told are those of the junction at the temperatures told"
    ]


def one_line(text: str) -> str:
    """A text as one line of printable ASCII: a model file comes from anywhere, and what follows a comment is code."""
    return " ".join("".join(c if c.isprintable() and c.isascii() else " " for c in text).split())


def start_text(model: CompactModel) -> list[str]:
    """A line on the start of a case that no voltage leads to, such as a film that was never written; else none."""
    moved = model.about.get("solver_start_shift", 0.0)
    if not isinstance(moved, float) or moved < UNSETTLED:
        return []
    return [
        f"start: the case begins with vacancies that are not at rest, at 0 V they move by {moved:.2g} of the thickness; "
        "this model begins where they come to rest, so reads of a film that was never written are off as told for the "
        "first pulses and sweeps of the case, until pulses of both signs have written it"
    ]
