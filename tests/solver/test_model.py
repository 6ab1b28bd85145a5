"""From a case to numbers: the grid, the columns and their weights, the nodes of the electron wave."""

import math

import numpy as np
import pytest
from devices import BARE, BETWEEN_METALS, begin, case, hold, needs_speed
from hypothesis import given, settings
from hypothesis import strategies as st

from otjdd.case.case import load_case, parse_case
from otjdd.case.columns import QUADRATURES, quadrature
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE
from otjdd.errors import CaseError
from otjdd.runs.run import run
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
    nodes, weights = quadrature("gauss-legendre", 6)
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


# kinds of columns: junctions side by side that share the voltage


PULSES = """
drive = { kind = "train", voltage = "0.9 V", width = "1 us", count = 2, period = "3 us", read_each = true }
"""
KEY = "ions.activation_energy"
KINDS = """
[[columns.kinds]]
name = "background"
share = 0.25
set = { "device.left.barrier" = "0.6 eV", "ions.density" = "5e25 1/m^3" }
[[columns.kinds]]
name = "switching"
share = 0.5
count = 2
spread = { "ions.activation_energy" = { law = "uniform", width = "60 meV" } }
"""


def kinds(text=KINDS):
    return parse_case(PULSES + BARE + text)


def test_a_bare_number_that_python_sets_in_a_kind_is_text_with_its_unit():
    case = kinds().replace({'columns.kinds[0].set."device.left.barrier"': 0.61})
    assert case.columns.kinds[0].set["device.left.barrier"] == "0.61 eV"
    assert parse_case(case.resolved()) == case
    with pytest.raises(CaseError, match="one area"):
        kinds().replace({'columns.kinds[0].set."device.radius"': 1e-6})


def test_an_admittance_is_that_of_its_kinds_and_what_insulates_has_their_mean_capacitance():
    drive = 'drive = { kind = "cv", start = "-0.2 V", stop = "0.2 V", step = "0.2 V" }\n'
    together, shares = run(parse_case(drive + BARE + KINDS)), (0.25, 0.5)
    alone = [
        run(parse_case(drive + BARE).replace({"device.left.barrier": "0.6 eV", "ions.density": "5e25 1/m^3"})),
        run(
            parse_case(drive + BARE).replace(
                {"columns.count": 2, "columns.spread": {KEY: {"law": "uniform", "width": "60 meV"}}}
            )
        ),
    ]
    capacitance = sum(share * one.capacitance.values for share, one in zip(shares, alone, strict=True)) / sum(shares)
    assert together.capacitance.values == pytest.approx(capacitance, rel=1e-4)
    for name in "capacitance", "conductance_ac":
        assert together[f"kind_{name}"].sum("kind").values == pytest.approx(together[name].values, rel=1e-12)
    of_minority = together.kind_conductance_ac.isel(kind=1).values
    assert of_minority == pytest.approx(0.5 * alone[1].conductance_ac.values, rel=1e-4)


# migration barriers that differ along the film: an exact solution, and what they leave as it is


def slowest_rate(rise: float, D0: float, L: float, kT: float) -> float:
    """Rate [1/s] of the slowest mode of diffusion between blocking ends with D = D0 exp[-rise (x/L - 1/2)/kT].

    The flux obeys J'' + (rate/D) J = 0, so J = A J_0(s) + B Y_0(s) with s = (2L/r) sqrt(rate/D), r = |rise|/kT.
    """
    from scipy.optimize import brentq
    from scipy.special import j0, y0

    r = abs(rise) / kT

    def at_both_ends(rate: float) -> float:
        left, right = (2 * L / r * math.sqrt(rate / D0) * math.exp(r * end / 2) for end in (-0.5, 0.5))
        return j0(left) * y0(right) - j0(right) * y0(left)

    rates = D0 / L**2 * np.geomspace(1e-3, 1e3, 4000)
    values = [at_both_ends(rate) for rate in rates]
    first = next(i for i in range(len(rates) - 1) if values[i] * values[i + 1] < 0)
    return brentq(at_both_ends, rates[first], rates[first + 1], rtol=1e-12)


@pytest.mark.parametrize("rise", [0.15, -0.15])
@needs_speed
def test_dilute_vacancies_spread_as_fast_as_the_exact_solution_says(rise):
    film = case(
        BETWEEN_METALS, ions__density=1e15, ions__activation_energy_rise=rise, device__film__cells=100,
        device__film__grading=1.0, device__film__fixed_charge=0.0,
    )  # fmt: skip
    kT, L = film.temperature * BOLTZMANN_EV, film.device.film.thickness
    D0 = film.ions.prefactor * math.exp(-film.ions.activation_energy / kT)
    rate = slowest_rate(rise, D0, L, kT)
    x = (np.arange(100) + 0.5) / 100
    run, modes = begin(film, film.ions.density * (1 + 0.5 * np.cos(math.pi * x)), rtol=1e-7, atol=1e-12), []
    for duration in (4.0 / rate, 1.0 / rate):
        hold(run, 0.0, duration)
        modes.append(run.state.c[0, 0] / film.ions.density - 1)
    assert math.log(modes[0] / modes[1]) == pytest.approx(1.0, rel=2e-4)


def test_the_barrier_in_the_middle_is_that_of_the_case_and_each_face_has_its_diffusivity():
    film = case(ions__activation_energy=0.6, ions__activation_energy_rise=-0.2, device__film__cells=12)
    for T in (250.0, 300.0, 400.0):
        columns, kT = model.junction(film, T).columns, T * BOLTZMANN_EV
        assert columns.barrier[0, [0, 6, 12]] == pytest.approx([0.7, 0.6, 0.5])
        np.testing.assert_allclose(columns.diffusivity, 5e-7 * np.exp(-columns.barrier / kT), rtol=1e-13)
