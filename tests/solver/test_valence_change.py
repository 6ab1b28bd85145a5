"""The two signs of switching of the case `vcm-cell`: what turns them, and what does not."""

import pytest

from otjdd.analysis.synapse import loop
from otjdd.case.case import load_case, shipped_cases
from otjdd.runs.run import run


def loop_of(thickness: str, **changes) -> dict[str, float]:
    case = load_case(shipped_cases() / "vcm-cell.toml").replace("device.film.thickness", thickness)
    for key, value in changes.items():
        case = case.replace(key.replace("__", "."), value)
    return loop(run(case))


def test_a_thin_film_is_set_by_a_positive_voltage_and_a_thick_one_by_a_negative():
    thin, thick = loop_of("2.8 nm"), loop_of("10 nm")
    assert (thin["polarity"], thick["polarity"]) == (1, -1)
    assert thin["ratio"] > 1e3
    assert thick["ratio"] > 50


@pytest.mark.parametrize(("per_area", "polarity"), [(1e18, 1), (3e18, -1)])
@pytest.mark.parametrize("thickness", [2.8, 10.0])
def test_the_number_of_vacancies_per_area_decides(per_area, polarity, thickness):
    density = f"{per_area / (thickness * 1e-9)} 1/m^3"
    assert loop_of(f"{thickness} nm", ions__density=density)["polarity"] == polarity


def test_electrons_open_the_window_of_a_thick_film():
    without = loop_of("10 nm", device__film__electrons="none")
    assert without["polarity"] == -1
    assert 10 * without["ratio"] < loop_of("10 nm")["ratio"]
