"""Parameters from measured or simulated currents: (V, I) or (T, I) arrays in, a small frozen record out.

These are the fits of papers, with the textbook formulas that they use (`textbook`, whose signs hold here). They return an
*apparent* barrier, to be compared with the same fit of other data, and not with the barrier of the device. Errors are one
standard deviation, from the scatter about the fit; nan if there are no more points than parameters. `scatter` is the root
mean square of that deviation, in ln I. Data that do not determine the parameters raise ValueError.

Exponentials and Gaussians through points (Curve) are for metrics of plasticity.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.analysis import textbook
from otjdd.constants import BOLTZMANN_EV
from otjdd.system.late import scipy

SAME = 1e-12  # of the values, change that is round-off
STARTS = 25  # log-spaced scales that are tried before the search


class Curve(NamedTuple):
    """amplitude * shape(x / scale) + offset, the errors of the three, and the scatter of the points.

    amplitude, offset and scatter (root mean square) are in the unit of y, scale in the unit of x; misfit is scatter over
    the range of y
    """

    amplitude: float
    scale: float
    offset: float
    amplitude_error: float
    scale_error: float
    offset_error: float
    scatter: float
    misfit: float


def exponential(x: ArrayLike, y: ArrayLike, offset: float | None = None) -> Curve:
    """y = A exp(-x / scale) + offset by least squares.

    x, y : (N,), x >= 0   offset : not fitted if given
    Raises ValueError for fewer points than parameters, for values that are all the same, and if the best scale is not
    between a tenth of the smallest step of x and ten times the span of x.
    """
    return _fit(lambda u: np.exp(-u), np.asarray(x, dtype=float), np.asarray(y, dtype=float), offset)


def gaussian(x: ArrayLike, y: ArrayLike, offset: float | None = None) -> Curve:
    """y = A exp(-(x / scale)^2) + offset by least squares, about x = 0. Arguments and errors as of `exponential`."""
    return _fit(lambda u: np.exp(-(u**2)), np.asarray(x, dtype=float), np.asarray(y, dtype=float), offset)


def _fit(shape: Callable[[np.ndarray], np.ndarray], x: np.ndarray, y: np.ndarray, fixed_offset: float | None) -> Curve:
    """Least squares by a search over the scale alone: amplitude and offset are linear at each scale."""
    free = 2 if fixed_offset is not None else 3
    if x.shape != y.shape or x.size < free or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"a fit of {free} parameters needs as many finite points, not {x.shape} and {y.shape}")
    varied = np.ptp(y) if fixed_offset is None else np.abs(y - fixed_offset).max()
    if not varied > SAME * np.abs(y).max():
        raise ValueError("values that are all the same have no scale: any one fits")

    def linear(scale: float) -> tuple[float, float, np.ndarray]:
        """Amplitude, offset and residuals (N,) at a scale."""
        form = shape(x / scale)
        if fixed_offset is not None:
            return (
                (form @ (y - fixed_offset)) / (form @ form),
                fixed_offset,
                y - fixed_offset - form * (form @ (y - fixed_offset)) / (form @ form),
            )
        columns = np.column_stack([form, np.ones_like(x)])
        (amplitude, offset), *_ = np.linalg.lstsq(columns, y, rcond=None)
        return amplitude, offset, y - columns @ [amplitude, offset]

    def cost(log_scale: float) -> float:
        return float(np.sum(linear(math.exp(log_scale))[2] ** 2))

    gaps = np.diff(np.unique(np.abs(x)))
    if not gaps.size:
        raise ValueError("all points of a fit lie at one place")
    grid = np.linspace(math.log(gaps.min() / 10), math.log(10 * gaps.sum()), STARTS)
    best = int(np.argmin([cost(u) for u in grid]))
    if best in (0, STARTS - 1):
        raise ValueError(f"no scale between {math.exp(grid[0]):.3g} and {math.exp(grid[-1]):.3g} fits")
    bounds = grid[best - 1], grid[best + 1]
    optimum = scipy.optimize.minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-10})
    scale = math.exp(optimum.x)
    amplitude, offset, rest = linear(scale)
    step = 1e-5
    slope = amplitude * (shape(x / (scale * (1 + step))) - shape(x / (scale * (1 - step)))) / (2 * step * scale)
    columns = [shape(x / scale), slope] + ([] if fixed_offset is not None else [np.ones_like(x)])
    spare = x.size - free
    variance = (rest @ rest) / spare if spare else math.nan
    errors = np.sqrt(variance * np.diag(np.linalg.pinv(np.transpose(columns).T @ np.transpose(columns))))
    amplitude_error, scale_error, offset_error = [*errors, 0.0][:3]
    scatter, span = math.sqrt(np.mean(rest**2)), float(np.ptp(y))
    return Curve(
        float(amplitude), scale, float(offset), float(amplitude_error), float(scale_error), float(offset_error),
        scatter, scatter / span if span else math.nan,
    )  # fmt: skip


HIGHEST_BARRIER = 10.0  # eV, above all barriers in solids
SKEWS = (-0.3, -0.1, 0.0, 0.1, 0.3)  # half difference over mean of the two barriers, from which the search starts


@dataclass(frozen=True)
class ThermionicFit:
    """Barrier [eV] and ideality [1] with their errors; scatter of ln I; number of points used."""

    barrier: float
    barrier_error: float
    ideality: float
    ideality_error: float
    scatter: float
    points: int


@dataclass(frozen=True)
class ActivationFit:
    """Apparent activation energy [eV] with its error; scatter of ln I; number of points used."""

    energy: float
    energy_error: float
    scatter: float
    points: int


@dataclass(frozen=True)
class TrapezoidFit:
    """Barriers [eV] at substrate and metal with their errors and correlation; scatter of ln I; number of points used."""

    barrier_substrate: float
    barrier_substrate_error: float
    barrier_metal: float
    barrier_metal_error: float
    correlation: float
    scatter: float
    points: int


@dataclass(frozen=True)
class FowlerNordheimFit:
    """Slope d ln(I/V^2)/d(1/V) [V] and its barrier [eV], nan if it rises; errors; scatter; number of points used."""

    slope: float
    slope_error: float
    barrier: float
    barrier_error: float
    scatter: float
    points: int


def fit_thermionic(
    voltage: ArrayLike, current: ArrayLike, temperature: float, area: float, richardson: float
) -> ThermionicFit:
    """Barrier and ideality from ln{I / [1 - exp(-eV/kT)]} = ln(A A* T^2) - phi/kT + eV/nkT, a straight line in V.

    voltage, current : (N,) [V], [A], of both signs   temperature : [K]   area : [m2]   richardson : [A/m2/K2]
    Valid where emission over the barrier limits the current, and not the series resistance: up to a few tenths of a volt
    forward. Points from beyond increase the scatter. A factor f in A* moves the barrier by kT ln f.
    Raises ValueError if fewer than three currents have the sign of the voltage, or if the slope is below twice its error.
    Source: Missous & Rhoderick, Electron. Lett. 22, 477 (1986).
    """
    voltage, current = _flowing(voltage, current, least=3)
    kT = BOLTZMANN_EV * temperature
    x = voltage / kT
    # |I| / |1 - exp(-x)| with the larger exponential taken out, which would overflow in deep reverse bias.
    y = np.log(np.abs(current)) - np.log(-np.expm1(-np.abs(x))) - np.maximum(-x, 0)
    line = _line(x, y, "voltages")
    if not line.slope > 2 * line.slope_error:
        raise ValueError(f"no thermionic rise with voltage: slope {line.slope:.3g} +- {line.slope_error:.2g} of e/kT")
    return ThermionicFit(
        barrier=kT * (math.log(area * richardson * temperature**2) - line.intercept),
        barrier_error=kT * line.intercept_error,
        ideality=1 / line.slope,
        ideality_error=line.slope_error / line.slope**2,
        scatter=line.scatter,
        points=x.size,
    )


def activation_energy(temperatures: ArrayLike, currents: ArrayLike, richardson_form: bool = True) -> ActivationFit:
    """Apparent activation energy -d ln(I/T^2)/d(1/kT) at one voltage; of ln I alone without `richardson_form`.

    temperatures, currents : (N,) [K], [A], N >= 2, the currents of one sign
    For emission it is the barrier, lowered by the bias; for tunnelling it is near zero or below; for a mixture it is the
    mean energy of transport. Valid over a range of T narrow enough for one mechanism.
    Raises ValueError for fewer than two different temperatures, and for currents that are zero or of both signs.
    Source: the Richardson plot; Crowell, Solid-State Electron. 8, 395 (1965).
    """
    T, current = _pairs(temperatures, currents, "temperatures")
    if T.size < 2 or np.any(T <= 0):
        raise ValueError("an activation energy needs currents at two or more temperatures above zero")
    if np.any(current == 0) or np.ptp(np.sign(current)) > 0:
        raise ValueError("an activation energy needs currents of one sign, none zero")
    y = np.log(np.abs(current)) - (2 * np.log(T) if richardson_form else 0)
    line = _line(-1 / (BOLTZMANN_EV * T), y, "temperatures")
    return ActivationFit(line.slope, line.slope_error, line.scatter, T.size)


def fit_trapezoid(voltage: ArrayLike, current: ArrayLike, thickness: float, mass: float, area: float) -> TrapezoidFit:
    """The two barriers of `textbook.gruverman` by least squares on ln |I|, both signs of V together.

    voltage, current : (N,) [V], [A]   thickness : [m]   mass : [m0]   area : [m2]
    Valid for direct tunnelling, |eV|/2 below both barriers (which bounds the search) and kT below some K^-1 sqrt(phi).
    Thickness and mass are taken as known. The mean barrier is then well determined. The difference of the two shows in the
    asymmetry of the current only, and needs both signs of V or voltages near the barrier.
    Raises ValueError if fewer than four currents have the sign of the voltage, if a barrier is at a bound, and if its error
    exceeds half of it.
    Source: Gruverman et al., Nano Lett. 9, 3539 (2009).
    """
    V, flowing = _flowing(voltage, current, least=4)
    measured = np.log(np.abs(flowing) / area)

    def misfit(barriers: np.ndarray) -> np.ndarray:
        substrate, metal = barriers
        return textbook.log_gruverman(V, substrate, metal, thickness, mass) - measured

    # The corners phi1 + eV/2 and phi2 - eV/2 stay above the mean Fermi level; the margin keeps their roots smooth.
    lowest = np.maximum([-V.min() / 2, V.max() / 2], 0) + 1e-4
    means = np.geomspace(lowest.max() + 0.01, HIGHEST_BARRIER / 2, 40)
    pairs = [np.maximum(mean * np.array([1 + skew, 1 - skew]), lowest + 1e-3) for mean in means for skew in SKEWS]
    start, bounds = min(pairs, key=lambda pair: float(np.sum(misfit(pair) ** 2))), (lowest, HIGHEST_BARRIER)
    optimum = scipy.optimize.least_squares(misfit, start, bounds=bounds, x_scale=0.1, xtol=1e-13, ftol=1e-13)
    (substrate, metal), (errors, correlation, scatter) = optimum.x.tolist(), _uncertainty(optimum)
    substrate_error, metal_error = errors.tolist()
    if np.any(optimum.x < lowest + 1e-4) or np.any(optimum.x > 0.99 * HIGHEST_BARRIER):
        raise ValueError(f"no trapezoid fits: {substrate:.3g} and {metal:.3g} eV are at the end of the formula's range")
    if not np.all(errors < optimum.x / 2):
        optimum = f"{substrate:.3g} +- {substrate_error:.2g} eV and {metal:.3g} +- {metal_error:.2g} eV"
        raise ValueError(f"these currents do not determine both barriers: {optimum}")
    return TrapezoidFit(substrate, substrate_error, metal, metal_error, correlation, scatter, V.size)


def fit_fowler_nordheim(
    voltage: ArrayLike, current: ArrayLike, window: tuple[float, float], thickness: float, mass: float = 1.0
) -> FowlerNordheimFit:
    """Slope of the Fowler-Nordheim plot, d ln(I/V^2) / d(1/V), and the barrier of a triangle of that slope.

    voltage, current : (N,) [V], [A]   window : (V_low, V_high) of one sign, in [V]   thickness : [m]   mass : [m0]
    It is a barrier in the proper sense only for |eV| above it; below, it only restates the slope of the data. For a window
    of negative voltages 1/|V| is taken.
    Raises ValueError if the window contains both signs, or fewer than three currents with the sign of the voltage.
    Source: Fowler & Nordheim, Proc. R. Soc. A 119, 173 (1928).
    """
    low, high = sorted(window)
    if low < 0 < high:
        raise ValueError(f"a Fowler-Nordheim window has one sign of voltage, got {low:g} .. {high:g} V")
    voltage, current = _pairs(voltage, current, "voltages")
    inside = (voltage >= low) & (voltage <= high)
    voltage, current = _flowing(voltage[inside], current[inside], least=3)
    line = _line(1 / np.abs(voltage), np.log(np.abs(current) / voltage**2), "voltages")
    barrier = float(textbook.fowler_nordheim_barrier(line.slope, thickness, mass))
    barrier_error = abs(2 / 3 * barrier * line.slope_error / line.slope) if line.slope else math.nan
    return FowlerNordheimFit(line.slope, line.slope_error, barrier, barrier_error, line.scatter, voltage.size)


@dataclass(frozen=True)
class _Line:
    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    scatter: float


def _line(x: np.ndarray, y: np.ndarray, what: str) -> _Line:
    """Least-squares line through (N,) points, N >= 2; errors are nan for N = 2. what : name of x in messages"""
    centre, spread = x.mean(), np.ptp(x)
    if not spread > 1e-9 * np.abs(x).max():
        raise ValueError(f"all {what} are the same: a slope needs two different ones")
    dx = x - centre
    sxx = dx @ dx
    slope = dx @ y / sxx
    deviation = y - y.mean() - slope * dx
    variance = deviation @ deviation / (x.size - 2) if x.size > 2 else math.nan
    return _Line(
        slope=float(slope),
        slope_error=math.sqrt(variance / sxx),
        intercept=float(y.mean() - slope * centre),
        intercept_error=math.sqrt(variance * (1 / x.size + centre**2 / sxx)),
        scatter=float(np.sqrt(np.mean(deviation**2))),
    )


def _uncertainty(optimum: "scipy.optimize.OptimizeResult") -> tuple[np.ndarray, float, float]:
    """Standard errors (2,), correlation and scatter of a least-squares result of two parameters."""
    spare = optimum.fun.size - 2
    normal = optimum.jac.T @ optimum.jac
    if np.linalg.cond(normal) > 1e12:
        raise ValueError("these currents do not determine both barriers: one combination of them is free")
    covariance = np.linalg.inv(normal) * (2 * optimum.cost / spare)
    errors = np.sqrt(np.diag(covariance))
    correlation = float(covariance[0, 1] / max(errors[0] * errors[1], np.finfo(float).tiny))
    return errors, correlation, float(np.sqrt(np.mean(optimum.fun**2)))


def _pairs(x: ArrayLike, current: ArrayLike, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Both as finite float arrays (N,) of one length. Raises ValueError."""
    x, current = np.atleast_1d(np.asarray(x, dtype=float)), np.atleast_1d(np.asarray(current, dtype=float))
    if x.ndim != 1 or x.shape != current.shape:
        raise ValueError(f"{what} and currents are to be two rows of one length, got {x.shape} and {current.shape}")
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(current))):
        raise ValueError(f"{what} or currents hold a value that is not a number")
    return x, current


def _flowing(voltage: ArrayLike, current: ArrayLike, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The points whose current has the sign of the voltage. V = 0, and the noise around it, have no ln I.

    Raises ValueError for fewer than `least` of them.
    """
    voltage, current = _pairs(voltage, current, "voltages")
    flowing = (np.sign(voltage) == np.sign(current)) & (voltage != 0)
    if flowing.sum() < least:
        few = f"only {flowing.sum()} of {voltage.size} points have a current that flows with the voltage"
        raise ValueError(f"{few}; {least} are needed")
    return voltage[flowing], current[flowing]
