"""Answer to a small signal: impedance, capacitance and conductance over state, temperature, bias and frequency.

Resistance and capacitance of the circuit are part of what is measured: Z = R_s + 1/(Y + i w C_p), the current that charges
the junction passing the series resistance as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from otjdd.case.case import Case
from otjdd.case.drive_curves import CV, Following
from otjdd.case.kinds import kinds_of
from otjdd.case.traps import fill_slowly
from otjdd.mechanisms.polarisation import begin_step
from otjdd.physics.channels.kinetic_traps import have_memory
from otjdd.physics.circuit import coupled, drop
from otjdd.physics.closing import close_all
from otjdd.physics.conduction import conduct
from otjdd.physics.junction import CLOSURE_TOLERANCE, polarised
from otjdd.physics.numerics import add_up
from otjdd.solver import at_rest, equilibrium, integrate, linear_response, trap_response
from otjdd.solver.at_rest import CURVES, bias_point
from otjdd.solver.collect import by_kind
from otjdd.solver.integrate import Run
from otjdd.solver.trail import Trail

if TYPE_CHECKING:
    import xarray as xr


OF_KINDS = "kind_capacitance", "kind_conductance_ac"
ANSWERS = "impedance_real", "impedance_imag", "capacitance", "conductance_ac"
TRAP_NOISE = "trap_noise"
SURE = 1e-12  # V, of the junction voltage at which the ions come to rest


def small_signal(
    case: Case, progress: Callable[[float], object] | None = None, trail: Trail | None = None
) -> xr.Dataset:  # fmt: skip
    """Answer of every state of the drive at every temperature, bias and frequency; nan where the run ended early."""
    drive = case.drive
    assert isinstance(drive, Following)  # `simulate` sends no other drive here
    frequency, dwell = drive.frequency_values(), drive.dwell if isinstance(drive, CV) else 0.0

    def measure(run: Run, voltage: float) -> dict[str, Any]:
        if drive.settle:
            come_to_rest(run, voltage)
        if dwell:
            integrate.jump(run, voltage)
            integrate.follow_piece(run, dwell, voltage, voltage)
        return bias_point(run, voltage) | answers(case, run, voltage, frequency)

    more = (*(OF_KINDS if len(kinds_of(case)) > 1 else ()), *((TRAP_NOISE,) if fill_slowly(case.device.traps) else ()))
    names = (*CURVES, *ANSWERS, "drift_ratio", *more)
    return at_rest.curves_at_rest(case, names, measure, {"frequency": frequency}, progress, trail)


def answers(case: Case, run: Run, voltage: float, frequency: np.ndarray) -> dict[str, Any]:
    """ANSWERS (F,) of a settled run at frequencies (F,) [Hz], how far its ions drift, OF_KINDS (F, kinds) of unlike kinds,
    TRAP_NOISE (F,) of traps whose filling takes time.

    Raises SolverError.
    """
    drive = case.drive
    assert isinstance(drive, Following)
    if polarised(run.junction):
        begin_step(run.junction, run.state)
    columns = linear_response.linearised(run.junction, run.state, case.device.junction_area)
    if columns is None:
        integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
    moving, following, omega = drive.ions == "moving", drive.polarisation == "following", 2.0 * np.pi * frequency
    of_columns = linear_response.admittances(columns, frequency, moving, following)
    if have_memory(run.state):
        of_columns = of_columns + trap_response.admittances_of_traps(run, omega)
    inside = of_columns.sum(axis=0) + 1j * omega * case.circuit.parallel_capacitance
    Z = case.circuit.series_resistance + 1.0 / inside
    Y = 1.0 / Z if case.circuit.series_resistance else inside
    # ions at rest move by round-off, which no frequency is high enough for
    drift = linear_response.drift_ratio(columns, 1.0 / omega.min(), moving and not drive.settle, following)
    values = dict(zip(ANSWERS, (Z.real, Z.imag, Y.imag / omega, Y.real), strict=True)) | {"drift_ratio": drift}
    if len(kinds_of(case)) > 1:
        C, G = of_columns.imag.T / omega[:, None], of_columns.real.T
        values |= dict(zip(OF_KINDS, (by_kind(case, C), by_kind(case, G)), strict=True))
    if have_memory(run.state):
        values[TRAP_NOISE] = trap_response.noise(run, omega)
    return values


def come_to_rest(run: Run, voltage: float) -> None:
    """Let the ions of a run come to rest at a source voltage [V], the circuit in series. Raises SolverError."""
    from scipy.optimize import brentq

    def missing(V_j: float) -> float:
        """Source voltage that belongs to the rest at V_j, less the given one [V]."""
        rest(run, V_j, voltage)
        integrate.check_status(run, close_all(run.junction, run.state, V_j, CLOSURE_TOLERANCE), 0.0, voltage, 0.0, 0.0)
        if V_j and not conduct(run.junction, run.state, run.tangent, False):
            integrate.fail(run, "SPECTRUM_NOT_CONVERGED", 0.0, voltage, 0.0, 0.0)
        too_much: float = V_j + drop(run.junction, V_j * add_up(run.state.G))[0] - voltage
        return too_much

    V_j = voltage
    if coupled(run.junction) and voltage:
        V_j = brentq(missing, 0.0, voltage, xtol=SURE)
    rest(run, V_j, voltage)
    run.tangent.V[:] = np.nan  # the ions have moved far


def rest(run: Run, V_j: float, voltage: float) -> None:
    """Put the ions of a run into their state of rest at a junction voltage [V]. Raises SolverError."""
    c = equilibrium.relaxed(run.junction, run.state.c, V_j, run.state.P)
    if c is None:
        integrate.fail(run, "EQUILIBRIUM_NOT_FOUND", 0.0, voltage, 0.0, np.inf)
    run.state.c[:] = c
