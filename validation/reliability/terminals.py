"""Currents at the two terminals, checked with the numbers of a Dataset alone.

The current is the conduction current plus A dQ_left/dt at the left terminal, and plus -A dQ_right/dt at the right one. Both
are equal at all times, because the charge of the film is conserved. The displacement current of the Dataset, integrated
from row to row, is the change of the charge on the left electrode and on the parallel capacitance. If the film is linear
and both electrodes are ideal metals, that charge also follows from the theorem of Shockley and Ramo, with the voltage and
the mean position x of the vacancies, N of them per area:

    Q_left(t) - Q_left(0) = eps/L [V_j(t) - V_j(0)] + z e N/L [x(t) - x(0)]
"""

from typing import NamedTuple

import numpy as np

from otjdd.case.case import parse_case
from otjdd.errors import SolverError
from otjdd.solver import simulate
from validation.reliability.devices import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY, Shares, text

LINEAR = {"film_law": 0.0, "left": 0.0, "right": 0.0, "left_screening": 0.0, "right_screening": 0.0, "columns": 0.0}


class Misfits(NamedTuple):
    """Largest misfits of one run, relative to the largest moved charge. theorem : nan if it does not apply"""

    terminals: float
    integral: float
    theorem: float


def device(u: Shares, number: int, linear: bool):
    """Case of a row. linear : make one to which the theorem applies"""
    return parse_case(text(Shares(u.of | (LINEAR if linear else {})), number))


def misfits(case) -> Misfits:
    """Run a case, to its end or until it stops, and compare the charges."""
    try:
        ds = simulate.simulate_junction(case)
    except SolverError as error:
        ds = error.partial
    t, left, right = ds.time.values, ds.electrode_charge.values, ds.right_electrode_charge.values
    area, C = case.device.junction_area, case.circuit.parallel_capacitance
    V, moved = ds.junction_voltage.values, np.ptp(left) + 1e-12 * np.abs(left).max() if len(t) > 1 else 0.0
    if moved == 0.0:
        return Misfits(0.0, 0.0, 0.0 if case.device.film.permittivity.law == "linear" else np.nan)
    both = np.abs(np.diff(left) + np.diff(right)).max() / moved
    came = np.cumsum(ds.mean_displacement_current.values[1:] * np.diff(t))
    stays = area * (left[1:] - left[0]) + C * (V[1:] - V[0])
    later = np.diff(t) > 0.0  # the charge of a jump belongs to the interval after it
    integral = np.abs(came - stays)[later].max() / (area * moved)
    return Misfits(float(both), float(integral), theorem(case, ds, moved))


def theorem(case, ds, moved: float) -> float:
    """Misfit of the theorem of Shockley and Ramo; nan for a device to which it does not apply in this form."""
    film, ends = case.device.film, (case.device.left, case.device.right)
    ideal = all(end.kind == "metal" and end.screening_length == 0.0 for end in ends)
    if film.permittivity.law != "linear" or not ideal or case.columns.count > 1:
        return np.nan
    V, x, Q = (ds[name].values for name in ("junction_voltage", "vacancy_mean_position", "electrode_charge"))
    per_area = case.ions.charge * ELEMENTARY_CHARGE * case.ions.density  # z e N/L
    expected = VACUUM_PERMITTIVITY * film.permittivity.eps_r / film.thickness * (V - V[0]) + per_area * (x - x[0])
    return float(np.abs(Q - Q[0] - expected).max() / moved)
