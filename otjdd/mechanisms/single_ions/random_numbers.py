"""Random numbers by counter: the numbers of a seed, a column, a step and a place do not depend on who asks first.

Threefry-2x32 with 20 rounds (Salmon et al., SC'11, doi:10.1145/2063384.2063405), which passes BigCrush. It adds and rotates
words of 32 bits, here in integers of 64 bits that cannot overflow.
"""

import math

import numpy as np

from otjdd.compiler.decorators import bare, inlined

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
