"""A run that starts from a profile in a text file."""

import numpy as np
import pytest
from devices import JUNCTION

from otjdd.case.case import load_case, parse_case
from otjdd.errors import CaseError
from otjdd.runs.run import differences, rerun, run
from otjdd.solver import initial, model
from otjdd.solver.profile_start import read_profile

HEADER = "x (nm), concentration (1/m^3)\n"
ROWS = HEADER + "0.4, 1e26\n1.0, 5e26\n2.2, 2e26\n"
DENSITY = next(line for line in JUNCTION.splitlines() if line.startswith("density = "))
FROM_PROFILE = JUNCTION.replace(DENSITY, 'initial = { profile = "profile.csv" }')


def written(folder, text=ROWS):
    path = folder / "profile.csv"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder, text, thickness=2.8e-9):
    return read_profile(written(folder, text), thickness, 1e28)


def test_cells_hold_as_many_vacancies_as_the_file(tmp_path):
    profile = read(tmp_path, ROWS)
    total = 1e26 * 0.4e-9 + 3e26 * 0.6e-9 + 3.5e26 * 1.2e-9 + 2e26 * 0.6e-9
    for cells, grading in ((8, 1.0), (40, 20.0)):
        faces = model.grid_faces(2.8e-9, cells, grading)
        c = profile.cells(faces)
        assert (c * np.diff(faces)).sum() == pytest.approx(total, rel=1e-13)
        inner = np.interp(0.5 * (faces[1:] + faces[:-1]), profile.x, profile.c)
        away = np.abs(faces[1:, None] - profile.x).min(axis=1) > np.diff(faces).max()  # cells without a kink in them
        np.testing.assert_allclose(c[away], inner[away], rtol=1e-12)
    assert profile.mean(2.8e-9) == pytest.approx(total / 2.8e-9, rel=1e-13)


def test_any_units_of_these_kinds_and_any_divider(tmp_path):
    same = "# a comment\nx [pm]\tconcentration [1/cm^3]\n400\t1e20\n1000\t5e20\n2200\t2e20\n"
    np.testing.assert_allclose(read(tmp_path, same).cells(np.linspace(0.0, 2.8e-9, 9)),
                               read(tmp_path, ROWS).cells(np.linspace(0.0, 2.8e-9, 9)), rtol=1e-12)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "expected a header with units"),
        ("0, 1e26\n1, 1e26\n", 1, "expected a header with units"),
        ("x, concentration (1/m^3)\n0, 1e26\n", 1, "expected a header with units"),
        ("x (nm)\n0\n", 1, "expected two columns, x and concentration, got 1"),
        ("x (s), concentration (1/m^3)\n0, 1e26\n", 1, "length"),
        (HEADER + "0, 1e26\n0.5, many\n", 3, "expected two numbers, x and concentration, got '0.5 many'"),
        (HEADER + "0, 1e26\n1, nan\n", 3, "not finite"),
        (HEADER + "1, 1e26\n1, 2e26\n", 3, "it rises from line to line"),
        (HEADER + "0, 1e26\n3, 2e26\n", 3, "outside of the film"),
        (HEADER + "0, 1e26\n1, -2e26\n", 3, "between 0 and the site density"),
        (HEADER + "0, 1e26\n1, 1e28\n", 3, "between 0 and the site density"),
        (HEADER + "0, 1e26\n", 2, "1 rows of numbers; a profile has at least two"),
        (HEADER + "0, 0\n1, 0\n", 3, "without vacancies"),
    ],
)
def test_what_is_no_profile_is_told_with_its_line(tmp_path, text, line, words):
    with pytest.raises(ValueError, match=rf"profile\.csv:{line}: .*") as caught:
        read(tmp_path, text)
    assert words in str(caught.value)


def test_a_run_starts_from_the_profile_and_can_be_done_again(tmp_path):
    from otjdd.results import store

    written(tmp_path)
    film = parse_case(FROM_PROFILE, tmp_path)
    ds = run(film)
    profile = read_profile(film.ions.initial.profile, film.device.film.thickness, film.ions.site_density)
    faces = model.grid_faces(film.device.film.thickness, film.device.film.cells, film.device.film.grading)
    np.testing.assert_allclose(ds.vacancy_concentration.values[0], profile.cells(faces), rtol=1e-13)
    assert film.digest != parse_case(FROM_PROFILE, tmp_path).replace("title", "another").digest
    assert parse_case(film.resolved(), tmp_path) == film
    store.write(ds, tmp_path / "run.nc")
    written(tmp_path, HEADER + "0, 1e25\n1, 1e25\n")  # what the file says now does not matter
    assert differences(*rerun(tmp_path / "run.nc")) == []


def test_columns_have_the_profile_stretched_to_their_thickness(tmp_path):
    written(tmp_path)
    film = parse_case(FROM_PROFILE, tmp_path).replace(
        **{"columns.count": 2, "columns.spread": {"device.film.thickness": "0.1 nm"}}
    )
    parts = model.members(film)
    c = initial.start(film, model.junction(film, parts=parts), parts)["c"]
    assert parts[0].thickness != parts[1].thickness
    np.testing.assert_array_equal(c[0], c[1])


def test_density_and_profile_exclude_each_other(tmp_path):
    written(tmp_path)
    with pytest.raises(CaseError, match=r"either density, .* got both"):
        parse_case(FROM_PROFILE.replace("initial = {", DENSITY + "\ninitial = {"), tmp_path)
    with pytest.raises(CaseError, match=r"either density, .* got neither"):
        parse_case(FROM_PROFILE.replace('initial = { profile = "profile.csv" }', ""), tmp_path)


def test_a_profile_takes_the_place_of_the_density_of_a_base(tmp_path):
    written(tmp_path)
    (tmp_path / "base.toml").write_text(JUNCTION, encoding="utf-8")
    above = 'base = "base.toml"\n[ions]\ninitial = { profile = "profile.csv" }\n'
    (tmp_path / "above.toml").write_text(above, encoding="utf-8")
    assert load_case(tmp_path / "above.toml").ions.density is None
    changed = load_case(tmp_path / "base.toml", {"ions.initial": '{ profile = "profile.csv" }'})
    assert changed.ions.density is None
    with pytest.raises(CaseError, match="got both"):
        load_case(tmp_path / "above.toml", {"ions.density": "1e26 1/m^3"})


def test_a_spread_of_the_density_scales_the_profile(tmp_path):
    written(tmp_path)
    film = parse_case(FROM_PROFILE, tmp_path).replace(
        **{"columns.count": 2, "columns.spread": {"ions.density": "1e25 1/m^3"}}
    )
    parts = model.members(film)
    c = initial.start(film, model.junction(film, parts=parts), parts)["c"]
    np.testing.assert_allclose(c[0] / c[1], parts[0].density / parts[1].density, rtol=1e-13)
    assert parts[0].density != parts[1].density
