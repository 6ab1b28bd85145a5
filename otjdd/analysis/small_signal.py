"""Numbers from small signals and from polarised films.

Of small signals: Mott-Schottky plots, relaxation of an impedance, and its Kramers-Kronig relations.
A Mott-Schottky plot gives an *apparent* doping, as papers report it: of a depletion layer whose permittivity does not
depend on the field, alone or in series with a capacitance that does not depend on the voltage.

Of polarised films: the hysteresis loop, PUND pulses, and the resistance of both directions.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from otjdd.analysis.plasticity import slices_of
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.laws import suzuki
from otjdd.system.late import xr
from otjdd.units import parse

DEPLETED = 4.0  # kT of band bending, from which less than 2 % of the electrons are left at the interface
ELEMENTS_PER_DECADE = 4  # RC elements of the Kramers-Kronig test; more would also fit data that violate the relations


@dataclass(frozen=True)
class MottSchottkyFit:
    """Straight line through 1/C^2.

    doping : [1/m3] of its slope   built_in_voltage : [V] band bending at 0 V
    bend : slope at the end of deepest depletion over that at the other end, 1 for a straight line
    voltages, line : (2,) [V], [1/F2] ends of the line   points : number of points used
    """

    doping: float
    built_in_voltage: float
    bend: float
    voltages: tuple[float, float]
    line: tuple[float, float]
    points: int


def fit_mott_schottky(
    voltage: ArrayLike, capacitance: ArrayLike, area: float, relative_permittivity: float, temperature: float = 300.0
) -> MottSchottkyFit:
    """Doping and built-in voltage of a depletion layer from capacitances (n,) [F] at voltages (n,) [V].

        1/C^2 = 2 (V_bi - kT/e -+ V)/(e eps0 eps_r N A^2)

    area : A [m2]   relative_permittivity : of the doped oxide   temperature : [K]
    Raises ValueError for fewer than three different voltages, and if C does not depend on the voltage.
    Source: Sze & Ng, Physics of Semiconductor Devices, 3rd ed. (2007), section 3.2.
    """
    V, C = np.asarray(voltage, dtype=float), np.asarray(capacitance, dtype=float)
    good = np.isfinite(V) & np.isfinite(C) & (C > 0)
    V, y = V[good], 1 / C[good] ** 2
    if len(np.unique(V)) < 3:
        raise ValueError(
            f"a Mott-Schottky line takes three voltages or more with a depletion layer, there are {V.size}"
        )
    slope, origin = np.polyfit(V, y, 1)
    if abs(slope) * np.ptp(V) < 1e-9 * y.max():
        raise ValueError("the capacitance does not depend on the voltage: there is no depletion layer to measure")
    curvature, tilt, _ = np.polyfit(V, y, 2)
    shallow, deep = sorted((V.min(), V.max()), key=lambda v: origin + slope * v)
    return MottSchottkyFit(
        doping=2 / (ELEMENTARY_CHARGE * VACUUM_PERMITTIVITY * relative_permittivity * area**2 * abs(slope)),
        built_in_voltage=origin / abs(slope) + BOLTZMANN_EV * temperature,
        bend=(tilt + 2 * curvature * deep) / (tilt + 2 * curvature * shallow),
        voltages=(float(V.min()), float(V.max())),
        line=(float(origin + slope * V.min()), float(origin + slope * V.max())),
        points=V.size,
    )


def mott_schottky(
    ds: xr.Dataset,
    state: str | None = None,
    window: tuple[float, float] | None = None,
    area: float | None = None,
    relative_permittivity: float | None = None,
) -> dict[str, float]:
    """Mott-Schottky numbers of a state (the first one by default) at the highest frequency and the first temperature.

    window : [V] of the fit; by default where the right electrode is depleted, `bias_band_bending` above 4 kT
    area : [m2], relative_permittivity : by default of the case, the permittivity of the right electrode without field
    Raises ValueError without a depletion layer, and for voltages that go to and fro.
    Numbers: doping [1/m3], built_in_voltage [V], bend : of `fit_mott_schottky`
    doping_ratio : over the doping of the case   flat_band_voltage [V] : of zero bending, between biases; nan if unknown
    """
    curve, fit = depletion_line(ds, state, window, area, relative_permittivity)
    doping = (device_of_result(ds)["right"] if "case_resolved" in ds.attrs else {}).get("doping")
    flat_band = math.nan
    if "bias_band_bending" in curve and (usable := np.isfinite(curve.bias_band_bending.values)).any():
        bending, bias = curve.bias_band_bending.values[usable], curve.bias.values[usable]
        order = np.argsort(bending)
        flat_band = float(np.interp(0.0, bending[order], bias[order], math.nan, math.nan))
    return {
        "doping": fit.doping,
        "built_in_voltage": fit.built_in_voltage,
        "bend": fit.bend,
        "doping_ratio": fit.doping / parse(doping, "density") if doping else math.nan,
        "flat_band_voltage": flat_band,
    }


def depletion_line(
    ds: xr.Dataset,
    state: str | None = None,
    window: tuple[float, float] | None = None,
    area: float | None = None,
    relative_permittivity: float | None = None,
) -> tuple[xr.Dataset, MottSchottkyFit]:
    """The curve that `mott_schottky` uses, as a Dataset over bias, and its fit. Raises ValueError."""
    curve = ds.isel(temperature=0, frequency=int(np.argmax(ds.frequency.values)))
    curve = curve.isel(state=0) if state is None else curve.sel(state=state)
    V, T = curve.bias.values, float(curve.temperature)
    if goes_back(V):
        raise ValueError("a Mott-Schottky line takes one branch of voltages, these go back and forth")
    if window is not None:
        inside = (V >= window[0]) & (V <= window[1])
    elif "bias_band_bending" in curve:
        inside = curve.bias_band_bending.values > DEPLETED * BOLTZMANN_EV * T
    else:
        inside = np.ones(V.size, bool)
    if area is None:
        device = device_of_result(ds)
        area = parse(device["area"], "area") if "area" in device else math.pi * parse(device["radius"], "length") ** 2
    relative_permittivity = at_zero_field(ds, T) if relative_permittivity is None else relative_permittivity
    return curve, fit_mott_schottky(V[inside], curve.capacitance.values[inside], area, relative_permittivity, T)


def goes_back(bias: NDArray[np.float64]) -> bool:
    """True where voltages (n,) come back to an earlier one, as in a loop."""
    return len(np.unique(bias)) < len(bias)


def device_of_result(ds: xr.Dataset) -> dict[str, Any]:
    """The [device] of the case of a result, as nested tables. Raises ValueError for a result without a case."""
    if "case_resolved" not in ds.attrs:
        raise ValueError("this result does not say its case: give area and relative_permittivity")
    return tomllib.loads(str(ds.attrs["case_resolved"]))["device"]


def at_zero_field(ds: xr.Dataset, temperature: float) -> float:
    """Relative permittivity of the right electrode without field, at a temperature [K]. Raises ValueError for a metal."""
    law = device_of_result(ds)["right"].get("permittivity")
    if law is None:
        raise ValueError("the right electrode is a metal, which has no depletion layer")
    if law["law"] == "linear":
        return float(law["eps_r"])
    b, a = parse(law["b"], "field"), parse(law["a"], "squared field")
    if law.get("temperature_law") == "suzuki":
        b, a = suzuki(b, a, temperature)
    return float(law.get("eps_inf", 0.0)) + b / math.sqrt(a)


def impedance_numbers(ds: xr.Dataset, state: str | None = None, bias: float | None = None) -> dict[str, float]:
    """Numbers of an impedance over frequency, in a state and at the bias nearest to `bias` [V], by default the first ones.

    Those of "impedance" in METRICS; the peak is nan at an end, kramers_kronig for fewer than ten frequencies.
    """
    at = ds.isel(temperature=0, state=0) if state is None else ds.isel(temperature=0).sel(state=state)
    at = at.isel(bias=0) if bias is None else at.sel(bias=bias, method="nearest")
    at = at.sortby("frequency")
    f, Z = at.frequency.values, at.impedance_real.values + 1j * at.impedance_imag.values
    return {
        "resistance": float(Z.real[0]),
        "low_capacitance": float(at.capacitance[0]),
        "high_capacitance": float(at.capacitance[-1]),
        "peak_frequency": peak(f, np.abs(Z.imag)),
        "kramers_kronig": float(np.abs(kramers_kronig(f, Z)).max()) if f.size >= 10 else math.nan,
    }


def peak(frequency: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Frequency [Hz] of the largest of the values (F,), from a parabola over ln f; nan if it is at an end.

    frequency : (F,) [Hz], in any order; values of nan are left out
    """
    usable = np.isfinite(values)
    order = np.argsort(frequency[usable])
    frequency, values = frequency[usable][order], values[usable][order]
    if values.size < 3:
        return math.nan
    i = int(np.argmax(values))
    if not 0 < i < values.size - 1:
        return math.nan
    a, b, _ = np.polyfit(np.log(frequency[i - 1 : i + 2] / frequency[i]), values[i - 1 : i + 2] / values[i], 2)
    return float(frequency[i] * math.exp(-b / (2 * a)))


