"""Deferred kernels: compiled when they are first called, with all arguments, by any thread, or not at all."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numba
import numpy as np
import pytest

from otjdd.compiler import decorators, kernel, kernel_cache
from otjdd.errors import Status

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")


class Answer(NamedTuple):
    large: bool
    total: float
    scaled: np.ndarray


def new_pair():
    """A deferred kernel, and one that calls it for x > 0 and returns 0 otherwise."""

    def door(x: float) -> bool:
        return x > 2.0

    deferred = decorators.deferred(door)

    def around(x):
        return (1.0 if deferred(x) else 0.5) if x > 0.0 else 0.0

    return deferred, decorators.detached(around)


@pytest.fixture
def nothing_on_disk(monkeypatch):
    monkeypatch.setattr(kernel_cache, "folder", lambda: None)


def test_a_deferred_kernel_is_compiled_with_the_first_call_that_reaches_it(nothing_on_disk):
    deferred, around = new_pair()
    assert around(-1.0) == 0.0
    assert not deferred.inner.overloads
    assert [around(x) for x in (1.0, 3.0)] == [0.5, 1.0]
    assert len(deferred.inner.overloads) == 1
    assert deferred(5.0)


@decorators.deferred
def sums(
    a: float, b: float, x: np.ndarray, i: int, y: np.ndarray, z: np.ndarray, pair: tuple, up: bool, c: float
) -> Answer:
    y[i] = a
    total = a + 2.0 * b + 3.0 * x[i] + 5.0 * z[1, i] + 7.0 * pair[0] + 11.0 * pair[1] + 13.0 * c
    return Answer(up, total, 2.0 * x)


@decorators.apart
def sums_by_another(a, b, x, i, y, z, pair, up, c):
    answer = sums(a, b, x, i, y, z, pair, up, c)
    return answer.large, answer.total, answer.scaled


def test_a_deferred_kernel_gets_more_arguments_than_registers_and_returns_a_tuple():
    x, y, z = np.arange(4.0), np.zeros(4), np.arange(8.0).reshape(2, 4)
    for turn in range(2):
        up, total, scaled = sums_by_another(0.5, 1.5, x, 2, y, z, (3, 0.25), turn > 0, 0.125)
        assert (up, total) == (turn > 0, 0.5 + 3.0 + 6.0 + 30.0 + 21.0 + 2.75 + 1.625)
        np.testing.assert_array_equal(scaled, 2.0 * x)
        assert y[2] == 0.5


@pytest.mark.parametrize("annotation", [float, int, None, Status, tuple[float, float]])
def test_an_annotation_that_is_wrong_ends_the_call(annotation, nothing_on_disk):
    def door(x: float):
        return x > 2.0

    door.__annotations__["return"] = annotation
    deferred = decorators.deferred(door)

    @decorators.detached
    def around(x):
        deferred(x)

    with pytest.raises(TypeError, match=r"door returns bool, its annotation says"):
        around(1.0)


def test_an_annotation_that_tells_no_type_is_refused():
    with pytest.raises(TypeError, match="not <class 'list'>"):
        kernel.type_of(list)


def test_an_exception_of_the_compiler_comes_out_of_the_caller_and_the_next_call_tries_again(
    nothing_on_disk, monkeypatch
):
    _, around = new_pair()
    assert around(-1.0) == 0.0
    with monkeypatch.context() as patch:
        patch.setattr(kernel.Kernel, "load", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            around(3.0)
    assert around(3.0) == 1.0


def test_an_interruption_waits_for_the_end_of_the_call(nothing_on_disk, monkeypatch):
    _, around = new_pair()
    assert around(-1.0) == 0.0
    load, values = kernel.Kernel.load, []

    def interrupted(self, arguments):
        signal.raise_signal(signal.SIGINT)
        return load(self, arguments)

    def call_and_wait():
        values.append(around(3.0))
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(kernel.Kernel, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call_and_wait()
    assert values == [1.0]


def test_threads_that_call_at_once_compile_once(nothing_on_disk, monkeypatch):
    deferred, around = new_pair()
    assert around(-1.0) == 0.0
    load, loaded = kernel.Kernel.load, []

    def slow(self, arguments):
        time.sleep(0.1)
        loaded.append(self)
        return load(self, arguments)

    monkeypatch.setattr(kernel.Kernel, "load", slow)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(around, [3.0] * 4)) == [1.0] * 4
    assert loaded == [deferred]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("lock", ["FINDING", "global_compiler_lock"])
def test_a_process_forked_while_a_thread_compiles_calls_kernels_too(nothing_on_disk, lock):
    _, around = new_pair()
    assert around(-1.0) == 0.0
    locked = threading.Event()

    def compile_for_a_while():
        with getattr(kernel, lock):
            locked.set()
            time.sleep(0.5)

    with ThreadPoolExecutor(1) as pool:
        compiling = pool.submit(compile_for_a_while)
        locked.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(60)  # ends a child that waits for ever
            os._exit(0 if around(3.0) == 1.0 else 1)
        compiling.result()
        assert os.waitpid(child, 0)[1] == 0
    assert around(3.0) == 1.0
