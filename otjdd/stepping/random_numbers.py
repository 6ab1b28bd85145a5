"""Random numbers by counter: the numbers of a seed, a column, a step and a place do not depend on who asks first.

Threefry-2x32 with 20 rounds (Salmon et al., SC'11, doi:10.1145/2063384.2063405), which passes BigCrush. It adds and rotates
words of 32 bits, here in integers of 64 bits that cannot overflow.
"""

import math

from otjdd.compiler.decorators import bare, inlined

MASK = 0xFFFFFFFF
PARITY = 0x1BD11BDA
PER_WORD = 2.0**-32


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
def poisson(mean: float, word: int) -> float:
    """A Poisson number of a mean below some hundred from a random word, by inversion."""
    chance = math.exp(-mean)
    left, count = uniform(word) - chance, 0.0
    while left > 0.0 and count < 10.0 * mean + 40.0:
        count += 1.0
        chance *= mean / count
        left -= chance
    return count
