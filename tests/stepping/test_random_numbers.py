"""Random numbers by counter: published vectors, and the moments of what is made of them."""

import numpy as np
import pytest

from otjdd.stepping import random_numbers

# known answers of Random123 for threefry2x32 with 20 rounds: key, counter, result
KNOWN = [
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
    ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("key", "place", "words"), KNOWN)
def test_known_answers(key, place, words):
    assert random_numbers.threefry(*key, *place) == words


@pytest.mark.parametrize("mean", [0.01, 1.0, 16.0])
def test_poisson_and_normal_numbers_have_their_moments(mean):
    words = [random_numbers.threefry(1, 2, i, 3) for i in range(20_000)]
    counts = np.array([random_numbers.poisson(mean, word) for word, _ in words])
    error = 4.0 / np.sqrt(len(words))  # four standard errors
    assert abs(counts.mean() - mean) < error * np.sqrt(mean)
    assert abs(counts.var() - mean) < error * np.sqrt(mean + 2.0 * mean**2)
    found = np.array([random_numbers.normal(*both) for both in words])
    assert abs(found.mean()) < error
    assert abs(found.var() - 1.0) < error * np.sqrt(2.0)
