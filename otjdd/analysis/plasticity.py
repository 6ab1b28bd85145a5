"""Metrics of plasticity under pulses and spikes: Datasets, peaks and conductances in, plain numbers out.

Short-term response (peaks, paired pulses, decay), the shape of potentiation and depression, the energy of a spike.
Measured currents do as well as simulated ones. Numbers are SI; nan stands for what a run does not show.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import xarray as xr

SYNAPSE = 1e-13  # m2: 0.1 um2, the area to which energies of artificial synapses are often scaled


def pulses(ds: xr.Dataset) -> list[slice]:
    """Samples of `time` that lie under each pulse: where |voltage| is nearer to its largest than to its last value."""
    V = np.abs(np.asarray(ds.voltage))
    under = np.concatenate(([False], V > (V.max() + V[-1]) / 2, [False]))
    edges = np.flatnonzero(np.diff(under.astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def peaks(ds: xr.Dataset, what: str = "current") -> np.ndarray:
    """(n,) A: largest |current| under each pulse, that of the instrument or another."""
    current = np.abs(np.asarray(ds[what]))
    return np.array([current[pulse].max() for pulse in pulses(ds)])


def facilitation(peaks: ArrayLike) -> dict[str, float]:
    """Growth of peaks (n,): ppf = (A2 - A1)/A1 by the second pulse, ptp = (An - A1)/A1 by the last."""
    A = np.asarray(peaks, dtype=float)
    return {"ppf": float(A[1] / A[0] - 1), "ptp": float(A[-1] / A[0] - 1)}


def relaxation(ds: xr.Dataset, what: str = "current") -> tuple[np.ndarray, np.ndarray]:
    """Times after the end of the last pulse [s], and a current [A] there (`current` or `conduction_current`).

    The record at the instant of the jump itself is left out: the instrument has not seen the charge of the jump yet.
    """
    t, end = np.asarray(ds.time), pulses(ds)[-1].stop
    after = end + int(np.searchsorted(t[end:], t[end - 1], side="right"))
    return t[after:] - t[end - 1], np.asarray(ds[what])[after:]


def spike_energy(ds: xr.Dataset, start: float, end: float) -> dict[str, float]:
    """Energy [J] from the source between two times [s]: the conducted part and what charges the junction.

    conduction : integral of V I dt   charging : the same of the displacement current, C V^2 for a rectangular pulse up
    """
    from scipy.integrate import trapezoid

    t, V = np.asarray(ds.time), np.asarray(ds.voltage)
    inside = (t >= start) & (t <= end)
    displaced = np.asarray(ds.displacement_current)[inside][1:] * np.diff(t[inside])  # charge, at the later voltage
    conducted = (V * np.asarray(ds.conduction_current))[inside]
    return {
        "conduction": float(trapezoid(conducted, t[inside])),
        "charging": float(np.sum(V[inside][1:] * displaced)),
    }


def nonlinearity(up: ArrayLike, down: ArrayLike) -> dict[str, float]:
    """Shape of potentiation and depression by equal pulses.

    up, down : (n,) S, conductances after 0, 1, 2, ... pulses, each curve taken to its own window
    up, down of the result : nu of g(p) = (1 - exp(-nu p)) / (1 - exp(-nu)), p = pulses done / all of them: 0 is linear,
    positive saturates, negative gets steeper. nu is P_max/A of Chen, Peng & Yu, IEEE TCAD 37, 3067 (2018).
    asymmetry : largest distance of the two curves over the window, when depression is played backwards
    """
    rise, fall = _to_window(up), 1 - _to_window(down)
    grid = np.linspace(0, 1, 101)
    back = np.interp(grid, np.linspace(0, 1, len(fall)), fall[::-1])
    ahead = np.interp(grid, np.linspace(0, 1, len(rise)), rise)
    return {"up": _curvature(rise), "down": _curvature(fall), "asymmetry": float(np.abs(ahead - (1 - back)).max())}


def _to_window(conductance) -> np.ndarray:
    """0 at the lower, 1 at the higher end."""
    G = np.asarray(conductance, dtype=float)
    return (G - G.min()) / np.ptp(G)


def _curvature(g) -> float:
    """nu of a curve (n,) from 0 to 1."""
    from scipy.optimize import minimize_scalar

    p = np.linspace(0, 1, len(g))

    def cost(nu):
        shape = p if abs(nu) < 1e-8 else np.expm1(-nu * p) / np.expm1(-nu)
        return float(np.sum((g - shape) ** 2))

    return float(minimize_scalar(cost, bounds=(-50, 50), method="bounded", options={"xatol": 1e-8}).x)


def loss_per_decade(time: ArrayLike, resistance: ArrayLike) -> float:
    """Relative change of a resistance (n,) [ohm] for each decade of time (n,) [s] since it was written.

    nan for fewer than two points.
    """
    if len(time) < 2:
        return math.nan
    slope = np.polyfit(np.log10(time), np.log10(resistance), 1)[0]
    return float(10**slope - 1)


def decay_constant(thickness: ArrayLike, resistance: ArrayLike) -> float:
    """kappa [1/m] of R = R0 exp(2 kappa d), from resistances (n,) [ohm] of films of a thickness (n,) [m]."""
    return float(np.polyfit(thickness, np.log(resistance), 1)[0] / 2)
