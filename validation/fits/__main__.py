"""Are the errors of a fit honest, and what does a fit cost? `python -m validation.fits errors`, `speed`."""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np

from otjdd.case.case import load_case
from otjdd.case.numbers import value_in_case
from otjdd.fitting import covariance
from otjdd.fitting.evaluate import evaluator
from otjdd.fitting.fit import solved
from otjdd.fitting.least_squares import minimise
from otjdd.fitting.task import Data, task
from otjdd.system.pool import team
from validation import measured as kept
from validation.fits.draws import FEW, MANY, QUIET, SIGMA, SMALL, WRONG, loop, measured, refit

HERE, COLUMNS = Path(__file__).parent, ("what", "found:", "asked:")


def errors(draws: int, workers: int) -> tuple[list[tuple[str, ...]], bool]:
    """Refit draws of the noise. Returns rows of the table, and True if the standard errors agree with the scatter."""
    case = load_case("rv-loop").replace(QUIET | SMALL)
    voltage, resistance = loop(case)
    jobs = [(case, voltage, resistance, seed) for seed in range(draws)]
    with team(workers) as compute:
        rows = [found for _, found in compute(refit, jobs)]
    x, error = (np.array(part) for part in zip(*rows, strict=True))
    distance = np.abs(x) / error
    exact = Data({"write_voltage": voltage, "R": resistance, "sigma_R": SIGMA * resistance})
    made = task(case, [exact], FEW)
    with evaluator(made, 1) as evaluate:
        fisher = covariance.standard_errors(made, minimise(evaluate, np.zeros(len(FEW)))).error
    one, two = np.mean(distance < 1), np.mean(distance < 2)
    ratio, scatter = error.mean(axis=0) / fisher, x.std(axis=0) / fisher
    rows = [
        (f"of {draws} draws, within one standard error", f"{one:.1%}", "63 to 73 %"),
        ("within two", f"{two:.1%}", "92.5 to 97.5 %"),
        ("errors of the fits over those of Fisher", f"{ratio.min():.3f} to {ratio.max():.3f}", "0.8 to 1.2"),
        ("scatter of the parameters over Fisher", f"{scatter.min():.3f} to {scatter.max():.3f}", "0.8 to 1.2"),
    ]
    alike = (np.abs(ratio - 1) < 0.2).all() and (np.abs(scatter - 1) < 0.2).all()
    return rows, bool(abs(one - 0.68) <= 0.05 and abs(two - 0.95) <= 0.025 and alike)


def speed(workers: int) -> tuple[list[tuple[str, ...]], bool]:
    """Fit six parameters to the R-V loop of 130 points, with one column and five. Returns rows, and True if in time."""
    good, rows = True, []
    for columns, limit in ((1, 30.0), (5, 120.0)):
        case = load_case("rv-loop").replace(QUIET | {"columns.count": columns})
        made = task(case.replace(WRONG), [measured(*loop(case), 3)], MANY)
        began = time.perf_counter()
        ds = solved(made, workers=workers)
        took = time.perf_counter() - began
        far = np.abs(
            ds.coordinate.values - [p.coordinate(value) for p, value in zip(made.parameters, truth(case), strict=True)]
        )
        worst = float(np.max(far / ds.coordinate_error.values))
        jacobians = ds.attrs["jacobians"]
        found = f"{took:.0f} s, {jacobians} Jacobians, truth within {worst:.1f} errors"
        rows.append((f"six parameters, columns: {columns}", found, f"{limit:.0f} s, 12 Jacobians, 4 errors"))
        good &= took <= limit and ds.attrs["jacobians"] <= 12 and worst < 4
    return rows, good


def truth(case) -> list[float]:
    """Values (SI, energies in eV) of the parameters MANY in a case."""
    return [value_in_case(case, key)[0] for key in MANY]


def main():
    """Run one of the checks; exit code 1 if it fails."""
    words = argparse.ArgumentParser(prog="python -m validation.fits", description=__doc__)
    words.add_argument("check", choices=("errors", "speed"))
    words.add_argument("--draws", type=int, default=400)
    words.add_argument("--workers", type=int, default=2)
    words.add_argument(
        "--update", action="store_true", help="keep the numbers in measured.json and validation/measured.md"
    )
    said = words.parse_args()
    checks = {"errors": partial(errors, said.draws, said.workers), "speed": partial(speed, said.workers)}
    rows, good = checks[said.check]()
    print(*map("; ".join, rows), sep="\n")
    if said.update:
        command = f"python -m validation.fits {said.check} --update"
        kept.keep(HERE, said.check, COLUMNS, rows, command=command, readme=kept.ONE_PAGE)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
