"""Calls in threads beside a main one: results, exceptions, the end of the others when main fails."""

import threading
import time

import pytest

from otjdd.system import pool as module
from otjdd.system.pool import beside


@pytest.fixture(params=[1, 4], ids=["one processor", "four"])
def processors(request, monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: request.param)
    return request.param


def test_results_come_in_the_order_of_the_calls(processors):
    def other(number):
        return lambda check: time.sleep(0.02 / (number + 1)) or number

    assert beside(lambda: "main", [other(k) for k in range(3)]) == ("main", [0, 1, 2])
    assert beside(lambda: "main", []) == ("main", [])


def test_the_others_run_in_threads_where_there_are_processors(processors):
    _, (there,) = beside(int, [lambda check: threading.get_ident()])
    assert (there == threading.get_ident()) == (processors == 1)


def test_an_exception_of_the_others_is_raised_after_main(processors):
    done = []

    def fail(check):
        raise ValueError("coarse")

    with pytest.raises(ValueError, match="coarse"):
        beside(lambda: done.append(1), [fail])
    assert done == [1]


def test_the_others_end_when_main_fails(monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: 4)
    ended, begun = [], threading.Barrier(2)

    def long(check):
        begun.wait(500.0)
        try:
            for _ in range(6000):
                check(0.5)
                time.sleep(0.01)
        except KeyboardInterrupt:
            ended.append(True)
            raise

    def stopped():
        begun.wait(500.0)
        raise KeyboardInterrupt("by the user")

    with pytest.raises(KeyboardInterrupt, match="by the user"):
        beside(stopped, [long])
    assert ended == [True]
