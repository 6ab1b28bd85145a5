"""A start from the end of a result: on its own grid to the bit, on any other with all of its ions."""

import numpy as np
import pytest
from devices import JUNCTION

from otjdd.case.case import parse_case
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
    size = film.device.film
    width = np.diff(model.grid_faces(size.thickness, size.cells, size.grading))
    return initial.from_result(film, model.members(film)), width


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
            "columns of unlike thickness",
        ),
    ):
        with pytest.raises(ValueError, match=said):
            start(film.replace(changes))
