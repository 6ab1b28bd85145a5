"""Noise of a compact model: the diffusion of its state by ions that hop at random, as a table beside that of the rate.

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

from otjdd.compact_models.tables import LN10, spline
from otjdd.errors import NotAsExpected

TURN = 0.1  # V, over which the factor of the rates of a device goes from that below 0 V to that above
LARGEST_SEED = 2**63
WORDS = 3  # of a stream of random numbers: two of its key, and the number of steps that have drawn from it


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
    """How devices differ, by log-normal factors, see `device_factors`."""

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


def streams(count: int, seed: int) -> np.ndarray:
    """Streams (count, WORDS) of random numbers of a seed, one for each junction. Raises NotAsExpected."""
    from otjdd.mechanisms.single_ions.walk import threefry

    whole = checked_seed(seed)
    low, high = whole & 0xFFFFFFFF, whole >> 32
    keys = [(*threefry(low, high, number, 0), 0) for number in range(count)]
    return np.array(keys, np.int64).reshape(count, WORDS)


def no_streams() -> np.ndarray:
    """Streams (0, WORDS) of junctions without noise."""
    return np.zeros((0, WORDS), np.int64)


def checked_seed(seed: object) -> int:
    """A seed as an integer. Raises NotAsExpected for anything else than a whole number from 0 to 2^63 - 1."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < LARGEST_SEED:
        raise NotAsExpected("a seed that is a whole number from 0 to 2^63 - 1", repr(seed))
    return int(seed)
