"""Check of the compiled kernels: a short run with a known answer, before any other run of a process.

It costs some 5 ms, once in a process. The answer holds for any time stepping that is accurate: ions driven to the
right electrode and half of the way back, electrons read after that.
"""

import logging
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import parse_case
from otjdd.compiler import kernel_cache
from otjdd.errors import KernelError
from otjdd.physics import electrostatics
from otjdd.physics.channels.table import transport
from otjdd.solver import compile_ahead, integrate, model

log = logging.getLogger(__name__)

TOLERANCE = 1e-3  # relative: wrong machine code differs by more, a finer quadrature by less

CASE = """
title = "a small junction with a known answer"
temperature = "300 K"
drive = { kind = "hold", voltage = "0 V", duration = "1 s" }
numerics = { rtol = 1e-7, atol = 1e-9, current_tolerance = 1e-5 }
[device]
radius = "10 um"
conducting_fraction = 1e-4
[device.left]
kind = "metal"
barrier = "0.7 eV"
screening_length = "0.05 nm"
[device.film]
thickness = "2.8 nm"
cells = 12
grading = 3
permittivity = { law = "nonlinear", b = "1.4e10 V/m", a = "2.65e15 V^2/m^2", eps_inf = 5 }
tunnelling_mass = 0.5
[device.right]
kind = "semiconductor"
band_offset = "0 eV"
doping = "1.4e26 1/m^3"
density_of_states = "1e26 1/m^3"
permittivity = { law = "nonlinear", b = "1.2e10 V/m", a = "1.64e15 V^2/m^2", eps_inf = 20 }
[ions]
density = "2e26 1/m^3"
site_density = "1e28 1/m^3"
law = "mott-gurney"
hop_distance = "0.4 nm"
activation_energy = "0.45 eV"
prefactor = "5e-7 m^2/s"
well_right = "0.3 eV"
well_width = "0.3 nm"
[circuit]
series_resistance = "10 ohm"
"""


class KnownNumbers(NamedTuple):
    """Numbers that the check compares."""

    mean_position: float  # m
    band_edge: float  # eV, of the film at the right electrode
    electrode_charge: float  # C/m2
    conductance: float  # S
    transport_energy: float  # eV


# Computed by this code with rtol 1e-9 and 1e-10 and a current tolerance of 1e-8; the two agree to nine digits.
EXPECTED = KnownNumbers(
    mean_position=1.469103221e-09,
    band_edge=-0.02165316336,
    electrode_charge=-0.1789309256,
    conductance=0.008393122995,
    transport_energy=0.02768404777,
)


@cache
def verify_kernels() -> None:
    """Check the kernels; compile them where there are none. Raises KernelError, and removes them, when they are wrong."""
    if kernel_cache.is_empty():
        log.warning("compiling the kernels: about a minute, once for this version on this machine")
        compile_ahead.compile_kernels(begin_known)
        if kernel_cache.is_empty() or kernel_cache.COUNTS["not kept"]:
            log.warning(
                "the compiled kernels cannot be kept in %s, and the next run compiles them again: is the disk full? "
                "NUMBA_CACHE_DIR names another folder", kernel_cache.folder(),
            )  # fmt: skip
    wrong = difference_from_known(computed_answer())
    if not wrong:
        return
    kernel_cache.forget()
    raise KernelError(
        f"the compiled kernels gave wrong numbers on this machine: {wrong}. They are removed: the next command compiles "
        "them again"
    )


def begin_known(**changes: Any) -> integrate.Run:
    """The run at its start. changes : of the case."""
    case = parse_case(CASE).replace(**changes)
    parts = model.members(case)
    c = model.uniform(case, parts)
    return integrate.begin(model.junction(case, parts=parts), c, rtol=case.numerics.rtol, atol=case.numerics.atol)


def begin_between_metals() -> integrate.Run:
    """A run of the same types, without the tables of a semiconductor and the kernels that make them."""
    return begin_known(**{"device.right": {"kind": "metal", "barrier": "0.7 eV"}})


def computed_answer(**changes: Any) -> KnownNumbers:
    """Numbers at the end of the run."""
    run = begin_known(**changes)
    for voltage, duration in ((1.5, 4e-7), (-1.0, 2e-7)):
        integrate.jump(run, voltage)
        integrate.follow_piece(run, duration, voltage, voltage, False)
    integrate.jump(run, 0.1)
    conductance, _, _, energy, _ = transport(
        run.junction, run.state, run.tangent.present, np.empty(len(run.junction.channels.code))
    )
    junction, c = run.junction, run.state.c[0]
    width = junction.columns.width[0]
    position = float((c * width) @ (width.cumsum() - width / 2) / (c @ width))
    edge = float(electrostatics.edge(junction.right[0], -run.state.D_right[0])[0])
    return KnownNumbers(position, edge, float(run.state.D_left[0]), conductance, energy)


def difference_from_known(answer: KnownNumbers) -> str:
    """Differences from the known answer in words; "" when there are none."""
    for name, value, expected in zip(KnownNumbers._fields, answer, EXPECTED, strict=True):
        if not abs(value - expected) <= TOLERANCE * abs(expected):
            return f"{name.replace('_', ' ')} {value:.6g}, known to be {expected:.6g}"
    return ""
