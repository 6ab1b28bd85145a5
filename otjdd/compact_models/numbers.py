"""Checks of the numbers of a compact model from a file: a junction must be able to have them."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from otjdd.compact_models.limits import Range
from otjdd.compact_models.tables import Tables, check_tables, stays
from otjdd.errors import NotAsExpected

FEWEST_KNOTS = 3  # as a parabola needs
SUM = 1e-6  # allowed difference of the sum of the shares of the area from 1

Rule = tuple[str, Callable[[np.ndarray], np.ndarray]]
POSITIVE: Rule = ("a number above 0", lambda value: value > 0.0)
NOT_NEGATIVE: Rule = ("a number of at least 0", lambda value: value >= 0.0)
SHARE: Rule = ("a share from 0 to 1", lambda value: (value >= 0.0) & (value <= 1.0))
RULES = {
    "resistance": NOT_NEGATIVE, "temperature": POSITIVE, "thickness": POSITIVE, "area": POSITIVE,
    "speed": POSITIVE, "weight": NOT_NEGATIVE, "emptying": POSITIVE,
    "way": SHARE,
    "unsettled": SHARE, "share": SHARE, "shortest": POSITIVE, "longest": POSITIVE, "electron_ratio": NOT_NEGATIVE,
}  # fmt: skip


def check_model(
    kinds: tuple[Tables, ...], columns: dict[str, np.ndarray], numbers: dict[str, float], limits: Range
) -> None:
    """Raise NotAsExpected for numbers that no junction has.

    columns : kind, speed, weight, start and unsettled (K,)   numbers : resistance, temperature, thickness and area
    """
    for tables in kinds:
        check_tables(tables)
        check_rules({name: getattr(tables, name) for name in ("emptying", "way", "electron_ratio", "share")})
        for name in ("voltage", "state", "conductance_voltage"):
            if getattr(tables, name).size < FEWEST_KNOTS and not (name == "state" and stays(tables)):
                raise NotAsExpected(f"{FEWEST_KNOTS} knots of the {name} at least", str(getattr(tables, name).size))
        if (tables.charge[-1] < tables.charge[0]).any():
            raise NotAsExpected("a charge of the left terminal that rises with the voltage", "one that falls")
    check_rules(
        numbers | limits._asdict() | {name: columns[name] for name in ("speed", "weight", "start", "unsettled")}
    )
    if not (limits.low < limits.high and limits.shortest <= limits.longest):
        raise NotAsExpected("a range of voltages and one of times", str(limits))
    check_columns(kinds, columns)


def check_columns(kinds: tuple[Tables, ...], columns: dict[str, np.ndarray]) -> None:
    """Raise NotAsExpected for columns with missing numbers or tables, invalid initial states, or shares that miss 1."""
    kind = columns["kind"]
    if len({values.shape for values in columns.values()}) > 1:
        raise NotAsExpected("a kind, speed, weight, start and unsettled share of each column", "lists of unlike length")
    if not (kind.size and np.isin(kind, np.arange(len(kinds))).all()):
        raise NotAsExpected(f"columns of the kinds 0 to {len(kinds) - 1}", np.array2string(kind, threshold=8))
    if abs(columns["weight"].sum() - 1.0) > SUM:
        raise NotAsExpected("shares of the area whose sum is 1", f"{columns['weight'].sum():g}")
    ends = np.array([(tables.state[0], tables.state[-1]) for tables in kinds])[kind.astype(int)]
    if not ((columns["start"] >= ends[:, 0] - SUM) & (columns["start"] <= ends[:, 1] + SUM)).all():
        raise NotAsExpected("columns that begin within the states of their tables", "one that does not")


def check_rules(values: Mapping[str, ArrayLike]) -> None:
    """Raise NotAsExpected for a number that is not finite, or that breaks its rule."""
    for name, value in values.items():
        expected, rule = RULES.get(name, ("a number", np.isfinite))
        wrong = ~(np.isfinite(value) & rule(np.asarray(value)))
        if np.any(wrong):
            raise NotAsExpected(f"{expected} for {name}", f"{np.atleast_1d(value)[np.atleast_1d(wrong)][0]:g}")
