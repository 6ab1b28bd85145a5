"""Metrics of plasticity under pulses and spikes: Datasets, peaks and conductances in, plain numbers out.

They are the short-term response (peaks, paired pulses, decay), the shape of potentiation and depression, and the energy of
a spike, of measured or simulated currents. Numbers are SI; nan stands for what a run does not show.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import xarray as xr

STEEPEST = 50.0  # largest nonlinearity of either sign; a curve with it is a step
SYNAPSE = 1e-13  # m2: 0.1 um2, the area to which energies of artificial synapses are often scaled


def pulses(ds: xr.Dataset) -> list[slice]:
    """Samples of `time` under each pulse, where |voltage| is nearer to its largest than to its last value."""
    V = np.abs(np.asarray(ds.voltage))
    under = np.concatenate(([False], V > (V.max() + V[-1]) / 2, [False]))
    edges = np.flatnonzero(np.diff(under.astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def peaks(ds: xr.Dataset, what: str = "current") -> np.ndarray:
    """Largest |current| (n,) [A] under each pulse. what : name of the current"""
    current = np.abs(np.asarray(ds[what]))
    return np.array([current[pulse].max() for pulse in pulses(ds)])


def read_peaks(ds: xr.Dataset) -> np.ndarray:
    """Largest |current| (n,) [A] under each pulse: as the instrument reads it, or that of conduction for an ideal one.

    An ideal instrument also shows the current that charges the junction at a jump of the voltage, a spike whose height
    depends on the time step.
    """
    ideal = "conduction_current" in ds and bool(
        np.allclose(ds["current"][1:] - ds["conduction_current"][1:], ds["displacement_current"][1:], rtol=1e-6)
        if "displacement_current" in ds
        else True
    )
    return peaks(ds, "conduction_current" if ideal else "current")


def facilitation(peaks: ArrayLike) -> dict[str, float]:
    """Growth of peaks (n,): ppf = (A2 - A1)/A1 at the second pulse, ptp = (An - A1)/A1 at the last."""
    A = np.asarray(peaks, dtype=float)
    return {"ppf": float(A[1] / A[0] - 1), "ptp": float(A[-1] / A[0] - 1)}


def relaxation(ds: xr.Dataset, what: str = "current") -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) [s] after the end of the last pulse, and a current (n,) [A] there (`current` or `conduction_current`).

    The sample at the time of the jump itself is left out, as the instrument has not seen the charge of the jump yet.
    """
    t, end = np.asarray(ds.time), pulses(ds)[-1].stop
    after = end + int(np.searchsorted(t[end:], t[end - 1], side="right"))
    return t[after:] - t[end - 1], np.asarray(ds[what])[after:]


def spike_energy(ds: xr.Dataset, start: float, end: float) -> dict[str, float]:
    """Energy [J] from the source between two times [s].

    conduction : integral of V I dt of the conduction current
    charging : that of the displacement current, C V^2 for the rise of a rectangular pulse
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

    up, down : (n,) [S], conductances after 0, 1, 2, ... pulses, each scaled to its own window; nan is left out
    Returns up, down : nu of g(p) = (1 - exp(-nu p)) / (1 - exp(-nu)), where p is the share of the pulses: 0 is linear,
        positive saturates, negative gets steeper, +-STEEPEST is a step; nan for fewer than three points. nu is P_max/A of
        Chen, Peng & Yu, IEEE TCAD 37, 3067 (2018)
    asymmetry : largest distance of the two scaled curves, with depression reversed
    """
    (done, rise), (undone, fall) = _to_window(up), _to_window(down)
    if min(len(rise), len(fall)) < 3:
        return {"up": math.nan, "down": math.nan, "asymmetry": math.nan}
    grid = np.linspace(0, 1, 101)
    ahead, back = np.interp(grid, done, rise), np.interp(grid, 1 - undone[::-1], fall[::-1])
    return {
        "up": _curvature(done, rise),
        "down": _curvature(undone, 1 - fall),
        "asymmetry": float(np.abs(ahead - back).max()),
    }


def _to_window(conductance: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Share of the pulses (n,), and conductance (n,) scaled to its window, 0 to 1, without nan."""
    G = np.asarray(conductance, dtype=float)
    known = np.isfinite(G)
    p, G = np.linspace(0, 1, len(G))[known], G[known]
    return p, (G - G.min(initial=np.inf)) / (np.ptp(G) if len(G) else 1.0)


def _curvature(p: np.ndarray, g: np.ndarray) -> float:
    """nu of a curve g (n,) from 0 to 1 over p (n,)."""
    from scipy.optimize import minimize_scalar

    def cost(nu: float) -> float:
        shape = p if abs(nu) < 1e-8 else np.expm1(-nu * p) / np.expm1(-nu)
        return float(np.sum((g - shape) ** 2))

    return float(minimize_scalar(cost, bounds=(-STEEPEST, STEEPEST), method="bounded", options={"xatol": 1e-8}).x)


def loss_per_decade(time: ArrayLike, resistance: ArrayLike) -> float:
    """Relative change per decade of time (n,) [s] of a resistance (n,) [ohm]; nan for fewer than two points."""
    if np.size(time) < 2:
        return math.nan
    slope = np.polyfit(np.log10(time), np.log10(resistance), 1)[0]
    return float(10**slope - 1)


def decay_constant(thickness: ArrayLike, resistance: ArrayLike) -> float:
    """kappa [1/m] of R = R0 exp(2 kappa d), from resistances (n,) [ohm] of films of a thickness (n,) [m]."""
    return float(np.polyfit(np.asarray(thickness, dtype=float), np.log(resistance), 1)[0] / 2)