def kramers_kronig(frequency: ArrayLike, impedance: ArrayLike) -> NDArray[np.complex128]:
    """Residuals (F,) of an impedance, relative to its magnitude, from the best fit that obeys the Kramers-Kronig relations.

    frequency : (F,) [Hz]   impedance : (F,) [ohm], complex
    The fit is linear: a resistance, an inductance and a capacitance in series with RC elements of either sign, whose time
    constants are log-spaced over the frequencies. A linear, causal and stationary system has residuals near zero, except
    for noise. Source: Boukamp, J. Electrochem. Soc. 142, 1885 (1995).
    """
    omega, Z = 2 * np.pi * np.asarray(frequency, dtype=float), np.asarray(impedance, dtype=complex)
    count = max(2, math.ceil(ELEMENTS_PER_DECADE * math.log10(omega.max() / omega.min())))
    count = min(count, omega.size - 4) if omega.size > 6 else 2
    tau = 1 / np.geomspace(omega.max(), omega.min(), count)
    elements = [np.ones(omega.size), 1j * omega, 1 / (1j * omega), *(1 / (1 + 1j * omega * t) for t in tau)]
    matrix = np.column_stack(elements) / np.abs(Z)[:, None]
    matrix /= np.linalg.norm(matrix, axis=0)  # equal weights of elements that differ by many decades
    unit = Z / np.abs(Z)
    both = np.vstack((matrix.real, matrix.imag)), np.concatenate((unit.real, unit.imag))
    return np.asarray(unit - matrix @ np.linalg.lstsq(*both, rcond=None)[0], dtype=complex)


