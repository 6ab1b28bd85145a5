"""Are the errors of a fit honest, and what does a fit cost?"""

import time
from collections.abc import Iterator

import numpy as np

from otjdd.case.case import load_case
from otjdd.case.keys import value_in_case
from otjdd.fitting import covariance
from otjdd.fitting.fit import solved
from otjdd.fitting.least_squares import minimise
from otjdd.fitting.search import evaluator
from otjdd.fitting.task import Data, task
from otjdd.runs.run import simulate
from otjdd.system.pool import team
from validation.benchmarks.benchmark import Asked, Benchmark

SIGMA = 0.03  # standard deviation of the noise of the logarithms
FEW = ("device.left.barrier", "ions.activation_energy", "ions.density")
MANY = (*FEW, "device.film.tunnelling_mass", "device.conducting_fraction", "ions.hop_distance")
QUIET = {"record.every": "none", "record.profiles_at_reads": False}
SMALL = {
    "columns.count": 1, "device.film.cells": 24, "drive.path": ["0 V", "2 V", "-4 V", "0 V"], "drive.step": "0.4 V",
    "drive.width": "10 ms",
}  # fmt: skip
WRONG = {
    "device.left.barrier": "0.60 eV", "ions.activation_energy": "0.47 eV", "ions.density": "3e26 1/m^3",
    "device.film.tunnelling_mass": 0.45, "device.conducting_fraction": 6e-5, "ions.hop_distance": "0.6 nm",
}  # fmt: skip


def loop(case):
    """Write voltages [V] and resistances [ohm] of the R-V loop of a case."""
    ds = simulate(case)
    return ds.write_voltage.values, ds.read_resistance.values


def measured(voltage, resistance, seed: int) -> Data:
    """Resistances with noise, and their uncertainty."""
    noise = np.exp(SIGMA * np.random.default_rng(seed).standard_normal(len(voltage)))
    return Data({"write_voltage": voltage, "R": resistance * noise, "sigma_R": SIGMA * resistance * noise})


def refit(case, voltage, resistance, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates and standard errors (parameter,) of a fit to one draw of the noise; the truth is at 0."""
    made = task(case, [measured(voltage, resistance, seed)], FEW)
    with evaluator(made, 1) as evaluate:
        found = minimise(evaluate, np.zeros(len(FEW)))
    return found.x, covariance.standard_errors(made, found).error


def errors(asked: Asked) -> list[tuple[str, ...]]:
    """Refit draws of the noise; it fails unless the standard errors agree with the scatter."""
    draws = 40 if asked.quick else 400
    case = load_case("rv-loop").replace(QUIET | SMALL)
    voltage, resistance = loop(case)
    jobs = [(case, voltage, resistance, seed) for seed in range(draws)]
    with team(asked.workers) as compute:
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
    asked.failed = not (abs(one - 0.68) <= 0.05 and abs(two - 0.95) <= 0.025 and alike)
    return rows


def speed(asked: Asked) -> Iterator[tuple[str, ...]]:
    """Fit six parameters to the R-V loop of 130 points, with one column and five; it fails unless in time."""
    for columns, limit in ((1, 30.0), (5, 120.0)):
        case = load_case("rv-loop").replace(QUIET | {"columns.count": columns})
        made = task(case.replace(WRONG), [measured(*loop(case), 3)], MANY)
        began = time.perf_counter()
        ds = solved(made, workers=asked.workers)
        took = time.perf_counter() - began
        far = np.abs(
            ds.coordinate.values - [p.coordinate(value) for p, value in zip(made.parameters, truth(case), strict=True)]
        )
        worst = float(np.max(far / ds.coordinate_error.values))
        jacobians = ds.attrs["jacobians"]
        found = f"{took:.0f} s, {jacobians} Jacobians, truth within {worst:.1f} errors"
        asked.failed |= took > limit or jacobians > 12 or worst >= 4
        yield f"six parameters, columns: {columns}", found, f"{limit:.0f} s, 12 Jacobians, 4 errors"


def truth(case) -> list[float]:
    """Values (SI, energies in eV) of the parameters MANY in a case."""
    return [value_in_case(case, key)[0] for key in MANY]


COLUMNS = ("what", "found:", "asked:")
BENCHMARKS = {
    "errors": Benchmark("are the errors of a fit honest?", errors, COLUMNS),
    "speed": Benchmark("what does a fit cost?", speed, COLUMNS),
}
