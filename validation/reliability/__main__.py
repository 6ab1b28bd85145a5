"""python -m validation.reliability [NAME]... [--quick]: accidents on purpose, counted."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from validation.reliability import bad_inputs, fuzz

HERE = Path(__file__).parent


def told_inputs(quick: bool, folder: Path) -> tuple[str, bool]:
    """Every bad input, and the table of what is said to it."""
    rows = []
    for k, bad in enumerate(bad_inputs.BAD):
        place = folder / str(k)
        place.mkdir()
        rows.append(bad_inputs.meet(bad, place))
    wrong = [row.bad.name for row in rows if row.code != row.bad.code or "Traceback" in row.err]
    (HERE / "bad-inputs.md").write_text(bad_inputs.table(rows), encoding="utf-8")
    said = f"{len(rows)} bad inputs: {len(rows) - len(wrong)} refused with the right exit code and words"
    return f"{said}; slowest {max(row.seconds for row in rows):.1f} s" + "".join(
        f"; {name}" for name in wrong
    ), not wrong


def mutants(quick: bool, folder: Path) -> tuple[str, bool]:
    """20 000 mutated cases and waveforms."""
    count = 2000 if quick else 20_000
    v = fuzz.fuzz(count, 1, folder)
    for seed, error in v.tracebacks:
        print(f"  mutant {seed}: {error}")
    good = not v.tracebacks and not v.slow and v.grown < 500
    return (
        f"{count} mutated case files and waveforms: {v.taken} taken, {v.refused} refused in words, "
        f"{len(v.tracebacks)} exceptions, {len(v.slow)} over {fuzz.SLOW:g} s (slowest {v.slowest:.2f} s), "
        f"memory grew by {v.grown:.0f} MiB"
    ), good


CAMPAIGNS = {"bad-inputs": told_inputs, "mutants": mutants}


def main() -> int:
    """Run what is asked for, print a line for each; 1 when something went wrong."""
    parser = argparse.ArgumentParser(prog="python -m validation.reliability", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(CAMPAIGNS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    options = parser.parse_args()
    unknown = set(options.names) - set(CAMPAIGNS)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: there are {', '.join(CAMPAIGNS)}")
    failed = False
    for name, campaign in CAMPAIGNS.items():
        if not options.names or name in options.names:
            began = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                said, good = campaign(options.quick, Path(folder))
            failed |= not good
            mark = "ok" if good else "FAILED"
            print(f"{name:12} {mark:6} {said} ({time.perf_counter() - began:.0f} s)", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
