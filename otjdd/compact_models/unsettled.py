"""The share of the vacancies of a film that was never written which has not settled, from runs that begin with that film.

In such a film most vacancies are on the way between the two wells. They settle in the wells, at 0 V within the settling
time. Until then the state q does not describe them. A further state does: the unsettled share w of these vacancies, 1 in a
uniform film and 0 at rest:

    dw/dt = -l(V_j, w) w        dq/dt = ... + m(V_j, w) l w        ln G = ... + w e(V_j, w)

A run from the uniform film at each voltage gives the rate l, the move m of the state q by a share that settles, and the
excess e. The rate l is proportional to the speed of a column: the limit by the attempt frequency matters only
at times shorter than those of the range. The charge of the junction is that of a film at rest.
"""

import numpy as np

from otjdd.compact_models import bench as on_bench
from otjdd.compact_models.bench import Bench
from otjdd.compact_models.branches import states_of
from otjdd.compact_models.ends import SETTLED, uniform
from otjdd.compact_models.tables import Tables, Use, evaluated, monotone
from otjdd.system.pool import Spread

KNOTS = 9  # of the share
EMPTIED = 0.5  # of the mean concentration: cells with less, once a uniform film is at rest, are on the way
LEAST = 0.25  # smaller initial shares count as settled: a set that has just ended leaves 0.12 on the way
PER_DECADE = 8  # samples per decade of time
APART = 0.02  # smallest difference of the shares of two samples, and smallest share of a sample
NONE = 1e-9  # least share, and least change of a share, in quotients
FIRST, BEYOND = 1e-2, 10.0  # first sample over the shortest time that matters; margin of the rates that matter


def shares(bench: Bench, settling: float, c: np.ndarray) -> np.ndarray:
    """Unsettled shares (n,) of concentrations (n, N) [1/m3]. settling : time [s] in which vacancies settle at 0 V"""
    film = uniform(bench)
    rest = on_bench.concentrations_after(bench, film, 0.0, settling)
    on_way = np.where(rest[0] < EMPTIED * bench.density, bench.junction.columns.width[0], 0.0)
    start, end = float(film[0] @ on_way), float(rest[0] @ on_way)
    if start - end < EMPTIED * start or start == 0.0:  # a film that stays as it is
        return np.zeros(len(c))
    return np.clip((c @ on_way - end) / (start - end), 0.0, 1.0)


def with_settling(bench: Bench, tables: Tables, use: Use, longest: float, spread: Spread) -> tuple[Tables, int]:
    """Tables with those of the unsettled share, and the number of runs. longest : [s]"""
    knots = np.linspace(0.0, 1.0, KNOTS)
    times = np.geomspace(
        FIRST * use.slowest / use.ceiling, longest * use.fastest,
        1 + round(PER_DECADE * np.log10(longest * use.fastest * use.ceiling / (FIRST * use.slowest))),
    )  # fmt: skip
    rows = np.zeros((tables.voltage.size, 3, KNOTS))
    for number, row in spread(settling_at, [(bench, tables, use, times, knots, V) for V in tables.voltage]):
        rows[number] = row
    return tables._replace(
        share=knots, log_settling=rows[:, 0], settling_move=rows[:, 1], excess=rows[:, 2]
    ), tables.voltage.size


def settling_at(
    bench: Bench, tables: Tables, use: Use, times: np.ndarray, knots: np.ndarray, voltage: float
) -> np.ndarray:
    """Log10 of the rate, move and excess (3, S) at a voltage [V] and shares (S,), from a run sampled at times (n,) [s]."""
    settling = SETTLED * tables.emptying
    stations = np.concatenate([uniform(bench), *on_bench.stations(bench, uniform(bench), voltage, times)])
    share, time = shares(bench, settling, stations), np.append(0.0, times)
    chosen = apart(share)
    q = np.clip(states_of(bench, stations[chosen], settling), tables.state[0], tables.state[-1])
    share, time = share[chosen], time[chosen]
    V = np.array([voltage])
    at_rest, rates = (evaluated(tables, name, V, q)[0] for name in ("log_conductance", "log_rate"))
    conductance = on_bench.readings(bench, stations[chosen], voltage).conductance
    away = monotone(tables.voltage, tables.rest)(voltage) - q
    lasts, lost, middle = np.diff(time), np.maximum(-np.diff(share), NONE), 0.5 * (share[1:] + share[:-1])
    slowest, fastest = np.log10(use.floor / use.fastest / BEYOND), np.log10(use.ceiling / use.slowest * BEYOND)
    rate = np.clip(np.log10(np.log1p(lost / np.maximum(share[1:], NONE)) / lasts), slowest, fastest)
    drift = -away[:-1] * np.expm1(-(10.0 ** (0.5 * (rates[1:] + rates[:-1]))) * lasts)
    move, some = np.clip((np.diff(q) - drift) / lost, -1.0, 1.0), share > APART
    excess = (np.log10(conductance) - at_rest)[some] / share[some]
    samples = (middle, rate), (middle, move), (share[some], excess)
    return np.array([np.interp(knots, at[::-1], values[::-1]) for at, values in samples])


def apart(share: np.ndarray) -> np.ndarray:
    """Indices of samples of falling shares (n,): the first, and those APART below the last chosen sample; two at least."""
    chosen = [0]
    for i in range(1, share.size):
        if share[i] > APART and share[chosen[-1]] - share[i] > APART:
            chosen.append(i)
    return np.array(chosen if len(chosen) > 1 else [0, 1])
