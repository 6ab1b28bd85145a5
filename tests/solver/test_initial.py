"""A start from the end of a result: on its own grid to the bit, on any other with all of its ions."""

import numpy as np
import pytest
from devices import JUNCTION
from layered import layer, stacked

from otjdd.case import toml_text
from otjdd.case.case import parse_case
from otjdd.errors import CaseError
from otjdd.results import outputs, store
from otjdd.solver import initial, model


@pytest.fixture
def film(tmp_path):
    """A case that starts from a result whose ions stand close to its right end."""
    case = parse_case(JUNCTION, allow_outside=True)
    size = case.device.film
    faces = model.grid_faces(size.thickness, size.cells, size.grading)
    x = model.centres(faces)
    c = case.ions.density * (0.1 + 3.0 * np.exp(-(((x / size.thickness - 0.9) / 0.1) ** 2)))
    arrays = {
        "cell_width": np.diff(faces), "vacancy_concentration_columns": c[None, None, :], "snapshot_time": np.zeros(1),
    }  # fmt: skip
    store.write(outputs.dataset(arrays, {"x": x}, {"case_resolved": case.resolved()}), tmp_path / "end.nc")
    return case.replace("ions.initial", {"result": str(tmp_path / "end.nc")})


def start(film):
    """Concentrations that a case starts from, and the widths of its cells."""
    width = np.diff(model.film_faces(film.device.film))
    parts = model.members(film)
    return initial.from_result(film, model.junction(film, parts=parts), parts)["c"], width


@pytest.mark.parametrize(
    "changes",
    [
        {"device.film.grading": 2.0},
        {"device.film.cells": 41},
        {"device.film.thickness": "3.2 nm", "device.film.grading": 1.0},
    ],
)
def test_the_end_of_a_result_keeps_its_ions_on_any_grid(film, changes):
    before, width = start(film)
    np.testing.assert_array_equal(before, store.read(film.ions.initial.result).vacancy_concentration_columns[-1])
    c, after = start(film.replace(changes))
    assert c.shape != before.shape or not np.array_equal(c, before)
    np.testing.assert_allclose((c * after).sum(), (before * width).sum(), rtol=1e-12)
    u, v = ((np.cumsum(w) - 0.5 * w) / w.sum() for w in (width, after))
    np.testing.assert_allclose((c * after) @ v, (before * width) @ u, rtol=0.01)  # and their place


def test_what_is_no_start_for_a_film_is_refused(film, tmp_path):
    store.write(outputs.dataset({"voltage": [0.0]}, {"time": [0.0]}), tmp_path / "iv.nc")
    for changes, said in (
        ({"ions.initial": {"result": str(tmp_path / "iv.nc")}}, "no state to start from"),
        ({"columns.count": 3}, "columns: 1, the case has 3"),
        ({"device.film.thickness": "0.5 nm", "ions.site_density": 1.01 * film.ions.density}, "above the site density"),
        (
            {"device.film.cells": 9, "columns.spread": {"device.film.thickness": "0.1 nm"}},
            "columns of different thickness",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            start(film.replace(changes))


def end_of(case, c, folder):
    """The case, begun from a result of its film whose concentrations are c (N,)."""
    faces = model.film_faces(case.device.film)
    arrays = {
        "cell_width": np.diff(faces), "vacancy_concentration_columns": c[None, None, :], "snapshot_time": np.zeros(1),
        "layer_end": np.cumsum([sheet.thickness for sheet in case.device.film.stack]),
    }  # fmt: skip
    store.write(
        outputs.dataset(arrays, {"x": model.centres(faces)}, {"case_resolved": case.resolved()}), folder / "e.nc"
    )
    there = parse_case(case.resolved(), allow_outside=True)
    return there.replace("ions.initial", {"result": str(folder / "e.nc")})


def in_layers(c, film):
    """Vacancies per area in each layer."""
    first = np.cumsum([0, *(sheet.cells for sheet in film.device.film.stack)])[:-1]
    return np.add.reduceat(c * np.diff(model.film_faces(film.device.film)), first)


def test_each_layer_is_stretched_for_itself(tmp_path):
    """Thin layers become thick ones and thick ones thin: none of their vacancies goes over an interface."""
    before = stacked(layer(0.9, 12), layer(0.2, 4, ions="none"), layer(1.4, 20, grading=4.0))
    c = np.concatenate((np.geomspace(1e25, 3e26, 12), np.zeros(4), np.linspace(2e26, 1e24, 20)))
    held = in_layers(c, before)
    for thickness, cells in ((0.2, 12), (0.9, 7), (2.1, 30)):
        changes = {"device.film.layers[0].thickness": thickness * 1e-9, "device.film.layers[0].cells": cells}
        after = end_of(before, c, tmp_path).replace(changes | {"device.film.layers[1].thickness": 0.3e-9})
        there = start(after)[0][0]
        np.testing.assert_allclose(in_layers(there, after), held, rtol=1e-12)
        assert not there[cells : cells + 4].any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device.film.layers[1].ions": "none"}, r"1e\+26 1/m\^3 at x = 1.04 nm .* in a layer without sites of ions"),
        ({"device.film.layers[1].site_density": 1.1e26}, None),
        ({"device.film.layers": [layer(2.0, 24)]}, "layers: 2, the film of the case has 1"),
    ],
)
def test_a_start_where_there_are_no_sites_or_other_layers_is_refused_in_words(tmp_path, changes, words):
    before = stacked(layer(1.0, 12), layer(1.0, 12), ions__density=1e26)
    case = end_of(before, np.full(24, 1e26), tmp_path).replace(changes)
    if words is None:
        assert (start(case)[0] == 1e26).all()
        return
    with pytest.raises(ValueError, match=words):
        start(case)


def test_the_density_of_a_case_that_begins_from_a_result_is_that_of_the_result(film):
    plain = film.plain()
    density = plain["ions"].pop("density")
    without = parse_case(toml_text.write(plain), allow_outside=True)
    assert without.ions.density is None
    np.testing.assert_array_equal(start(without)[0], start(film)[0])
    c, width = start(film)
    assert model.members(without)[0].density == pytest.approx((c @ width / width.sum())[0])
    with pytest.raises(CaseError, match="either density"):
        parse_case(toml_text.write(plain | {"ions": plain["ions"] | {"initial": "uniform"}}))
    assert density
