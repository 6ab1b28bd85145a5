"""python -m validation.peers [--quick] [--only race|scaling|whole] [--against COMMIT [--folder DIR]] [--update FILE]"""

import argparse
import os
import platform
from importlib.metadata import version
from pathlib import Path

from otjdd.system import marks
from validation.peers import compare, history, scaling, whole

PART, HISTORY = "speed", "history"  # names of the generated parts of a README


def processor() -> str:
    """Name of the processor, as the system gives it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine() -> str:
    """One line on the machine and the versions."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy", "scikit-sundae"))
    load = f"; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    return f"{processor()}; {platform.system()}, Python {platform.python_version()}, {packages}{load}."


def races(quick) -> str:
    """The table of all problems, and how well two codes agree when both are strict."""
    rows, distances = [], []
    for problem in compare.on_grids(quick):
        found, distance = compare.race(problem, 3 if quick else compare.ROUNDS)
        rows += found
        distances.append(distance)
        print(compare.table(found), f"\nIDA at 1e-9 is {distance:.1e} from the reference\n", flush=True)
    note = "The reference is otjdd at rtol 1e-10; IDA at 1e-9 is within"
    return f"{compare.table(rows)}\n\n{note} {max(distances):.0e} of it."


def main() -> None:
    """Run, print, and write where asked."""
    parser = argparse.ArgumentParser(prog="python -m validation.peers", description=compare.__doc__)
    parser.add_argument("--quick", action="store_true", help="one grid, few rounds, 400 pulses for 4000")
    parser.add_argument("--only", choices=("race", "scaling", "whole"), help="a part of it")
    parser.add_argument("--update", type=Path, metavar="FILE", help="write the tables between the marks of a file")
    parser.add_argument("--against", metavar="COMMIT", help="instead: this checkout against a commit, in turn")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the files and kernels of that commit here")
    options = parser.parse_args()
    part = HISTORY if options.against else PART
    if options.update:
        marks.check(options.update, part)
    parts = [machine()]
    print(parts[0], flush=True)
    if options.against:
        parts.append(history.table(options.against, options.folder, options.quick))
    else:
        tables = {"race": races, "scaling": scaling.table, "whole": whole.table}
        for name, make in tables.items():
            if options.only in (None, name):
                parts.append(make(options.quick))
                print(parts[-1], "\n", flush=True)
    if options.update:
        marks.update(options.update, part, "\n\n".join(parts))


if __name__ == "__main__":
    main()
