"""Tables of a compact model, the range that they hold for, and the smooth functions that stand for them in all exports.

A table T(V, q) is fitted by Chebyshev polynomials of the state, whose factors are functions of the voltage:

    T(V, q) = sum_j A_j(V) T_j(x)        x from -1 to 1 over the range of q

Every A_j is a cubic Hermite spline, whose slope at a knot is that of the parabola through three knots. Verilog-A
has no tables; it contains the same functions as Python, as a few thousand numbers for each kind of column. In the tables
of a film that was never written (see `extraction`) the unsettled share takes the place of q.

Noise of a model is the diffusion of its state by ions that hop at random, as a table beside that of the rate:

    dq = F dt + sqrt(2 D) dW        v = D/r = phi(V_j, q) [(q_rest - a)(b - q) + (b - q_rest)(q - a)] / (2 n)

a and b are the ends of the range of q, and n is the number of ions of the column. With phi = 1 each ion is in one of two
wells and crosses between them independently of the others: v is then the variance of a binomial number at rest, and D half
the sum of both one-way flows. phi states how far crossings are correlated. Ions that repel each other come to rest with
less variance. Where no barrier is left, an ion stops and starts many times on its way, and its scatter averages out. phi is
of the order of 1, while D spans thirty decades. A step of duration h adds a normal number of variance
v [1 - exp(-2 r h)], which is 2 D h for a short step and v for a long one.

phi follows from the one-way fluxes along runs at constant voltage, without random numbers, see `hop_noise`.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike

from otjdd.errors import NotAsExpected
from otjdd.system.late import scipy

EDGE = 1e-9  # relative distance by which a value may exceed the range
CHARGED = 10.0  # charging times below which a pulse is delayed: 30 ns miss 0.08 decades, 50 ns none (li2019)
NEIGHBOURS = 201  # breakpoints around the top of a pulse within which its flanks are searched


class Range(NamedTuple):
    """The range that a model holds for."""

    low: float = -4.5  # V at the junction
    high: float = 4.5  # V
    shortest: float = 20e-9  # s
    longest: float = 1e4  # s


class SelfHeating(NamedTuple):
    """A thermal node, which only circuits contain: C dT/dt = I V_j - (T - T0)/R."""

    resistance: float  # K/W, R: the rise over the electric power I V_j
    time_constant: float  # s, R C


def shortest_pulse(pieces: np.ndarray) -> float:
    """Shortest full width at half maximum [s] of the pulses of either sign along pieces (P, 4).

    pieces : times [s] and voltages [V] at both ends
    A pulse is a rise and a fall of the voltage. A read behind the fall does not lengthen the pulse.
    """
    time, voltage = pieces[:, :2].ravel(), pieces[:, 2:].ravel()
    shortest = np.inf
    for sign in (1.0, -1.0):
        V = np.maximum(sign * voltage, 0.0)
        bends = np.ones(V.size, bool)
        bends[1:-1] = (V[1:-1] != V[:-2]) | (V[1:-1] != V[2:])
        t, V = np.pad(time[bends], 1, mode="edge"), np.pad(V[bends], 1)
        peaks, _ = scipy.signal.find_peaks(V)
        _, _, left, right = scipy.signal.peak_widths(V, peaks, rel_height=0.5, wlen=NEIGHBOURS)
        at = np.arange(V.size)
        shortest = min(shortest, float((np.interp(right, at, t) - np.interp(left, at, t)).min(initial=np.inf)))
    return shortest


def times_outside(limits: Range, pieces: np.ndarray, charging: float) -> str:
    """Times of a waveform outside of the range, in words; "" if there are none.

    pieces : (P, 4) as in `shortest_pulse`   charging : [s], with which circuits charge the junction
    """
    short, long, texts = shortest_pulse(pieces), float(np.max(pieces[:, 1] - pieces[:, 0])), []
    if short < limits.shortest * (1.0 - 1e-6):
        texts.append(f"a pulse of {short:.3g} s, shorter than {limits.shortest:g} s")
    elif short < CHARGED * charging:
        texts.append(
            f"a pulse of {short:.3g} s, in which the series resistance delays the voltage by about {charging:.2g} s"
        )
    if long > limits.longest * (1.0 + 1e-6):
        texts.append(f"a voltage held for {long:.3g} s, longer than {limits.longest:g} s")
    return " and ".join(texts)


LN10 = float(np.log(10.0))
DEGREE = 8  # of the polynomials: 0.01 decades rms of the rate, 0.004 of the conductance; 14 improves no read
SHARE_DEGREE = 6  # of those of the unsettled share
SETTLING = "log_settling", "settling_move", "excess"  # tables of that share
UNLIMITED = 99.0  # log10 of a rate in 1/s that stands for no limit
OFF_STATES = 1e-3  # of the thickness: largest distance of a state of rest from the range of the state
CHARGE_DECADES = 40.0  # decades of conductance that weigh as much as the span of the charge: 0.01 as 2.5e-4 of it
View = Callable[[Sequence[np.ndarray]], np.ndarray]  # tables -> the numbers whose error counts


class Use(NamedTuple):
    """The rates of a kind of column that matter."""

    slowest: float  # smallest speed of its columns
    fastest: float  # largest speed
    floor: float  # 1/s: slower columns do not move within the longest time
    ceiling: float  # 1/s: faster columns come to rest within the shortest time


class Tables(NamedTuple):
    """Current and rate of one kind of column at P junction voltages and Q states."""

    voltage: np.ndarray  # (P,) V, ascending
    state: np.ndarray  # (Q,) ascending: position of rest of the vacancies, in thicknesses; (1,) if they do not move
    rest: np.ndarray  # (P,) state of rest of each voltage
    log_rate: np.ndarray  # (P, Q) log10 of the relaxation rate in 1/s that hops allow, of a column of speed 1
    log_limit: np.ndarray  # (P, Q) log10 of the limit of the rate in 1/s; UNLIMITED for none
    conductance_voltage: np.ndarray  # (R,) V, ascending; the current needs other knots than the rate, where bands meet
    log_conductance: np.ndarray  # (R, Q) log10 of I/V_j in S, of a column that is the whole area
    way: np.ndarray  # (2,) share of the vacancies that fills the way between the wells: for states that rise, that fall
    emptying: float  # s, time constant in which the way empties at rest
    electron_ratio: np.ndarray  # (R,) largest film_electron_ratio of any state at the voltages of the conductance
    charge: np.ndarray  # (R, Q) C/m2, of the left terminal, at the voltages of the conductance
    share: np.ndarray  # (S,) knots of the unsettled share, from 0 to 1; (1,) where the case begins at rest
    log_settling: np.ndarray  # (P, S) log10 of the rate in 1/s at which that share decays, of a column of speed 1
    settling_move: np.ndarray  # (P, S) change of the state by a share that settles
    excess: np.ndarray  # (P, S) decades of conductance that a share of 1 adds


def begun_at_rest(knots: int) -> dict[str, np.ndarray]:
    """Tables of the unsettled share for a column that begins at rest. knots : of the voltage"""
    return {"share": np.zeros(1)} | {name: np.zeros((knots, 1)) for name in SETTLING}


def spline(knots: np.ndarray, values: np.ndarray) -> "scipy.interpolate.CubicHermiteSpline":
    """Cubic Hermite spline through values (n, ...), as scipy's CubicHermiteSpline.

    Its slopes at a knot are those of the parabola through the values there and at both neighbours.
    """
    return scipy.interpolate.CubicHermiteSpline(knots, values, np.gradient(values, knots, axis=0, edge_order=2))


def monotone(knots: np.ndarray, values: np.ndarray) -> "scipy.interpolate.CubicHermiteSpline":
    """Monotone spline (PCHIP) through values (n,), as scipy's CubicHermiteSpline."""
    return scipy.interpolate.PchipInterpolator(knots, values)