PULSES = 4  # positive, up, negative, down; the drive has one more pulse before them, which sets the film
OFF = 1e-9  # of the largest voltage: smaller voltages count as 0 V
TURN = 0.1  # of the range of the voltage: a branch ends where the voltage has come back by more


def branches(voltage: np.ndarray) -> list[slice]:
    """Slices of voltages (n,) [V] from turn to turn, both ends included; noise below TURN of the range is no turn."""
    least = TURN * np.ptp(voltage)
    turns, extreme, direction = [0], 0, 0
    for i, V in enumerate(voltage.tolist()):
        ahead = V - voltage[extreme]
        if direction * ahead >= 0 and (direction or abs(ahead) > least):
            extreme, direction = i, direction or (1 if ahead > 0 else -1)
        elif direction and abs(ahead) > least:
            turns.append(extreme)
            extreme, direction = i, -direction
    turns.append(len(voltage) - 1)
    return [slice(a, b + 1) for a, b in pairwise(turns) if b > a]


def zeros(x: np.ndarray, y: np.ndarray, parts: list[slice]) -> tuple[float, float]:
    """x at the last zero of y that rises, and at the last one that falls, both (n,); nan where there is none.

    parts : branches of a loop, each of which passes zero once or not at all; where noise makes y pass it several times, the
        median of x at these passages counts
    """
    rising = falling = math.nan
    for part in parts:
        u, v = x[part], y[part]
        at = np.flatnonzero((v[:-1] < 0) != (v[1:] < 0))
        if len(at) % 2 == 0:
            continue
        middle = float(np.median(u[at] - v[at] * (u[at + 1] - u[at]) / (v[at + 1] - v[at])))
        if v[at[-1] + 1] >= 0:
            rising = middle
        else:
            falling = middle
    return rising, falling


