"""Whole ions that hop at random from cell to cell, and never are more in a cell than it has sites.

An ion that hops up and down between cells at frozen rates, for a time that is exponentially distributed, ends where an
implicit Euler step of the master equation takes it. Two sweeps over the cells draw where all ions of a column end: upwards
by the highest cell that an ion reaches, downwards by the cell in which it stops. Both are binomial numbers of whole ions,
so none is lost, no cell is below zero, and ions in equilibrium stay in equilibrium, however long the time is. Electrodes
that exchange ions are places at both ends: an ion that reaches one is counted there, and a Poisson number comes from each.

The random numbers follow by counter from the seed, the column, the number of the step and the place, whoever asks first, so
a run has the same bits in any process, and after a checkpoint. They are those of Threefry-2x32 with 20 rounds (Salmon et
al., SC'11, doi:10.1145/2063384.2063405), which passes BigCrush. It adds and rotates words of 32 bits, here in integers of
64 bits that cannot overflow.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import bare, detached, inlined
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.mechanisms.exchange import EndFaces
from otjdd.physics.numerics import copy
from otjdd.physics.state import AT_LEFT, AT_RIGHT, State

MASK = 0xFFFFFFFF
PARITY = 0x1BD11BDA
EVEN, ODD = (13, 15, 26, 6), (17, 29, 16, 24)  # bits by which four rounds turn
PER_WORD = 2.0**-32
MANY = 24.0  # expected successes from which their number is normal
MANY_TRIES = 1e15  # of rare events


@inlined
def turned(x: int, y: int, bits: int):
    """One round: the sum of two words, and the second rotated by some bits and added to it without carry."""
    x = (x + y) & MASK
    return x, (((y << bits) | (y >> (32 - bits))) & MASK) ^ x


@inlined
def turned_four(x: int, y: int, bits: tuple[int, int, int, int]):
    """Four rounds."""
    x, y = turned(x, y, bits[0])
    x, y = turned(x, y, bits[1])
    x, y = turned(x, y, bits[2])
    return turned(x, y, bits[3])


@inlined
def threefry(key: int, key_b: int, place: int, place_b: int):
    """Two random words of 32 bits from a key and a place of two words each."""
    key_c = PARITY ^ key ^ key_b
    x, y = turned_four((place + key) & MASK, (place_b + key_b) & MASK, EVEN)
    x, y = turned_four((x + key_b) & MASK, (y + key_c + 1) & MASK, ODD)
    x, y = turned_four((x + key_c) & MASK, (y + key + 2) & MASK, EVEN)
    x, y = turned_four((x + key) & MASK, (y + key_b + 3) & MASK, ODD)
    x, y = turned_four((x + key_b) & MASK, (y + key_c + 4) & MASK, EVEN)
    return (x + key_c) & MASK, (y + key + 5) & MASK


@bare
def fill_words(key: int, key_b: int, first: int, place_b: int, words: np.ndarray, others: np.ndarray):
    """Fill both words (n,) of n places from the first place on. The loop is vectorised, as `threefry` has no branch."""
    for i in range(words.size):
        words[i], others[i] = threefry(key, key_b, first + i, place_b)


@inlined
def uniform_number(word: int) -> float:
    """A number between 0 and 1, both excluded, from a random word."""
    return (word + 0.5) * PER_WORD


@bare
def normal(word: int, other: int) -> float:
    """A normal number of mean 0 and variance 1 from two random words (Box and Muller)."""
    return math.sqrt(-2.0 * math.log(uniform_number(word))) * math.cos(2.0 * math.pi * uniform_number(other))


@bare
def binomial(tries: float, chance: float, word: int, other: int) -> float:
    """Number of successes in tries of a chance, from two words: by inversion; normal and skewed above MANY."""
    if chance > 0.5:
        return tries - rarer(tries, 1.0 - chance, word, other)
    return rarer(tries, chance, word, other)


@bare
def rarer(tries: float, chance: float, word: int, other: int) -> float:
    """As `binomial`, of a chance up to 1/2. Chances down to 1e-16 are resolved: both words make one number."""
    mean = tries * chance
    if mean > MANY:
        size, z = math.sqrt(mean * (1.0 - chance)), normal(word, other)
        number = mean + size * z + (1.0 - 2.0 * chance) * (z * z - 1.0) / 6.0
        return min(max(float(math.floor(number + 0.5)), 0.0), tries)
    tail = (word + uniform_number(other)) * PER_WORD
    if tail >= mean:  # which is above the chance of any success; most draws end here, without a logarithm
        return 0.0
    none = tries * math.log1p(-chance)
    likely, ratio, number = math.exp(none), chance / (1.0 - chance), 0.0
    left = 1.0 - likely if likely < 0.5 else -math.expm1(none)  # expm1 takes ten times as long as exp
    while tail < left and number < tries:
        number += 1.0
        likely *= (tries - number + 1.0) / number * ratio
        if likely <= 0.0:
            break
        left -= likely
    return number


@bare
def poisson(mean: float, word: int, other: int) -> float:
    """Number of events of a mean, from two words: of so many tries that no event takes the place of another."""
    return rarer(MANY_TRIES, min(mean / MANY_TRIES, 0.5), word, other)


# Rows of Noise.lines.
#   BY_LEFT, BY_RIGHT, BY_FIELD   slopes of the fluxes
#   RELAXING, RELAXING_FIELD      deviation behind a face, the ions beyond the smooth density [1/m2], and its field [V/m]
#   DEVIATION, FIELD              mean of both in a part of a step, by which the ions act on their hops
#   UP, DOWN                      hops of an ion from a cell in that part; last the ions that electrodes give [1/m2], in UP
#                                 those of the left electrode, in DOWN those of the right one
#   LEVEL_UP, LEVEL_DOWN          the same over faces without a rise of the energy
#   MORE_UP, MORE_DOWN            hops that the mean of a step adds, over UP and DOWN
#   RISING, FALLING               chance that an ion that comes to a cell from below, or from above, hops on
#   BESIDE                        share of the elastance of the stack to the left of a cell
#   RISEN, RISEN_BESIDE           ions that hop to a cell from below [1/m2]; sum of these times BESIDE of their cells
#   FALLEN, FALLEN_BESIDE         the same from above
#   RISE, RISE_UP, RISE_DOWN      rise of the energy of an ion over a face [kT]: without the field of the ion itself,
#                                 with it for hops up and down; at the ends of the film by it alone
BY_LEFT, BY_RIGHT, BY_FIELD, RELAXING, RELAXING_FIELD, DEVIATION, FIELD = range(7)
UP, DOWN, LEVEL_UP, LEVEL_DOWN, MORE_UP, MORE_DOWN, RISING, FALLING, BESIDE = range(7, 16)
RISEN, RISEN_BESIDE, FALLEN, FALLEN_BESIDE, RISE, RISE_UP, RISE_DOWN, LINES = range(16, 24)
NOW, AFTER = range(2)  # rows of Noise.passed
EMITTED = 1 << 30  # places of draws of ions that come from electrodes, beyond those of hops


@by_pointer
class Noise(NamedTuple):
    """Random hops of a run; arrays of size 0 where ions are a continuous density."""

    area: np.ndarray  # (K,) m2, through which the ions of a column move
    largest: float  # share of the ions of a column that a leap may change, see `largest_leap`
    limited: np.ndarray  # (1,) steps that were refused or made shorter by it; updated
    key: np.ndarray  # (K, 2) words of 32 bits from seed and column
    steps: np.ndarray  # (1,) steps drawn so far; updated
    ions: np.ndarray  # (K, N) ions in the cells, whole numbers; updated
    after: np.ndarray  # (K, N) those at the end of a step on trial
    passed: np.ndarray  # (2, K, 2) ions that passed the left and the right end, to the right: NOW; AFTER a trial step
    lines: np.ndarray  # (LINES, N+1) work space of a column
    words: np.ndarray  # (2, N) random words of a sweep over its cells
    stack: np.ndarray  # (3, 1, N, 3, 3) equations of a column with electrons, but for the length of the step


def no_noise() -> Noise:
    """The noise of a continuous density."""
    none = np.zeros((0, 0))
    return Noise(
        np.zeros(0), math.inf, np.zeros(1, np.int64), np.zeros((0, 2), np.int64), np.zeros(1, np.int64),
        none, none, np.zeros((2, 0, 2)), np.zeros((LINES, 0)), np.zeros((2, 0), np.int64),
        np.zeros((3, 1, 0, 3, 3)),
    )  # fmt: skip


def new_noise(area: np.ndarray, seed: int, N: int, stream: int = 0, largest: float = math.inf) -> Noise:
    """The noise of columns of N cells with areas (K,) [m2], at the beginning of a stream of the numbers of a seed.

    largest : share of the ions of a column that a leap may change
    """
    low, high = seed & 0xFFFFFFFF, seed >> 32
    key = np.array([threefry(low, high, k, stream) for k in range(len(area))], np.int64)
    cells = (len(area), N)
    return Noise(
        np.array(area, float), float(largest), np.zeros(1, np.int64), key, np.zeros(1, np.int64),
        np.zeros(cells), np.zeros(cells), np.zeros((2, len(area), 2)),
        np.zeros((LINES, N + 1)), np.zeros((2, N), np.int64), np.zeros((3, 1, N, 3, 3)),
    )  # fmt: skip


def whole_ions(c: np.ndarray, width: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Whole numbers (K, N) of ions in cells of concentrations c (K, N) [1/m3], as many beside each face as c has."""
    beside: np.ndarray = np.rint(np.cumsum(c * width * area[:, None], axis=1))
    return np.diff(beside, axis=1, prepend=0.0)


