"""Named tuples that kernels receive by their address: what is read and written is what Python holds."""

from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from otjdd.compiler import kernel_cache
from otjdd.compiler.decorators import njit
from otjdd.compiler.pointer_tuples import Row, TuplePointer, by_pointer

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


class Size(NamedTuple):
    """Passed by value."""

    length: float
    count: int


@by_pointer
class Inner(NamedTuple):
    """Within another one."""

    values: np.ndarray
    size: Size


@by_pointer
class Outer(NamedTuple):
    """Fields of all kinds."""

    grid: np.ndarray
    inner: Inner
    scale: float
    on: bool
    twin: Inner


@by_pointer
class Vectors(NamedTuple):
    """Fields of one kind, which numba keeps as an array and not as a structure."""

    first: np.ndarray
    second: np.ndarray


def outer() -> Outer:
    inner, twin = Inner(np.array([1, 2, 3]), Size(0.5, 7)), Inner(np.array([4, 5, 6]), Size(1.5, 8))
    return Outer(np.arange(6.0).reshape(2, 3), inner, 2.0, True, twin)


def test_a_kernel_reads_each_field_and_those_of_a_tuple_within():
    @njit(_nrt=False)
    def read(o):
        a, b = o.inner, o.twin
        return o.grid[1, 2], a.values[2], a.size.length, a.size.count, o.scale, o.on, b.values[2], b.size.count

    assert read(outer()) == (5.0, 3, 0.5, 7, 2.0, True, 6, 8)


def test_the_code_that_copies_fields_is_in_no_function_that_python_calls(monkeypatch):
    """Compiled into each, the two hundred arrays of a junction take two seconds."""
    monkeypatch.setattr(kernel_cache, "folder", lambda: None)

    @njit()
    def sum_of(o):
        return o.grid.sum() + o.inner.values.sum()

    assert sum_of(outer()) == 21.0
    (code,) = sum_of.entry_point.inspect_llvm().values()
    assert "adapt_ndarray" not in code


@pytest.mark.parametrize("counted", [True, False])
def test_what_a_kernel_writes_into_an_array_python_sees(counted):
    @njit(_nrt=counted)
    def scale(o):
        for i in range(o.grid.shape[0]):
            for j in range(o.grid.shape[1]):
                o.grid[i, j] *= o.scale

    mine = outer()
    scale(mine)
    assert mine.grid.tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]


def test_a_tuple_is_handed_on_from_kernel_to_kernel():
    @njit(apart=True, _nrt=False)
    def first(inner, k):
        return inner.values[k] * inner.size.count

    @njit(_nrt=False)
    def add(o):
        total = 0
        for k in range(3):
            total += first(o.inner, k)
        return total

    assert add(outer()) == 42


def test_fields_of_one_kind_are_told_apart_and_what_is_written_is_loaded_again():
    @njit(_nrt=False)
    def run(v):
        for i in range(1, v.first.size):
            v.first[i] = v.first[i - 1] + 1.0
        return v.first[v.first.size - 1] - v.second[1]

    assert run(Vectors(np.zeros(100), np.array([0.0, 3.0]))) == 96.0


def test_tuples_with_other_fields_have_another_type():
    of_doubles, of_integers = numba.typeof(outer().inner), numba.typeof(Inner(np.zeros(3), Size(0.5, 7)))
    assert isinstance(of_doubles, TuplePointer)
    assert of_doubles == numba.typeof(outer().inner)
    assert of_doubles != of_integers
    assert of_doubles.name != of_integers.name


def test_a_field_that_is_not_there_is_an_error_of_its_name():
    @njit(_nrt=False)
    def read(o):
        return o.gird

    with pytest.raises(numba.core.errors.TypingError, match="gird"):
        read(outer())


def test_an_array_that_a_counting_kernel_takes_from_a_tuple_outlives_it():
    @njit()
    def first(v):
        return v.first

    array = first(Vectors(np.arange(1000.0), np.zeros(1)))
    assert array.sum() == 499500.0


@pytest.fixture
def references():
    """Function that returns how many references to arrays numba counts."""
    was_on = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    yield lambda: rtsys.get_allocation_stats().mi_alloc - rtsys.get_allocation_stats().mi_free
    if not was_on:
        _nrt_python.memsys_disable_stats()


def test_references_to_the_arrays_of_a_tuple_end_with_the_call_also_by_an_error(references):
    @njit()
    def half_of_grid(o, divisor):
        if divisor < 0.0:
            raise ValueError("negative")
        return o.grid / divisor

    mine = outer()
    half_of_grid(mine, 2.0)
    before = references()
    for _ in range(5):
        half_of_grid(mine, 2.0)
        Row([mine.inner])
        with pytest.raises(ValueError, match="negative"):
            half_of_grid(mine, -1.0)
    assert references() == before
    array = half_of_grid(mine, 2.0)
    assert references() == before + 1
    assert array.sum() == 7.5
    assert mine.grid.sum() == 15.0
