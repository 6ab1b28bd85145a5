"""Results that are remembered of a record: once for each record, never of another one, and of the last ones only."""

import gc
import weakref

from otjdd.system.remember import remembered_by_record


class Thing:
    """A record without a value: equal to itself alone."""


def counting(most):
    calls = []

    @remembered_by_record(most)
    def found(record, *others):
        calls.append((record, *others))
        return object()

    return found, calls


def test_a_record_is_looked_at_once_for_each_of_the_arguments():
    found, calls = counting(4)
    one, other = Thing(), Thing()
    first = found(one, 1)
    assert found(one, 1) is first
    assert found(other, 1) is not first
    assert found(one, 2) is not first
    assert calls == [(one, 1), (other, 1), (one, 2)]


def test_a_record_that_is_gone_is_not_taken_for_the_next_one_in_its_place():
    found, calls = counting(1)
    seen = {found(Thing()) for _ in range(100)}  # each is gone from the caller when the next is made
    assert len(seen) == len(calls) == 100


def test_no_more_than_the_last_records_are_held():
    found = remembered_by_record(2)(lambda record: 1)
    things = [Thing() for _ in range(5)]
    for thing in things:
        found(thing)
    gone = [weakref.ref(thing) for thing in things]
    del thing, things
    gc.collect()
    assert sum(one() is not None for one in gone) <= 2
