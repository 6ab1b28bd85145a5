"""Small devices for tests of the kernels: an oxide tunnel junction, and a film between two equal metals."""

import numba
import numpy as np
import pytest

from otjdd import integrate, model
from otjdd.case import parse_case

COMPILED = not numba.config.DISABLE_JIT
needs_speed = pytest.mark.skipif(not COMPILED, reason="takes minutes where kernels are interpreted")

JUNCTION = """
title = "a small oxide tunnel junction"
temperature = "300 K"
drive = {kind = "hold", voltage = "0 V", duration = "1 s"}
[device]
radius = "10 um"
conducting_fraction = 1e-4
[device.left]
kind = "metal"
barrier = "0.7 eV"
[device.film]
thickness = "2.8 nm"
cells = 24
grading = 5
permittivity = {law = "nonlinear", b = "1.4e10 V/m", a = "2.65e15 V^2/m^2", eps_inf = 5}
tunnelling_mass = 0.5
[device.right]
kind = "semiconductor"
band_offset = "0 eV"
doping = "1.4e26 1/m^3"
density_of_states = "1e26 1/m^3"
permittivity = {law = "nonlinear", b = "1.2e10 V/m", a = "1.64e15 V^2/m^2", eps_inf = 20}
[ions]
density = "2e26 1/m^3"
site_density = "1e28 1/m^3"
law = "mott-gurney"
hop_distance = "0.4 nm"
activation_energy = "0.45 eV"
prefactor = "5e-7 m^2/s"
"""

BETWEEN_METALS = """
title = "a film between two equal metals"
temperature = "300 K"
drive = {kind = "hold", voltage = "0 V", duration = "1 s"}
[device]
radius = "10 um"
[device.left]
kind = "metal"
barrier = "1 eV"
[device.film]
thickness = "2.8 nm"
permittivity = {law = "linear", eps_r = 60}
fixed_charge = "-1e27 1/m^3"
[device.right]
kind = "metal"
barrier = "1 eV"
[ions]
density = "5e26 1/m^3"
site_density = "1e30 1/m^3"
law = "linear"
hop_distance = "0.4 nm"
activation_energy = "0.5 eV"
prefactor = "1e-10 m^2/s"
"""


def case(text: str = JUNCTION, **changes):
    """A case with other values; in keywords a double underscore stands for the dot of a dotted key."""
    return parse_case(text).replace(**{key.replace("__", "."): value for key, value in changes.items()})


def begin(case, c=None, *, rtol=None, atol=None, voltage=0.0, junction=None):
    """A run of the case, settled at a voltage, from concentrations c (K, N) or the evenly spread ones."""
    parts = model.members(case)
    junction = model.junction(case, parts=parts) if junction is None else junction
    c = model.uniform(parts, case.device.film.cells) if c is None else np.atleast_2d(c)
    numerics = case.numerics
    run = integrate.begin(junction, c, rtol=rtol or numerics.rtol, atol=atol or numerics.atol)
    integrate.jump(run, voltage)
    return run


def hold(run, voltage: float, duration: float, record: bool = False):
    """Jump to a voltage and stay there."""
    integrate.jump(run, voltage)
    integrate.advance(run, duration, voltage, voltage, record)


def lumpy(junction, rng, spread: float = 1.0):
    """Random concentrations (K, N) [1/m3] about 2e26 without any smoothness."""
    return 2e26 * np.exp(spread * rng.standard_normal(junction.columns.width.shape))


def mirrored(junction):
    """The same junction seen from its other side."""
    columns = junction.columns
    total = columns.fixed[:, :1]
    flipped = columns._replace(
        width=columns.width[:, ::-1].copy(),
        dilution=columns.dilution[:, ::-1].copy(),
        distance=columns.distance[:, ::-1].copy(),
        site=-columns.site[:, ::-1],
        fixed=(total - columns.fixed)[:, ::-1].copy(),
    )
    N = columns.width.shape[1]
    nodes = N + 1 - junction.nodes[::-1]
    return junction._replace(columns=flipped, left=junction.right, right=junction.left, nodes=nodes)
