"""Rows of named tuples: a kernel indexes what Python has laid."""

import gc
import pickle
from typing import NamedTuple

import numpy as np
import pytest

from otjdd.compiler.decorators import kernel
from otjdd.compiler.pointer_tuples import Row, by_pointer


@by_pointer
class Item(NamedTuple):
    code: int
    size: float
    table: np.ndarray


@kernel
def summed_up(row: Row, k: int) -> float:
    return row[k].code + row[k].size * row[k].table[-1]


def items() -> list[Item]:
    return [Item(k, 0.5 * k, np.arange(10.0 * (k + 1))) for k in range(5)]


def test_a_kernel_finds_each_item_of_a_row_whose_arrays_live_as_long_as_it_does():
    row = Row(items())
    gc.collect()
    expected = [item.code + item.size * item.table[-1] for item in items()]
    assert [summed_up(row, k) for k in range(5)] == expected
    assert [summed_up.py_func(row, k) for k in range(5)] == expected
    assert [summed_up(pickle.loads(pickle.dumps(row)), k) for k in range(5)] == expected


def test_items_of_different_types_are_refused():
    with pytest.raises(TypeError, match="one type, not of 2"):
        Row([*items(), Item(5, 1, np.zeros(3))])
