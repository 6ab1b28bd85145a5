"""Progress of work, and work in steps: generators that take their steps together.

A kernel displaces Python's data from the caches of the processor, after which Python's part of a short run takes twice as
long. Several runs that are prepared together, then computed together, then written together, pay for that once.
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
    """Yield (number of a piece, its result, its time [s]) as the pieces end. Raises the exceptions of the pieces."""
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
