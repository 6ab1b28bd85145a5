"""The scatter of a compact model against that of the solver, under one protocol: sigma of ln R from cycle to cycle.

    reset, read, part of a set, read, set, read, part of a reset, read      and again

Set and reset are long, those in part are of PART seconds, at the voltages at which the model moves half the way. The solver
runs the case with single ions that hop at random, at its area, with several seeds; the model has as many cycles and more.
"""

from dataclasses import replace

import numpy as np

from otjdd import units
from otjdd.analysis.scatter import scatter
from otjdd.case.case import Case
from otjdd.compact_models.error import READ, Drive, long_width, sequence, set_and_resets, solved_reads, with_drive
from otjdd.compact_models.model import CompactModel
from otjdd.system.pool import Spread

STATES = "after a reset", "after part of a set", "after a set", "after part of a reset"
RUNS, CYCLES, SETTLING = 6, 22, 2  # seeds; cycles of each, of which the first do not count
MODEL_RUNS = 24  # seeds of the model
PART = 1e-6  # s
SHARES = np.linspace(0.15, 1.0, 35)  # of the voltage of the whole, from which that of a part is chosen
ALIKE = 0.2  # relative difference of both sigma that is not mentioned
NIL = 1e-3  # sigma of ln R below which noise is called nil


def cycle(model: CompactModel, case: Case) -> Drive:
    """Drive of a cycle, whose pulses in part are found with the mean of a model of a case."""
    up, down, _ = set_and_resets(model.limits)
    long, part, chosen = long_width(model.limits), max(PART, model.limits.shortest), []
    for whole, other in ((up, down), (down, up)):
        voltages = [round(float(share * whole), 2) for share in SHARES]
        moved = []
        for voltage in voltages:
            tried = pulses((other, long), (voltage, part), (whole, long))
            R = model.predicted(with_drive(case, tried).drive).read_resistance.values
            moved.append(np.log(R[1] / R[0]) / np.log(R[2] / R[0]))
        chosen.append((voltages[int(np.abs(np.array(moved) - 0.5).argmin())], part))
    return pulses((down, long), chosen[0], (up, long), chosen[1])


def pulses(*heights: tuple[float, float]) -> Drive:
    """Drive of pulses, by voltage [V] and width [s], each followed by a read."""
    return sequence(*({"kind": "pulse", "voltage": V, "width": width, "read": READ} for V, width in heights))


def noisy(case: Case, seed: int = 0) -> Case:
    """The case with single ions that hop at random. Raises CaseError where it cannot have them."""
    return case.replace({"ions.noise": "shot", "ions.seed": seed})


def with_scatter(model: CompactModel, case: Case, spread: Spread) -> CompactModel:
    """The model with its measured scatter beside that of the solver, see `scatter_of`. case : that of the model

    Its `measured` gains, by state of a cycle: sigma_c2c_solver with its standard error, sigma_c2c_model.
    """
    once = cycle(model, case)
    drive = once | {"repeat": CYCLES}
    found, jobs = np.empty((RUNS, CYCLES, len(STATES))), [(noisy(case, seed + 1), drive) for seed in range(RUNS)]
    for number, (current, _) in spread(solved_reads, jobs):
        found[number] = np.log(current).reshape(CYCLES, -1)
    waveform = with_drive(case, drive).drive
    drawn = np.array([
        np.log(model.predicted(waveform, seed=seed).read_current.values).reshape(CYCLES, -1) for seed in range(MODEL_RUNS)
    ])  # fmt: skip
    solver, own = ([scatter(logs[:, SETTLING:, i]) for i in range(len(STATES))] for logs in (found, drawn))
    values = {
        "sigma_c2c_solver": ([each.c2c for each in solver], "of the solver"),
        "sigma_c2c_solver_error": ([each.c2c_error for each in solver], "of the solver, its standard error"),
        "sigma_c2c_model": ([each.c2c for each in own], "of the compact model"),
    }
    return measured_with(
        model,
        {name: (v, f"sigma of ln R from cycle to cycle {said}") for name, (v, said) in values.items()},
        told(once),
    )


def measured_with(model: CompactModel, values: dict[str, tuple[list[float], str]], protocol: str) -> CompactModel:
    """The model whose `measured` has more numbers by state of a cycle. values : name -> numbers and their meaning"""
    import xarray as xr

    text = {"units": "1", "long_name": f"state of a cycle: {protocol}"}
    ds = xr.Dataset(
        {
            name: ("cycle_state", np.array(v, float), {"units": "1", "long_name": said})
            for name, (v, said) in values.items()
        },
        {"cycle_state": ("cycle_state", np.array(STATES, object), text)},
    )
    return replace(model, measured=ds if model.measured is None else model.measured.merge(ds))


def told(once: Drive) -> str:
    """The pulses of a cycle in words."""
    return ", ".join(f"{part['voltage']:g} V for {units.write(part['width'], 'time')}" for part in once["parts"])


def rows(model: CompactModel) -> list[str]:
    """Lines on the scatter of a model beside that of the solver; [] where it is not measured."""
    ds, found = model.measured, []
    for kind, said in (("c2c", "from cycle to cycle"), ("d2d", "from device to device")):
        if ds is None or f"sigma_{kind}_solver" not in ds:
            continue
        for state, one, error, own in zip(
            ds.cycle_state.values, *(ds[f"sigma_{kind}_{name}"].values for name in ("solver", "solver_error", "model")),
            strict=True,
        ):  # fmt: skip
            off = own / one - 1.0 if one > 0.0 else np.nan
            mark = "" if abs(off) <= ALIKE else f" ({100.0 * off:+.0f} %)"
            found.append(f"sigma of ln R {said}, {state}: {own:.3g}, solver {one:.3g} +- {error:.2g}{mark}")
    return found


def nil(model: CompactModel) -> str:
    """A sentence on noise that hardly matters at the area of a model; "" where it does."""
    ds = model.measured
    if ds is None or "sigma_c2c_solver" not in ds or float(ds.sigma_c2c_solver.max()) >= NIL:
        return ""
    return (
        f"noise is nil: with {model.ions.sum():.3g} ions in {model.area:.3g} m2 ln R scatters by "
        f"{float(ds.sigma_c2c_solver.max()):.2g} at most from cycle to cycle; it goes with the area to the power -1/2"
    )
