"""Exact residence-time Monte Carlo of ions in the cells of a column: every hop by itself, with the rates of the solver."""

import numpy as np

from otjdd.compiler.decorators import kernel
from otjdd.physics.ions import DOWNHILL, UPHILL, G
from otjdd.physics.junction import close, fill_hops


@kernel
def follow(junction, state, work, n, area, V, times, uniforms, counts):
    """Fill counts (M, N) with the ions in the cells at times (M,) [s], from n (N,); returns the number of hops.

    uniforms : of a generator, two for each hop; -1 when they do not suffice
    """
    columns, N, t, row, used = junction.columns, n.size, 0.0, 0, 0
    rates = np.zeros(2 * N)
    while row < times.size:
        for i in range(N):
            state.c[0, i] = n[i] / (columns.width[0, i] * area)
        if not close(junction, state, 0, V, 1e-12):
            return -1
        fill_hops(junction, state, 0, columns.site[0], work, False)
        total = 0.0
        for f in range(1, N):
            rate = columns.diffusivity[0, f] / columns.distance[0, f] * work[G, f] * area
            c_max, left, right = junction.ions[0].c_max, state.c[0, f - 1], state.c[0, f]
            rates[2 * f] = rate * work[UPHILL, f] * left * (1.0 - right / c_max)
            rates[2 * f + 1] = rate * work[DOWNHILL, f] * right * (1.0 - left / c_max)
            total += rates[2 * f] + rates[2 * f + 1]
        if used + 2 > uniforms.size:
            return -1
        t -= np.log(uniforms[used]) / total
        while row < times.size and times[row] < t:
            counts[row] = n
            row += 1
        chosen, last = uniforms[used + 1] * total, 0
        for j in range(2, 2 * N):
            last = j if rates[j] > 0.0 else last
            chosen -= rates[j]
            if chosen < 0.0:
                break
        f, step = last // 2, 1 if last % 2 == 0 else -1
        n[f - 1] -= step
        n[f] += step
        used += 2
    return used // 2


def residence_time(run, start, area, V, times, seed, most=200_000):
    """Ions (M, N) in the cells at times (M,) [s] of a run whose junction is at V [V], from start (N,) on."""
    counts = np.zeros((len(times), len(start)))
    uniforms = 1.0 - np.random.default_rng(seed).random(2 * most)
    hops = follow(run.junction, run.trial.state, run.trial.work.factors, start.copy(), area, V, times, uniforms, counts)
    assert hops >= 0
    return counts


def one_way_rates(run):
    """Rates (N-1,) [1/s] of a single ion over the inner faces of a column, forth and back."""
    columns, state, work = run.junction.columns, run.state, run.trial.work.factors
    fill_hops(run.junction, state, 0, columns.site[0], work, False)
    width, inner = columns.width[0], slice(1, state.c.shape[1])
    rate = columns.diffusivity[0, inner] / columns.distance[0, inner] * work[G, inner]
    return rate * work[UPHILL, inner] / width[:-1], rate * work[DOWNHILL, inner] / width[1:]
