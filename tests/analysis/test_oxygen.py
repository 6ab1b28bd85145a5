"""Numbers of forming and cycles, of a run whose numbers of vacancies are known."""

import pytest

from otjdd.analysis.oxygen import uptake
from otjdd.results.outputs import dataset


def formed(count):
    """A run with a read at each of these numbers of vacancies, between recorded times."""
    times = [2.0 * i for i in range(len(count))]
    return dataset({
        "time": [t for at in times for t in (at - 0.5, at + 0.5)], "vacancies": [c for n in count for c in (n - 1, n + 1)],
        "read_time": times, "read_resistance": [10.0 + i for i in range(len(count))],
    })  # fmt: skip


def test_forming_is_told_from_cycles_and_the_first_cycle_is_left_out():
    numbers = uptake(formed([200.0, 100.0, 90.0, 80.0, 70.0, 60.0, 55.0, 57.0, 50.0, 54.0]))
    assert numbers["formed"] == pytest.approx(0.5)
    assert numbers["cycle"] == pytest.approx(3 / 57)
    assert numbers["ratio"] == pytest.approx(19 / 18)
    assert uptake(formed([200.0, 100.0, 90.0, 80.0, 70.0, 60.0]), settling=0)["cycle"] == pytest.approx(0.25)


def test_a_run_without_two_cycles_after_the_first_has_no_such_numbers():
    with pytest.raises(ValueError, match="5 reads are less than"):
        uptake(formed([200.0, 100.0, 90.0, 80.0, 70.0]))
