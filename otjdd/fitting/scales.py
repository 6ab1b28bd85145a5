"""Scales on which a measured and a simulated number are compared.

Currents and resistances are compared by their logarithms. The logarithm of a current within the noise s of the instrument
is meaningless; there the scale is asinh(y / 2s), which is ln(y / s) far above the noise and y / 2s below it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LOGARITHMIC = {"current", "read_current", "current_density", "resistance", "conductance"}


class Scale(NamedTuple):
    """A scale. kind : "log", "asinh" or "linear"   size : of the noise for "asinh", of the numbers for "linear" [SI]"""

    kind: str
    size: float = 1.0

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Values on the scale."""
        if self.kind == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.asarray(np.log(np.abs(values)))
        return np.asarray(np.arcsinh(values / (2 * self.size)) if self.kind == "asinh" else values / self.size)

    def slope(self, values: np.ndarray) -> np.ndarray:
        """Derivative of the scale at values, a positive number."""
        if self.kind == "log":
            return np.asarray(1 / np.abs(values))
        if self.kind == "asinh":
            return np.asarray(1 / np.hypot(values, 2 * self.size))
        return np.full(np.shape(values), 1 / self.size)

    def inverse(self, scaled: np.ndarray) -> np.ndarray:
        """Values [SI] of numbers on the scale; for "log" their magnitudes."""
        if self.kind == "log":
            return np.asarray(np.exp(scaled))
        return np.asarray(2 * self.size * np.sinh(scaled) if self.kind == "asinh" else scaled * self.size)


def scale_of(quantity: str, values: np.ndarray, noise: float) -> Scale:
    """Scale of a measured quantity. noise : its noise floor, nan for none"""
    if quantity not in LOGARITHMIC:
        return Scale("linear", float(np.sqrt(np.mean(values**2))) or 1.0)
    return Scale("asinh", noise) if np.isfinite(noise) else Scale("log")
