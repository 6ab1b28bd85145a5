"""The functions of a compact model as text: pieces of cubic polynomials, and a binary tree that finds the piece.

The Verilog-A of free compilers has no tables. A tree of log2 n comparisons replaces them.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from otjdd.compact_models import noise_error
from otjdd.compact_models.axes import TEMPERATURE, monomials
from otjdd.compact_models.error import error_sentence
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import LN10, UNLIMITED, chebyshev_factors, degree, knots_of, monotone, spline
from otjdd.system.late import jinja2, scipy

SETTLING_LETTERS = "kmz"
NAMES = {
    "a": "rate", "b": "cond", "c": "limit", "d": "charge", "k": "settle", "m": "move", "z": "excess", "s": "phi",
    "i": "white", "o": "corner",
}  # letter of a table -> its name in the text  # fmt: skip
LEAST_TERM = 1e-6  # of the largest term of a table: smaller ones are left out, and coefficients are rounded to it
NOISE_LETTERS, NOISE_TABLES = "sio", ("log_scatter", "log_white", "log_corner")
EDGE = 0.05  # V: interval of the difference that gives the capacitance at an end of the range
NO_WAY = "1e-6"  # share of the vacancies that fill the way, below which there is no delay
UNSETTLED = 0.02  # of the thickness: larger moves of an initial state at 0 V are mentioned in the header


class Pieces(NamedTuple):
    """R functions of one variable: cubic polynomials of the place, from 0 to 1, within each of n pieces.

    Each coefficient is a polynomial of u1, u2, ... (see `otjdd.compact_models.axes`), or a number without an axis.
    """

    knots: np.ndarray  # (n + 1,)
    factors: np.ndarray  # (n, R, 4, N1, ...) of t^0 to t^3, of u1^0 to u1^(N1 - 1), ...


class Functions(NamedTuple):
    """All functions of the voltage of one kind of column, and the range of its state.

    A name begins with that of its table, see NAMES. Letters: a for ln rate, b for ln conductance, c for ln limit if there
    is one, d for the charge; k, m, z for rate, move and excess of the unsettled share; s for ln phi, i and o for ln of
    white level and corner of the noise within the wells.
    """

    groups: list[tuple[list[str], Pieces]]  # names and pieces of functions that share their knots
    letters: str  # of the tables
    count: int  # type: ignore[assignment]  # factors A_j of each table; 1 for columns of one state, which stays
    shares: int  # factors of the tables of the unsettled share, 0 where columns begin at rest
    low: np.ndarray  # (N1, ...) by powers of u1, ...
    high: np.ndarray
    reads: (
        np.ndarray
    )  # (count, N1, ...) by the same: of ln of the variance of ln G by ions within the wells, times ions


def functions(model: CompactModel, t: int) -> Functions:
    """Functions of kind t of the columns of a model."""
    kind, of_nodes = model.kinds[t], [own.kinds[t] for own in nodes(model)]
    count, shares = degree(kind, "log_rate") + 1, degree(kind, "excess") + 1 if kind.share.size > 1 else 0
    limited = (kind.log_limit < UNLIMITED).any()  # by the attempt frequency
    rates, reads, settling = "ac" if limited else "a", "bd", SETTLING_LETTERS if shares else ""
    tables = {"a": ("log_rate", LN10), "b": ("log_conductance", LN10), "c": ("log_limit", LN10), "d": ("charge", 1.0)}
    tables |= {"k": ("log_settling", LN10), "m": ("settling_move", 1.0), "z": ("excess", LN10)}
    smooth = {
        letter: table_pieces(
            model, [spline(knots_of(own, name), chebyshev_factors(own, name) * by) for own in of_nodes]
        )
        for letter, (name, by) in tables.items()
        if letter in rates + reads + settling
    }
    rest = table_pieces(model, [monotone(own.voltage, own.rest[:, None]) for own in of_nodes])
    groups = [
        (
            [*names_of(rates, t, count), *names_of(settling, t, shares), f"rest{t}"],
            on_shared_knots([*(smooth[letter] for letter in rates + settling), rest]),
        ),
        (names_of(reads, t, count), on_shared_knots([smooth[letter] for letter in reads])),
    ]
    noises = [own.noise.kinds[t] for own in nodes(model) if own.noise is not None]
    if noises:
        scatters = [
            table_pieces(model, [
                spline(noise.voltage, chebyshev_factors(own, "log_rate", getattr(noise, name)) * LN10)
                for own, noise in zip(of_nodes, noises, strict=True)
            ])
            for name in NOISE_TABLES
        ]  # fmt: skip
        groups.append((names_of(NOISE_LETTERS, t, count), on_shared_knots(scatters)))
    low, high = (monomials(np.array([own.state[end] for own in of_nodes]), model.axes) for end in (0, -1))
    within = [
        chebyshev_factors(own, "log_rate", noise.log_read[None, :])[0] * LN10
        for own, noise in zip(of_nodes, noises, strict=False)
    ]
    wells = monomials(np.array(within), model.axes) if within else np.zeros((0, 1))
    return Functions(groups, rates + reads + NOISE_LETTERS * bool(noises), count, shares, low, high, wells)


def nodes(model: CompactModel) -> tuple[CompactModel, ...]:
    """The models at the nodes of a model, itself without an axis."""
    return model.nodes or (model,)


def coefficient(factors: np.ndarray, names: Sequence[str] = ("u1", "u2", "u3")) -> str:
    """Text of a polynomial with coefficients (N1, ...) by the powers of variables with these names; a number for one."""
    if factors.ndim == 0:
        return exact(float(factors))
    if not np.any(factors[1:]):
        return coefficient(factors[0], names[1:])
    text = coefficient(factors[-1], names[1:])
    for factor in factors[-2::-1]:
        text = f"({coefficient(factor, names[1:])}+{names[0]}*{text})"
    return text.replace("+-", "-")


def own_speed(model: CompactModel, k: int, divided: bool = False) -> str:
    """Text of the speed of column k, counted from 1. divided : divide it by the time in which the way empties"""
    speeds = [node.speed[k - 1] / (node.kinds[node.kind[k - 1]].emptying if divided else 1.0) for node in nodes(model)]
    return number(speeds[0]) if len(speeds) == 1 else f"exp({coefficient(monomials(np.log(speeds), model.axes))})"


def filling_texts(model: CompactModel, k: int) -> tuple[str, str]:
    """Texts of 1/a of column k, a the share that fills the way, for states that rise and that fall; 0 without filling."""
    ways = np.array([node.kinds[node.kind[k - 1]].way for node in nodes(model)])
    texts = []
    for way in ways.T:
        text = coefficient(monomials(way, model.axes))
        node = number(1.0 / way[0] if way[0] > 0.0 else 0.0)
        texts.append(node if np.ptp(way) == 0.0 else f"({text} > {NO_WAY} ? 1.0/{text} : 0.0)")
    return texts[0], texts[1]


def names_of(letters: str, t: int, count: int) -> list[str]:
    """Names of the factors A_j of tables (letters) of kind t of the columns. count : factors of each table"""
    return [f"{NAMES[letter]}{t}_{j}" for letter in letters for j in range(count)]


def on_shared_knots(parts: list[Pieces]) -> Pieces:
    """Functions that share their knots as one."""
    return Pieces(parts[0].knots, np.concatenate([part.factors for part in parts], axis=1))


def edge_capacitance(model: CompactModel) -> float:
    """Capacitance [F/m2] beyond the range of voltages: the smaller one of both ends, in the initial state."""
    low, high = model.limits.low, model.limits.high
    voltage = np.array([low, low + EDGE, high - EDGE, high])
    charge = model.charge(voltage, np.broadcast_to(model.start, (4, model.kind.size)))
    return max(0.0, float(np.diff(charge)[::2].min()) / EDGE)


def table_pieces(model: CompactModel, splines: "Sequence[scipy.interpolate.CubicHermiteSpline]") -> Pieces:
    """Pieces of scipy's piecewise cubics of one table. splines : one for each node of a model, with the same knots

    Terms below LEAST_TERM of the largest are left out. Coefficients are decimal numbers of so few digits that all of a
    table are sums of one unit. So a piece ends, to the last bit but one, where the next begins: Newton's method of a
    simulator goes to and fro over a jump.
    """
    coefficients = monomials(np.array([function.c[::-1] for function in splines]), model.axes)  # (4, n, R, N1, ...)
    table = np.moveaxis(coefficients, 0, 2)  # (n, R, 4, N1, ...)
    width = np.diff(splines[0].x).reshape(-1, 1, 1, *[1] * (table.ndim - 3))
    table = table * width ** np.arange(4.0).reshape(4, *[1] * (table.ndim - 3))
    whole = float(np.abs(table).max(initial=0.0))
    if whole > 0.0:
        digits = int(-np.floor(np.log10(LEAST_TERM * whole)))
        units = np.rint(np.where(np.abs(table) < LEAST_TERM * whole, 0.0, table) * 10.0**digits)
        units[:-1, :, 3] += units[1:, :, 0] - units[:-1].sum(axis=2)
        table = np.array([round(value / 10.0**digits, digits) for value in units.ravel()]).reshape(table.shape) + 0.0
    return Pieces(splines[0].x, table)


def tree(knots: np.ndarray, leaf: Callable[[int], str], branch: Callable[[float, str, str], str]) -> str:
    """Text that finds the piece of a value.

    leaf : (number of a piece) -> its text   branch : (knot, text below it, text above it) -> text of the decision
    """

    def grown(first: int, last: int) -> str:
        if last - first == 1:
            return leaf(first)
        middle = (first + last) // 2
        return branch(float(knots[middle]), grown(first, middle), grown(middle, last))

    return grown(0, len(knots) - 1)


def number(value: float) -> str:
    """A number as text that Verilog-A and netlists read."""
    return f"{float(value):.9g}"


def number_texts(values: Iterable[float]) -> str:
    """Numbers as text, with commas."""
    return ", ".join(map(number, values))


@cache
def templates() -> "jinja2.Environment":
    """The templates of this folder, for jinja2, with the filters `number`, `numbers` and `g`."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters |= {"number": number, "numbers": number_texts, "g": "{:g}".format}
    return environment


