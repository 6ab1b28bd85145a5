"""Results of functions for the records they were last given, which are frozen and so known by their identity.

A case that differs from another in one section shares the records of all others with it. What follows from those alone
is then found once for all points of a study.
"""

from collections.abc import Callable
from functools import wraps
from threading import Lock


def by_record(most: int, records: int = 1) -> Callable:
    """Decorator of a function of frozen records and of hashable arguments: computed once for each of the last records.

    most : results that are held, and with them their records   records : arguments in front that are records
    The result is shared by all callers, and must not be changed by them.
    """

    def decorated(function: Callable) -> Callable:
        held: dict[tuple, tuple] = {}
        lock = Lock()  # coarser grids run in threads

        @wraps(function)
        def found(*arguments):
            key = (*map(id, arguments[:records]), *arguments[records:])
            # The records are held with their result: the identity of one that is gone may come again.
            with lock:
                of, result = held.pop(key, (None, None))
            if of is None:
                of, result = arguments[:records], function(*arguments)
            with lock:
                while len(held) >= most:
                    held.pop(next(iter(held)))  # the one that was not asked for the longest
                held[key] = of, result
            return result

        return found

    return decorated
