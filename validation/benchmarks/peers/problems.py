"""Problems that every code solves: a film between two metals, a staircase of voltages, and what is compared.

`conditioning`  0.1 V for 1 s, then 0 V until 10 s: a linear film with a neutralising background relaxes over four
                decades of time. Compared: concentrations at both ends, and the charge of the left electrode.
`pulses`        20 x +2.2 V and 20 x -2.5 V, 50 ns each and 1 us apart: exponential drift in a nonlinear dielectric with
                sites that bind. Compared: concentrations at both ends and the mean position, at each edge.
"""

from typing import NamedTuple

import numpy as np

from otjdd.case.case import parse_case
from otjdd.solver import model
from otjdd.waveform.waveform import Waveform

FILM = """
title = "{title}"
temperature = "300 K"
drive = {{kind = "hold", voltage = "0 V", duration = "1 s"}}
[device]
radius = "10 um"
left = {{kind = "metal", barrier = "0.7 eV"}}
right = {{kind = "metal", barrier = "0.7 eV"}}
[device.film]
thickness = "2.8 nm"
cells = {cells}
grading = {grading}
"""

CONDITIONING = """
permittivity = {law = "linear", eps_r = 60}
fixed_charge = "-1e27 1/m^3"
[ions]
density = "5e26 1/m^3"
site_density = "1e30 1/m^3"
law = "linear"
hop_distance = "0.4 nm"
activation_energy = "0.5 eV"
prefactor = "1e-10 m^2/s"
"""

PULSES = """
permittivity = {law = "nonlinear", b = "1.61e10 V/m", a = "1.64e15 V^2/m^2", eps_inf = 5.3}
[ions]
density = "3.08e26 1/m^3"
site_density = "3.02e28 1/m^3"
law = "mott-gurney"
hop_distance = "0.5 nm"
activation_energy = "0.446 eV"
prefactor = "5e-7 m^2/s"
well_left = "0.186 eV"
well_right = "1.183 eV"
well_width = "0.332 nm"
"""


class Found(NamedTuple):
    """Result of a code at the times of comparison."""

    c: np.ndarray  # (T, N) 1/m3
    charge: np.ndarray  # (T,) of the left electrode [C/m2]


class Problem(NamedTuple):
    """One task for all codes."""

    name: str
    junction: object  # otjdd.physics.junction.Junction with one column
    c: np.ndarray  # (1, N) initial concentrations [1/m3]
    waveform: Waveform
    outputs: np.ndarray  # (T,) times of comparison [s]; the last one is the end of the run
    floor: float  # of the concentrations, in relative errors [1/m3]


def assemble(name, text, cells, grading, waveform, outputs, floor):
    """Problem from the text of its film and ions. floor : in units of the mean concentration"""
    case = parse_case(FILM.format(title=name, cells=cells, grading=grading) + text)
    parts = model.members(case)
    junction, c = model.junction(case, parts=parts), model.uniform(case, parts)
    return Problem(name, junction, c, waveform, np.asarray(outputs), floor * c.mean())


def conditioning(cells: int, grading: float = 1.0) -> Problem:
    """0.1 V for 1 s, 0 V until 10 s; D = 1e-18 m2/s."""
    after = np.array([1e-3, 1e-2, 1e-1, 1.0])
    staircase = Waveform(np.array([0.0, 1.0, 1.0, 10.0]), np.array([0.1, 0.1, 0.0, 0.0]))
    problem = assemble("conditioning", CONDITIONING, cells, grading, staircase, [*after, *(1.0 + after)], 0.0)
    columns = problem.junction.columns._replace(diffusivity=np.full((1, cells + 1), 1e-18))
    return problem._replace(junction=problem.junction._replace(columns=columns))


def pulses(cells: int, grading: float = 1.0, count: int = 20) -> Problem:
    """`count` pulses of +2.2 V, then as many of -2.5 V; 50 ns each, 1 us apart."""
    edges, voltages = [0.0], []
    for voltage in count * [2.2] + count * [-2.5]:
        edges += [edges[-1] + 50e-9, edges[-1] + 1.05e-6]
        voltages += [voltage, 0.0]
    staircase = Waveform(np.repeat(edges, 2)[1:-1], np.repeat(voltages, 2))
    return assemble("pulses", PULSES, cells, grading, staircase, edges[1:], 1e-2)


def segments(problem: Problem):
    """Steps of the staircase: (start [s], end [s], voltage [V], outputs [s] after the start up to and with the end)."""
    for t0, t1, voltage, _ in zip(*problem.waveform.segments(), strict=True):
        inside = problem.outputs[(problem.outputs > t0) & (problem.outputs <= t1)]
        yield t0, t1, voltage, inside


def observed(problem: Problem, found: Found) -> np.ndarray:
    """Compared numbers (T, 4): both end concentrations [1/m3], mean position [m], charge of the left electrode [C/m2]."""
    c, width = found.c, problem.junction.columns.width[0]
    x = np.cumsum(width) - 0.5 * width
    return np.column_stack((c[:, 0], c[:, -1], (c * width) @ x / (c @ width), found.charge))


def distance(problem: Problem, found: Found, reference: Found) -> float:
    """Largest of the `errors` of a result."""
    return max(errors(problem, observed(problem, found), observed(problem, reference)))


def errors(problem: Problem, found: np.ndarray, reference: np.ndarray) -> tuple[float, float, float]:
    """Largest relative errors over all times: of the end concentrations, the mean position, and the charge.

    found, reference : (T, 4), see `observed`. The error of the charge is relative to its largest value.
    """
    scale = np.maximum(np.abs(reference), [problem.floor, problem.floor, 0.0, np.abs(reference[:, 3]).max()])
    off = np.abs(found - reference) / scale
    return off[:, :2].max(), off[:, 2].max(), off[:, 3].max()
