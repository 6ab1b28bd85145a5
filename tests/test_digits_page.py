"""A layer that learns digits: what its page says agrees with the numbers of its picture, and pairs are set back."""

import json

import numpy as np
import pytest

from validation import measured
from validation.benchmarks import digits


@pytest.fixture(scope="module")
def curves():
    """The numbers that are kept for the picture."""
    return json.loads(digits.CURVES.read_text(encoding="utf-8"))


def test_the_table_is_made_of_the_numbers_of_the_picture(curves):
    rows = [row["cells"] for row in measured.read(digits.HERE)["digits"]["rows"]]
    assert rows == [list(row) for row in digits.accuracy_rows(curves)]
    assert {len(layer["accuracy"]) for kinds in curves["layers"].values() for layer in kinds["pairs"]} == {
        digits.EPOCHS
    }


def test_the_picture_is_drawn_from_the_numbers(tmp_path):
    digits.draw(tmp_path / "digits.png")
    assert (tmp_path / "digits.png").stat().st_size > 10_000


def test_pairs_that_are_full_are_set_back_without_a_change_of_their_difference():
    plus, minus = digits.Even(3, 0.0, 0.1), digits.Even(3, 0.0, 0.1)
    plus.weights[:], minus.weights[:] = (0.95, 0.95, 0.5), (0.15, -0.95, 0.4)
    before = plus.weights - minus.weights
    digits.set_back((plus, minus))
    assert plus.weights - minus.weights == pytest.approx(before, abs=0.1)
    assert plus.weights[0] < 0.0
    assert minus.weights[0] == pytest.approx(-1.0)
    assert plus.weights[1:] == pytest.approx([0.95, 0.5])  # the other is empty, or none is full


def test_a_layer_of_even_fine_steps_learns_shapes_that_differ():
    rng = np.random.default_rng(2)
    labels = np.arange(60) % 10
    shapes = np.column_stack((np.eye(64)[6 * labels] + 0.05 * rng.random((60, 64)), np.ones(60)))
    layer = digits.Even(650, 0.0, 0.01)
    *_, last = digits.accuracies((layer,), digits.Digits((shapes, labels), (shapes, labels)), 0.01, 1)
    assert last > 0.9
    assert layer.pulses > 0
