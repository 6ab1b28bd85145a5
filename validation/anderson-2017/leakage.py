"""Claims on the leakage of a capacitor, J(V, T): misfit to measured currents, exponents, energies, permittivities."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import xarray as xr

from otjdd.analysis.metrics import Metric
from otjdd.claims.claim import Trials, Verdict
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.plot.axes import legend
from otjdd.plot.style import CYCLE, Axes

NAMES = "cold", "warm", "hot"  # of three temperatures, from the lowest
PER_SQUARE_METRE = 1e-2  # A/m2 in 1 uA/cm2
PLACES = "first", "second", "third", "fourth"  # of four voltages, from the lowest


def currents(ds: xr.Dataset, area: float, voltages: np.ndarray) -> np.ndarray:
    """ln J (T, V), J in A/m2, of curves at frozen ions, at the voltages (T, V) [V] of each temperature."""
    V, J = ds.bias.values, np.abs(ds.bias_current.values[0]) / area
    inside = V > 0.0
    return np.array([
        np.interp(np.log(row), np.log(V[inside]), np.log(J[i, inside])) for i, row in enumerate(voltages)
    ])  # fmt: skip


def exponents(log_J: np.ndarray, voltages: np.ndarray) -> np.ndarray:
    """Slopes d ln J/d ln V (T,)."""
    return np.array([np.polyfit(np.log(V), J, 1)[0] for V, J in zip(voltages, log_J, strict=True)])


def energies(log_J: np.ndarray, temperatures: np.ndarray) -> np.ndarray:
    """Activation energies (V,) [eV]: slopes of ln J against -1/kT."""
    energy: np.ndarray = -np.polyfit(1.0 / (BOLTZMANN_EV * temperatures), log_J, 1)[0]
    return energy


def frenkel_permittivities(
    log_J: np.ndarray, voltages: np.ndarray, temperatures: np.ndarray, thickness: float
) -> np.ndarray:
    """Relative permittivities (T,) that follow by the Poole-Frenkel law from slopes of ln(J/V) against sqrt(E)."""
    slopes = [
        np.polyfit(np.sqrt(V / thickness), J - np.log(V), 1)[0] for V, J in zip(voltages, log_J, strict=True)
    ]  # fmt: skip
    per_field = np.array(slopes) * BOLTZMANN_EV * temperatures  # eV (m/V)^1/2
    permittivity: np.ndarray = ELEMENTARY_CHARGE / (math.pi * VACUUM_PERMITTIVITY * per_field**2)
    return permittivity


def leakage(
    trials: Trials, voltages: Sequence[Sequence[float]], measured: Sequence[Sequence[float]]
) -> dict[str, float]:
    """Misfits, exponents, energies and permittivities of curves at three temperatures, from the lowest.

    trials : the last one has no hops between traps and gives only `misfit_of_one_step`, the first one all other numbers
    voltages, measured : (3, 4) [V], and the current densities (3, 4) [uA/cm2] that were measured at them
    """
    V, J = np.array(voltages), np.log(PER_SQUARE_METRE * np.array(measured))
    case, T = trials[0].case, trials[0].ds.temperature.values
    own = currents(trials[0].ds, case.device.junction_area, V)
    alone = currents(trials[-1].ds, trials[-1].case.device.junction_area, V)
    out = {"misfit": math.sqrt(np.mean((own - J) ** 2)), "misfit_of_one_step": math.sqrt(np.mean((alone - J) ** 2))}
    permittivity = frenkel_permittivities(own, V, T, case.device.film.thickness)
    for name, slope, eps in zip(NAMES, exponents(own, V), permittivity, strict=True):
        out |= {f"{name}_exponent": float(slope), f"{name}_permittivity": float(eps)}
    return out | {f"{name}_energy": float(E) for name, E in zip(PLACES, energies(own, T), strict=True)}


def draw_leakage(verdict: Verdict, axes: Sequence[Axes]) -> None:
    settings = verdict.claim.settings
    voltages, measured = np.array(settings["voltages"]), PER_SQUARE_METRE * np.array(settings["measured"])
    for ax, trial in zip(axes, (verdict.trials[0], verdict.trials[-1]), strict=True):
        V, area = trial.ds.bias.values, trial.case.device.junction_area
        for i, (T, colour) in enumerate(zip(trial.ds.temperature.values, CYCLE, strict=False)):
            ax.plot(V, np.abs(trial.ds.bias_current.values[0, i]) / area, color=colour, label=f"{T - 273.15:.0f} °C")
            ax.plot(voltages[i], measured[i], "o", color=colour)
        ax.set(xscale="log", yscale="log", xlabel="voltage (V)", ylabel="current density (A/m²)")
        ax.set_title(trial.name, fontsize="small")
        legend(ax)


METRICS = {
    "leakage": Metric(leakage, {
        "misfit": ("1", "rms difference of ln J from the measured currents"),
        "misfit_of_one_step": ("1", "that without hops between traps"),
        "cold_exponent": ("1", "d ln J/d ln V at the lowest of three temperatures"),
        "warm_exponent": ("1", "that at the middle one"),
        "hot_exponent": ("1", "that at the highest one"),
        "first_energy": ("eV", "activation energy of the current at the lowest of four voltages"),
        "second_energy": ("eV", "that at the second voltage"),
        "third_energy": ("eV", "that at the third voltage"),
        "fourth_energy": ("eV", "that at the highest voltage"),
        "cold_permittivity": ("1", "permittivity by the Poole-Frenkel law at the lowest of three temperatures"),
        "warm_permittivity": ("1", "that at the middle one"),
        "hot_permittivity": ("1", "that at the highest one"),
    }),
}  # fmt: skip

DRAW = {"leakage": (2, draw_leakage)}