def hysteresis(ds: xr.Dataset) -> dict[str, float]:
    """Coercive voltages [V] and fields [V/m], remanent and largest polarisation [C/m2] of the last loop.

    Each branch of the loop gives one of both signs, also where noise makes the polarisation pass zero several times (see
    `zeros`). Rows with nan are left out. Raises ValueError for a run without a loop.
    """
    rows = np.array([ds[name].values for name in ("polarisation", "junction_voltage", "film_field")])
    P, V, E = rows[:, np.isfinite(rows).all(axis=0)]
    parts = branches(V)
    up, down = zeros(V, P, parts)
    field_up, field_down = zeros(E, P, parts)
    after_negative, after_positive = zeros(P, V, parts)
    if not np.isfinite((up, down, after_negative, after_positive)).all():
        raise ValueError("a loop has a polarisation and a voltage that pass zero both ways")
    return {
        "coercive_up": up,
        "coercive_down": down,
        "coercive_voltage": (up - down) / 2,
        "imprint": (up + down) / 2,
        "coercive_field": (field_up - field_down) / 2,
        "field_imprint": (field_up + field_down) / 2,
        "remanent_up": after_positive,
        "remanent_down": after_negative,
        "remanent": (after_positive - after_negative) / 2,
        "saturation": float(np.abs(P).max()),
    }


def pund(ds: xr.Dataset) -> dict[str, float]:
    """PUND: changes of the charge on the left electrode [C/m2] by each pulse, and the switched and remanent charges.

    Raises ValueError for a run with other pulses.
    """
    V, charge = ds["voltage"].values, ds["electrode_charge"].values
    stretches = slices_of(np.abs(V) > OFF * np.abs(V).max())
    pulses = [slice(max(on.start - 1, 0), on.stop + 1) for on in stretches]  # from 0 V to 0 V
    if len(pulses) != PULSES + 1:
        raise ValueError(f"{len(pulses)} pulses, not the {PULSES + 1} of a drive of kind pund")
    left = [float(charge[at][-1] - charge[at][0]) for at in pulses[1:]]
    names = ("positive", "up", "negative", "down")
    switched = {"switched_up": left[0] - left[1], "switched_down": left[2] - left[3]}
    return dict(zip(names, left, strict=True)) | switched | {
        "remanent": (switched["switched_up"] - switched["switched_down"]) / 4
    }  # fmt: skip


def reversal(ds: xr.Dataset) -> dict[str, float]:
    """Share of the initial polarisation that is reversed at the end, and final over initial polarisation.

    Raises ValueError for a run that starts without polarisation.
    """
    P = ds["polarisation"].values
    if not len(P) or P[0] == 0.0:
        raise ValueError("a reversal begins with a polarisation")
    return {"share": float((P[0] - P[-1]) / (2 * P[0])), "kept": float(P[-1] / P[0])}


def electroresistance(ds: xr.Dataset) -> dict[str, float]:
    """Ratio of the currents of the first two states of a drive of the kind iv, at its first temperature.

    Raises ValueError for curves of one state.
    """
    bias, current = ds["bias"].values, np.abs(ds["bias_current"].values[:, 0])
    if len(current) < 2:
        raise ValueError("a ratio of resistances needs two states")
    ratio = ratios(bias, current[:2])
    near, most = int(np.nanargmin(np.where(np.isnan(ratio), np.nan, np.abs(bias)))), int(np.nanargmax(ratio))
    return {"ratio": float(ratio[near]), "most": float(ratio[most]), "most_voltage": float(bias[most])}


def ratios(bias: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Larger over smaller of two currents (2, n) at voltages (n,) [V] -> (n,); nan at 0 V, where neither flows."""
    on = np.abs(bias) > OFF * np.abs(bias).max()
    ratio = np.full(len(bias), np.nan)
    ratio[on] = current[:, on].max(axis=0) / current[:, on].min(axis=0)
    return ratio
