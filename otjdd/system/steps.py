"""How far work has come, and work in steps, as generators: several pieces of it take each step together.

Python's part of a short run takes twice as long after a kernel, which has driven what it needs from the caches of the
processor. Several runs that are prepared together, then computed, then written, pay for that once.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

Progress = Callable[[float], object] | None  # called with the fraction of a run that is done


def finished(steps: Generator[None, None, Any]) -> Any:
    """Result of a generator, run to its end. Raises the exceptions of the generator."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def together(pieces: Sequence[Generator[None, None, Any]]) -> Iterator[tuple[int, Any, float]]:
    """Numbers of the pieces, their results and the time [s] that each took, as they end. Raises what one raises."""
    took, left = [0.0] * len(pieces), list(range(len(pieces)))
    while left:
        for number in [*left]:
            began = time.perf_counter()
            try:
                next(pieces[number])
            except StopIteration as end:
                left.remove(number)
                yield number, end.value, took[number] + time.perf_counter() - began
            else:
                took[number] += time.perf_counter() - began
