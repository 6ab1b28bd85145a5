"""Tables of a compact model, and the smooth functions of voltage and state that all its forms share.

A table T(V, q) becomes a sum of Chebyshev polynomials of the state whose factors are functions of the voltage,

    T(V, q) = sum_j A_j(V) T_j(x)        x from -1 to 1 over the range of q

and every A_j a cubic Hermite spline with slopes of parabolas through three knots. Verilog-A and SPICE, which have no
tables, then hold the same function as Python does, in a few thousand numbers that all columns of a kind share.
"""

from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from otjdd.errors import NotAsExpected

DEGREE = 12  # of the polynomials: 0.005 decades rms of the rate, 0.003 of the conductance; 20 would halve both


class Tables(NamedTuple):
    """Current and rate of one kind of column at P junction voltages and Q states."""

    voltage: np.ndarray  # (P,) V, ascending
    state: np.ndarray  # (Q,) ascending: where the vacancies come to rest, from 0 to 1 of the thickness
    rest: np.ndarray  # (P,) state that the voltage leads to
    log_rate: np.ndarray  # (P, Q) log10 of the relaxation rate in 1/s
    log_conductance: np.ndarray  # (P, Q) log10 of I/V_j in S, of a column that is the whole area
    way: np.ndarray  # (2,) share of the vacancies that fills the way between the wells: states that rise, that fall
    emptying: float  # s, in which the way empties at rest


def slopes(knots: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Slopes at knots (n,) of the parabolas through values (n, ...) at a knot and its neighbours."""
    return np.gradient(values, knots, axis=0, edge_order=2)


def spline(knots: np.ndarray, values: np.ndarray):
    """Cubic Hermite spline through values (n, ...), as scipy's CubicHermiteSpline."""
    from scipy.interpolate import CubicHermiteSpline

    return CubicHermiteSpline(knots, values, slopes(knots, values))


def monotone(knots: np.ndarray, values: np.ndarray):
    """Monotone spline (PCHIP) through values (n,), as scipy's CubicHermiteSpline."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(knots, values)


def unit(tables: Tables, state) -> np.ndarray:
    """States as x from -1 to 1 over their range."""
    return 2.0 * (np.asarray(state) - tables.state[0]) / (tables.state[-1] - tables.state[0]) - 1.0


def factors(tables: Tables, table: np.ndarray) -> np.ndarray:
    """A_j (P, DEGREE + 1) at the knots of the voltage, by least squares over the knots of the state."""
    return np.linalg.lstsq(chebyshev.chebvander(unit(tables, tables.state), DEGREE), table.T, rcond=None)[0].T


def evaluated(tables: Tables, table: np.ndarray, voltage: np.ndarray, state: np.ndarray) -> np.ndarray:
    """The smooth function of a table on a grid (F, S) of voltages (F,) and states (S,)."""
    return spline(tables.voltage, factors(tables, table))(voltage) @ chebyshev.chebvander(unit(tables, state), DEGREE).T


def thinned(tables: Tables, rate_tolerance: float, tolerance: float) -> Tables:
    """The tables without the voltages at which the others say the same, to a tolerance in decades."""
    kept = np.arange(tables.voltage.size)
    for i in range(1, tables.voltage.size - 1):
        trial = kept[kept != i]
        told = [spline(tables.voltage[trial], table[trial])(tables.voltage) - table for table in tables[3:5]]
        if np.abs(told[0]).max() <= rate_tolerance and np.abs(told[1]).max() <= tolerance and tables.voltage[i] != 0.0:
            kept = trial
    return Tables(tables.voltage[kept], tables.state, *(table[kept] for table in tables[2:5]), *tables[5:])


def check(tables: Tables, tolerance: float = 1e-3) -> None:
    """Raise NotAsExpected for tables that no compact model can stand on."""
    for name, values in tables._asdict().items():
        if not np.isfinite(values).all():
            count = np.count_nonzero(~np.isfinite(values))
            raise NotAsExpected(f"finite numbers in the table {name}", f"{count} that are not")
    for name in ("voltage", "state"):
        if not (np.diff(getattr(tables, name)) > 0.0).all():
            raise NotAsExpected(f"knots of the {name} that ascend", "some that do not")
    fall = np.diff(tables.rest).min(initial=0.0)
    if fall < -tolerance:
        at = tables.voltage[np.argmin(np.diff(tables.rest))]
        raise NotAsExpected(
            "a state of rest that moves one way with the voltage",
            f"one that moves back by {-fall:.2g} above {at:.3g} V",
        )
    if tables.rest.min() < tables.state[0] - tolerance or tables.rest.max() > tables.state[-1] + tolerance:
        raise NotAsExpected("states of rest within the range of the state", "one outside of it")
