"""Results of films of several layers: what they keep, small signals, kinds that differ in a layer."""

import numpy as np
import pytest
from devices import needs_speed
from layered import LINEAR, between_metals, layer

from otjdd.constants import VACUUM_PERMITTIVITY
from otjdd.runs.run import run

pytestmark = needs_speed
PULSES = {"kind": "pulse", "voltage": 0.8, "width": 1e-4, "read": {"voltage": 0.1}}


@pytest.fixture(scope="module")
def stack():
    thin = layer(0.8, 10, permittivity={"law": "linear", "eps_r": 9.0}, ions="none", material="Al2O3")
    return between_metals(thin, layer(1.6, 14, band_offset=-0.2), ions__density=1e26, drive=PULSES).replace(
        {"device.transmission": "wkb", "record.profiles": 3}
    )


@pytest.fixture(scope="module")
def ds(stack):
    return run(stack)


def test_a_result_names_its_layers_and_holds_their_vacancies_and_fields(ds):
    assert ds.layer.values.tolist() == ["Al2O3", "layer 2"]
    np.testing.assert_allclose(ds.layer_end, [0.8e-9, 2.4e-9], rtol=1e-12)
    sheet = (ds.vacancy_concentration * ds.cell_width).sum("x")
    np.testing.assert_allclose(ds.layer_vacancies.sum("layer"), sheet, rtol=1e-12)
    assert (ds.layer_vacancies.sel(layer="Al2O3") == 0.0).all()
    np.testing.assert_allclose(sheet, 1e26 * 1.6e-9, rtol=1e-9)
    # no charge in the first layer: its field is that of the charge of the left electrode
    shots = [int(np.argmin(np.abs(ds.time.values - t))) for t in ds.snapshot_time.values]
    E = ds.electrode_charge.values[shots[-1]] / (9.0 * VACUUM_PERMITTIVITY)
    assert ds.layer_field.values[-1, 0] == pytest.approx(E, rel=1e-6)


def test_the_capacitance_of_two_empty_layers_is_that_of_capacitors_in_series():
    cv = {"kind": "cv", "voltages": [0.0], "frequencies": [1e3], "ions": "frozen"}
    film = between_metals(layer(1.0), layer(2.0, permittivity=LINEAR | {"eps_r": 6.0}), ions__density=1.0, drive=cv)
    C = float(run(film).capacitance.values.ravel()[0])
    metal = film.device.left
    screening = metal.screening_length / metal.relative_permittivity
    length = 1e-9 / 22.0 + 2e-9 / 6.0 + 2.0 * screening
    assert C == pytest.approx(VACUUM_PERMITTIVITY * film.device.junction_area / length, rel=1e-6)


def test_kinds_of_columns_may_differ_in_a_layer(stack):
    thin = {"name": "thin", "share": 0.5, "set": {"device.film.layers[0].thickness": "0.6 nm"}}
    kinds = stack.replace({"columns.kinds": [{"name": "thick", "share": 0.5}, thin]})
    both = run(kinds).kind_read_current.values[-1]
    assert both[1] > 1.5 * both[0] > 0.0


def test_columns_of_unlike_thickness_are_films_whose_layers_are_stretched_in_proportion(stack):
    pulse = {"kind": "pulse", "voltage": 1.2, "width": 1e-3, "read": {"voltage": 0.1}}
    film = stack.replace({"drive": pulse, "record.profiles": 2})
    spread = run(film.replace({"columns.count": 3, "columns.spread": {"device.film.thickness": "0.1 nm"}}))
    current, vacancies = 0.0, []
    for share, deviations in ((1 / 6, -(3**0.5)), (2 / 3, 0.0), (1 / 6, 3**0.5)):  # Gauss-Hermite, of a normal law
        stretch = 1.0 + 0.1 * deviations / 2.4
        alone = run(
            film.replace({f"device.film.layers[{i}].thickness": d * stretch for i, d in ((0, 8e-10), (1, 1.6e-9))})
        )
        current += share * alone.read_current.values
        vacancies.append(alone.vacancy_concentration_columns.values[-1, 0])
    np.testing.assert_allclose(spread.read_current, current, rtol=1e-6)
    ends = spread.vacancy_concentration_columns.values[-1]
    np.testing.assert_allclose(ends, vacancies, rtol=1e-4)
    assert not np.allclose(ends[0], ends[2], rtol=1e-2)
