"""python -m validation.traps.charge [--kind KIND]...: the leakage of 13 nm HfO2 by traps whose charge bends the band.

Both barriers, mass, density, depth and relaxation energy of the traps are fitted to the twelve currents by least squares of
ln J, for each kind from each of STARTS: "none", "acceptor", "donor". The currents are those of the whole junction, on CELLS
cells.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from otjdd.case.case import Case, load_case
from otjdd.claims.papers.leakage import energies, exponents
from otjdd.errors import SolverError
from otjdd.physics.channels.transport import transport
from otjdd.solver import initial, integrate, model
from validation import measured

HERE = Path(__file__).parent
CASE = load_case("hfo2-leakage")
KINDS = "donor", "acceptor", "none"
KEYS = (
    "device.left.barrier", "device.right.barrier", "device.film.tunnelling_mass", "device.traps[0].density",
    "device.traps[0].depth", "device.traps[0].relaxation_energy",
)  # fmt: skip
LOGARITHMIC = 2, 3  # of these
LOW, HIGH = np.array([(0.5, 3.2), (0.5, 3.2), (0.08, 1.0), (1e24, 1e27), (0.4, 2.4), (0.1, 1.5)]).T
STARTS = {  # depth [eV] -> values of KEYS
    2.0: (1.647, 2.327, 0.302, 3.5e25, 2.0, 0.697),
    1.4: (1.01, 1.75, 0.32, 3e25, 1.4, 0.76),
    0.8: (0.95, 1.03, 0.56, 1.4e25, 0.8, 0.69),
}
CELLS = 40
MOST = 60  # Jacobians of a search
PART = "traps-charge"
COLUMNS = (
    "kind, from a depth of (eV)", "rms of ln J:", "depth (eV):", "left barrier (eV):", "right barrier (eV):", "mass:",
    "density (1/m³):", "relaxation energy (eV):", "d ln J/d ln V", "energies (eV)", "through the band at 3 V:",
)  # fmt: skip


class Points(NamedTuple):
    """The twelve currents: temperatures (3,) [K], voltages (3, 4) [V], current densities (3, 4) [A/m2]."""

    temperature: np.ndarray
    voltage: np.ndarray
    current: np.ndarray


def points() -> Points:
    """Those of the claim `current`."""
    settings = tomllib.loads((HERE / "current" / "claim.toml").read_text(encoding="utf-8"))["settings"]
    return Points(np.array(CASE.drive.temperatures), *(np.array(settings[key]) for key in ("voltages", "measured")))  # type: ignore[union-attr]


def simulated(case: Case, given: Points) -> tuple[np.ndarray, float]:
    """Current densities (3, 4) [A/m2] at the points, and the largest share of what passes the band. Raises SolverError."""
    parts, out, most = model.members(case), np.empty(given.voltage.shape), 0.0
    start = initial.start(case, model.junction(case, parts=parts), parts)
    for i, T in enumerate(given.temperature):
        run = integrate.begin(model.junction(case, float(T), parts), start.c, rtol=1e-3, atol=1e-3)
        for j, V in enumerate(given.voltage[i]):
            integrate.jump(run, float(V))
            by_channel = np.empty(2)
            conductance, *_, good = transport(run.junction, run.state, run.tangent.present, by_channel)
            out[i, j] = conductance * V / case.device.junction_area if good else np.nan
            most = max(most, by_channel[0] / conductance)
    return out, most


def case_of(kind: str, x: np.ndarray) -> Case:
    """The case with traps of a kind, at the values x (6,) of a search."""
    values = [float(np.exp(v)) if i in LOGARITHMIC else float(v) for i, v in enumerate(x)]
    return CASE.replace(
        dict(zip(KEYS, values, strict=True)) | {"device.traps[0].kind": kind, "device.film.cells": CELLS}
    )


def searched(values: np.ndarray) -> np.ndarray:
    """Values of KEYS as a search moves them."""
    return np.array([np.log(v) if i in LOGARITHMIC else v for i, v in enumerate(values)])


def fitted(kind: str, depth: float, given: Points) -> tuple[str, ...]:
    """Cells of the set that a search ends with, see COLUMNS."""

    def misfit(x: np.ndarray) -> np.ndarray:
        try:
            out, _ = simulated(case_of(kind, x), given)
        except SolverError as error:
            print(f"{kind}, {x}: {error}", flush=True)
            return np.full(given.current.size, 20.0)
        return np.nan_to_num(np.log(out / given.current).ravel(), nan=20.0)

    low, high = searched(LOW), searched(HIGH)
    start = np.clip(searched(np.array(STARTS[depth])), low + 1e-3, high - 1e-3)
    scale = np.array([0.1, 0.1, 0.2, 0.5, 0.1, 0.1])
    end = least_squares(
        misfit, start, bounds=(low, high), x_scale=scale, diff_step=1e-4, max_nfev=MOST, ftol=1e-4, xtol=1e-4
    )
    case = case_of(kind, end.x)
    out, share = simulated(case, given)
    left, right, mass, density, deep, relaxation = (
        float(np.exp(v)) if i in LOGARITHMIC else float(v) for i, v in enumerate(end.x)
    )
    slopes = " ".join(f"{value:.2f}" for value in exponents(np.log(out), given.voltage))
    activation = " ".join(f"{value:.3f}" for value in energies(np.log(out), given.temperature))
    rms = float(np.sqrt(np.mean(np.log(out / given.current) ** 2)))
    return (
        f"{kind}, {depth:g}", f"{rms:.4f}", f"{deep:.3f}", f"{left:.3f}", f"{right:.3f}", f"{mass:.3f}", f"{density:.3g}",
        f"{relaxation:.3f}", slopes, activation, f"{share:.1e}",
    )  # fmt: skip


def main() -> None:
    """Fit each kind from each start, and keep the sets."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--kind", action="append", choices=KINDS, help="one of the kinds; all if absent")
    for kind in asked.parse_args().kind or KINDS:
        for depth in STARTS:
            cells = fitted(kind, depth, points())
            print(json.dumps(cells), flush=True)
            measured.keep(HERE, PART, COLUMNS, [cells], command="python -m validation.traps.charge")


if __name__ == "__main__":
    main()
