"""Metrics of synapses from results: Datasets in, plain numbers out.

Each function is a metric of papers: resistances and voltages of a loop, the change by a pulse, retention, power laws of the
number of pulses. Numbers are SI, energies in eV; nan stands for what a run does not show.

Trains are one of resets and one of sets, equally long, with a read after each pulse and one before. A train of equal pulses
that changes ln I by the same amount in each decade of their number is a straight line in a log-log plot.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.analysis import fits, plasticity, small_signal
from otjdd.system.late import scipy, xr

LASTING = 0.05  # relative change of conductance that counts as lasting
DISTINCT = 0.01  # relative difference from which two resistances are two states


def loop(ds: xr.Dataset) -> dict[str, float]:
    """Numbers of an R-V loop (`read_resistance`, `write_voltage`) that goes up first, then down, or down first, then up.

    Reads of nan are left out. In a loop that goes down first, the way to the highest write begins after the lowest one.
    pristine [ohm] : at the first read   low, high [ohm] : the smaller and the larger resistance after the extreme writes
    ratio : high/low, 1 or more   polarity : sign of the voltage that sets, 1 (eight-wise) or -1 (counter-eight-wise);
    0 without two distinct states, and the names are then as for 1
    set_voltage, reset_voltage [V] : where the resistance passes the geometric mean of the two states on the way to the
    low and to the high state   reset_over_set : -reset_voltage / set_voltage
    set_decades, reset_decades : log10 of the fall on the way to the low state, and of the rise on the way to the high one
    set_states, reset_states : distinct resistances between twice the low and half of the high one on that way
    Raises ValueError without a read after a write.
    """
    R, V = np.asarray(ds.read_resistance, dtype=float), np.asarray(ds.write_voltage, dtype=float)
    R, V = R[np.isfinite(R) & np.isfinite(V)], V[np.isfinite(R) & np.isfinite(V)]
    if not len(V):
        raise ValueError("it has no read after a write, as a write-read-loop has; a sweep is read while it is written")
    top = _last(V == V.max())
    up_first = V.min() in V[top:] or not V.min() < 0 < V.max()
    bottom = top + _last(V[top:] == V[top:].min()) if up_first else _last(V == V.min())
    sign = polarity(float(R[top]), float(R[bottom]))
    to_top = slice(0 if up_first else bottom, top + 1)
    to_bottom = slice(top if up_first else 0, bottom + 1)
    setting, resetting = (to_bottom, to_top) if sign < 0 else (to_top, to_bottom)
    low, high = sorted((float(R[top]), float(R[bottom])))
    before_set, before_reset = float(R[setting.start]), float(R[resetting.start])
    set_voltage = crossing(V[setting], np.log(R[setting]), math.log(before_set * low) / 2)
    reset_voltage = crossing(V[resetting], np.log(R[resetting]), math.log(high * before_reset) / 2)
    return {
        "pristine": float(R[0]),
        "low": low,
        "high": high,
        "ratio": high / low,
        "set_voltage": set_voltage,
        "reset_voltage": reset_voltage,
        "reset_over_set": -reset_voltage / set_voltage if set_voltage else math.nan,
        "polarity": sign,
        "set_decades": math.log10(before_set / low),
        "reset_decades": math.log10(high / before_reset),
        "set_states": states_between(R[setting], 2 * low, before_set / 2),
        "reset_states": states_between(R[resetting], 2 * before_reset, high / 2),
    }


def polarity(after_highest: float, after_lowest: float) -> int:
    """Sign of the voltage that sets, from the resistances [ohm] after the highest and the lowest write of a loop.

    0 if the two are not DISTINCT. If the voltage is on the electrode of the Schottky barrier, V > 0 sets an eight-wise
    loop, and resets a counter-eight-wise one (Dittmann et al., Proc. IEEE 100, 1979 (2012)).
    """
    low, high = sorted((after_highest, after_lowest))
    if high <= low * (1 + DISTINCT):
        return 0
    return 1 if after_lowest > after_highest else -1


def states_between(resistance: ArrayLike, low: float, high: float) -> int:
    """Number of resistances [ohm] between two bounds that differ from each other by more than DISTINCT."""
    R = np.asarray(resistance)
    count, last = 0, 0.0
    for inside in np.sort(R[(low < R) & (R < high)]):
        if inside > last * (1 + DISTINCT):
            count, last = count + 1, inside
    return count


def thermal(
    ds: xr.Dataset,
    state: str,
    area: float,
    richardson: float,
    voltage: float = 0.1,
    window: tuple[float, float] = (0.0, 0.3),
) -> dict[str, float]:
    """Conduction of a state, from I-V curves at several temperatures (`bias_current`).

    state : its name   area : [m2], richardson : [A/m2/K2], window : [V] of the thermionic fit   voltage : [V]
    Numbers: activation_energy [eV] : -d ln(I/T^2)/d(1/kT) at `voltage`
    transport_energy [eV], tunnelling_share : at `voltage` and the temperature nearest to 300 K
    thermionic_barrier [eV], ideality : of the fit at that temperature, nan if the curve does not rise so
    asymmetry : largest |I(V)/I(-V)| or its inverse
    Raises ValueError for voltages that go to and fro.
    """
    if small_signal.goes_back(ds.bias.values):
        raise ValueError("the conduction of a state takes one branch of voltages, these go back and forth")
    curves = ds.bias_current.sel(state=state)
    currents = curves.sel(bias=voltage, method="nearest")
    activation = fits.activation_energy(ds.temperature.values, currents.values)
    room = at_room_temperature(ds, state)
    V, current = room.bias.values, room.bias_current.values
    inside = (V > window[0]) & (V <= window[1])
    barrier = ideality = math.nan
    try:
        fit = fits.fit_thermionic(V[inside], current[inside], float(room.temperature), area, richardson)
        barrier, ideality = fit.barrier, fit.ideality
    except ValueError:  # the curve has no thermionic rise, so there is no barrier to report
        pass
    return {
        "activation_energy": activation.energy,
        "transport_energy": float(room.bias_transport_energy.sel(bias=voltage, method="nearest")),
        "tunnelling_share": float(room.bias_tunnelling_share.sel(bias=voltage, method="nearest")),
        "thermionic_barrier": barrier,
        "ideality": ideality,
        "asymmetry": asymmetry(V, current),
    }


def at_room_temperature(ds: xr.Dataset, state: str) -> xr.Dataset:
    """The curves of a state at the temperature nearest to 300 K."""
    return ds.sel(state=state).sel(temperature=300.0, method="nearest")


def asymmetry(voltage: np.ndarray, current: np.ndarray) -> float:
    """Largest ratio, above 1, of the currents (N,) [A] at V and -V, over voltages (N,) [V] in any order.

    The current at -V lies on a straight line between its neighbours. A voltage V counts whose negative is within those
    given; nan where there is none. Points with nan are left out.
    """
    finite = np.isfinite(voltage) & np.isfinite(current)
    V, size = voltage[finite], np.abs(current[finite])
    order = np.argsort(V, kind="stable")
    V, size = V[order], size[order]
    forward = (V > 1e-9) & (-V >= V.min(initial=0.0))
    if not forward.any():
        return math.nan
    against = np.interp(-V[forward], V, size)
    with np.errstate(divide="ignore", invalid="ignore"):  # a current of 0 A has no ratio
        ratio = np.abs(np.log(size[forward] / against))
    usable = np.isfinite(ratio)
    return float(np.exp(np.max(ratio[usable]))) if usable.any() else math.nan


def trapezoid(
    ds: xr.Dataset,
    state: str,
    thickness: float,
    area: float,
    mass: float = 1.0,
    window: tuple[float, float] = (-0.3, 0.3),
) -> dict[str, float]:
    """Direct tunnelling: the two barriers [eV] of a trapezoid, fitted to a curve at 300 K over `window` [V].

    thickness : [m], area : [m2], mass : [m0], not fitted
    Numbers: barrier_metal, barrier_substrate [eV]   tunnelling_share : at 0.1 V
    Raises ValueError if the curve does not determine the barriers.
    """
    room = at_room_temperature(ds, state)
    V, current = room.bias.values, room.bias_current.values
    inside = (V >= window[0]) & (V <= window[1])
    fit = fits.fit_trapezoid(V[inside], current[inside], thickness, mass, area)
    share = float(room.bias_tunnelling_share.sel(bias=0.1, method="nearest"))
    return {"barrier_metal": fit.barrier_metal, "barrier_substrate": fit.barrier_substrate, "tunnelling_share": share}


def fowler_nordheim(
    ds: xr.Dataset, state: str, thickness: float, mass: float = 1.0, window: tuple[float, float] = (0.35, 0.5)
) -> dict[str, float]:
    """Slope d ln(I/V^2)/d(1/V) [V] of a curve at 300 K over `window` [V], and the barrier [eV] of that slope.

    scatter : root mean square of ln(I/V^2) about the line
    """
    room = at_room_temperature(ds, state)
    fit = fits.fit_fowler_nordheim(room.bias.values, room.bias_current.values, window, thickness, mass)
    return {"slope": fit.slope, "barrier": fit.barrier, "scatter": fit.scatter}


def retention(ds: xr.Dataset) -> dict[str, float]:
    """Loss of both states in two equal series of reads, one after a reset and one after a set.

    high_kept, low_kept : last resistance over that nearest to 1 s after the first read   ratio : high/low at the end
    high_loss, low_loss : relative change of each per decade of time
    """
    (high_t, low_t), (high, low) = (np.split(np.asarray(a), 2) for a in (ds.read_time, ds.read_resistance))

    def remaining(t: np.ndarray, R: np.ndarray) -> float:
        return float(R[-1] / R[np.argmin(np.abs(t - t[0] - 1.0))])

    def loss(t: np.ndarray, R: np.ndarray) -> float:
        late = t > t[0] + 0.5  # without the origin and the fast changes after it
        return plasticity.loss_per_decade(t[late] - t[0], R[late])

    return {
        "high_kept": remaining(high_t, high),
        "low_kept": remaining(low_t, low),
        "ratio": float(high[-1] / low[-1]),
        "high_loss": loss(high_t, high),
        "low_loss": loss(low_t, low),
    }


def change(ds: xr.Dataset) -> dict[str, float]:
    """First over last read resistance."""
    return {"ratio": float(ds.read_resistance[0] / ds.read_resistance[-1])}


def endurance(ds: xr.Dataset) -> dict[str, float]:
    """Reads of the high and the low state in turn: their ratio in the first and the last cycle, and its relative drift."""
    high, low = np.asarray(ds.read_resistance).reshape(-1, 2).T
    ratio = high / low
    return {"first": float(ratio[0]), "last": float(ratio[-1]), "drift": float(abs(ratio[-1] / ratio[0] - 1))}


def cycles(ds: xr.Dataset, count: int) -> dict[str, float]:
    """Numbers of `count` I-V loops that are read at the same voltages.

    drift : largest relative difference of a current between the last and the second loop (the first starts pristine)
    opening : largest distance, in decades, of two currents of the last loop at one voltage
    """
    V, current = (np.asarray(a).reshape(count, -1) for a in (ds.read_voltage, ds.read_current))
    driven = np.abs(V[-1]) > 1e-9
    size = np.log10(np.abs(current[-1][driven]))
    same = {v: size[np.round(V[-1][driven], 9) == v] for v in np.unique(np.round(V[-1][driven], 9))}
    drift = np.abs(current[-1][driven] / current[min(1, count - 1)][driven] - 1)
    return {"drift": float(drift.max()), "opening": float(max(np.ptp(branch) for branch in same.values()))}


def potentiation(ds: xr.Dataset, up: int = 20, down: int = 20, settling: int = 10) -> dict[str, float]:
    """Numbers of rounds of `up` potentiating and `down` depressing pulses, with a read after each.

    settling : number of first rounds that are left out
    highest, lowest [S] : ends of the conductance window   states_up, states_down : pulses of the last round that change the
        conductance in the right direction by a thousandth of the window or more
    drift : largest relative change of an end of the window over the rounds
    nonlinearity_up, nonlinearity_down, asymmetry, ..._error : shape of the last round (`plasticity.nonlinearity`)
    Reads of nan are left out.
    """
    G = 1 / np.asarray(ds.read_resistance).reshape(-1, up + down)
    settled = G[min(settling, len(G) - 1) :]
    high, low = np.nanmax(settled, axis=1), np.nanmin(settled, axis=1)
    before = G[-2, -1] if len(G) > 1 else math.nan
    steps = np.diff(np.concatenate(([before], G[-1]))) / (high[-1] - low[-1])
    last = G.ravel()[-(up + down + 1) :]
    shape = plasticity.nonlinearity(last[: up + 1], last[up:])
    return {
        "highest": float(np.median(high)),
        "lowest": float(np.median(low)),
        "states_up": int(np.sum(steps[:up] > 1e-3)),
        "states_down": int(np.sum(steps[up:] < -1e-3)),
        "drift": float(max(np.ptp(high) / np.median(high), np.ptp(low) / np.median(low))),
        "nonlinearity_up": shape["up"],
        "nonlinearity_up_error": shape["up_error"],
        "nonlinearity_down": shape["down"],
        "nonlinearity_down_error": shape["down_error"],
        "asymmetry": shape["asymmetry"],
        "asymmetry_error": shape["asymmetry_error"],
    }


def lasting_change(ds: xr.Dataset) -> float:
    """Relative change of conductance from the first read to the last."""
    R = np.asarray(ds.read_resistance)
    return float(R[0] / R[-1] - 1)


def threshold(amplitudes: ArrayLike, changes: ArrayLike, least: float = LASTING) -> float:
    """Amplitude [V] from which a pulse leaves a relative change of at least `least`; nan if none does.

    amplitudes, changes : (N,) in any order; ln(change) is linear between neighbouring amplitudes
    """
    floor = 1e-9  # a smaller change counts as none
    order = np.argsort(amplitudes, kind="stable")
    logs = np.log(np.maximum(np.asarray(changes, dtype=float), floor))
    return crossing(np.asarray(amplitudes, dtype=float)[order], logs[order], math.log(least))


def switching_time(ds: xr.Dataset, target: float) -> float:
    """Time under voltage [s] at which the resistance passes `target` [ohm]; nan if it does not.

    The first read is of the initial state, and its end is the start of the voltage. log R is linear in log t between
    two reads.
    """
    t, R = np.asarray(ds.read_time), np.asarray(ds.read_resistance)
    return math.exp(crossing(np.log(t[1:] - t[0]), np.log(R[1:]), math.log(target)))


def switching_energy(ds: xr.Dataset, until: float) -> float:
    """Energy [J] from the source in the time `until` [s] after the first read, the integral of V I dt; nan for nan.

    V I is interpolated at the end, since a late time step is as long as all time before it.
    """
    t, power = np.asarray(ds.time), np.asarray(ds.voltage) * np.asarray(ds.conduction_current)
    start = float(ds.read_time[0])
    if not math.isfinite(until):
        return math.nan
    end = start + until
    inside = (t >= start) & (t < end)
    t, power = np.append(t[inside], end), np.append(power[inside], np.interp(end, t, power))
    return float(scipy.integrate.trapezoid(power, t))


def crossing(x: ArrayLike, y: ArrayLike, level: float) -> float:
    """First x at which y (N,) crosses a level, in the order given, linear between points; nan if it never does.

    Points with nan are left out.
    """
    x_all, y_all = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    usable = ~(np.isnan(x_all) | np.isnan(y_all))
    at, values = x_all[usable], y_all[usable]
    side = np.sign(values - level)
    passages = np.flatnonzero(side[:-1] * side[1:] <= 0)
    if not len(passages):
        return math.nan
    i = passages[0]
    if values[i] == values[i + 1]:
        return float(at[i])
    return float(at[i] + (level - values[i]) / (values[i + 1] - values[i]) * (at[i + 1] - at[i]))


def correlation(x: ArrayLike, y: ArrayLike) -> float:
    """Correlation of x (N,) and y (N,), where both are finite; nan for fewer than three points."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    good = np.isfinite(x) & np.isfinite(y)
    return float(np.corrcoef(x[good], y[good])[0, 1]) if good.sum() > 2 else math.nan


