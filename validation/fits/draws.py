"""Fits to data with random noise, one for each draw of it, for the processes of a pool."""

import numpy as np

from otjdd.fitting import covariance
from otjdd.fitting.evaluate import evaluator
from otjdd.fitting.least_squares import minimise
from otjdd.fitting.task import Data, task
from otjdd.runs.run import simulate

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
