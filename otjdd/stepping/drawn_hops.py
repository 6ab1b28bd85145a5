"""Numbers of hops drawn at random, and concentrations that are never below zero nor above the site density.

Hops over a face in a time are two Poisson numbers, one each way; where many are expected their difference is normal. The
random numbers follow from the seed, the column, the number of the step and the face (`random_numbers`), so a run has the
same bits in any process, and after a checkpoint. A state steps as a smooth density; `Noise.rough` is what the ions differ
from it.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.stepping.random_numbers import normal, poisson, threefry

# expected hops from which their number is normal: half way between whole numbers its distribution is then off by 0.017 at
# most where all go one way, and by 0.002 where as many go back, as their skewness cancels
MANY = 16.0
BY_LEFT, BY_RIGHT, BY_FIELD, FORTH, BACK, BEYOND, MIDDLE, LINES = range(8)  # rows of Noise.lines
NONE = 1e-10  # expected hops that are none for each random word of 32 bits
WHICH_WAY = 0xFFFFFFFF  # place of the draw of a direction, behind all faces
PASSES = 20  # over the cells of a column that holds less than no ions somewhere


@by_pointer
class Noise(NamedTuple):
    """Random hops of a run; arrays of size 0 where ions are a continuous density."""

    area: np.ndarray  # (K,) m2, through which the ions of a column move
    largest: float  # share of the ions of a column that a leap may change, see `largest_leap`
    limited: np.ndarray  # (1,) steps that were refused or made shorter by it; updated
    key: np.ndarray  # (K, 2) words of 32 bits from seed and column
    steps: np.ndarray  # (1,) steps drawn so far; updated
    given: np.ndarray  # (K,) ions that cells gave to others which had fewer than their hops asked for; updated
    rough: np.ndarray  # (K, N+1) 1/m2, ions that passed the faces beyond those of the smooth density; updated
    after: np.ndarray  # (K, N+1) that of the end of a step on trial
    smooth: np.ndarray  # (K, N) 1/m3, the smooth density while a state holds the ions as they are
    lines: np.ndarray  # (LINES, N+1) work space of a column
    stack: np.ndarray  # (3, 1, N, 3, 3) equations of a column with electrons, but for the length of the step


@bare
def is_noisy(noise: Noise) -> bool:
    """True where hops are random."""
    return noise.area.size > 0


def no_noise() -> Noise:
    """The noise of a continuous density."""
    none = np.zeros((0, 0))
    return Noise(
        np.zeros(0), math.inf, np.zeros(1, np.int64), np.zeros((0, 2), np.int64), np.zeros(1, np.int64), np.zeros(0),
        none, none, none,
        np.zeros((LINES, 0)), np.zeros((3, 1, 0, 3, 3)),
    )  # fmt: skip


def new_noise(area: np.ndarray, seed: int, N: int, stream: int = 0, largest: float = math.inf) -> Noise:
    """The noise of columns of N cells with areas (K,) [m2], at the beginning of a stream of the numbers of a seed.

    largest : share of the ions of a column that a leap may change
    """
    low, high = seed & 0xFFFFFFFF, seed >> 32
    key = np.array([threefry(low, high, k, stream) for k in range(len(area))], np.int64)
    faces, cells = (len(area), N + 1), (len(area), N)
    return Noise(
        np.array(area, float), float(largest), np.zeros(1, np.int64), key, np.zeros(1, np.int64), np.zeros(len(area)),
        np.zeros(faces), np.zeros(faces), np.zeros(cells), np.zeros((LINES, N + 1)), np.zeros((3, 1, N, 3, 3)),
    )  # fmt: skip


@detached
def draw_hops(noise: Noise, k: int, part: int, share: float, rest: float, out: np.ndarray):
    """Add to out (N+1,) hops over the faces of column k to the right less those to the left, less their mean [1/m2].

    share : of a step whose noise.lines FORTH and BACK go to either side [1/m2], in that part of it
    rest : share of those that are not among them, what the mean passed BEYOND its hops at the end [1/m2]
    """
    area = noise.area[k]
    key, key_b = noise.key[k, 0], noise.key[k, 1]
    lines = noise.lines
    for f in range(1, out.size - 1):
        more = rest * lines[BEYOND, f]
        forth = area * (share * lines[FORTH, f] + max(more, 0.0))
        back = area * (share * lines[BACK, f] + max(-more, 0.0))
        if forth + back <= NONE:
            out[f] += (back - forth) / area
        else:
            word, other = threefry(key, key_b, part * out.size + f, noise.steps[0])
            if forth + back > MANY:
                hops = math.sqrt(forth + back) * normal(word, other)
            else:
                hops = poisson(forth, word) - poisson(back, other) - (forth - back)
            out[f] += hops / area


@bare
def fill_from_nearest(c: np.ndarray, width: np.ndarray, most: float, upwards: bool) -> float:
    """Let the nearest cells give what a cell lacks to be empty, or take what it has beyond its sites.

    c : (N,) concentrations [1/m3], in place   most : site density [1/m3]   upwards : of two as near, that above first
    Returns what is left [1/m2]. Ions from the next well would have crossed a barrier that none crosses.
    """
    left, N = 0.0, c.size
    for i in range(N):
        over = (c[i] - min(max(c[i], 0.0), most)) * width[i]
        c[i] = min(max(c[i], 0.0), most)
        for turn in range(2, 2 * N):
            if over == 0.0:
                break
            j = i + turn // 2 if (turn % 2 == 0) == upwards else i - turn // 2
            if 0 <= j < N and 0.0 <= c[j] <= most:
                there = c[j] + over / width[j]
                c[j] = min(max(there, 0.0), most)
                over = (there - c[j]) * width[j]
        left += abs(over)
    return left


@bare
def give_both_ways(c: np.ndarray, width: np.ndarray):
    """Let the neighbour with more ions fill a cell that holds less than none, and as many hop to its other side.

    c : (N,) concentrations [1/m3], in place
    The mean position stays where it is: ions taken from one side alone would drift to where few are.
    """
    N = c.size
    for _ in range(PASSES):
        good = True
        for i in range(N):
            if c[i] >= 0.0:
                continue
            good = False
            j = i + 1 if i == 0 or (i < N - 1 and c[i + 1] * width[i + 1] > c[i - 1] * width[i - 1]) else i - 1
            other = 2 * j - i
            if other < 0 or other >= N:
                continue
            ratio = (width[i] + width[j]) / (width[other] + width[j])
            given = min(-c[i] * width[i], c[j] * width[j] / (1.0 + ratio))
            if given > 0.0:
                c[i] += given / width[i]
                c[j] -= (1.0 + ratio) * given / width[j]
                c[other] += ratio * given / width[other]
        if good:
            return


@bare
def beyond(c: np.ndarray, width: np.ndarray, most: float) -> float:
    """Ions that cells lack to be empty, or have beyond their sites [1/m2]."""
    total = 0.0
    for i in range(c.size):
        total += abs(c[i] - min(max(c[i], 0.0), most)) * width[i]
    return total


@detached
def keep_within(noise: Noise, k: int, c: np.ndarray, width: np.ndarray, most: float) -> bool:
    """Where column k holds less than no ions in a cell, or more than sites, let its neighbours give or take the rest.

    c : (N,) concentrations [1/m3], in place, their sum unchanged   most : site density [1/m3]
    Random hops take more from a cell than it has where few are there. First `give_both_ways`; then the nearest cells, a
    drawn side first; False where none has any.
    """
    if beyond(c, width, most) == 0.0:
        return True
    give_both_ways(c, width)
    word, _ = threefry(noise.key[k, 0], noise.key[k, 1], WHICH_WAY, noise.steps[0])
    return fill_from_nearest(c, width, most, (word & 1) == 1) == 0.0


@bare
def fill_rough(smooth: np.ndarray, real: np.ndarray, width: np.ndarray, rough: np.ndarray):
    """Fill the rough part (N+1,) of a column from its smooth and real concentrations (N,), which have equal sums."""
    passed = 0.0
    for f in range(real.size - 1, 0, -1):
        passed += (real[f] - smooth[f]) * width[f]
        rough[f] = passed
