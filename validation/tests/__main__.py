"""python -m validation.tests [MODULE]... [--sample N] [--seed N]: how many mutants of the kernels the tests notice.

MODULE is one of otjdd/physics; all mutants of it without --sample. Exit code 1 when one survives that is not explained
in validation/tests/survivors.toml.
"""

import argparse
import os
import sys
import time

os.environ["NUMBA_DISABLE_JIT"] = "1"

from validation.tests import mutation


def tell(mutant: mutation.Mutant, alive: bool) -> None:
    """A line for each mutant that lives, a dot for the others."""
    print(f"\n{line(mutant)}" if alive else ".", end="", flush=True)


def line(mutant: mutation.Mutant) -> str:
    """A mutant in words."""
    return f"  {mutant.module}.py:{mutant.number}: {mutant.before}\n  {' ' * len(mutant.module)}  -> {mutant.after}"


def main() -> int:
    """Try what is asked for, print a row for each module and the survivors."""
    parser = argparse.ArgumentParser(prog="python -m validation.tests", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"{', '.join(mutation.TESTS)}; default: all")
    parser.add_argument("--sample", type=int, help="mutants of each module, drawn; default: all of them")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.modules) - set(mutation.TESTS):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(mutation.TESTS)}")
    mutation.preload()
    known = mutation.explanations()
    rows, failed = [], False
    for module in options.modules or mutation.TESTS:
        began = time.perf_counter()
        found = mutation.score(module, options.sample, options.seed, tell)
        open_ones = [m for m in found.survivors if (m.module, m.before, m.after) not in known]
        failed |= bool(open_ones)
        noticed = found.tried - len(found.survivors)
        rows.append(
            f"| {module} | {found.there} | {found.tried} | {noticed} | {noticed / found.tried:.0%} "
            f"| {len(found.survivors) - len(open_ones)} | {len(open_ones)} |"
        )
        print(f"\n{module}: {time.perf_counter() - began:.0f} s")
    print(
        "\n| module | mutants | tried | noticed | score | explained | open |\n|---|--:|--:|--:|--:|--:|--:|",
        *rows,
        sep="\n",
    )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
