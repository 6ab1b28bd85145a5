"""The image potential of an electron in the film, cut into pieces for the transmission, straight in each.

Next to one metal it is -A/x with A = e/(16 pi eps0 eps_i), eps_i the permittivity for the short time of a passage (Sze &
Ng, Physics of Semiconductor Devices, section 3.2.4). Between two metals all images of images add up to
(A/L) [psi(x/L) + psi(1 - x/L) + 2 gamma], psi the digamma function. That is the sum of Simmons, J. Appl. Phys. 34, 1793
(1963), eq. 33, in closed form. A doped oxide has nearly the permittivity of the film, and makes no image. The potential
ends at the bottom of the band of the metal, which it would pass some 0.01 nm from it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from otjdd.case.device import Device
from otjdd.case.electrodes import Straight
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY

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


def image_pieces(image: Image, whole: Image, nodes: np.ndarray) -> np.ndarray:
    """Table (M, PIECES) of `physics.image_force` of a column.

    whole : image of the device, whose cuts all columns have   nodes : (P,) m, ends of the pieces of its band
    """
    cuts = cuts_of(whole, nodes)
    middle = 0.5 * (cuts[1:] + cuts[:-1])
    owner = np.searchsorted(nodes, middle) - 1
    start, length = nodes[owner], np.diff(nodes)[owner]
    low, high = cuts[:-1], cuts[1:]
    stretch = image.length / whole.length
    at_low, at_high = potential(image, stretch * low), potential(image, stretch * high)
    shift = mean_potential(image, stretch * low, stretch * high) - 0.5 * (at_low + at_high)
    return np.column_stack((owner, (low - start) / length, (high - start) / length, at_low + shift, at_high + shift))


def cuts_of(image: Image, nodes: np.ndarray) -> np.ndarray:
    """Ends of the pieces [m]: those of the band, cut again so that a piece is short beside its distance from a metal."""
    cuts = [nodes[:1]]
    for low, high in pairwise(nodes):
        near_left = image.right is None or low + high < image.length
        if image.left is not None and near_left:
            cuts.append(graded(low, high, end_of(image, image.left))[1:])
        else:
            assert image.right is not None  # an image has a metal on one side at least
            away = image.length - high, image.length - low
            cuts.append(image.length - graded(*away, end_of(image, image.right))[-2::-1])
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


def end_of(image: Image, depth: float) -> float:
    """Distance from a metal [m] up to which the potential is -depth [eV], half of the film at most between two metals."""
    alone = image.strength / depth if depth > 0 else math.inf
    if image.left is None or image.right is None:
        return min(alone, image.length)
    from scipy.optimize import brentq

    half = 0.5 * image.length
    if far_potential(image, half) <= -depth:
        return half
    return brentq(lambda x: far_potential(image, x) + depth, 0.5 * min(alone, half), half, xtol=1e-18)


def far_potential(image: Image, x: Values) -> Values:
    """Image potential [eV] at x (n,) [m], without its end at the metals."""
    if image.right is None:
        return -image.strength / x
    if image.left is None:
        return -image.strength / (image.length - x)
    from scipy.special import digamma

    s = x / image.length
    return image.strength / image.length * (digamma(s) + digamma(1 - s) + 2 * np.euler_gamma)


def antiderivative(image: Image, x: np.ndarray) -> np.ndarray:
    """Integral of `far_potential` [eV m] up to x (n,) [m], but for a constant."""
    if image.right is None:
        return np.asarray(-image.strength * np.log(x))
    if image.left is None:
        return np.asarray(image.strength * np.log(image.length - x))
    from scipy.special import gammaln

    s = x / image.length
    return image.strength * (gammaln(s) - gammaln(1 - s) + 2 * np.euler_gamma * s)


def image_ends(image: Image) -> tuple[float, float]:
    """Points [m] between which the potential is the image potential; it is constant from there to a metal.

    Without a metal on a side, the end of the film there.
    """
    left = 0.0 if image.left is None else end_of(image, image.left)
    right = image.length if image.right is None else image.length - end_of(image, image.right)
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
