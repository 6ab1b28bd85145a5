"""A start from the end of a result: on its own grid to the bit, on any other with all of its ions."""

import numpy as np
import pytest
from devices import JUNCTION
from layered import layer, stacked

from otjdd.case import toml_text
from otjdd.case.case import load_case, parse_case
from otjdd.errors import CaseError
from otjdd.results import outputs, store
from otjdd.runs.run import differences, rerun, run
from otjdd.solver import initial, model
from otjdd.solver.start import read_profile


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


@pytest.mark.parametrize("share", [0.99, 1.01])
def test_a_film_whose_vacancies_all_came_through_an_electrode_is_no_start(film, tmp_path, share):
    c, width = start(film)
    ds = store.read(film.ions.initial.result)
    passed = [[[share * float(c[0] @ width), 0.0]]]
    store.write(ds.assign(state_passed=(("snapshot", "column", "end"), passed)), tmp_path / "passed.nc")
    after = film.replace("ions.initial", {"result": str(tmp_path / "passed.nc")})
    if share < 1.0:
        np.testing.assert_array_equal(start(after)[0], c)
        return
    with pytest.raises(ValueError, match="its film holds no vacancies in column 1 of 1"):
        start(after)


@pytest.mark.parametrize(("keys", "thickness"), [("spread", "0.1 nm"), ("set", "3.1 nm")])
def test_a_kind_of_columns_of_another_thickness_keeps_its_grid(film, tmp_path, keys, thickness):
    kind = {"name": "all", "share": 1.0, "count": 2, keys: {"device.film.thickness": thickness}}
    ds = store.read(film.ions.initial.result)
    ds = ds.isel(column=[0, 0]).assign_attrs(case_resolved=film.replace("columns.kinds", [kind]).resolved())
    store.write(ds, tmp_path / "kinds.nc")
    after = film.replace({"columns.count": 2, "ions.initial": {"result": str(tmp_path / "kinds.nc")}})
    assert len(start(after)[0]) == 2
    with pytest.raises(ValueError, match="columns of different thickness"):
        start(after.replace("device.film.cells", 9))


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


# a run that starts from a profile in a text file


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
        (HEADER + "1, 1e26\n0.9, 2e26\n", 3, "it rises from line to line"),
        (HEADER + "1, 1e26\n1, 2e26\n1, 3e26\n", 4, "but for two rows at a jump"),
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


def test_each_layer_has_its_part_of_a_profile_with_jumps(tmp_path):
    """Jumps at interfaces, a layer without sites, and columns with a first layer of another thickness."""
    film = stacked(layer(0.9, 12), layer(0.2, 4, ions="none"), layer(1.4, 20, site_density="4e26 1/m^3"))
    written(tmp_path, HEADER + "0.3, 1e26\n0.9, 4e26\n0.9, 0\n1.1, 0\n1.1, 2e26\n2.5, 1e26\n")
    plain = film.plain()
    plain["ions"] = {k: v for k, v in plain["ions"].items() if k != "density"} | {"initial": {"profile": "profile.csv"}}
    thick = {"name": "thick", "share": 0.5, "set": {"device.film.layers[0].thickness": "1.8 nm"}}
    plain["columns"] = {"kinds": [{"name": "thin", "share": 0.5}, thick]}
    film = parse_case(toml_text.write(plain), tmp_path, allow_outside=True)
    parts = model.members(film)
    c = initial.start(film, model.junction(film, parts=parts), parts)["c"]
    there = [0.3e-9 * 1e26 + 0.6e-9 * 2.5e26, 0.0, 1.4e-9 * 1.5e26]
    np.testing.assert_allclose(in_layers(c[0], film), there, rtol=1e-12)
    assert not c[:, 12:16].any()
    np.testing.assert_allclose(c[1], c[0], rtol=1e-12)
    densities = [sum(there) / 2.3e-9, (2.0 * there[0] + there[2]) / 3.2e-9]
    np.testing.assert_allclose([part.density for part in parts], densities, rtol=1e-12)
    for rows, where in (
        ("0.3, 1e26\n1.2, 1e26\n", r"1e\+26 1/m\^3 between x = 0.9\d* and .* with 0 sites"),
        ("1.1, 0\n1.1, 4.1e26\n", r"4.1e\+26 1/m\^3 between x = 1.1 and .* with 4e\+26 sites"),
    ):
        written(tmp_path, HEADER + rows)
        with pytest.raises(ValueError, match=where):
            model.members(film)


def test_kinds_of_columns_start_in_equilibrium_beside_charged_traps_with_a_filling_of_their_own():
    trap = {
        "name": "t",
        "kind": "donor",
        "density": "1e24 1/m^3",
        "depth": "0.5 eV",
        "occupation": "kinetic",
        "initial": 0.4,
    }
    kinds = [
        {"name": "some", "share": 0.3, "set": {"device.left.barrier": "1.1 eV"}}, {"name": "rest", "share": 0.7},
    ]  # fmt: skip
    changes = {"device.traps": [trap | {"attempt_frequency": "1e12 Hz"}], "ions.initial": "equilibrium"}
    case = load_case("junction", changes | {"columns.kinds": kinds, "columns.count": 1, "columns.spread": {}})
    parts = model.members(case)
    c = initial.start(case, model.junction(case, parts=parts), parts)["c"]
    assert not np.allclose(c[0], c[1], rtol=1e-3)  # each in its own field


@pytest.mark.parametrize("later", [[[0.0, -0.5], [1e-4, -0.5]], [[0.0, 0.0], [1e-4, 0.1]]], ids=["jump", "ramp"])
@pytest.mark.parametrize("end", [1.0, -1.0])
def test_a_charged_junction_is_discharged_through_its_resistance_from_the_first_row_on(tmp_path, end, later):
    """Ohm's law of what is in series, with the voltages of each row."""
    R, circuit = 1e6, {"circuit": {"series_resistance": "1 Mohm", "parallel_capacitance": "30 pF"}}
    first = {"kind": "table", "points": [["0 s", "0 V"], ["1 ms", f"{end} V"]]}
    before = parse_case(JUNCTION, allow_outside=True).replace(circuit | {"drive": first})
    store.write(run(before), tmp_path / "charged.nc")
    drive = {"kind": "table", "points": [[f"{t} s", f"{V} V"] for t, V in later]}
    ds = run(before.replace({"drive": drive, "ions.initial": {"result": str(tmp_path / "charged.nc")}})).squeeze()
    assert ds.voltage[0] == 0.0
    assert abs(ds.junction_voltage[0]) > 0.1
    np.testing.assert_allclose(ds.current, (ds.voltage - ds.junction_voltage) / R, rtol=1e-6, atol=1e-13)
