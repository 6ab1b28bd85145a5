"""Electrodes and dielectrics of a case as numbers of the kernels: bands, and tables of a bent semiconductor.

A kind of electrode is a record of `case.electrodes`. The kernels know two forms; each record is converted to one of them.

The image potential of an electron in the film is cut into pieces for the transmission, and is straight in each. Next to one
metal it is -A/x with A = e/(16 pi eps0 eps_i), eps_i the permittivity for the short time of a passage (Sze &
Ng, Physics of Semiconductor Devices, section 3.2.4). Between two metals all images of images add up to
(A/L) [psi(x/L) + psi(1 - x/L) + 2 gamma], psi the digamma function. That is the sum of Simmons, J. Appl. Phys. 34, 1793
(1963), eq. 33, in closed form. A doped oxide has nearly the permittivity of the film, and makes no image. The potential
ends at the bottom of the band of the metal, which it would pass some 0.01 nm from it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np

from otjdd.case.device import Device
from otjdd.case.electrodes import Bent, LinearPermittivity, Metal, NonlinearPermittivity, Semiconductor, Straight
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.physics import electrostatics as es
from otjdd.physics.bands import ends_of_pieces
from otjdd.physics.electrostatics import Electrode, Permittivity
from otjdd.physics.fermi_dirac import inverse_fermi_dirac_half
from otjdd.system.late import scipy

LARGEST_BENDING = 1000.0  # eV of either sign, where the tables of an electrode end: ten times the highest voltage
TABLE = 8192  # intervals of bending; cubic interpolation is then exact to 1e-9 of the bending, whatever the doping
FINEST = 1e-8  # least relative error of a current that the pieces are chosen for: some 200 pieces


def permittivity(record: LinearPermittivity | NonlinearPermittivity, temperature: float) -> Permittivity:
    """`electrostatics.Permittivity` of a record of a case at a temperature [K]."""
    return Permittivity(*map(float, record.terms(temperature)))


def fermi_level(semiconductor: Bent, temperature: float) -> float:
    """xi = E_F - E_C [eV] of the unbent semiconductor at a temperature [K], donors ionised."""
    kT = BOLTZMANN_EV * temperature
    xi: float = kT * inverse_fermi_dirac_half(semiconductor.doping / semiconductor.density_of_states)
    return xi


@lru_cache(maxsize=64)
def bent_tables(form: Bent, temperature: float, tolerance: float) -> tuple[Any, ...]:
    """xi, and the tables of an Electrode: charge scale, start, step, bending, slope, depletion, accumulation.

    tolerance : relative error that the pieces of the bent region may make in a current
    """
    kT, density_of_states = BOLTZMANN_EV * temperature, float(form.density_of_states)
    xi, eps = fermi_level(form, temperature), permittivity(form.permittivity, temperature)
    bulk = (xi, kT, float(form.doping), density_of_states, eps)
    scale = kT * math.sqrt(es.displacement(0.0, eps)[1] * es.doping_stiffness(xi, kT, density_of_states))
    ends = [es.displacement(E, eps)[0] for E in es.bent_fields(np.array([-LARGEST_BENDING, LARGEST_BENDING]), *bulk)]
    accumulated, depleted = (math.asinh(min(Q, es.MOST_CHARGE) / scale) for Q in ends)
    step = (accumulated + depleted) / TABLE
    below, above = math.floor(accumulated / step), math.floor(depleted / step)
    bending, slope = es.bending_table((below, above), scale, step, *bulk)
    depletion, accumulation = (ends_of_pieces(bending[end], tolerance, float(form.mass), *bulk) for end in (-1, 0))
    return xi, scale, -below * step, step, bending, slope, depletion, accumulation


def electrode(record: Metal | Semiconductor, temperature: float, current_tolerance: float) -> Electrode:
    """`electrostatics.Electrode` of a record of a case at a temperature [K], for currents of a relative tolerance."""
    form = record.form(temperature)
    return straight(form) if isinstance(form, Straight) else bent(form, temperature, max(current_tolerance, FINEST))


def edge_beside(device: Device, side: str, temperature: float) -> float:
    """Edge of the band [eV] that the first layer would have at the "left" or "right" electrode, which carries no charge."""
    offset, form = (
        device.film.stack[-1].band_offset if side == "right" else 0.0,
        getattr(device, side).form(temperature),
    )
    edge = form.barrier if isinstance(form, Straight) else form.band_offset - fermi_level(form, temperature)
    return float(edge - offset)


def straight(form: Straight) -> Electrode:
    """An electrode whose band stays flat."""
    bands = float(form.barrier), float(form.bottom), float(form.mass)
    empty = np.zeros(0), np.zeros(0), np.zeros((3, 0)), np.zeros((3, 0))
    return es.Electrode(es.METAL, *bands, form.drop, 1.0, 0.0, 1.0, *empty)


def bent(form: Bent, temperature: float, tolerance: float) -> Electrode:
    """An electrode with tables of its bending by charge and of its bent region."""
    xi, *tables = bent_tables(form, temperature, tolerance)
    bands = form.band_offset - xi, -xi, float(form.mass)
    return es.Electrode(es.SEMICONDUCTOR, *bands, 0.0, *tables)


Values = TypeVar("Values", float, np.ndarray)


GROWTH = 0.2  # length of a piece over its distance from the metal; currents are then within 1e-5


class Image(NamedTuple):
    """The image potential of a film."""

    strength: float  # A, eV m
    length: float  # L, m
    left: float | None  # eV, of the band edge at the left metal above the bottom of its band; None without a metal
    right: float | None


def image_of(device: Device, temperature: float, thickness: float, left_shift: float) -> Image | None:
    """Image potential of a film of a thickness [m], its band edge at the left moved by a shift [eV]; None without."""
    if device.film.image_permittivity is None:
        return None
    strength = ELEMENTARY_CHARGE / (16 * math.pi * VACUUM_PERMITTIVITY * device.film.image_permittivity)
    forms = device.left.form(temperature), device.right.form(temperature)
    shifts = left_shift, 0.0
    depths = [
        max(form.barrier + shift - form.bottom, 0.0) if isinstance(form, Straight) else None
        for form, shift in zip(forms, shifts, strict=True)
    ]
    return Image(strength, thickness, *depths)


def image_pieces(image: Image, whole: Image, nodes: np.ndarray, own_nodes: np.ndarray) -> np.ndarray:
    """Table (M, PIECES) of `physics.bands` of a column.

    whole : image of the device, whose cuts all columns have   nodes, own_nodes : (P,) m, ends of the pieces of the band of
        the device and of the column
    """
    cuts = cuts_of(whole, nodes)
    middle = 0.5 * (cuts[1:] + cuts[:-1])
    owner = np.searchsorted(nodes, middle) - 1
    start, length = nodes[owner], np.diff(nodes)[owner]
    low, high = cuts[:-1], cuts[1:]
    own_low, own_high = np.interp(low, nodes, own_nodes), np.interp(high, nodes, own_nodes)
    at_low, at_high = potential(image, own_low), potential(image, own_high)
    shift = mean_potential(image, own_low, own_high) - 0.5 * (at_low + at_high)
    return np.column_stack((owner, (low - start) / length, (high - start) / length, at_low + shift, at_high + shift))


def cuts_of(image: Image, nodes: np.ndarray) -> np.ndarray:
    """Ends of the pieces [m]: those of the band, cut again so that a piece is short beside its distance from a metal."""
    cuts = [nodes[:1]]
    for low, high in pairwise(nodes):
        near_left = image.right is None or low + high < image.length
        if image.left is not None and near_left:
            cuts.append(graded(low, high, end_of_image(image, image.left))[1:])
        else:
            assert image.right is not None  # an image has a metal on one side at least
            away = image.length - high, image.length - low
            cuts.append(image.length - graded(*away, end_of_image(image, image.right))[-2::-1])
        cuts[-1][-1] = high
    return np.concatenate(cuts)


def graded(low: float, high: float, end: float) -> np.ndarray:
    """Points from low to high [m], distances from a metal, in steps of at most GROWTH of that; one step below `end`."""
    if end >= high:
        return np.array([low, high])
    first = max(low, end)
    steps = max(1, math.ceil(math.log(high / first) / math.log1p(GROWTH)))
    points = np.geomspace(first, high, steps + 1)
    return points if low >= end else np.concatenate(([low], points))


def end_of_image(image: Image, depth: float) -> float:
    """Distance from a metal [m] up to which the potential is -depth [eV], half of the film at most between two metals."""
    alone = image.strength / depth if depth > 0 else math.inf
    if image.left is None or image.right is None:
        return min(alone, image.length)
    half = 0.5 * image.length
    if far_potential(image, half) <= -depth:
        return half
    return scipy.optimize.brentq(lambda x: far_potential(image, x) + depth, 0.5 * min(alone, half), half, xtol=1e-18)


def far_potential(image: Image, x: Values) -> Values:
    """Image potential [eV] at x (n,) [m], without its end at the metals."""
    if image.right is None:
        return -image.strength / x
    if image.left is None:
        return -image.strength / (image.length - x)
    s = x / image.length
    sums = scipy.special.digamma(s) + scipy.special.digamma(1 - s)
    return image.strength / image.length * (sums + 2 * np.euler_gamma)


def antiderivative(image: Image, x: np.ndarray) -> np.ndarray:
    """Integral of `far_potential` [eV m] up to x (n,) [m], but for a constant."""
    if image.right is None:
        return np.asarray(-image.strength * np.log(x))
    if image.left is None:
        return np.asarray(image.strength * np.log(image.length - x))
    s = x / image.length
    return image.strength * (scipy.special.gammaln(s) - scipy.special.gammaln(1 - s) + 2 * np.euler_gamma * s)


def image_ends(image: Image) -> tuple[float, float]:
    """Points [m] between which the potential is the image potential; it is constant from there to a metal.

    Without a metal on a side, the end of the film there.
    """
    left = 0.0 if image.left is None else end_of_image(image, image.left)
    right = image.length if image.right is None else image.length - end_of_image(image, image.right)
    return left, right


def potential(image: Image, x: np.ndarray) -> np.ndarray:
    """Image potential [eV] at x (n,) [m]."""
    left, right = image_ends(image)
    values = far_potential(image, np.clip(x, left, right)) if left < right else np.zeros_like(x)
    values = np.where(x < left, -(image.left or 0.0), values)
    return np.where(x > right, -(image.right or 0.0), values)


def mean_potential(image: Image, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Mean of the image potential [eV] from low to high (n,) [m], exact."""
    left, right = image_ends(image)
    near_left = np.minimum(high, left) - np.minimum(low, left)
    near_right = np.maximum(high, right) - np.maximum(low, right)
    area = -(image.left or 0.0) * near_left - (image.right or 0.0) * near_right
    if left < right:
        area = (
            area + antiderivative(image, np.clip(high, left, right)) - antiderivative(image, np.clip(low, left, right))
        )
    return area / (high - low)
