"""python -m validation.benchmarks [NAME [WORD ...]] [--quick] [--update]: run a benchmark; without a name, list all.

--update keeps the rows in measured.json and in the table of their page. The exit code is 8 where a benchmark misses what is
asked of it.
"""

import argparse
import importlib

from validation import measured
from validation.benchmarks.benchmark import HERE, Asked, Benchmark

MODULES = {  # name of a benchmark -> its module, which has it in BENCHMARKS
    **dict.fromkeys(("race", "scaling", "whole", "against"), "peers.benchmarks"),
    "waits": "waits",
    **dict.fromkeys(("efficiency", "many", "memory"), "studies"),
    **dict.fromkeys(("errors", "speed"), "fits"),
    **dict.fromkeys(("compact", "vary"), "compact"),
    **dict.fromkeys(("letters", "time", "programmed", "followed"), "crossbars"),
    **dict.fromkeys(("cost", "digits"), "digits"),
    **dict.fromkeys(("aihwkit", "scatter", "crosssim", "neurosim"), "exports"),
    "explore": "explorer",
    **dict.fromkeys(("layers", "traps", "trap-trains"), "costs"),
}


def benchmark(name: str) -> Benchmark:
    return importlib.import_module(f"validation.benchmarks.{MODULES[name]}").BENCHMARKS[name]


def main() -> int:
    """Exit code of the command line."""
    parser = argparse.ArgumentParser(prog="python -m validation.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", choices=MODULES)
    parser.add_argument("words", nargs="*", help="of some benchmarks: see the list")
    parser.add_argument("--quick", action="store_true", help="a small part, in minutes")
    parser.add_argument("--update", action="store_true", help="keep the rows in measured.json and on their page")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    if options.name is None:
        for name in MODULES:
            print(f"{f'{name} {benchmark(name).words}':34}{benchmark(name).question}")
        return 0
    chosen, asked = benchmark(options.name), Asked(options.words, options.quick, options.workers, options.update)
    command = " ".join(filter(None, ["python -m validation.benchmarks", options.name, chosen.words, "--update"]))
    for row in chosen.rows(asked):
        print(*map(measured.cell, row), sep=" | ", flush=True)
        if options.update and chosen.columns:
            measured.keep(
                HERE, options.name, chosen.columns, [row], command=command, key=chosen.key, readme=chosen.page
            )
    return 8 if asked.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