def filled_template(template: str, **values: Any) -> str:
    """Text of a template with values, by its name without `.jinja`."""
    return templates().get_template(f"{template}.jinja").render(values)


def exact(value: float) -> str:
    """A number as text with all of its digits.

    With fewer, pieces of a table do not meet at their knots, and Newton's method of a simulator jumps between two of them.
    """
    return repr(float(value))


def horner(factors: np.ndarray, variable: str) -> str:
    """Text of the cubic polynomial of a variable with coefficients (4, N1, ...), without terms that are 0."""
    text = ""
    for factor in factors[::-1]:
        own = coefficient(factor) if np.any(factor) else ""
        inner = f"({text})" if "+" in text or "*" in text else text
        text = "+".join(filter(None, (own, f"{variable}*{inner}" if inner else "")))
    return text.replace("+-", "-") or "0.0"


def export_header(model: CompactModel) -> list[str]:
    """The first lines of every export: case, range, error, and what the model leaves out. No markup."""
    T, moved = model.temperatures, model.about.get("solver_start_shift", 0.0)
    header = templates().overlay(finalize=lambda value: printable(str(value))).get_template("header.jinja")
    noise: list[str] = []
    if model.noise is not None:
        noise = [
            f"noise: of {model.ions.sum():.4g} ions that hop one by one, in {model.area:.4g} m2; circuits follow it with a "
            "frame, the time for which a random number is constant: a tenth of the shortest pulse; no time step is longer",
            *noise_error.noise_lines(model),
            *noise_error.spread_lines(model),
            *filter(None, [noise_error.negligible_noise(model)]),
        ]
    text = header.render(
        model=model, about=model.about, limits=model.limits, error=error_sentence(model), noise=noise,
        drawn=any(model.differences.values()), charging=charge_rises(model),
        temperatures=f"{T[0]:g} K only" if len(T) == 1 else f"{T[0]:g} K to {T[-1]:g} K, extracted at "
        f"{', '.join(f'{value:g}' for value in T)} K and interpolated in 1/T",
        parameters=[
            (axis.name, axis.key, axis.text(own), ", ".join(map(axis.text, axis.values)))
            for axis, own in zip(model.axes, model.point, strict=True)
            if axis.key != TEMPERATURE
        ],
        moved=f"{moved:.2g}" if isinstance(moved, float) and moved >= UNSETTLED else "",
    )  # fmt: skip
    return [one_line(line) for line in text.rstrip("\n").split("\n")]


def charge_rises(model: CompactModel) -> bool:
    """True where the charge falls with a rising voltage at no state: behind a resistance no circuit is stable with less."""
    return all(float(of_kind[1].min()) >= 0.0 for own in nodes(model) for of_kind in own.charges)


def printable(text: str) -> str:
    """A text with blanks in place of all but printable ASCII. Texts of a model file are not trusted: a new line would end
    a comment.
    """
    return "".join(c if c.isprintable() and c.isascii() else " " for c in text)


def one_line(text: str) -> str:
    """A text as one line of printable ASCII."""
    return " ".join(printable(text).split())
