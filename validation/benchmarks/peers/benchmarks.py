"""Benchmarks of otjdd against general integrators on the same equations, and against another commit."""

from collections.abc import Iterator
from pathlib import Path

from validation.benchmarks.benchmark import Asked, Benchmark
from validation.benchmarks.peers import compare, history, scaling, whole

PAGE = "peers/README.md"


def races(asked: Asked) -> Iterator[tuple]:
    """The rows of all problems; tells how well two codes agree when both are strict."""
    for problem in compare.on_grids(asked.quick):
        found, distance = compare.race(problem, 3 if asked.quick else compare.ROUNDS)
        print(f"{problem.name}: IDA at 1e-9 is {distance:.1e} from the reference", flush=True)
        yield from compare.rows_of(found)


def against(asked: Asked) -> tuple:
    """Print the comparison with a commit. Words: the commit, and a folder in which its files and kernels are kept."""
    commit, *folder = asked.words
    history.tell(commit, Path(folder[0]) if folder else None, asked.quick)
    return ()


BENCHMARKS = {
    "race": Benchmark("how fast are other integrators at equal accuracy?", races, compare.COLUMNS, 3, PAGE),
    "scaling": Benchmark(
        "how does the cost grow with cells, pulses, columns?", lambda asked: scaling.rows_of(asked.quick), scaling.COLUMNS,
        page=PAGE,
    ),
    "whole": Benchmark(
        "how long do whole runs take?", lambda asked: whole.rows_of(asked.quick), whole.COLUMNS, page=PAGE
    ),
    "against": Benchmark("and a commit, on the same cases?", against, words="COMMIT [DIR]"),
}  # fmt: skip
