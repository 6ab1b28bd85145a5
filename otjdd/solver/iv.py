"""I-V curves at frozen ions: the states that a drive makes, each read over bias and temperature."""

import time

import numpy as np

from otjdd.case.case import Case
from otjdd.errors import SolverError
from otjdd.results import outputs
from otjdd.solver import initial, integrate, model, model_limits
from otjdd.solver.outcome import attributes, delivered, ending, status

CURVES = (
    "bias_current", "bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy", "bias_band_bending",
    "bias_electrode_charge", "bias_right_electrode_charge",
)  # fmt: skip


def iv(case: Case, progress=None):
    """I-V curves at frozen ions: every state of the drive, at every temperature; nan where it was ended before."""
    began = time.perf_counter()
    drive, failure = case.drive, None
    temperatures = list(drive.temperatures) or [case.temperature]
    coords = {"state": np.array(list(drive.histories()), dtype=object), "temperature": temperatures}
    coords["bias"] = drive.bias_voltages()
    out = np.full((len(CURVES), *map(len, coords.values())), np.nan)
    try:
        trace(case, temperatures, out, progress)
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        failure = ending(error)
    about = attributes(
        case, {"status": status(failure)}, time.perf_counter() - began, extremes(case, coords["bias"], out)
    )
    return delivered(outputs.dataset(dict(zip(CURVES, out, strict=True)), coords, about), failure)


def extremes(case, bias, out: np.ndarray) -> dict:
    """Largest current density and steady rise of the temperature over CURVES (7, states, temperatures, bias)."""
    current, junction_voltage = np.nan_to_num(np.abs(out[:2])).max(axis=(1, 2))
    rise = current * junction_voltage * model_limits.thermal_resistance(case.device.radius)
    return {
        "current_density": model_limits.of_series(bias, current / case.device.area, "a bias of {:.4g} V"),
        "temperature_rise": model_limits.of_series(bias, rise, "a bias of {:.4g} V"),
    }


def trace(case: Case, temperatures, out: np.ndarray, progress=None) -> None:
    """Fill CURVES (7, states, temperatures, bias). Raises SolverError.

    The states are made at the case's own temperature.
    """
    parts, numerics = model.members(case), case.numerics
    junction = model.junction(case, parts=parts)
    histories, bias = case.drive.histories(), case.drive.bias_voltages()
    c0 = initial.start(case, junction, parts)
    for i, waveform in enumerate(histories.values()):
        moving = integrate.begin(junction, c0, rtol=numerics.rtol, atol=numerics.atol, max_steps=numerics.max_steps)
        integrate.drive(moving, waveform)
        for j, T in enumerate(temperatures):
            hot = model.junction(case, T, parts)
            frozen = integrate.begin(hot, moving.state.c, rtol=numerics.rtol, atol=numerics.atol)
            frozen.state.D_right[:] = moving.state.D_right
            for k, V in enumerate(bias):
                out[:, i, j, k] = bias_point(frozen, float(V))
        if progress:
            progress((i + 1) / len(histories))


def bias_point(frozen, voltage: float) -> tuple[float, ...]:
    """Values of CURVES at a source voltage, means over the columns. Raises SolverError."""
    from otjdd.physics.electrostatics import edge
    from otjdd.physics.transport import transport

    integrate.jump(frozen, voltage)
    conductance, share, energy, good = transport(frozen.junction, frozen.state)
    if not good:
        integrate.fail(frozen, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    state, weight, V_j = frozen.state, frozen.junction.columns.weight, float(frozen.state.V[0])
    bending = [edge(frozen.junction.right, -D)[2] for D in state.D_right]
    return conductance * V_j, V_j, share, energy, weight @ bending, weight @ state.D_left, -weight @ state.D_right
