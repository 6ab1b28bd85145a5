"""Random numbers by counter: published vectors, and the moments of what is made of them."""

import numpy as np
import pytest

from otjdd.mechanisms.single_ions import walk

# known answers of Random123 for threefry2x32 with 20 rounds: key, counter, result
KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "place", "words"), KNOWN)
def test_known_answers(key, place, words):
    assert walk.threefry(*key, *place) == words


def test_words_of_many_places_are_those_of_each():
    words, others = np.zeros((2, 21), np.int64)
    walk.fill_words(11, 0xFFFFFFFE, 5, 13, words, others)
    assert list(zip(words, others, strict=True)) == [walk.threefry(11, 0xFFFFFFFE, 5 + i, 13) for i in range(21)]


@pytest.mark.parametrize(
    ("tries", "chance"), [(1, 1e-6), (40, 1e-3), (7, 0.3), (60, 0.1), (3000, 0.007), (10**9, 1e-9), (10**9, 2e-8)]
)
def test_small_binomial_numbers_are_quantiles(tries, chance):
    """The number whose chance to be passed is the random one at most, for even ones and for those down to 1e-9."""
    from scipy.stats import binom

    words = [walk.threefry(8, 9, i, 10) for i in range(1000)] + [(2**i, 7) for i in range(2, 32)]
    tail = np.array([(word + (other + 0.5) * 2.0**-32) * 2.0**-32 for word, other in words])
    number = np.array([walk.binomial(float(tries), chance, *both) for both in words])
    assert (binom.sf(number, tries, chance) <= tail + 1e-14).all()
    assert (binom.sf(number - 1, tries, chance) > tail - 1e-14).all()
    assert number.max() > 0.0


@pytest.mark.parametrize("tries", [1, 7, 60, 3000])
@pytest.mark.parametrize("chance", [0.002, 0.3, 0.5, 0.97])
def test_binomial_numbers_have_their_distribution(tries, chance):
    """Whole numbers up to the tries, their mean, variance and third moment within four standard errors."""
    from scipy.stats import binom

    words = [walk.threefry(1, 2, i, 3) for i in range(20_000)]
    counts = np.array([walk.binomial(float(tries), chance, *both) for both in words])
    assert np.array_equal(counts, np.clip(np.rint(counts), 0, tries))
    mean, variance, skewness, excess = (float(value) for value in binom.stats(tries, chance, moments="mvsk"))
    z = (counts - mean) / np.sqrt(variance)
    error = 4.0 / np.sqrt(len(words))
    assert abs(z.mean()) < error
    assert abs((z**2).mean() - 1.0) <= error * np.sqrt(excess + 2.0) + 1e-12  # of a fair coin it has no error
    sixth = binom.expect(lambda k: (k - mean) ** 6, args=(tries, chance)) / variance**3
    assert abs((z**3).mean() - skewness) < error * np.sqrt(sixth - skewness**2) + 1e-12


def test_chances_far_below_a_word_are_resolved():
    """A chance of 1e-11, below the 2e-10 that one word of 32 bits resolves: the second word decides."""
    assert walk.binomial(1.0, 1e-11, 0, 0) == 1.0
    assert walk.binomial(1.0, 1e-11, 0, 2**32 - 1) == 0.0


def test_normal_numbers_have_their_moments():
    words = [walk.threefry(1, 2, i, 3) for i in range(20_000)]
    error = 4.0 / np.sqrt(len(words))
    found = np.array([walk.normal(*both) for both in words])
    assert abs(found.mean()) < error
    assert abs(found.var() - 1.0) < error * np.sqrt(2.0)


@pytest.mark.parametrize("mean", [1e-3, 0.4, 3.0, 20.0, 300.0])
def test_poisson_numbers_have_their_distribution(mean):
    """Whole numbers, their mean, variance and third moment within four standard errors."""
    words = [walk.threefry(4, 5, i, 6) for i in range(20_000)]
    counts = np.array([walk.poisson(mean, *both) for both in words])
    assert np.array_equal(counts, np.rint(counts))
    assert counts.min() >= 0.0
    z, error = (counts - mean) / np.sqrt(mean), 4.0 / np.sqrt(len(words))
    assert abs(z.mean()) < error
    assert abs((z**2).mean() - 1.0) < error * np.sqrt(1.0 / mean + 2.0)
    sixth = 15.0 + 25.0 / mean + 1.0 / mean**2
    assert abs((z**3).mean() - 1.0 / np.sqrt(mean)) < error * np.sqrt(sixth - 1.0 / mean)
    assert walk.poisson(0.0, 1, 2) == 0.0
