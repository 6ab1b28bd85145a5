"""Kernels made of others: every fold of what parts return, parts without a hook, and the choice by a code."""

import math
from types import SimpleNamespace

import pytest

from otjdd.compiler import decorators
from otjdd.compiler.decorators import ALL, ANY, LIMIT, STATUS, WORST, chosen, hook
from otjdd.physics.ions import laws_at


def plain(function):
    return function


def parts(*results, calls=None):
    """Parts whose hook `of` returns these, with a part between them that has none."""

    def part(result):
        return SimpleNamespace(of=lambda x: (None if calls is None else calls.append(x)) or result)

    return [of for result in results for of in (SimpleNamespace(other=None), part(result))]


@pytest.mark.parametrize(
    ("fold", "results", "whole"),
    [
        (WORST, (1.0, 3.0, 2.0), 3.0),
        (WORST, (math.inf, 0.0), math.inf),
        (ANY, (False, True, False), True),
        (ANY, (False, False), False),
        (STATUS, (0, 7, 3), 7),
        (STATUS, (0, 0), 0),
        (LIMIT, ((True, 2.0), (True, 0.5)), (True, 0.5)),
        (LIMIT, ((False, 0.9), (True, 4.0)), (False, 0.9)),
        (ALL, (None, None), None),
        (WORST, (-1.0,), -1.0),
        (WORST, (), "absent"),
    ],
)
def test_what_parts_return_becomes_one(fold, results, whole):
    calls = []

    @hook(parts(*results, calls=calls), fold, plain)
    def of(x):
        """What it does."""
        return "absent"

    assert of(5) == whole
    ends = [
        i for i, result in enumerate(results, 1) if fold in (STATUS, ANY) and result
    ]  # what the first one says holds
    assert calls == [5] * min([*ends, len(results)])
    assert (of.__doc__, of.__module__, of.__name__) == ("What it does.", __name__, "of")


def test_one_of_several_is_chosen_by_a_code():
    @chosen({2: lambda a, b: a + b, 5: lambda a, b: a * b}, "code", plain)
    def of(code, a, b):
        return code

    assert [of(code, 3, 4) for code in (2, 5, 6)] == [7, 12, 6]

    @chosen({2: lambda record, b: b}, "record.law", plain)
    def of_law(record, b):
        return -b

    assert [of_law(SimpleNamespace(law=law), 4) for law in (2, 3)] == [4, -4]
    assert laws_at.__doc__


def test_parts_are_the_modules_of_a_package_in_the_order_of_their_names():
    from otjdd import mechanisms

    names = [part.__name__.removeprefix("otjdd.mechanisms.") for part in decorators.parts_of(mechanisms)]
    assert names == sorted(names)
    assert {"heat", "polarisation", "traps.step"} <= set(names)
