"""Work in steps: in the order of the steps, each piece with its own result, time and failure."""

import time

import pytest

from otjdd.system.steps import finished, together


def piece(name, steps, said, wait=0.0):
    for step in range(steps):
        said.append((name, step))
        time.sleep(wait)
        yield
    return name


def test_pieces_take_each_step_together():
    said = []
    found = [
        (number, name) for number, name, _ in together([piece("a", 2, said), piece("b", 1, said), piece("c", 0, said)])
    ]
    assert said == [("a", 0), ("b", 0), ("a", 1)]
    assert found == [(2, "c"), (1, "b"), (0, "a")]


def test_the_time_of_a_piece_is_its_own():
    took = {name: seconds for _, name, seconds in together([piece("long", 2, [], 0.1), piece("short", 2, [])])}
    assert took["long"] >= 0.2
    assert took["short"] < took["long"]


def test_what_one_raises_is_raised():
    def failing():
        yield
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(together([piece("a", 3, []), failing()]))
    with pytest.raises(ZeroDivisionError):
        finished(failing())
