"""How much the tests see.

python -m validation.tests mutation [MODULE]... [--sample N] [--seed N]   mutants of kernels that the tests notice
python -m validation.tests coverage                                       branches of the package that the tests take

MODULE is one of otjdd/physics; all mutants of it without --sample. Exit code 1 when a mutant survives that
validation/tests/survivors.toml does not explain.
"""

import argparse
import os
import sys
import time

os.environ["NUMBA_DISABLE_JIT"] = "1"  # before anything loads numba

from validation.tests import coverage, mutation

HEAD = "| module | mutants | tried | noticed | score | explained | open |\n|---|--:|--:|--:|--:|--:|--:|"


def tell(mutant: mutation.Mutant, alive: bool) -> None:
    """A dot for a mutant that is noticed, two lines for one that is not."""
    where = f"{mutant.module}.py:{mutant.number}: "
    print(f"\n{where}{mutant.before}\n{'-> ':>{len(where)}}{mutant.after}" if alive else ".", flush=True, end="")


def mutants(modules: list[str], sample: int | None, seed: int) -> int:
    """Try the mutants of modules, print a row for each; 1 when one survives that is not explained."""
    mutation.preload()
    known, rows, failed = mutation.explanations(), [], False
    for module in modules:
        began = time.perf_counter()
        found = mutation.score(module, sample, seed, tell)
        unexplained = [m for m in found.survivors if (m.module, m.before, m.after) not in known]
        failed |= bool(unexplained)
        alive = len(found.survivors)
        rows.append(
            f"| {module} | {found.there} | {found.tried} | {found.tried - alive} | {1 - alive / found.tried:.0%} "
            f"| {alive - len(unexplained)} | {len(unexplained)} |"
        )
        print(f"\n{module}: {time.perf_counter() - began:.0f} s", flush=True)
    print(f"\n{HEAD}", *rows, sep="\n")
    return int(failed)


def main() -> int:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m validation.tests", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("coverage", help="branches of the package that the tests take")
    of = commands.add_parser("mutation", help="mutants of kernels that the tests notice")
    of.add_argument("modules", nargs="*", metavar="MODULE", help=f"{', '.join(mutation.TESTS)}; default: all")
    of.add_argument("--sample", type=int, help="mutants of each module, drawn; default: all of them")
    of.add_argument("--seed", type=int, default=1, help="of the draw")
    options = parser.parse_args()
    if options.command == "coverage":
        return coverage.measure()
    if unknown := set(options.modules) - set(mutation.TESTS):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(mutation.TESTS)}")
    return mutants(options.modules or list(mutation.TESTS), options.sample, options.seed)


if __name__ == "__main__":
    sys.exit(main())
