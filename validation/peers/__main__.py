"""python -m validation.peers [--quick] [--only race|scaling|whole] [--against COMMIT [--folder DIR]] [--update]"""

import argparse
from pathlib import Path

from validation import measured
from validation.peers import compare, history, scaling, whole

HERE = Path(__file__).parent


def races(quick: bool) -> list[tuple]:
    """The rows of all problems; tells how well two codes agree when both are strict."""
    rows = []
    for problem in compare.on_grids(quick):
        found, distance = compare.race(problem, 3 if quick else compare.ROUNDS)
        rows += compare.rows_of(found)
        print(f"{problem.name}: IDA at 1e-9 is {distance:.1e} from the reference", flush=True)
    return rows


PARTS = {
    "race": (races, compare.COLUMNS, 3),
    "scaling": (scaling.rows_of, scaling.COLUMNS, 1),
    "whole": (whole.rows_of, whole.COLUMNS, 1),
}


def main() -> None:
    """Run, print, and keep where asked."""
    parser = argparse.ArgumentParser(prog="python -m validation.peers", description=compare.__doc__)
    parser.add_argument("--quick", action="store_true", help="one grid, few rounds, 400 pulses for 4000")
    parser.add_argument("--only", choices=PARTS, help="a part of it")
    parser.add_argument("--update", action="store_true", help="keep the numbers in measured.json and the README")
    parser.add_argument("--against", metavar="COMMIT", help="instead: this checkout against a commit, in turn")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the files and kernels of that commit here")
    options = parser.parse_args()
    if options.against:
        history.tell(options.against, options.folder, options.quick)
        return
    for name, (measure, columns, key) in PARTS.items():
        if options.only in (None, name):
            rows = measure(options.quick)
            print(*("; ".join(map(str, row)) for row in rows), sep="\n", flush=True)
            if options.update:
                command = f"python -m validation.peers --only {name} --update"
                measured.keep(HERE, name, columns, rows, command=command, key=key)


if __name__ == "__main__":
    main()
