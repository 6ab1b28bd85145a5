"""Random numbers by counter: the numbers of a seed, a column, a step and a place do not depend on who asks first.

Threefry-2x32 with 20 rounds (Salmon et al., SC'11, doi:10.1145/2063384.2063405), which passes BigCrush. It adds and rotates
words of 32 bits, here in integers of 64 bits that cannot overflow.
"""

import math

from otjdd.compiler.decorators import bare, inlined

MASK = 0xFFFFFFFF
PARITY = 0x1BD11BDA
PER_WORD = 2.0**-32
MANY = 24.0  # expected successes from which their number is normal
MANY_TRIES = 1e15  # of rare events


@inlined
def turned(x: int, y: int, bits: int):
    """One round: the sum of two words, and the second rotated by some bits and added to it without carry."""
    x = (x + y) & MASK
    return x, (((y << bits) | (y >> (32 - bits))) & MASK) ^ x


@bare
def threefry(key: int, key_b: int, place: int, place_b: int):
    """Two random words of 32 bits from a key and a place of two words each."""
    x, y = (place + key) & MASK, (place_b + key_b) & MASK
    key_c = PARITY ^ key ^ key_b
    first, second, third = key_b, key_c, key
    for turn in range(5):
        if turn % 2 == 0:
            x, y = turned(x, y, 13)
            x, y = turned(x, y, 15)
            x, y = turned(x, y, 26)
            x, y = turned(x, y, 6)
        else:
            x, y = turned(x, y, 17)
            x, y = turned(x, y, 29)
            x, y = turned(x, y, 16)
            x, y = turned(x, y, 24)
        x, y = (x + first) & MASK, (y + second + turn + 1) & MASK
        first, second, third = second, third, first
    return x, y


@inlined
def uniform(word: int) -> float:
    """A number between 0 and 1, both excluded, from a random word."""
    return (word + 0.5) * PER_WORD


@bare
def normal(word: int, other: int) -> float:
    """A normal number of mean 0 and variance 1 from two random words (Box and Muller)."""
    return math.sqrt(-2.0 * math.log(uniform(word))) * math.cos(2.0 * math.pi * uniform(other))


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
    none = tries * math.log1p(-chance)
    tail, left, ratio = (word + uniform(other)) * PER_WORD, -math.expm1(none), chance / (1.0 - chance)
    likely, number = math.exp(none), 0.0
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