def stays(tables: Tables) -> bool:
    """True for columns whose vacancies do not move: they have one state."""
    return tables.state.size == 1


def state_knots(tables: Tables, name: str) -> np.ndarray:
    """Knots of the state that the table of this name is a function of."""
    return tables.share if name in SETTLING else tables.state


def degree(tables: Tables, name: str) -> int:
    """Degree of the polynomials of the state in the table of this name."""
    if state_knots(tables, name).size == 1:
        return 0
    return SHARE_DEGREE if name in SETTLING else DEGREE


def scaled_states(knots: np.ndarray, state: ArrayLike) -> np.ndarray:
    """States scaled to x from -1 to 1 over the range of their knots; 0 for one knot."""
    if knots.size == 1:
        return np.zeros(np.shape(state))
    return 2.0 * (np.asarray(state) - knots[0]) / (knots[-1] - knots[0]) - 1.0


def polynomials(tables: Tables, name: str, state: np.ndarray) -> np.ndarray:
    """Chebyshev polynomials (n, `degree` + 1) of states (n,) of the table of this name."""
    return chebyshev.chebvander(scaled_states(state_knots(tables, name), state), degree(tables, name))


def chebyshev_factors(tables: Tables, name: str, table: np.ndarray | None = None) -> np.ndarray:
    """A_j (P, `degree` + 1) of the table of this name at its voltages, by least squares over the knots of the state.

    table : (P, ...) another table at the same states
    """
    table = getattr(tables, name) if table is None else table
    at_knots = polynomials(tables, name, state_knots(tables, name))
    values: np.ndarray = np.linalg.lstsq(at_knots, table.T, rcond=None)[0]
    return values.T