@inlined
def drawn(ions: float, chance: float, word: int, other: int) -> float:
    """Number of ions that do what each does with a chance, from two words."""
    return binomial(ions, chance, word, other) if ions > 0.0 and chance > 0.0 else 0.0


@bare
def emitted(noise: Noise, k: int, place: int, mean: float) -> float:
    """Number of ions that come to column k from an electrode, of which a mean [1/m2] does, drawn at a place."""
    if mean <= 0.0:
        return 0.0
    word, other = threefry(noise.key[k, 0], noise.key[k, 1], EMITTED + place, noise.steps[0])
    return poisson(mean * noise.area[k], word, other)


@inlined
def fill_chances(lines: np.ndarray, N: int):
    """Fill lines RISING and FALLING of N cells from their hops up and down.

    An ion of cell i hops down, not to return, b = DOWN q of the cell below times for each end of its time, and stays at or
    below i with the chance q = (1 + b)/(1 + UP + b).
    """
    up, down, rising, falling, staying = lines[UP], lines[DOWN], lines[RISING], lines[FALLING], 1.0
    for i in range(N):
        below = down[i] * staying
        per = 1.0 / (1.0 + up[i] + below)
        staying = (1.0 + below) * per
        rising[i], falling[i] = up[i] * per, below
    for i in range(N):
        falling[i] /= 1.0 + falling[i]


