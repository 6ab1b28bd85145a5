"""Progress of an extraction through its stages: a stage has a share of the whole, which grows as its jobs end."""

from collections.abc import Iterator, Sequence
from typing import Any

from otjdd.system.pool import Spread
from otjdd.system.steps import Progress

SHARES = {"extraction": 1.0, "noise": 3.0, "error": 1.0, "scatter": 10.0, "devices": 10.0}  # of the time, roughly


def stages(progress: Progress, names: Sequence[str]) -> dict[str, Progress]:
    """Name of a stage (of SHARES) -> function that takes the fraction of this stage. The reported progress never falls."""
    whole, before, largest = sum(SHARES[name] for name in names), 0.0, [0.0]
    of_stages: dict[str, Progress] = {}
    for name in names:

        def report(fraction: float, start: float = before, share: float = SHARES[name]) -> None:
            largest[0] = max(largest[0], (start + share * fraction) / whole)
            if progress:
                progress(largest[0])

        of_stages[name] = report
        before += SHARES[name]
    return of_stages


def counted(spread: Spread, progress: Progress) -> Spread:
    """A function like `spread`, which reports the fraction of its jobs that have ended."""

    def spread_jobs(function: Any, jobs: Any, **options: Any) -> Iterator[tuple[int, Any]]:
        every = list(jobs)
        for ended, result in enumerate(spread(function, every, **options), 1):
            if progress:
                progress(ended / len(every))
            yield result

    return spread_jobs