def knots_of(tables: Tables, name: str) -> np.ndarray:
    """Voltages [V] at the knots of the table of this name."""
    return tables.conductance_voltage if name in ("log_conductance", "charge") else tables.voltage


def evaluated(tables: Tables, name: str, voltage: np.ndarray, state: np.ndarray) -> np.ndarray:
    """The smooth function of the table of this name on a grid (F, S) of voltages (F,) and states (S,)."""
    return spline(knots_of(tables, name), chebyshev_factors(tables, name))(voltage) @ polynomials(tables, name, state).T


def combined_rate(log_rate: np.ndarray, log_limit: np.ndarray, speed: float) -> np.ndarray:
    """log10 of the rate [1/s] of a column of a speed: 1/r^2 = 1/(speed rate)^2 + 1/limit^2."""
    return -0.5 * np.logaddexp(-2.0 * LN10 * (log_rate + np.log10(speed)), -2.0 * LN10 * log_limit) / LN10


def limited_rates(log_rate: np.ndarray, log_limit: np.ndarray, use: Use) -> np.ndarray:
    """log10 of the rates (2, ...) of the slowest and the fastest column, limited to floor and ceiling."""
    both = [combined_rate(log_rate, log_limit, speed) for speed in (use.slowest, use.fastest)]
    return np.clip(both, np.log10(use.floor), np.log10(use.ceiling))


def in_decades(rows: np.ndarray, span: float) -> np.ndarray:
    """Rows (..., 2, Q) of log10 of the conductance and of the charge, with the charge scaled to decades by CHARGE_DECADES.

    span : of the charge [C/m2]
    """
    return np.asarray(rows) * np.array([1.0, CHARGE_DECADES / span if span > 0.0 else 0.0])[:, None]


def common_knots(of_nodes: Sequence[Tables], use: Use, rate_tolerance: float, tolerance: float) -> list[Tables]:
    """Tables without the knots of the voltage that an interpolation of the others replaces, within tolerances [decades].

    of_nodes : tables with the same knots
    """
    first, count = of_nodes[0], len(of_nodes)
    rates = stacked_tables(of_nodes, "log_rate"), stacked_tables(of_nodes, "log_limit")
    few = needed_knots(first.voltage, rates, lambda few: limited_rates(few[0], few[1], use), rate_tolerance)
    rows = np.stack((stacked_tables(of_nodes, "log_conductance"), stacked_tables(of_nodes, "charge")), axis=1)
    span = max(float(np.ptp(tables.charge)) for tables in of_nodes)
    read = needed_knots(first.conductance_voltage, (rows,), lambda few: in_decades(few[0], span), tolerance)
    log_rate, log_limit = (np.split(table[few], count, axis=1) for table in rates)
    log_conductance, charge = np.split(rows[read, 0], count, axis=1), np.split(rows[read, 1], count, axis=1)
    return [
        tables._replace(
            voltage=tables.voltage[few], rest=tables.rest[few], log_rate=log_rate[n], log_limit=log_limit[n],
            conductance_voltage=tables.conductance_voltage[read], log_conductance=log_conductance[n],
            electron_ratio=tables.electron_ratio[read], charge=charge[n],
            **{name: getattr(tables, name)[few] for name in SETTLING},
        )
        for n, tables in enumerate(of_nodes)
    ]  # fmt: skip


def stacked_tables(of_nodes: Sequence[Tables], name: str) -> np.ndarray:
    """The tables of this name of N Tables, side by side: (P, N Q)."""
    return np.concatenate([getattr(tables, name) for tables in of_nodes], axis=1)


def needed_knots(voltage: np.ndarray, tables: Sequence[np.ndarray], view: View, tolerance: float) -> np.ndarray:
    """Indices of the voltages without which a view of tables (P, Q) would change by more than a tolerance.

    Both ends and 0 V stay: a parabola needs three knots.
    """
    left, whole = np.arange(voltage.size), view(tables)
    for i in range(1, voltage.size - 1):
        if voltage[i] == 0.0:
            continue
        trial = left[left != i]
        seen_now = view([spline(voltage[trial], table[trial])(voltage) for table in tables])
        if np.abs(seen_now - whole).max() <= tolerance:
            left = trial
    return left