@detached
def walk(noise: Noise, k: int, part: int, ions: np.ndarray):
    """Let the ions (N,) of the cells of column k hop through a part of a step, in place.

    noise.lines UP and DOWN are the hops of an ion of a cell in it. An ion that reaches an electrode stays there. Those that
    come from one begin in the cell beside it: as many as Poisson says, since an implicit Euler step of a master equation
    takes what comes in it as if it had been there at first.
    """
    lines, words, others, passed = noise.lines, noise.words[0], noise.words[1], noise.passed[AFTER, k]
    rising, falling, N, carried = lines[RISING], lines[FALLING], ions.size, 0.0
    fill_chances(lines, N)
    from_left, from_right = emitted(noise, k, 2 * part, lines[UP, N]), emitted(noise, k, 2 * part + 1, lines[DOWN, N])
    ions[0] += from_left
    ions[N - 1] += from_right
    fill_words(noise.key[k, 0], noise.key[k, 1], 2 * part * N, noise.steps[0], words, others)
    for i in range(N):
        carried += ions[i]
        risen = drawn(carried, rising[i], words[i], others[i])
        ions[i] = carried - risen
        carried = risen
    passed[AT_RIGHT] += carried - from_right
    carried = 0.0
    fill_words(noise.key[k, 0], noise.key[k, 1], (2 * part + 1) * N, noise.steps[0], words, others)
    for i in range(N - 1, -1, -1):
        fallen = drawn(ions[i] + carried, falling[i], words[i], others[i])
        ions[i] += carried - fallen
        carried = fallen
    passed[AT_LEFT] += from_left - carried


@inlined
def whole_sites(sites: float) -> float:
    """Ions that a cell of so many sites may hold, part of a site counting as one, but for round-off."""
    return math.ceil(sites * (1.0 - 1e-9))


@bare
def take_sites(ions: np.ndarray, sites: np.ndarray, width: np.ndarray, area: float) -> bool:
    """Let the nearest cells with room take the ions (N,) of a cell that are more than its sites; False where none has room.

    sites : (N,) 1/m3
    """
    N = ions.size
    for i in range(N):
        over = ions[i] - whole_sites(sites[i] * width[i] * area)
        for turn in range(2, 2 * N):
            if over <= 0.0:
                break
            j = i + turn // 2 if turn % 2 == 0 else i - turn // 2
            if 0 <= j < N:
                room = min(over, whole_sites(sites[j] * width[j] * area) - ions[j])
                if room > 0.0:
                    ions[i] -= room
                    ions[j] += room
                    over -= room
        if over > 0.0:
            return False
    return True


@bare
def fill_beyond(noise: Noise, k: int, state: State, width: np.ndarray, faces: EndFaces, beyond: np.ndarray):
    """Fill beyond (N+1,) with the ions AFTER the step that passed a face, less those of the smooth state [1/m2].

    faces : that vacancies may pass
    """
    c, ions, N = state.c[k], noise.after[k], state.c.shape[1]
    passed = noise.passed[AFTER, k, AT_RIGHT] / noise.area[k] - state.passed[k, AT_RIGHT]
    beyond[N], beyond[0] = passed, 0.0
    for f in range(N - 1, faces.first - 1, -1):
        passed += ions[f] / noise.area[k] - c[f] * width[f]
        beyond[f] = passed


@bare
def keep_smooth(noise: Noise, k: int, state: State, width: np.ndarray):
    """Put the ions of column k, and those that passed its ends, into a state, which keeps the smooth ones beside them."""
    copy(state.c[k], state.smooth[k])
    copy(state.passed[k], state.smooth_passed[k])
    state.draws[0] = noise.steps[0]
    for i in range(width.size):
        state.c[k, i] = noise.ions[k, i] / (width[i] * noise.area[k])
    for end in range(noise.passed.shape[2]):
        state.passed[k, end] = noise.passed[NOW, k, end] / noise.area[k]
