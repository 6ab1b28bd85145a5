"""Axes of a compact model: nodes that are chosen, names of parameters, and polynomials through the nodes."""

import numpy as np
import pytest

from otjdd.case.case import load_case
from otjdd.compact_models.axes import axes_of, middles_of_nodes, monomials, node_counts, node_weights, points, powers
from otjdd.errors import CaseError

VARY = {
    "device.film.thickness": ("2.6 nm", "3.0 nm"),
    "temperature": ("250 K", "400 K", 4),
    "device.left.barrier": (0.6, 0.65, 2),
}


@pytest.fixture(scope="module")
def axes():
    return axes_of(load_case("li2019"), VARY)


def test_axes_have_the_value_of_the_case_and_the_temperature_first(axes):
    assert [axis.name for axis in axes] == ["temperature", "thickness", "left_barrier"]
    assert node_counts(axes) == (4, 3, 3)
    temperature, thickness, barrier = (axis.values for axis in axes)
    assert 300.0 in temperature
    assert thickness == pytest.approx((2.6e-9, 2.8e-9, 3.0e-9))
    assert barrier == (0.6, 0.6243, 0.65)
    assert len(points(axes)) == 36
    assert len(middles_of_nodes(axes)) == 12


def test_nodes_are_even_in_the_inverse_temperature_and_one_is_that_of_the_case():
    middle = 2.0 / (1.0 / 250.0 + 1.0 / 400.0)
    for own, inner in ((300.0, [300.0]), (250.0, [middle]), (260.0, [260.0, middle])):
        (axis,) = axes_of(load_case("li2019", {"temperature": f"{own} K"}), {"temperature": (250.0, 400.0, 3)})
        assert axis.values == pytest.approx([250.0, *inner, 400.0])


def test_polynomials_through_the_nodes_are_those_of_their_degree(axes):
    """Against the polynomial itself, in 1/T, thickness and barrier, between the nodes and at them."""

    def values(point):
        kelvin, thickness, barrier = point
        x, y, z = 300.0 / kelvin, thickness / 1e-9, barrier
        return np.array([x**3 - y**2 * z + 2.0, x * y * z**2])

    at_nodes = np.array([values(point) for point in points(axes)])
    coefficients = monomials(at_nodes, axes)
    for point in [(333.0, 2.71e-9, 0.61), (260.0, 3.0e-9, 0.6), points(axes)[7]]:
        assert node_weights(point, axes) @ at_nodes == pytest.approx(values(point), rel=1e-9)
        along = [powers(axis, [value])[0] for axis, value in zip(axes, point, strict=True)]
        assert np.einsum("qabc,a,b,c->q", coefficients, *along) == pytest.approx(values(point), rel=1e-9)


def test_without_an_axis_a_quantity_is_a_number():
    assert monomials(np.array([[1.0, 2.0]]), ()).tolist() == [[1.0], [2.0]]
    assert node_weights((), ()).tolist() == [1.0]


@pytest.mark.parametrize(
    ("vary", "words"),
    [
        ({"temperature": (10.0, 400.0)}, "20 K to 1500 K"),
        ({"device.film.cells": (50, 200)}, "the count 100"),
        ({"device.left.kind": (0, 1)}, "number of the case"),
        ({'columns.spread."ions.activation_energy"': (0.05, 0.08)}, "names of their own"),
        (VARY | {"ions.density": (4e26, 5e26)}, "2 keys at most with the temperature"),
    ],
)
def test_numbers_that_make_no_axis_are_refused(vary, words):
    with pytest.raises(CaseError, match=words):
        axes_of(load_case("li2019"), vary)
