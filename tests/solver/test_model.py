"""From a case to numbers: the grid, the columns and their weights, the nodes of the electron wave."""

import numpy as np
import pytest
from devices import case
from hypothesis import given, settings
from hypothesis import strategies as st

from otjdd.case.case import load_case
from otjdd.case.columns import QUADRATURES, uniform_nodes
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.errors import CaseError
from otjdd.solver import model


@given(thickness=st.floats(1e-10, 1e-7), cells=st.integers(8, 400), grading=st.just(1.0) | st.floats(1.001, 1e3))
@settings(deadline=None, max_examples=60)
def test_grid_spans_the_film_symmetrically_and_finer_towards_its_ends(thickness, cells, grading):
    faces = model.grid_faces(thickness, cells, grading)
    width = np.diff(faces)
    assert faces[-1] == thickness
    assert abs(faces[0]) < 1e-15 * thickness
    assert (width > 0).all()
    np.testing.assert_allclose(width, width[::-1], rtol=1e-9)
    assert (np.diff(width[: cells // 2]) >= -1e-12 * thickness).all()
    assert width.max() / width.min() <= grading * (1 + 1e-9)


def test_grading_is_the_largest_cell_over_the_smallest():
    for grading in (1.0, 5.0, 20.0):
        width = np.diff(model.grid_faces(1.0, 2001, grading))
        assert width.max() / width.min() == pytest.approx(grading, rel=0.02)


def test_doubled_grid_keeps_the_faces_of_the_coarse_one():
    np.testing.assert_allclose(model.grid_faces(1.0, 100, 20.0)[::2], model.grid_faces(1.0, 50, 20.0), atol=1e-15)


@pytest.mark.parametrize("nodes", QUADRATURES)
def test_columns_keep_the_mean_and_the_spread_that_were_asked_for(nodes):
    spread = {"ions.activation_energy": 0.05, "device.film.thickness": 1e-10}
    film = case(columns={"count": 5, "nodes": nodes, "spread": spread})
    parts = model.members(film)
    weight = np.array([p.weight for p in parts])
    assert len(parts) == 25
    assert weight.sum() == pytest.approx(1.0, rel=1e-14)
    for key, mean, spread in (("activation_energy", 0.45, 0.05), ("thickness", 2.8e-9, 1e-10)):
        values = np.array([getattr(p, key) for p in parts])
        assert weight @ values == pytest.approx(mean, rel=1e-12)
        assert weight @ (values - mean) ** 2 == pytest.approx(spread**2, rel=1e-10)


def test_a_uniform_spread_ends_at_root_three_and_has_the_moments_of_a_uniform_distribution():
    nodes, weights = uniform_nodes(6)
    weights = weights / weights.sum()
    assert np.abs(nodes).max() < np.sqrt(3)
    for power in (4, 6):  # of the uniform distribution of unit variance: 3^(n/2)/(n + 1)
        assert weights @ nodes**power == pytest.approx(3 ** (power / 2) / (power + 1), rel=1e-13)


def test_cases_with_equal_sections_share_columns_that_none_can_change():
    one = case(columns={"count": 5, "spread": {"ions.activation_energy": 0.01}})
    warm = one.replace(temperature=350.0)
    parts = model.members(one)
    assert all(a is b for a, b in zip(parts, model.members(warm), strict=True))
    parts.clear()
    assert len(model.members(one)) == 5
    columns = model.junction(one).columns
    columns.width[:] = 0.0  # the arrays of a junction are its own
    assert (model.junction(warm).columns.width > 0.0).all()
    other = model.members(one.replace("ions.activation_energy", "0.5 eV"))
    assert other[2].activation_energy == pytest.approx(0.5)


def test_a_spread_into_the_unphysical_is_refused():
    with pytest.raises(CaseError, match=r"values above 0 eV, got -1\.81 eV in column 1 of 9"):
        case(columns={"count": 9, "spread": {"ions.activation_energy": 0.5}})


def test_distances_sites_and_fixed_charge_add_up_over_the_film():
    film = case(ions__well_left=0.3, ions__well_right=0.8, device__film__fixed_charge=1e26)
    columns = model.junction(film).columns
    assert columns.width.sum() == pytest.approx(2.8e-9, rel=1e-14)
    assert columns.distance.sum() == pytest.approx(2.8e-9, rel=1e-14)
    x = model.centres(model.grid_faces(2.8e-9, 24, 5.0))
    W = model.site_energy(x, 2.8e-9, 0.3, 0.8, film.ions.well_width)
    assert columns.site.sum() == pytest.approx(W[-1] - W[0], abs=1e-14)
    assert columns.fixed[0, 0] == pytest.approx(ELEMENTARY_CHARGE * 1e26 * 2.8e-9, rel=1e-14)
    assert columns.fixed[0, -1] == 0.0


def test_diffusivity_follows_arrhenius_at_the_temperature_asked_for():
    film = case()
    for T in (250.0, 300.0, 400.0):
        columns = model.junction(film, T).columns
        assert columns.diffusivity[0] == pytest.approx(5e-7 * np.exp(-0.45 / (BOLTZMANN_EV * T)), rel=1e-13)


def test_tunnelling_nodes_run_from_end_to_end_without_pieces_shorter_than_asked():
    for cells, grading in ((8, 1.0), (100, 20.0), (400, 1.0)):
        faces = model.grid_faces(2.8e-9, cells, grading)
        nodes = model.layer_nodes((2.8e-9, 2.8e-9), (cells, cells), grading, 1e-4)
        points = np.concatenate(([0.0], model.centres(faces), [2.8e-9]))[nodes]
        assert (nodes[0], nodes[-1]) == (0, cells + 1)
        assert np.array_equal(nodes, cells + 1 - nodes[::-1])  # of a film turned round as well
        shortest, middle = 2.8e-9 / model.FILM_SEGMENTS * (1 - 1e-12), len(nodes) // 2 - 1
        assert (np.delete(np.diff(points), middle) >= shortest).all()
        assert np.diff(points)[middle] >= 0.5 * shortest


def test_a_table_of_barriers_needs_a_metal_at_the_left(tmp_path):
    (tmp_path / "barriers.csv").write_text("value (eV), weight\n0.60, 1\n0.62, 1\n", encoding="utf-8")
    law = {"law": "table", "file": str(tmp_path / "barriers.csv")}
    layer = {"kind": "semiconductor", "band_offset": "0.1 eV", "doping": "1.4e26 1/m^3",
             "density_of_states": "1e26 1/m^3", "permittivity": {"law": "linear", "eps_r": 20}}  # fmt: skip
    changes = {"device.left": layer, "columns.count": 2, "columns.spread": {"device.left.barrier": law}}
    with pytest.raises(ValueError, match="needs a metal"):
        model.members(load_case("li2019", changes, allow_outside=True))
