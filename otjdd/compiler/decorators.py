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

Kernels made of others: one calls what every part of a package has under its name, one chooses among them by a code.

    @hook(parts, WORST, bare)          def step_error(junction, state, trial, rtol):
    def step_error(...):                   result = heat.step_error(junction, state, trial, rtol)
        return 0.0                         result = max(result, polarisation.step_error(...))
                                           return result

The function itself says arguments and meaning, and what it is where no part has it. Nothing is called for parts without.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
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


ALL, STATUS, WORST, ANY, SUM, LIMIT = "all", "status", "worst", "any", "sum", "limit"
# how the results of two parts become one: the names of a result, and what the second one does to it
FOLDS = {
    ALL: ("_", "{0}"),
    STATUS: ("status", "if status == 0:\n        status = {0}"),  # the first failure
    WORST: ("norm", "norm = max(norm, {0})"),
    ANY: ("so", "so = so or {0}"),
    SUM: ("total", "total += {0}"),
    LIMIT: ("passes, growth", "more, least = {0}\n    passes, growth = passes and more, min(growth, least)"),
}


def parts_of(package: ModuleType) -> list[ModuleType]:
    """The modules of a package, in the order of their names; of a folder within it the module `step`, if there is one."""
    names = [f"{of.name}.step" if of.ispkg else of.name for of in pkgutil.iter_modules(package.__path__)]
    found = [f"{package.__name__}.{name}" for name in names if importlib.util.find_spec(f"{package.__name__}.{name}")]
    return [importlib.import_module(name) for name in found]


def hook(parts: Sequence[ModuleType], fold: str, decorator: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decorator: the function becomes a kernel that calls the functions of its name of all parts that have one.

    fold : how their results become one   decorator : of the kernel
    """

    def of_parts(function: Callable[..., Any]) -> Any:
        own = [getattr(part, function.__name__) for part in parts if hasattr(part, function.__name__)]
        if not own:
            return decorator(function)
        result, more = FOLDS[fold]
        words = ", ".join(inspect.signature(function).parameters)
        first, *others = (f"part_{i}({words})" for i in range(len(own)))
        lines = [f"{result} = {first}", *(more.format(call) for call in others), f"return {result}" * (fold != ALL)]
        return decorator(compiled_text(function, words, lines, {f"part_{i}": part for i, part in enumerate(own)}))

    return of_parts


def chosen(kernels: Mapping[int, Any], code: str, decorator: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decorator: the function becomes a kernel that calls one of others with its arguments, and is itself for other codes.

    code : expression of its arguments. Where that is the name of the first one, the others are not given it
    """

    def by_code(function: Callable[..., Any]) -> Any:
        words = list(inspect.signature(function).parameters)
        given = ", ".join(words[words[0] == code :])
        lines = [f"if {code} == {number}:\n        return kernel_{number}({given})" for number in kernels]
        lines.append(f"return otherwise({', '.join(words)})")
        space = {f"kernel_{number}": kernel for number, kernel in kernels.items()}
        whole = compiled_text(function, ", ".join(words), lines, space)
        function.__qualname__ += "_otherwise"  # in the cache of kernels
        space["otherwise"] = decorator(function)
        return decorator(whole)

    return by_code


def compiled_text(like: Any, words: str, lines: Sequence[str], space: dict[str, Any]) -> Any:
    """A Python function of these lines with the name, the text and the module of another. space : what its lines name"""
    body = "\n".join(f"    {line}" for line in lines if line)
    exec(f"def {like.__name__}({words}):\n{body}\n", space)
    function = space[like.__name__]
    function.__module__, function.__qualname__, function.__doc__ = like.__module__, like.__qualname__, like.__doc__
    return function