def check_tables(tables: Tables) -> None:
    """Raise NotAsExpected for tables that give no compact model."""
    for name, values in tables._asdict().items():
        if not np.isfinite(values).all():
            count = np.count_nonzero(~np.isfinite(values))
            raise NotAsExpected(f"finite numbers in the table {name}", f"{count} that are not")
    for name in ("voltage", "state", "conductance_voltage", "share"):
        if not (np.diff(getattr(tables, name)) > 0.0).all():
            raise NotAsExpected(f"knots of the {name} that ascend", "some that do not")
    if tables.rest.min() < tables.state[0] - OFF_STATES or tables.rest.max() > tables.state[-1] + OFF_STATES:
        raise NotAsExpected("states of rest within the range of the state", "one outside of it")


TURN = 0.1  # V, over which the factor of the rates of a device goes from that below 0 V to that above
LARGEST_SEED = 2**63
WORDS = 3  # of a stream of random numbers: two of its key, and the number of steps that have drawn from it
NO_STREAMS = np.zeros((0, WORDS), np.int64)  # of junctions without noise


FACTORS = (
    "current at the lower end of the state",
    "current at the upper end of the state",
    "rate above 0 V",
    "rate below 0 V",
)  # by which devices differ


class NoiseTables(NamedTuple):
    """The scatter of one kind of column at P junction voltages and Q states."""

    voltage: np.ndarray  # (P,) V, ascending
    state: np.ndarray  # (Q,) ascending, those of its `Tables`
    log_scatter: np.ndarray  # (P, Q) log10 of phi
    ions: float  # of a column that is the whole area
    log_read: np.ndarray  # (Q,) log10 of n times the variance of ln G at one state, by ions within the wells
    log_white: np.ndarray  # (P, Q) log10 of n times the white level in 1/Hz of ln G by these ions, at speed 1
    log_corner: np.ndarray  # (P, Q) log10 of the frequency in Hz above which this spectrum falls, at speed 1


class DeviceSpread(NamedTuple):
    """How devices differ, by log-normal factors, see `noise_error`."""

    covariance: np.ndarray  # (4, 4) of ln of FACTORS
    devices: int  # number of devices of the covariance
    source: str  # of the differences, in words


class ModelNoise(NamedTuple):
    """The noise of a compact model."""

    kinds: tuple[NoiseTables, ...]  # of each kind of column
    spread: DeviceSpread | None = None  # None where all devices are alike


class ReadNoise(NamedTuple):
    """Scatter of reads by ions within the wells, drawn anew for each read.

    sigma : of ln G at junction voltages (n,) [V] and positions (n, K)   columns : K
    """

    sigma: Callable[[np.ndarray, np.ndarray], np.ndarray]
    columns: int
    rng: np.random.Generator

    def factors(self, reads: np.ndarray) -> np.ndarray:
        """Factors (R,) of the currents of reads at V_j, I and states (R, 2 + 2 K)."""
        sigma = self.sigma(reads[:, 0], reads[:, 2 : 2 + self.columns])
        return np.exp(sigma * self.rng.standard_normal(len(reads)))


def noise_between_nodes(
    noise: ModelNoise | None, of_nodes: Sequence[ModelNoise | None], share: np.ndarray
) -> ModelNoise | None:
    """The noise of a model, with tables interpolated between its nodes; None without it. share : (N,) weights, sum 1"""
    if noise is None:
        return None
    kinds = []
    for of_kind in zip(*(node.kinds for node in of_nodes if node is not None), strict=True):
        blended: list[Any] = [np.tensordot(share, np.array(values), axes=1) for values in zip(*of_kind, strict=True)]
        tables = NoiseTables(*blended)
        kinds.append(tables._replace(ions=float(tables.ions)))
    return noise._replace(kinds=tuple(kinds))


def ln_scatter(tables: NoiseTables, voltage: np.ndarray, state: np.ndarray) -> np.ndarray:
    """ln phi on a grid (F, S) of voltages (F,) and states (S,), clipped to the extremes of the table."""
    if tables.state.size == 1:
        return np.zeros((voltage.size, state.size))
    low, high = tables.log_scatter.min(), tables.log_scatter.max()
    by_voltage = np.clip(spline(tables.voltage, tables.log_scatter)(voltage), low, high)
    rows = [np.interp(state, tables.state, row) for row in by_voltage]
    return LN10 * np.array(rows)


def checked_seed(seed: object) -> int:
    """A seed as an integer. Raises NotAsExpected for anything else than a whole number from 0 to 2^63 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < LARGEST_SEED:
        raise NotAsExpected("a seed that is a whole number from 0 to 2^63 - 1", repr(seed))
    return int(seed)
