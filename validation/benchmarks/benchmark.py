"""A benchmark: what it asks, the columns of its table, and the function that measures the rows."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PAGE = "README.md"
NETWORKS = "../../cases/networks.md"  # page of what learns on junctions


@dataclass
class Asked:
    """Options of the command line; `failed` becomes True where a benchmark misses what is asked of it."""

    words: Sequence[str] = ()
    quick: bool = False
    workers: int = 2
    update: bool = False
    failed: bool = field(default=False, init=False)


class Benchmark(NamedTuple):
    """rows : yields rows of cells, which are printed, and kept with --update, as they come

    key : number of leading cells that identify a row   page : of the table   words : what the command line takes
    """

    question: str
    rows: Callable[[Asked], Iterable[Sequence]]
    columns: Sequence[str] = ()
    key: int = 1
    page: str = PAGE
    words: str = ""
