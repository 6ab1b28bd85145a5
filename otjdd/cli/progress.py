"""Progress of a command on the terminal: bars, lines in a file, counts of points, and the state of a search in words."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from otjdd import fitting
from otjdd.system.late import rich
from otjdd.system.terminal import plain, tell

LINES = 30.0  # s between two lines of progress in a file


@contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Callable[[float], None] | None]:
    """Yield a callback that sets a progress bar on stderr to a fraction; None if quiet or if stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    parts, console = rich.progress, rich.console.Console(stderr=True)
    columns = (
        parts.TextColumn("{task.description}", markup=False), parts.BarColumn(), parts.TaskProgressColumn(),
        parts.TimeRemainingColumn(),
    )  # fmt: skip
    with parts.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(plain(title), total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


@contextmanager
def progress_lines(title: str) -> Iterator[Callable[[float], None] | None]:
    """As `progress_bar`; where stderr is a file the callback writes a line every LINES seconds."""
    if sys.stderr.isatty():
        with progress_bar(title, quiet=False) as bar:
            yield bar
        return
    began = last = time.monotonic()

    def tell_fraction(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINES:
            last = now
            tell(f"{title}: {fraction:.0%} after {now - began:.0f} s")

    yield tell_fraction


@contextmanager
def study_progress(title: str, quiet: bool) -> Iterator[Callable[[int, int, int], None] | None]:
    """Yield a callback (done, failed, total): a bar on a terminal, else a line every LINES seconds; None if quiet."""
    if quiet or sys.stderr.isatty():
        with progress_bar(title, quiet) as bar:
            yield bar and (lambda done, failed, total: bar(done / total))
        return
    began, last = time.monotonic(), -LINES

    def tell_counts(done: int, failed: int, total: int) -> None:
        nonlocal last
        passed = time.monotonic() - began
        if passed - last >= LINES or done == total:
            last = passed
            failures = f", {failed} failed" if failed else ""
            tell(f"{done} of {total} points{failures}, {passed:.0f} s")

    yield tell_counts


@contextmanager
def progress_words(title: str, quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """Yield a callback that shows a text on stderr, for work of unknown length; None if quiet or without a terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with rich.console.Console(stderr=True).status(plain(title)) as status:
        yield lambda text: status.update(plain(f"{title}: {text}"))


# Evaluations of a search: a Jacobian at its start and one at its end, and the places between. A fit of two parameters to a
# loop took 10.
PER_PARAMETER, PER_SEARCH = 2, 8


@contextmanager
def search_progress(
    title: str, task: fitting.search.Aimed, evaluations: int, quiet: bool, cost_hint: str = ""
) -> Iterator[Callable[[fitting.least_squares.SearchProgress], None]]:
    """Yield a callback that shows the progress of a search on stderr: a text, or a line where that is no terminal.

    evaluations : of its global search   cost_hint : what is said of the cost after the first evaluation
    """
    began, last_count = time.monotonic(), 0
    expected = evaluations + PER_PARAMETER * len(task.parameters) + PER_SEARCH
    with progress_words(title, quiet) as words:

        def tell_progress(at: fitting.least_squares.SearchProgress) -> None:
            nonlocal last_count
            seconds = time.monotonic() - began
            if cost_hint and not last_count and not quiet:
                count = f"{at.evaluations} evaluation{'s' * (at.evaluations > 1)} of {len(at.values)} points"
                tell(f"{title}: {count} took {seconds:.2g} s; a search like this takes about {expected}. {cost_hint}")
            if at.evaluations != last_count:
                line = f"{progress_text(at, task)}; {rest_text(seconds, at.evaluations, expected)}"
                if words:
                    words(line)
                elif not quiet:
                    tell(f"{title}: {line}")
            last_count = at.evaluations

        yield tell_progress


def rest_text(seconds: float, count: int, expected: int) -> str:
    """Time that a search still takes, in words. seconds, count : of its evaluations so far   expected : in all"""
    if count >= expected:
        return "longer than most"
    return f"about {seconds / max(1, count) * (expected - count):.2g} s left"


def progress_text(progress: fitting.least_squares.SearchProgress, task: fitting.search.Aimed) -> str:
    """Progress of a search in words: counts, the residual of the best set so far, and its values."""
    count = f"{progress.evaluations} evaluation{'s' * (progress.evaluations != 1)}"
    misfit = f"{progress.jacobians} Jacobians, residual {progress.misfit:.4g} per point"
    best = (
        f"{parameter.name} = {parameter.text(parameter.value(coordinate), 4)}"
        for parameter, coordinate in zip(task.parameters, progress.x, strict=True)
    )
    return f"{count}, {misfit}; {', '.join(best)}"
