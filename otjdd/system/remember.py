"""Memory for functions of frozen records. Records are compared by identity.

Two cases that differ in one section share the records of all other sections. A result that depends on shared records
alone is so computed once for all points of a study.
"""

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def remembered_by_record(
    most: int, records: int = 1
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """Decorator that remembers the last results of a function of frozen records and hashable arguments.

    most : results that are remembered   records : number of leading arguments that are records; they are kept alive
    The result is shared by all callers, and must not be changed by them.
    """

    def decorated(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
        results: dict[tuple[Any, ...], tuple[tuple[Any, ...], Result]] = {}
        lock = Lock()  # coarser grids run in threads

        @wraps(function)
        def remembered(*arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
            key = (*map(id, arguments[:records]), *arguments[records:], *sorted(named.items()))
            with lock:
                entry = results.pop(key, None)
            if entry is None:
                # Records are kept with their result: Python may reuse the identity of a deleted object.
                entry = arguments[:records], function(*arguments, **named)
            with lock:
                while len(results) >= most:
                    results.pop(next(iter(results)))  # the least recently used
                results[key] = entry
            return entry[1]

        return remembered

    return decorated
