"""The scatter of exports in the programs for which they are written, against that of the solver."""

import runpy
import sys
from pathlib import Path

import numpy as np

from otjdd.compact_models.exports.export_noise import QUANTITIES, StatedDeviation, comparison_lines
from otjdd.compact_models.scatter_of_pulses import Cycles, cycles_of, sigmas
from otjdd.results import store

DEVICES, CYCLES, DRAWS = 1000, 6, 4000


def tile_rows(folder: Path) -> list[StatedDeviation]:
    """The cycles of a real tile of aihwkit, one output and DEVICES inputs, and of its noise model of inference."""
    import torch
    from aihwkit.simulator.configs import SingleRPUConfig, UpdateParameters
    from aihwkit.simulator.tiles import AnalogTile

    ds, made = store.read(folder / "networks.nc"), runpy.run_path(str(folder / "aihwkit_preset.py"))
    low, high = ends(folder)
    device, n = made["otj_device"](), ds.sizes["pulse"] // 2
    once = UpdateParameters(desired_bl=1, fixed_bl=True, update_management=False, update_bl_management=False)
    rpu = AnalogTile(1, DEVICES, SingleRPUConfig(device=device, update=once))
    rpu.tile.set_weights(torch.ones(1, DEVICES))
    rpu.set_learning_rate(4.0 * device.dw_min)  # a pulse has the probability lr/dw_min: above 1 none is left out
    seen = []
    for sign in ([1.0] * n + [-1.0] * n) * (1 + CYCLES):
        rpu.update(torch.ones(1, DEVICES), torch.full((1, 1), sign))
        seen.append(rpu.tile.get_weights()[0].numpy().copy())
    G = low + 0.5 * (1.0 + np.array(seen, dtype=float).T) * (high - low)
    found = sigmas(Cycles(G[:, 2 * n - 1], G[:, 2 * n :].reshape(DEVICES, CYCLES, 2 * n)))
    rows = [
        StatedDeviation("tile of aihwkit", *row, "S")
        for row in zip(QUANTITIES, sigmas(cycles_of(ds)), found, strict=True)
    ]
    model = made["otj_inference"]().noise_model
    levels = torch.as_tensor(ds.level_mean.values * 1e6)[:, None].repeat(1, DRAWS)
    for k, time in enumerate(ds.time.values):
        drawn = model.apply_drift_noise_to_conductance(levels, model.generate_drift_coefficients(levels), float(time))
        rows.append(level_row("inference of aihwkit", time, ds.level_sigma.values[:, k], drawn.numpy()))
    return rows


def crosssim_rows(folder: Path) -> list[StatedDeviation]:
    """Levels and reads as CrossSim's own device draws them, and a product of a core with it."""
    from simulator import AnalogCore
    from simulator.devices.device import Device

    ds, made = store.read(folder / "networks.nc"), runpy.run_path(str(folder / "crosssim_device.py"))
    parameters, rows = made["otj_parameters"](), []
    parameters.xbar.device.time = 1.0
    product = AnalogCore(np.linspace(-1.0, 1.0, 12).reshape(3, 4), params=parameters) @ np.ones(4)
    print(f"a product of CrossSim's core after 1 s: {product}")
    device = Device.create_device(parameters.xbar.device)  # a core has begun its library of arrays
    levels = np.repeat(ds.level_mean.values[:, None] * parameters.xbar.device.Rmin, DRAWS, axis=1)
    for k, time in enumerate(ds.time.values):
        drawn = device.programming_error(levels) if k == 0 else device.drift_error(levels, float(time))
        rows.append(level_row("CrossSim", time, ds.level_sigma.values[:, k], drawn))
    read = np.hypot(ds.read_sigma.values, ds.electron_sigma.values)
    solver, drawn = (float(np.sqrt((each**2).mean())) for each in (read, np.log(device.read_noise(levels)).std(axis=1)))
    rows.append(StatedDeviation("CrossSim", "ln I of a read of 1 us", solver, drawn, "1"))
    return rows


def level_row(export: str, time: float, solver: np.ndarray, drawn: np.ndarray) -> StatedDeviation:
    """Row of ln G of the levels (level,) at a time [s], of conductances (level, draw)."""
    each = np.log(drawn).std(axis=1, ddof=1)
    rms = (float(np.sqrt((values**2).mean())) for values in (solver, each))
    return StatedDeviation(export, f"ln G of a level after {time:.3g} s", *rms, "1")


def ends(folder: Path) -> tuple[float, float]:
    """Conductances [S] of the weights -1 and 1, as the header of the preset tells them."""
    text = (folder / "aihwkit_preset.py").read_text()
    words = text[text.index("weight -1 is") :].split()
    return float(words[3]), float(words[8])


def report(rows: list[StatedDeviation]) -> int:
    """Print rows. Exit code: 8 if one is more than a fifth away."""
    print("\n".join(comparison_lines(tuple(rows))))
    worst = max(abs(row.deviation) for row in rows)
    print(f"{worst:.0%} apart at most", file=sys.stderr)
    return 8 if worst > 0.2 else 0
