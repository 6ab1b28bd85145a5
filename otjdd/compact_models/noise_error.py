"""Scatter of a compact model compared with that of the solver: sigma of ln R from cycle to cycle and device to device.

A cycle is: reset, read, part of a set, read, set, read, part of a reset, read.

Whole set and reset pulses are long. Partial ones last PART seconds, at voltages at which the model changes ln R by half of
a whole pulse. The solver runs the case at its own area with single ions that hop at random, with several seeds; the model
runs as many cycles or more. The comparison is repeated with whole pulses short enough for circuits, and, for a model of
several temperatures, at the temperature farthest from that of the case.

Devices that differ are draws, and log-normal factors on one compact model, of the current and of the rates. A sample
describes how devices differ: each device is a draw from its distributions. A spread of columns describes how patches within
one device differ. Each device is then assumed to consist of as many patches as the case has columns, each drawn from that
spread. This is a hypothesis, and an upper limit of the differences: devices of more patches differ less.

ln G of a device is that of the model plus a line in the state, its rates are multiplied by one number above 0 V and by one
below. With these factors the model has the reads of the solver in a cycle: the reads after a reset and after a set give the
factors of the current, the reads after both writes in part give those of the rates. Devices of the model are drawn with the
correlations of these factors over the devices of the solver.

The read after a write in part is not linear in ln of the rate, and ln of the fitted factors is not normally distributed:
normal draws with the sigma of these factors scatter that read by up to twice too much. The sigma of a rate is therefore
chosen such that the read after its write in part scatters in normal draws as in the solver.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from otjdd.analysis.current_noise import scatter
from otjdd.case.case import Case
from otjdd.case.kinds import column_count, kinds_of
from otjdd.case.study_axes import Sample
from otjdd.compact_models.error import READ, DriveTable, long_width, sequence, set_and_resets, solved_reads, with_drive
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import FACTORS, DeviceSpread
from otjdd.errors import NotAsExpected
from otjdd.system.late import scipy, xr
from otjdd.system.pool import Spread

STATES = "after a reset", "after part of a set", "after a set", "after part of a reset"
RUNS, CYCLES, SETTLING = 6, 22, 2  # seeds; cycles of each, of which the first do not count
MODEL_RUNS = 24  # seeds of the model
PART = 1e-6  # s
FOLLOWED = 1e-5  # s, of whole pulses in circuits, which take steps of a tenth of PART
SHARES = np.linspace(0.15, 1.0, 35)  # voltages of a partial pulse to choose from, over that of the whole pulse
ALIKE = 0.2  # relative difference of both sigma that is not mentioned
NEGLIGIBLE = 1e-3  # sigma of ln R below which a warning calls the noise negligible
CYCLES_OF_CASE, CYCLES_OF_CIRCUITS, DEVICES = (
    "from cycle to cycle",
    "from cycle to cycle under the pulses of circuits",
    "from device to device",
)  # comparisons of sigma
SIGMAS = "sigma_solver", "sigma_solver_error", "sigma_model"


def partial_cycle(model: CompactModel, case: Case, longest: float = np.inf) -> DriveTable:
    """Drive of a cycle, whose partial pulses are chosen by the mean of a model. longest : [s], of whole pulses"""
    up, down, _ = set_and_resets(model.limits)
    part, chosen = max(PART, model.limits.shortest), []
    long = max(part, min(longest, long_width(model.limits)))
    for whole, other in ((up, down), (down, up)):
        voltages = [round(float(share * whole), 2) for share in SHARES]
        moved = []
        for voltage in voltages:
            tried = drive_of_pulses((other, long), (voltage, part), (whole, long))
            R = model.predicted(with_drive(case, tried).drive).read_resistance.values
            moved.append(np.log(R[1] / R[0]) / np.log(R[2] / R[0]))
        chosen.append((voltages[int(np.abs(np.array(moved) - 0.5).argmin())], part))
    return drive_of_pulses((down, long), chosen[0], (up, long), chosen[1])


def drive_of_pulses(*heights: tuple[float, float]) -> DriveTable:
    """Drive of pulses, by voltage [V] and width [s], each followed by a read."""
    return sequence(*({"kind": "pulse", "voltage": V, "width": width, "read": READ} for V, width in heights))


def with_hop_noise(case: Case, seed: int = 0) -> Case:
    """The case with single ions that hop at random. Raises CaseError where it cannot have them."""
    return case.replace({"ions.noise": "shot", "ions.seed": seed})


def with_scatter(model: CompactModel, case: Case, spread: Spread) -> CompactModel:
    """The model with its measured scatter beside that of the solver, see `measured_with`. case : that of the model"""
    compared_model = measured_with(model, CYCLES_OF_CASE, *compared_sigmas(model, case, np.inf, spread))
    compared_model = measured_with(compared_model, CYCLES_OF_CIRCUITS, *compared_sigmas(model, case, FOLLOWED, spread))
    if len(model.temperatures) > 1:
        T = max(model.temperatures, key=lambda temperature: abs(1.0 / temperature - 1.0 / model.temperature))
        there = compared_sigmas(model.at(T), case.replace(temperature=T), np.inf, spread)
        compared_model = measured_with(compared_model, f"{CYCLES_OF_CASE} at {T:.4g} K", *there)
    return compared_model


def compared_sigmas(
    model: CompactModel, case: Case, longest: float, spread: Spread
) -> tuple[DriveTable, list[np.ndarray]]:
    """Drive of a cycle with pulses of at most `longest` [s], and three arrays (4,) on sigma of ln R from cycle to cycle.

    The arrays are sigma of the solver, its standard error, and sigma of the model.
    """
    once = partial_cycle(model, case, longest)
    drive = once | {"repeat": CYCLES}
    logs = np.empty((RUNS, CYCLES, len(STATES)))
    jobs = [(with_hop_noise(case, seed + 1), drive) for seed in range(RUNS)]
    for number, (current, _) in spread(solved_reads, jobs):
        logs[number] = np.log(current).reshape(CYCLES, -1)
    waveform = with_drive(case, drive).drive
    drawn = np.array([
        np.log(model.predicted(waveform, seed=seed).read_current.values).reshape(CYCLES, -1) for seed in range(MODEL_RUNS)
    ])  # fmt: skip
    return once, [*from_cycle_to_cycle(logs), from_cycle_to_cycle(drawn)[0]]


def from_cycle_to_cycle(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """sigma (4,) of ln of reads (runs, cycles, 4), and its standard error. The first cycles do not count."""
    scatters = [scatter(logs[:, SETTLING:, i]) for i in range(len(STATES))]
    return np.array([of_state.c2c for of_state in scatters]), np.array([of_state.c2c_error for of_state in scatters])


def measured_with(model: CompactModel, comparison: str, once: DriveTable, sigmas: Sequence[np.ndarray]) -> CompactModel:
    """The model whose `measured` has one more comparison, by state of a cycle.

    once : drive of a cycle   sigmas : (4,) of the solver, its standard error, and of the model
    """
    widths, voltages = (np.array([part[name] for part in once["parts"]]) for name in ("width", "voltage"))
    text = {
        "sigma_solver": (sigmas[0], "1", "sigma of ln R of the solver"),
        "sigma_solver_error": (sigmas[1], "1", "standard error of sigma of ln R of the solver"),
        "sigma_model": (sigmas[2], "1", "sigma of ln R of the compact model"),
        "pulse_voltage": (voltages, "V", "voltage of the pulse before the read"),
        "pulse_width": (widths, "s", "width of the pulse before the read"),
    }
    new = xr.Dataset(
        {
            name: (("comparison", "cycle_state"), np.array([values]), {"units": unit, "long_name": long_name})
            for name, (values, unit, long_name) in text.items()
        },
        {
            "comparison": ("comparison", np.array([comparison], object), {"units": "1", "long_name": "what scatters"}),
            "cycle_state": ("cycle_state", np.array(STATES, object), {"units": "1", "long_name": "state of a cycle"}),
        },
    )
    ds = xr.Dataset() if model.measured is None else model.measured
    present = [name for name in text if name in ds]
    joined = xr.concat([ds[present], new], "comparison") if present else new
    return replace(model, measured=ds.drop_vars([*present, "comparison"], errors="ignore").merge(joined))


def compared_pulses(model: CompactModel, comparison: str) -> list[tuple[float, float]]:
    """Voltages [V] and widths [s] of the pulses of a cycle that was compared; [] if it was not."""
    ds = model.measured
    if ds is None or "comparison" not in ds or comparison not in ds.comparison.values:
        return []
    own = ds.sel(comparison=comparison)
    return list(zip(own.pulse_voltage.values.tolist(), own.pulse_width.values.tolist(), strict=True))


def noise_lines(model: CompactModel) -> list[str]:
    """Lines on the scatter of a model beside that of the solver; [] where it is not measured."""
    ds, lines = model.measured, []
    for number in range(0 if ds is None else ds.sizes.get("comparison", 0)):
        assert ds is not None
        own = ds.isel(comparison=number)
        rows = np.array([own[name].values for name in SIGMAS]).T.tolist()
        for state, (solver, error, sigma) in zip(own.cycle_state.values, rows, strict=True):
            off = sigma / solver - 1.0 if solver > 0.0 else np.nan
            mark = "" if abs(off) <= ALIKE else f" ({100.0 * off:+.0f} %)"
            both = f"{sigma:.3g}, solver {solver:.3g} +- {error:.2g}{mark}"
            lines.append(f"sigma of ln R {own.comparison.item()}, {state}: {both}")
    return lines


def negligible_noise(model: CompactModel) -> str:
    """Warning that the noise of a model is negligible at its area; "" where it is not."""
    ds = model.measured
    if ds is None or "comparison" not in ds or CYCLES_OF_CASE not in ds.comparison.values:
        return ""
    largest = float(ds.sigma_solver.sel(comparison=CYCLES_OF_CASE).max())
    if largest >= NEGLIGIBLE:
        return ""
    return (
        f"noise is negligible: with {model.ions.sum():.3g} ions in {model.area:.3g} m2 ln R scatters by "
        f"{largest:.2g} at most from cycle to cycle; this falls with the square root of the area"
    )


MOST = 1000


class NoDifference(NotAsExpected):
    """A case that does not say how devices differ."""


def origin_of_differences(case: Case, count: int) -> str:
    """The origin of the differences between devices, in words. Raises NotAsExpected for a case without any."""
    if not 2 <= count <= MOST:
        raise NotAsExpected(f"2 to {MOST} devices", str(count))
    if case.study is not None and case.study.sample is not None:
        return "drawn from " + ", ".join(case.study.sample.over)
    spread = dict.fromkeys(key for kind in kinds_of(case) for key, value in kind.columns.spread.items() if value)
    if not spread:
        raise NoDifference("a case with a columns.spread or a [study.sample], to draw devices from", "one with neither")
    return (
        f"each of {column_count(patches(case, 0))} patches drawn from the spread of {', '.join(spread)}: a hypothesis"
    )


def drawn_changes(sample: Sample) -> list[dict[str, Any]]:
    """Changes of the case for each draw: dotted key -> value."""
    return [dict(zip(sample.over, row, strict=True)) for row in sample.rows()]


def patches(case: Case, number: int) -> Case:
    """The case of one device by its number: its columns are drawn, with a seed for each device."""
    changes = {"columns.nodes": "draws", "columns.seed": case.columns.seed + number}
    for i, kind in enumerate(case.columns.kinds or ()):
        changes |= {f"columns.kinds[{i}].nodes": "draws"}
        changes |= {f"columns.kinds[{i}].seed": kind.seed + number} if kind.seed is not None else {}
    return case.replace(changes)


def drawn_cases(case: Case, count: int) -> list[Case]:
    """Cases of `count` devices that differ; of a sample, by a Latin hypercube from its seed.

    Raises NotAsExpected for a case that does not say how.
    """
    origin_of_differences(case, count)
    if case.study is not None and case.study.sample is not None:
        sample = case.study.sample.model_copy(update={"count": count, "method": "latin-hypercube"})
        return [case.without_study().replace(changes) for changes in drawn_changes(sample)]
    return [patches(case.without_study(), number) for number in range(count)]


DRAWN = 24  # devices, by default
MODEL_DEVICES = 200  # drawn of the model, for its sigma
FASTEST = 12.0  # ln of the largest factor of a rate in the search
MATCHED, ROUNDS, DAMPED = 3, 8, 0.7  # seed of the draws whose sigma are matched, rounds, share of each correction


def with_devices(model: CompactModel, case: Case, count: int, spread: Spread) -> CompactModel:
    """The noisy model with the spread of `count` drawn devices of its case, and their sigma beside that of the solver.

    The model itself for a case that does not say how devices differ. Raises NotAsExpected, CaseError.
    """
    try:
        origin = origin_of_differences(case, count)
    except NoDifference:
        return model
    drive = partial_cycle(model, case) | {"repeat": 2}
    logs = np.empty((count, 4))
    jobs = [(device_case.without_noise(), drive) for device_case in drawn_cases(case, count)]
    for number, (current, _) in spread(solved_reads, jobs):
        logs[number] = np.log(current)[4:]
    fitted = np.array([fitted_factors(model, case, drive, device_case) for device_case in logs])
    assert model.noise is not None
    sigma = logs.std(axis=0, ddof=1)
    covariance = as_scattered(model, case, drive, np.cov(fitted.T), sigma)
    noise = model.noise._replace(spread=DeviceSpread(covariance, count, origin))
    with_spread = replace(model, noise=noise)
    own = [logs_of_reads(with_spread.device(seed), case, drive) for seed in range(MODEL_DEVICES)]
    sigmas = sigma, sigma / np.sqrt(2 * (count - 1)), np.std(own, axis=0, ddof=1)
    return measured_with(with_spread, DEVICES, drive, sigmas)


def logs_of_reads(model: CompactModel, case: Case, drive: DriveTable) -> np.ndarray:
    """ln of the currents (4,) of the second cycle of a model."""
    current = model.predicted(with_drive(case, drive).drive).read_current.values
    return np.log(current)[4:]


def fitted_factors(model: CompactModel, case: Case, drive: DriveTable, logs: np.ndarray) -> np.ndarray:
    """ln of the factors (4,) of `with_factors` with which a model has the reads of a device. logs : (4,) ln of I"""
    fitted = np.zeros(4)
    fitted[:2] = (logs - logs_of_reads(model, case, drive))[[0, 2]]
    for factor, read in ((2, 1), (3, 3)):  # a rate changes one read: whole writes erase the state before

        def off(ln_rate: float, factor: int = factor, read: int = read) -> float:
            tried = fitted.copy()
            tried[factor] = ln_rate
            return float((logs_of_reads(model.with_factors(tried), case, drive) - logs)[read] ** 2)

        grid = np.linspace(-FASTEST, FASTEST, 25)
        best, step = grid[int(np.argmin([off(float(rate)) for rate in grid]))], grid[1] - grid[0]
        ends = best - step, best + step
        optimum = scipy.optimize.minimize_scalar(off, bounds=ends, method="bounded", options={"xatol": 0.02})
        fitted[factor] = float(optimum.x)
    return fitted


def as_scattered(
    model: CompactModel, case: Case, drive: DriveTable, covariance: np.ndarray, sigma: np.ndarray
) -> np.ndarray:
    """The covariance (4, 4) with the sigma of both rates with which reads after writes in part scatter by `sigma` (4,)."""
    own = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.maximum(np.outer(own, own), 1e-300))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    z = np.random.default_rng(MATCHED).standard_normal((MODEL_DEVICES, own.size)) @ root.T
    for _ in range(ROUNDS):
        logs = np.array([logs_of_reads(model.with_factors(own * row), case, drive) for row in z])
        ratio = sigma[[1, 3]] / np.maximum(logs.std(axis=0, ddof=1)[[1, 3]], 1e-12)
        own[2:] *= np.clip(ratio, 0.5, 2.0) ** DAMPED
    return (root @ root.T) * np.outer(own, own)


def spread_lines(model: CompactModel) -> Sequence[str]:
    """A line on the spread of the devices of a model; [] without one."""
    if model.noise is None or model.noise.spread is None:
        return []
    covariance, count, origin = model.noise.spread
    sigma = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(covariance / np.outer(sigma, sigma))
    sigmas = ", ".join(f"{value:.3g} of the {name}" for value, name in zip(sigma, FACTORS, strict=True))
    return [
        f"devices differ by log-normal factors, of {count} devices {origin}: sigma {sigmas}; correlations "
        f"{correlation[0, 1]:+.2f} of both currents, {correlation[2, 3]:+.2f} of both rates"
    ]
