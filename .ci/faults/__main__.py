"""Measure how many faults the tests notice, and how many branches they take.

python .ci/faults mutation [MODULE]... [--sample N] [--seed N] [--update]   mutants that the tests notice
python .ci/faults coverage                                                  branches that the tests take

MODULE is a module of otjdd/physics; all its mutants are tried unless --sample is given. Exit code 1 if a mutant survives
that survivors.toml does not explain.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"  # before anything loads numba

HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parents[1]))  # the checkout

import branches
import mutation

from validation import measured

COLUMNS = ("module", "mutants:", "tried:", "noticed:", "explained:", "open:")


def tell(mutant: mutation.Mutant, alive: bool) -> None:
    """Print a dot for a mutant that is noticed, two lines for one that is not."""
    where = f"{mutant.module}.py:{mutant.number}: "
    print(f"\n{where}{mutant.before}\n{'-> ':>{len(where)}}{mutant.after}" if alive else ".", flush=True, end="")


def mutants(modules: list[str], sample: int | None, seed: int, update: bool) -> int:
    """Try the mutants of modules and print a row for each. Returns 1 if one survives without explanation, else 0.

    update : keep the row of each module
    """
    mutation.preload()
    known, failed = mutation.explanations(), False
    for module in modules:
        began = time.perf_counter()
        found = mutation.score(module, sample, seed, tell)
        unexplained = [m for m in found.survivors if (m.module, m.before, m.after) not in known]
        failed |= bool(unexplained)
        alive = len(found.survivors)
        numbers = (found.there, found.tried, found.tried - alive, alive - len(unexplained), len(unexplained))
        print(f"\n{module}: {'; '.join(map(str, numbers))} ({time.perf_counter() - began:.0f} s)", flush=True)
        if update:
            command = "python .ci/faults mutation --sample 40 --update"
            measured.keep(HERE, "mutants", COLUMNS, [(module, *map(str, numbers))], command=command)
    return int(failed)


def main() -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(prog="python .ci/faults", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("coverage", help="branches of the package that the tests take")
    of = commands.add_parser("mutation", help="mutants of kernels that the tests notice")
    of.add_argument("modules", nargs="*", metavar="MODULE", help=f"{', '.join(mutation.TESTS)}; default: all")
    of.add_argument("--sample", type=int, help="mutants of each module, drawn; default: all of them")
    of.add_argument("--seed", type=int, default=1, help="of the draw")
    of.add_argument("--update", action="store_true", help="keep the rows in measured.json and the README")
    options = parser.parse_args()
    if options.command == "coverage":
        return branches.measure()
    if unknown := set(options.modules) - set(mutation.TESTS):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(mutation.TESTS)}")
    return mutants(options.modules or list(mutation.TESTS), options.sample, options.seed, options.update)


if __name__ == "__main__":
    sys.exit(main())
