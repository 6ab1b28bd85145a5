"""Kernels made of others: one calls what every part of a package has under its name, one chooses among them by a code.

    @hook(parts, WORST, bare)          def step_error(junction, state, trial, rtol):
    def step_error(...):                   result = heat.step_error(junction, state, trial, rtol)
        return 0.0                         result = max(result, polarisation.step_error(...))
                                           return result

The function itself says arguments and meaning, and what it is where no part has it. Nothing is called for parts without.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

ALL, STATUS, WORST, ANY, LIMIT = "all", "status", "worst", "any", "limit"
# how the results of two parts become one: the names of a result, and what the second one does to it
FOLDS = {
    ALL: ("_", "{0}"),
    STATUS: ("status", "if status == 0:\n        status = {0}"),  # the first failure
    WORST: ("norm", "norm = max(norm, {0})"),
    ANY: ("so", "so = so or {0}"),
    LIMIT: ("passes, growth", "more, least = {0}\n    passes, growth = passes and more, min(growth, least)"),
}


def parts_of(package: ModuleType) -> list[ModuleType]:
    """The modules of a package, in the order of their names."""
    return [importlib.import_module(f"{package.__name__}.{of.name}") for of in pkgutil.iter_modules(package.__path__)]


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