def rises(values: ArrayLike) -> float:
    """Share of steps from one value (N,) to the next that rise, 1 if all do. A step to or from nan does not."""
    return float(np.mean(np.diff(np.asarray(values, dtype=float)) > 0))


def _last(mask: np.ndarray) -> int:
    return int(np.flatnonzero(mask)[-1])


def self_limit(ds: xr.Dataset) -> dict[str, float]:
    """Slopes d ln I/dV [1/V] of the rising branch of an I-V staircase: the steepest, and the mean of its last tenth."""
    V, current = np.asarray(ds.read_voltage.values), np.abs(ds.read_current.values)
    top = int(np.argmax(V))
    rising = slice(int(np.argmax(V > 0.25 * V[top])), top + 1)
    slope = np.diff(np.log(current[rising])) / np.diff(V[rising])
    steepest, last = int(np.argmax(slope)), max(1, len(slope) // 10)
    return {
        "steepest": float(slope[steepest]),
        "steepest_voltage": float(0.5 * (V[rising][steepest] + V[rising][steepest + 1])),
        "last": float(slope[-last:].mean()),
        "ratio": float(slope[-last:].mean() / slope[steepest]),
    }


def fast_and_kept(ds: xr.Dataset) -> dict[str, float]:
    """What a short set makes of a junction, and what time leaves of it.

    Four reads: after the reset and a pause, after the set, and after a second pause; before them one after the reset.
    Raises ValueError for other reads.
    """
    R = ds["read_resistance"].values
    if len(R) != 4:
        raise ValueError(f"{len(R)} reads, not the four of a reset, a pause, a set and a pause")
    return {"set_ratio": float(R[1] / R[2]), "kept_ratio": float(R[1] / R[3]), "high_kept": float(R[1] / R[0])}


def two_in_turn(write_voltage: ArrayLike) -> bool:
    """True if each row holds two voltages of opposite sign that alternate, with a read after each.

    write_voltage : (..., reads) [V]. A row may end in nan, or consist of it; one row at least must have two reads
    """
    V = np.asarray(write_voltage, dtype=float)
    if V.ndim == 0 or V.shape[-1] < 2:
        return False
    finite = np.isfinite(V)
    before, after = V[..., :-1], V[..., 1:]
    pairs = finite[..., :-1] & finite[..., 1:]
    turns = (before * after)[pairs] < 0
    beginning = finite[..., 0] | ~finite.any(axis=-1)
    whole = beginning.all() and (finite[..., :-1] | ~finite[..., 1:]).all()
    same = (V[..., 2:] == V[..., :-2])[finite[..., 2:]]
    return bool(pairs.any() and whole and turns.all() and same.all() and (V[finite] != 0).all())


DECADES = (1, 10, 100)  # numbers of pulses after which currents are reported
TRAINS = ("reset", "set")
CHANGE = 2.0  # growth I/I0 at which sets of all voltages are compared


class Trains(NamedTuple):
    """Currents [A] of a run: before the trains, after each reset (n,) and after each set (n,)."""

    start: float
    reset: np.ndarray
    set: np.ndarray


def trains_of(ds: xr.Dataset) -> Trains:
    """The currents of a run. Raises ValueError for trains of different length."""
    current = np.abs(np.asarray(ds.read_current))
    count, rest = divmod(len(current) - 1, 2)
    if rest or count < 1:
        raise ValueError(f"two equally long trains after a first read were expected, there are {len(current)} reads")
    return Trains(float(current[0]), current[1 : 1 + count], current[1 + count :])


def exponent(train: np.ndarray) -> float:
    """d ln I / d ln n of a train, least squares over all its pulses."""
    return plasticity.slope(np.log(np.arange(1, len(train) + 1)), np.log(train))


def train_slopes(ds: xr.Dataset) -> dict[str, float]:
    """Slopes and growth of a run, over whole trains of any length.

    Those of "train_slopes" in METRICS; doubling as the function `doubling`.
    """
    trains = trains_of(ds)
    return {f"{name}_slope": exponent(train) for name, train in zip(TRAINS, trains[1:], strict=True)} | {
        "growth": float(trains.set[-1] / trains.reset[-1]),
        "doubling": doubling(trains),
    }


def doubling(run: Trains) -> float:
    """Number of sets after which the current has grown by CHANGE, interpolated between sets; nan if it never has."""
    grown = np.concatenate([[1.0], run.set / run.reset[-1]])
    return crossing(np.arange(len(grown)), grown, CHANGE)


def currents_and_slopes(ds: xr.Dataset) -> dict[str, float]:
    """Currents [A] and log-log slopes of a run with trains of 100 pulses or more. Raises ValueError for shorter trains."""
    trains = trains_of(ds)
    if len(trains.set) < DECADES[-1]:
        raise ValueError(
            f"a power law over two decades needs trains of {DECADES[-1]} pulses, these have {len(trains.set)}"
        )
    named = {"start": trains.start}
    for name, train in zip(TRAINS, trains[1:], strict=True):
        first, second = decades(train)
        named |= {f"{name}_{number}": float(train[number - 1]) for number in DECADES}
        named |= {f"{name}_slope": second, f"{name}_bend": abs(second - first)}
    return named


def decades(train: np.ndarray) -> tuple[float, float]:
    """d ln I / d ln n of the first and of the second decade of a train."""
    first, middle, last = (float(train[number - 1]) for number in DECADES)
    return float(np.log10(middle / first)), float(np.log10(last / middle))
