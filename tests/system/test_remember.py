"""Results that are remembered of a record: once for each record, never of another one, and of the last ones only."""

import gc
import random
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

from otjdd.system.remember import by_record


class Thing:
    """A record without a value: equal to itself alone."""


def counting(most):
    calls = []

    @by_record(most)
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


def test_several_records_in_front_are_known_by_their_identity():
    calls = []
    found = by_record(4, records=2)(lambda *arguments: calls.append(arguments))
    one, other = Thing(), Thing()
    for arguments in ((one, other, 1), (one, other, 1), (other, one, 1), (one, one, 1), (one, other, 2)):
        found(*arguments)
    assert calls == [(one, other, 1), (other, one, 1), (one, one, 1), (one, other, 2)]


def test_a_record_that_is_gone_is_not_taken_for_the_next_one_in_its_place():
    found, calls = counting(1)
    seen = {found(Thing()) for _ in range(100)}  # each is gone from the caller when the next is made
    assert len(seen) == len(calls) == 100


def test_threads_find_the_results_of_their_own_records():
    found = by_record(3)(lambda record, number: (record, number))
    things = [Thing() for _ in range(8)]

    def look(seed):
        chosen = random.Random(seed)
        for _ in range(3000):
            thing, number = chosen.choice(things), chosen.randrange(3)
            if found(thing, number) != (thing, number):
                return False
        return True

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(look, range(8)))
    finally:
        sys.setswitchinterval(before)


def test_no_more_than_the_last_records_are_held():
    found = by_record(2)(lambda record: 1)
    things = [Thing() for _ in range(5)]
    for thing in things:
        found(thing)
    gone = [weakref.ref(thing) for thing in things]
    del thing, things
    gc.collect()
    assert sum(one() is not None for one in gone) <= 2
