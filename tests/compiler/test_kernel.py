"""Kernels: called by a symbol or copied, for all values of a number, and loaded whole."""

import signal
from concurrent.futures import ThreadPoolExecutor

import numba
import pytest
from numba.core.codegen import JITCodeLibrary
from numba.core.cpu import CPUContext

from otjdd.compiler import decorators, kernel, kernel_cache

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

HELPER = """
define double @helper(double %x) noinline {{ %y = fmul double %x, {factor}  ret double %y }}
define double @main(double %x) {{ %y = call double @helper(double %x)  ret double %y }}
"""


def shifted(x, by=1.0):
    return x + by


@decorators.apart
def scaled(x, times):
    return x * times


@decorators.kernel
def twice_and_thrice(x):
    return scaled(x, 2) + scaled(x, times=3)


def test_arguments_may_be_named_and_left_out():
    made = decorators.detached(shifted)
    assert [made(1.0), made(1.0, 2.0), made(1.0, by=3.0)] == [2.0, 3.0, 4.0]


def test_a_kernel_is_compiled_once_for_all_values_of_a_number():
    assert twice_and_thrice(1.5) == 7.5
    assert list(scaled.loaded) == [(numba.float64, numba.int64)]


def test_numba_makes_no_machine_code_of_a_kernel_but_of_its_entry_point(monkeypatch):
    made, finalize = [], JITCodeLibrary._finalize_specific
    monkeypatch.setattr(JITCodeLibrary, "_finalize_specific", lambda own: (made.append(own.name), finalize(own)))
    monkeypatch.setattr(kernel_cache, "folder", lambda: None)
    monkeypatch.setattr(kernel_cache, "KERNELS", dict(kernel_cache.KERNELS))

    def inner(x):
        return 3.0 * x

    copied = decorators.bare(inner)

    def outer(x):
        return copied(x) + 1.0

    assert decorators.detached(outer)(2.0) == 7.0
    assert made == ["outer"]


def test_an_entry_point_on_disk_is_loaded_without_a_look_through_all_functions_of_numba(monkeypatch, tmp_path):
    monkeypatch.setattr(kernel_cache, "folder", lambda: tmp_path)
    monkeypatch.setattr(kernel_cache, "KERNELS", dict(kernel_cache.KERNELS))
    assert decorators.detached(shifted)(1.0, 4.0) == 5.0
    monkeypatch.setattr(CPUContext, "refresh", lambda context: pytest.fail("it takes 0.2 s"))
    assert decorators.detached(shifted)(1.0, 4.0) == 5.0


def test_a_kernel_of_the_name_of_another_module_is_refused(monkeypatch):
    monkeypatch.setattr(kernel_cache, "KERNELS", dict(kernel_cache.KERNELS))
    decorators.detached(shifted)

    def other(x):
        return x

    other.__module__, other.__qualname__ = "elsewhere.test_kernel", "shifted"
    with pytest.raises(AssertionError, match="shifted is a kernel of"):
        decorators.detached(other)


def test_functions_of_one_name_in_two_object_files_are_two(monkeypatch):
    """Else the linker takes, of all copies in a process, the first: another one in the run that compiles than later."""
    from ctypes import CFUNCTYPE, c_double

    from llvmlite import binding

    values = []
    for factor in ("2.0", "3.0"):
        code, needed = kernel_cache.object_file(HELPER.format(factor=factor), "main", f"otjdd.test.{factor}")
        assert needed == []
        kernel_cache.link(code, f"otjdd.test.{factor}")
        address = binding.address_of_symbol(f"otjdd.test.{factor}")
        values.append(CFUNCTYPE(c_double, c_double)(address)(7.0))
    assert values == [14.0, 21.0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_machine_code_is_loaded(number):
    class Came(BaseException):
        pass

    def come(number, frame):
        raise Came

    def load():
        with kernel.undisturbed():
            signal.raise_signal(number)
            seen.append("loaded")

    before, seen = signal.signal(number, come), []
    try:
        with pytest.raises(Came):
            load()
        assert seen == ["loaded"]
        assert signal.getsignal(number) is come
    finally:
        signal.signal(number, before)


def test_threads_load_machine_code_as_they_are():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: kernel.undisturbed().__enter__()).result() is None
