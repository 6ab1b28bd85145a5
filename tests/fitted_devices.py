"""A small device, three kinds of measurements on it, and the noise of an instrument."""

import numpy as np
import yardstick

from otjdd.case.case import Case, load_case
from otjdd.fitting.task import Data
from otjdd.runs.run import simulate

SIGMA = 0.03  # standard deviation of the logarithms
KEYS = (
    "device.left.barrier", "ions.activation_energy", "device.film.tunnelling_mass", "ions.density",
    "device.conducting_fraction", "ions.hop_distance",
)  # fmt: skip
TRANSIENT = {"kind": "sequence", "parts": [
    {"kind": "hold", "voltage": "1.1 V", "duration": "20 ms"}, {"kind": "hold", "voltage": "0.3 V", "duration": "20 ms"},
]}  # fmt: skip
CURVES = {"kind": "iv", "voltages": ["-0.6 V", "-0.3 V", "-0.1 V", "0.1 V", "0.3 V", "0.6 V", "0.9 V"]}


def small() -> Case:
    """The R-V loop of one column on a coarse grid, in a few large steps, charged at once."""
    case = load_case(yardstick.CASES / "rv-loop.toml").without_study()
    quiet = {"record.every": "none", "record.profiles_at_reads": False, "circuit.series_resistance": "0 ohm"}
    loop = {"drive.path": ["0 V", "2 V", "-4 V", "0 V"], "drive.step": "0.4 V", "drive.width": "10 ms"}
    return case.replace({"columns.count": 1, "device.film.cells": 24, "numerics.rtol": 1e-3} | loop | quiet)


def clean(case: Case) -> list[Data]:
    """Three measurements of a case without noise, with the uncertainties that `noisy` data have."""
    loop = simulate(case)
    R = loop.read_resistance.values
    pulses = simulate(case.replace({"drive": TRANSIENT, "record.every": "all"}))
    t = np.linspace(1e-3, 0.04, 25)
    current = np.interp(t, pulses.time, pulses.current)
    curves = [simulate(case.replace({"drive": CURVES, "temperature": T})) for T in ("280 K", "320 K")]
    bias = np.tile(curves[0].bias.values, 2)
    frozen = np.concatenate([np.ravel(ds.bias_current) for ds in curves])
    hot = np.repeat([280.0, 320.0], len(bias) // 2)
    return [
        Data({"write_voltage": loop.write_voltage.values, "R": R, "sigma_R": SIGMA * R}),
        Data({"t": t, "I": current, "sigma_I": SIGMA * np.abs(current)}, {"drive": TRANSIENT}),
        Data({"V": bias, "I": frozen, "sigma_I": SIGMA * np.abs(frozen), "temperature": hot}, {"drive": CURVES}),
    ]


def noisy(data: Data, rng: np.random.Generator) -> Data:
    """The same data with noise in the logarithms. The uncertainties stay relative to the values."""
    name = "R" if "R" in data.source else "I"
    scatter = np.exp(SIGMA * rng.standard_normal(len(data.source[name])))
    changed = {key: data.source[key] * scatter for key in (name, f"sigma_{name}")}
    return data._replace(source=data.source | changed)
