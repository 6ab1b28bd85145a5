"""Share of faults and of lines that the tests see.

python -m validation.tests mutation [MODULE]... [--sample N] [--seed N] [--update FILE]   mutants that the tests notice
python -m validation.tests coverage                                                       branches that the tests take

MODULE is one of otjdd/physics; all mutants of it without --sample. Exit code 1 when a mutant survives that
validation/tests/survivors.toml does not explain.
"""

import argparse
import os
import re
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"  # before anything loads numba

from otjdd.system import marks
from validation.tests import coverage, mutation

HEAD = "| module | mutants | tried | noticed | explained | open | otjdd |\n|---|--:|--:|--:|--:|--:|---|"
PART = "mutants"  # name of the generated part of a README


def tell(mutant: mutation.Mutant, alive: bool) -> None:
    """A dot for a mutant that is noticed, two lines for one that is not."""
    where = f"{mutant.module}.py:{mutant.number}: "
    print(f"\n{where}{mutant.before}\n{'-> ':>{len(where)}}{mutant.after}" if alive else ".", flush=True, end="")


def mutants(modules: list[str], sample: int | None, seed: int, file: Path | None) -> int:
    """Try the mutants of modules and print a row for each; return 1 when one survives without explanation.

    file : README whose rows of these modules are replaced after each module; None for none
    """
    mutation.preload()
    known, rows, failed = mutation.explanations(), {}, False
    for module in modules:
        began = time.perf_counter()
        found = mutation.score(module, sample, seed, tell)
        unexplained = [m for m in found.survivors if (m.module, m.before, m.after) not in known]
        failed |= bool(unexplained)
        alive = len(found.survivors)
        numbers = (found.there, found.tried, found.tried - alive, alive - len(unexplained), len(unexplained))
        rows[module] = " | ".join(map(str, (*numbers, version("otjdd"))))
        print(f"\n{module}: {time.perf_counter() - began:.0f} s", flush=True)
        if file:
            marks.update(file, PART, table(rows_of(marks.check(file, PART)) | rows))
    print(f"\n{table(rows)}")
    return int(failed)


def table(rows: dict[str, str]) -> str:
    """Markdown table of rows by module, in the order of `mutation.TESTS`."""
    return "\n".join([HEAD, *(f"| `{module}` | {rows[module]} |" for module in mutation.TESTS if module in rows)])


def rows_of(text: str) -> dict[str, str]:
    """Rows of such a table by module."""
    return dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))


def main() -> int:
    """Do what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m validation.tests", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("coverage", help="branches of the package that the tests take")
    of = commands.add_parser("mutation", help="mutants of kernels that the tests notice")
    of.add_argument("modules", nargs="*", metavar="MODULE", help=f"{', '.join(mutation.TESTS)}; default: all")
    of.add_argument("--sample", type=int, help="mutants of each module, drawn; default: all of them")
    of.add_argument("--seed", type=int, default=1, help="of the draw")
    of.add_argument("--update", type=Path, metavar="FILE", help="write the rows between the marks of a file")
    options = parser.parse_args()
    if options.command == "coverage":
        return coverage.measure()
    if unknown := set(options.modules) - set(mutation.TESTS):
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(mutation.TESTS)}")
    if options.update:
        marks.check(options.update, PART)
    return mutants(options.modules or list(mutation.TESTS), options.sample, options.seed, options.update)


if __name__ == "__main__":
    sys.exit(main())
