"""Scatter of a compact model compared with that of the solver: sigma of ln R from cycle to cycle.

A cycle is: reset, read, part of a set, read, set, read, part of a reset, read.

Whole set and reset pulses are long. Partial ones last PART seconds, at voltages at which the model changes ln R by half of
a whole pulse. The solver runs the case at its own area with single ions that hop at random, with several seeds; the model
runs as many cycles or more. The comparison is repeated with whole pulses short enough for circuits, and, for a model of
several temperatures, at the temperature farthest from that of the case.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from otjdd.analysis.current_noise import scatter
from otjdd.case.case import Case
from otjdd.compact_models.error import READ, Drive, long_width, sequence, set_and_resets, solved_reads, with_drive
from otjdd.compact_models.model import CompactModel
from otjdd.system.late import xr
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


def partial_cycle(model: CompactModel, case: Case, longest: float = np.inf) -> Drive:
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


def drive_of_pulses(*heights: tuple[float, float]) -> Drive:
    """Drive of pulses, by voltage [V] and width [s], each followed by a read."""
    return sequence(*({"kind": "pulse", "voltage": V, "width": width, "read": READ} for V, width in heights))


def with_hop_noise(case: Case, seed: int = 0) -> Case:
    """The case with single ions that hop at random. Raises CaseError where it cannot have them."""
    return case.replace({"ions.noise": "shot", "ions.seed": seed})


def with_scatter(model: CompactModel, case: Case, spread: Spread) -> CompactModel:
    """The model with its measured scatter beside that of the solver, see `measured_with`. case : that of the model"""
    compared_model = measured_with(model, CYCLES_OF_CASE, *compared(model, case, np.inf, spread))
    compared_model = measured_with(compared_model, CYCLES_OF_CIRCUITS, *compared(model, case, FOLLOWED, spread))
    if len(model.temperatures) > 1:
        T = max(model.temperatures, key=lambda temperature: abs(1.0 / temperature - 1.0 / model.temperature))
        there = compared(model.at(T), case.replace(temperature=T), np.inf, spread)
        compared_model = measured_with(compared_model, f"{CYCLES_OF_CASE} at {T:.4g} K", *there)
    return compared_model


def compared(model: CompactModel, case: Case, longest: float, spread: Spread) -> tuple[Drive, list[np.ndarray]]:
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


def measured_with(model: CompactModel, comparison: str, once: Drive, sigmas: Sequence[np.ndarray]) -> CompactModel:
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
            compared_sigmas = f"{sigma:.3g}, solver {solver:.3g} +- {error:.2g}{mark}"
            lines.append(f"sigma of ln R {own.comparison.item()}, {state}: {compared_sigmas}")
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
