"""Decorators of the kernels: each is `numba.njit` with options, and with machine code kept on disk (`kernel`).

If `kernel` cannot be imported because numba has changed, they are those of numba: correct, but compiled in each process.

All kernels divide as numpy does (no ZeroDivisionError): with Python's check in a loop, LLVM does not vectorise it.

| decorator | for | what it does |
|---|---|---|
| @kernel | small functions that make arrays | the plain case |
| @apart | large functions that make arrays | compiled once and called by symbol, which saves compile time |
| @deferred | doors to what most devices do not have | @apart, and compiled at the first call, see `kernel` |
| @deferred_detached | such doors that make no array | @detached, and compiled at the first call |
| @spliced | small functions with one or two callers | numba copies its statements into the caller; saves a compilation |
| @bare | small functions that make no array | no reference counting of arrays |
| @detached | large functions that make no array | @bare and @apart |
| @inlined | small functions that are called often | @bare, and LLVM must inline it |
| @fused | loops of multiply and add | @bare, with fused multiply-add (one rounding) |
| @detached_fused | large functions with such loops | @fused and @apart |
| @summed | sums over cells | @fused, with sums in any order, so that they are vectorised |
| @loose | loops over energies | @summed, and no value may be infinite or nan |
| @loose_inlined | functions called in these loops | @loose, and LLVM must inline it: a loop with a call is not vectorised |

Reference counting. A kernel receives dozens of arrays in named tuples, and numba counts a reference for each at each call,
with atomic additions. Without counting a run is 3.4 to 4.4 times as fast. A kernel without counting must not make an array,
which would never be freed. See issues #2345, #2350 and #1833 of github.com/numba/numba.

Calls by symbol. numba links a copy of all its callees into each function, so the compile time of a chain of functions grows
with the square of its length: see pull requests #9566 and #9570 there, and issues #9483 and #8396. Large tuples are passed
by their address (`pointer_tuples`), so that a call by symbol is cheap, and all but the smallest functions are called so.
numba alone takes more than three minutes for the kernels of a run.

Calls that few runs make. Kernels of traps, of ions that hop at random and the like take as long to compile as all that a
plain run calls. Others call them behind a predicate of the junction or the state, and through a kernel that is @deferred:
it and what it calls are compiled when a run comes to that call.

Rounding. Options of floating point are given to single kernels whose error was measured. Free reordering, for example,
breaks `numerics.exponential`, which rounds by adding a number and subtracting it: its error grows from 3e-16 to 0.4.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numba

F = TypeVar("F", bound=Callable[..., Any])
Kernel: Any = None  # the class of kernels; None if it does not work with this numba
if not numba.config.DISABLE_JIT:
    try:
        from otjdd.compiler.kernel import Kernel
    except (ImportError, AttributeError) as error:
        warnings.warn(
            f"numba {numba.__version__} is not one that otjdd was tested with ({error}): kernels are not kept between "
            "runs, and each process compiles them anew, which takes minutes",
            RuntimeWarning,
            stacklevel=2,
        )


def njit(*, apart: bool = False, deferred: bool = False, **options: Any) -> Callable[[F], F]:
    """Decorator as numba.njit, with machine code that is kept on disk.

    apart : callers call the function by its symbol instead of containing its machine code
    deferred : that, and it is compiled or loaded at its first call
    options : of numba.njit
    """
    if Kernel is None or options.get("inline"):
        decorator: Callable[[F], F] = numba.njit(**options)
        return decorator
    return lambda function: Kernel(function, apart, deferred, **options)


# All options are given: numba would take missing ones from the caller that it compiles first.
COMMON: dict[str, Any] = {"error_model": "numpy", "_nrt": False, "fastmath": False, "forceinline": False}
SUMS = {"contract", "reassoc", "nsz"}
kernel = njit(**COMMON | {"_nrt": True})
apart = njit(**COMMON | {"_nrt": True}, apart=True)
deferred = njit(**COMMON | {"_nrt": True}, deferred=True)
deferred_detached = njit(**COMMON, deferred=True)
spliced = njit(**COMMON, inline="always")
bare = njit(**COMMON)
detached = njit(**COMMON, apart=True)
inlined = njit(**COMMON | {"forceinline": True})
fused = njit(**COMMON | {"fastmath": {"contract"}})
detached_fused = njit(**COMMON | {"fastmath": {"contract"}}, apart=True)
summed = njit(**COMMON | {"fastmath": SUMS})
loose = njit(**COMMON | {"fastmath": True})
loose_inlined = njit(**COMMON | {"fastmath": True, "forceinline": True})
