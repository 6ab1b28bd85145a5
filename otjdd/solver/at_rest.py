"""Curves over the bias at frozen ions: each state that a drive prepares, at every temperature and bias; I-V curves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.drive_curves import Prepared
from otjdd.case.kinds import kinds_of
from otjdd.case.traps import carry_charge
from otjdd.errors import SolverError
from otjdd.mechanisms.polarisation import TWO_LEVEL
from otjdd.physics.channels.transport import transport
from otjdd.physics.electrostatics import edge
from otjdd.physics.junction import Junction
from otjdd.results import outputs
from otjdd.solver import initial, integrate, model, model_limits
from otjdd.solver.collect import by_kind
from otjdd.solver.integrate import Run
from otjdd.solver.model_limits import Reached
from otjdd.solver.outcome import attributes, delivered, ending, status_words
from otjdd.solver.start import Start, without
from otjdd.solver.trail import NO_STEPS, Trail

if TYPE_CHECKING:
    import xarray as xr

PLACE = ("state", "temperature", "bias")
OF_KINDS = "kind_bias_current"
POLARISATION = "bias_polarisation"  # an output of polarised films
CHANNEL_SHARE = "bias_channel_share"  # an output of a junction with channels beside the coherent one
TRAP_CHARGE = "bias_trap_charge"  # an output of films whose traps carry charge
LEVELS = "bias_current_level_error"  # an output only where it is above the tolerance of the current
CURVES = (
    "bias_current", "bias_junction_voltage", "bias_tunnelling_share", "bias_transport_energy", "bias_band_bending",
    "bias_electrode_charge", "bias_right_electrode_charge", "bias_current_level_error",
)  # fmt: skip


def curves_at_rest(
    case: Case,
    names: tuple[str, ...],
    measure: Callable[[Run, float], dict[str, Any]],
    more: dict[str, Any] | None = None,
    progress: Callable[[float], object] | None = None,
    trail: Trail | None = None,
) -> xr.Dataset:
    """Dataset of outputs over state, temperature and bias; nan where the run ended early.

    names : of the outputs   measure(run, voltage) : values of the outputs by name, of a run that may be changed; it
        leaves the conductances of the columns in the state
    more : coordinates of additional dimensions   trail : as of `simulate_junction`, through all states
    """
    drive, began, failure = case.drive, time.perf_counter(), None
    assert isinstance(drive, Prepared)  # `simulate` sends no other drive here
    coords: dict[str, Any] = {
        "state": np.array(list(drive.histories()), dtype=object),
        "temperature": list(drive.temperatures) or [case.temperature],
        "bias": drive.bias_voltages(),
    } | (more or {})
    shares: dict[str, Any] = {}
    if len(kinds := kinds_of(case)) > 1:
        coords["kind"] = np.array([kind.name for kind in kinds], dtype=object)
        shares, names = {"kind_share": [kind.share for kind in kinds]}, (*names, OF_KINDS)
    if case.device.film.polarisation is not None:
        names = (*names, POLARISATION)
    if carry_charge(case.device.traps):
        coords["x"], names = model.centres(model.film_faces(case.device.film)), (*names, TRAP_CHARGE)
    if case.device.beside_coherent:
        coords["channel"], names = model.channel_names(case), (*names, CHANNEL_SHARE)
    out = {name: np.full([len(coords[dim]) for dim in outputs.OUTPUTS[name].dims], np.nan) for name in names}
    try:
        for place, run, voltage in points_at_rest(case, coords["temperature"], progress, trail):
            for name, value in measure(run, voltage).items():
                out[name][place] = value
            if POLARISATION in out:
                out[POLARISATION][place] = run.junction.columns.weight @ run.state.P
            if TRAP_CHARGE in out:
                columns = run.junction.columns
                out[TRAP_CHARGE][place] = columns.weight @ (run.state.trapped / columns.width)
            if shares:
                out[OF_KINDS][place] = by_kind(case, currents_of_columns(run)[None])[0]
    except (SolverError, KeyboardInterrupt, SystemError) as error:
        failure = ending(error)
    if (unseen := out.get(LEVELS)) is not None and not (unseen > case.numerics.current_tolerance).any():
        del out[LEVELS]
    about = attributes(
        case, {"status": status_words(failure)}, time.perf_counter() - began, extremes(case, coords, out)
    )
    return delivered(outputs.dataset(out | shares, coords, about), failure)


def points_at_rest(
    case: Case,
    temperatures: Sequence[float],
    progress: Callable[[float], object] | None = None,
    trail: Trail | None = None,
) -> Iterator[tuple[tuple[int, int, int], Run, float]]:
    """(place in the outputs, run, voltage [V]) of each state, temperature and bias in turn. Raises SolverError.

    The states are made at the case's own temperature. One run serves all voltages of a curve.
    """
    drive, parts, numerics = case.drive, model.members(case), case.numerics
    assert isinstance(drive, Prepared)
    junction = model.junction(case, parts=parts)
    histories, bias = drive.histories(), drive.bias_voltages()
    start = initial.start(case, junction, parts)
    for i, waveform in enumerate(histories.values()):
        moving = initial.begin(case, junction, parts, start, initial.BEFORE + 1 + i)
        moving.trail = trail
        integrate.follow_waveform(moving, waveform)
        integrate.show_ions(moving)
        for j, T in enumerate(temperatures):
            hot = model.junction(case, T, parts)
            frozen = integrate.begin(hot, state_at(hot, moving), rtol=numerics.rtol, atol=numerics.atol)
            if not getattr(drive, "dwell", 0.0):
                frozen.state.traps.step[0] = np.inf  # traps are at rest at each bias
            frozen.trail = trail
            frozen.state.D_right[:] = moving.state.D_right
            for k, V in enumerate(bias):
                yield (i, j, k), frozen, float(V)
                if trail:
                    trail.note(NO_STEPS.trials, int(frozen.tangent.evaluated[0]))
        if progress:
            progress((i + 1) / len(histories))


def currents_of_columns(run: Run) -> np.ndarray:
    """Currents (K,) [A] of a settled run whose conductances are known."""
    state = run.state
    currents: np.ndarray = state.V * state.G + state.traps.current.sum(axis=1)
    return currents


def state_at(hot: Junction, moving: Run) -> Start:
    """The state of a run whose ions are as they are, of another junction: the share of P_s of its polarisation stays."""
    start = without(integrate.remembered(moving), "temperature", "smooth", "smooth_passed", "draws")
    cold, there = moving.junction.polarisation.saturation, hot.polarisation.saturation
    if not cold.size or np.array_equal(cold, there):
        return start
    of_P = {name: start[name] * there / cold for name in ("P", "begun")}
    return start | of_P | ({"advance": of_P["P"]} if hot.polarisation.law == TWO_LEVEL else {})


def extremes(case: Case, coords: dict[str, Any], out: dict[str, np.ndarray]) -> dict[str, Reached]:
    """Largest values of the limited quantities: current density, steady rise of the temperature, drift of the ions."""
    limited = ("bias_current", "bias_junction_voltage", "drift_ratio")
    largest = {name: np.nan_to_num(np.abs(out[name])).max(axis=(0, 1)) for name in limited if name in out}
    current, junction_voltage = largest.pop("bias_current"), largest.pop("bias_junction_voltage")
    reached = largest | {
        "current_density": current / case.device.junction_area,
        "temperature_rise": current * junction_voltage * model_limits.thermal_resistance(case.device.disc_radius),
    }
    return {
        name: model_limits.of_series(coords["bias"], values, "a bias of {:.4g} V") for name, values in reached.items()
    }


def iv(
    case: Case, progress: Callable[[float], object] | None = None, trail: Trail | None = None
) -> xr.Dataset:  # fmt: skip
    """I-V curves at frozen ions: every state of the drive, at every temperature; nan where the run ended early."""
    return curves_at_rest(case, CURVES, bias_point, progress=progress, trail=trail)


def bias_point(frozen: Run, voltage: float) -> dict[str, Any]:
    """Values of CURVES at a source voltage, means over the columns, and CHANNEL_SHARE (C,). Raises SolverError."""
    integrate.jump(frozen, voltage)
    by_channel = np.empty(len(frozen.junction.channels.code))
    conductance, unseen, share, energy, good = transport(
        frozen.junction, frozen.state, frozen.tangent.present, by_channel
    )
    if not good:
        integrate.fail(frozen, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    state, weight, V_j = frozen.state, frozen.junction.columns.weight, float(frozen.state.V[0])
    bending = weight @ [edge(at, -D)[2] for at, D in zip(frozen.junction.right, state.D_right, strict=True)]
    charges = weight @ state.D_left, -weight @ state.D_right
    values = dict(zip(CURVES, (conductance * V_j, V_j, share, energy, bending, *charges, unseen), strict=True))
    return values | ({CHANNEL_SHARE: by_channel / conductance} if len(by_channel) > 1 else {})
