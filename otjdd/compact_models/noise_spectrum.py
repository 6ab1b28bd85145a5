"""Spectrum of the current of a compact model at a constant voltage, as by `.noise` of its circuits.

The states diffuse from given values, S_q = D/(pi f)^2, and ions move within the wells, see `hop_noise`. Both scatter the
current G V_j of a column. The shot noise 2qI and the noise 4kT/R of the series resistance are added; the latter drives the
charge of the junction as well. Below r/(2 pi), with the relaxation rate r, a state relaxes meanwhile, and scatters less
than this spectrum.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from otjdd.compact_models import kernels
from otjdd.compact_models.noise import ln_scatter
from otjdd.compact_models.tables import LN10, chebyshev_factors, spline, stays, unit
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.system.late import xr

AnyModel = Any  # CompactModel, whose module imports this one
STEP = 1e-4  # V, of the difference that gives the slope of the current


class ColumnNoise(NamedTuple):
    """Noise of ln G of one column."""

    wander: float  # Hz, factor of 1/f^2: by diffusion of the state
    white: float  # 1/Hz, by ions within the wells
    corner: float  # Hz, above which the noise of these ions falls
    lasts: float  # Hz, r/(2 pi): below it the state relaxes


def spectrum(model: AnyModel, frequency: np.ndarray, voltage: float, states: np.ndarray) -> "xr.Dataset":
    """Dataset over `frequency` (F,) [Hz] of the current at a source voltage [V]; states : (2 K,) or (3 K,)

    current_spectrum [A2/Hz], one-sided, and its parts: state_spectrum, well_spectrum, shot_spectrum, thermal_spectrum
    lasts (column) [Hz] : r/(2 pi), below which the state of a column does not stay
    """
    f, K = np.asarray(frequency, float), model.kind.size
    V, current = kernels.junction_voltage(model.lookup, float(voltage), states, float(voltage))
    of_columns = [column_noise(model, k, V, states) for k in range(K)]
    alone = [model.lookup._replace(weight=model.weight * mask) for mask in np.eye(K)]
    currents = V * np.array([kernels.conductance(lookup, V, states)[0] for lookup in alone])
    above = kernels.junction_voltage(model.lookup, float(voltage) + STEP, states, V)
    slope = (above[1] - current) / STEP / max((above[0] - V) / STEP, 1e-12)  # S, dI/dV_j
    charge = model.charge(np.array([V - STEP, V + STEP]), np.tile(states[:K], (2, 1)))
    admittance = slope + 2j * math.pi * f * model.area * float(np.diff(charge)[0]) / (2.0 * STEP)
    behind = np.abs(1.0 + model.resistance * admittance) ** -2  # the series resistance
    kT = BOLTZMANN_EV * model.temperature * ELEMENTARY_CHARGE
    thermal = 4.0 * kT * model.resistance * np.abs(admittance) ** 2 * behind
    pairs = list(zip(currents, of_columns, strict=True))
    by_source = {
        "by the states": behind * sum(i**2 * column.wander for i, column in pairs) / f**2,
        "by ions within the wells": behind * sum(i**2 * c.white / (1.0 + (f / c.corner) ** 2) for i, c in pairs),
        "2qI": behind * 2.0 * ELEMENTARY_CHARGE * abs(current),
        "by the resistance": thermal,
    }

    def density(values: Any, source: str = "") -> tuple[str, Any, dict[str, str]]:
        return "frequency", values, {"units": "A2 Hz-1", "long_name": f"spectral density of the current{source}"}

    names = (f"{part}_spectrum" for part in ("state", "well", "shot", "thermal"))
    arrays = {
        name: density(values, f" {source}") for name, (source, values) in zip(names, by_source.items(), strict=True)
    }
    below = {"units": "Hz", "long_name": "below, the state has moved on"}
    return xr.Dataset(
        {
            "current_spectrum": density(sum(by_source.values())), **arrays,
            "lasts": ("column", [column.lasts for column in of_columns], below),
        },
        {"frequency": ("frequency", f, {"units": "Hz", "long_name": "frequency"})},
        {"voltage": float(voltage), "junction_voltage": float(V), "current": float(current)},
    )  # fmt: skip


def column_noise(model: AnyModel, k: int, V: float, states: np.ndarray) -> ColumnNoise:
    """Noise of column k at V_j and states."""
    assert model.noise is not None
    t, lookup = int(model.kind[k]), model.lookup
    kind, tables, ions, speed = model.kinds[t], model.noise.kinds[t], model.ions[k], float(model.speed[k])
    hops = speed * kernels.own_rate(lookup, V)
    q, at = float(states[k]), np.array([V])
    x = unit(kind.state, q)
    white, corner = (
        math.exp(
            float(chebyshev.chebval(x, (spline(tables.voltage, chebyshev_factors(kind, "log_rate", table))(V) * LN10)))
        )
        for table in (tables.log_white, tables.log_corner)
    )
    white, corner = white / (ions * hops), corner * hops
    if stays(kind):
        return ColumnNoise(0.0, white, corner, 0.0)
    rates = np.empty((5, model.kind.size))
    kernels.rates_at(lookup, V, states, rates)
    low, high = kind.state[0], kind.state[-1]
    flows = max((rates[1, k] - low) * (high - q) + (high - rates[1, k]) * (q - low), 0.0)
    filling = rates[2, k]
    share = 1.0 - filling / (filling + speed / kind.emptying)
    rate = rates[0, k] * share
    variance = 0.5 * flows / ions * math.exp(float(ln_scatter(tables, at, np.array([q]))[0, 0]))
    factor = spline(kind.conductance_voltage, chebyshev_factors(kind, "log_conductance"))(V) * LN10
    slope = 2.0 * float(chebyshev.chebval(x, chebyshev.chebder(factor))) + model.gain[1] - model.gain[0]
    wander = rate * variance * (slope / (high - low) / math.pi) ** 2
    return ColumnNoise(wander, white, corner, rate / (2.0 * math.pi))
