"""Kinds of columns: junctions side by side that share the voltage."""

import numpy as np
import pytest
from devices import BARE

from otjdd.case.case import parse_case
from otjdd.errors import CaseError
from otjdd.runs.run import run

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


def test_kinds_without_a_common_resistance_are_junctions_of_their_own():
    case = kinds()
    together = run(case)
    alone = [
        kinds("").replace({"device.left.barrier": "0.6 eV", "ions.density": "5e25 1/m^3"}),
        kinds("").replace({"columns.count": 2, "columns.spread": {KEY: {"law": "uniform", "width": "60 meV"}}}),
    ]
    for number, (one, share) in enumerate(zip(alone, (0.25, 0.5), strict=True)):
        own = run(one)
        assert together.kind_read_current.values[:, number] == pytest.approx(share * own.read_current.values, rel=2e-3)
        position = own.vacancy_mean_position.values[-1]
        assert together.kind_vacancy_mean_position.values[-1, number] == pytest.approx(position, rel=1e-3)
    assert together.kind.values.tolist() == ["background", "switching"]
    assert together.kind_share.values.tolist() == [0.25, 0.5]
    assert together.kind_read_current.sum("kind").values == pytest.approx(together.read_current.values, rel=1e-12)
    total = together.kind_conduction_current.sum("kind").values
    assert total == pytest.approx(together.conduction_current.values, rel=1e-12)


def test_the_junction_cut_into_equal_kinds_is_the_junction():
    whole = run(kinds(""))
    halves = run(kinds('[[columns.kinds]]\nname = "a"\nshare = 0.5\n[[columns.kinds]]\nname = "b"\nshare = 0.5\n'))
    assert halves.read_current.values == pytest.approx(whole.read_current.values, rel=1e-5)
    assert halves.electrode_charge.values[-1] == pytest.approx(whole.electrode_charge.values[-1], rel=1e-6)


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        (KINDS.replace("0.25", "0.7"), "share", "add up to 1"),
        ('[[columns.kinds]]\nname = "a"\nshare = 0.5\nset = { "device.radius" = "1 um" }\n', "device.radius", "one area"),
        ('[[columns.kinds]]\nname = "a"\nshare = 0.5\nset = { temperature = "1 K" }\n', "temperature", "one of it"),
        ('[[columns.kinds]]\nname = "a"\nshare = 0.5\nset = { "device.left.barier" = "1 eV" }\n', "barier", '"barrier"?'),
        ('[[columns.kinds]]\nname = "a"\nshare = 0.5\nset = { "device.left.barrier" = "1 V" }\n', "barrier", "an energy"),
        ('[[columns.kinds]]\nname = "a"\nshare = 0.5\ncount = 0\n', "count", "from 1 to 256"),
        ('[columns]\nkinds = []\n', "kinds", "a list of 1 to 16"),
        ('[columns]\ntogether = ["ions.density", "ions.well_left"]\n', "columns", "keys of a spread"),
        ('[columns]\ncount = 9\nspread = { "ions.density" = { law = "exponential", scale = "-2e25 1/m^3" } }\n',
         "ions.density", "above 0 1/m^3 and below 1e+28 1/m^3, got -2.47e+25 1/m^3 in column 9 of 9"),
        ('[columns]\ncount = 17\nspread = { "ions.density" = "1e23 1/m^3", "ions.activation_energy" = "1 meV" }\n',
         "columns.count", "256 columns at most, got 289 in all"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_kinds_is_told_with_its_line(text, where, said):
    with pytest.raises(CaseError) as found:
        kinds(text)
    (problem,) = found.value.problems
    assert where in problem.key
    assert said in str(problem)
    assert problem.line > 5


def test_a_bare_number_that_python_sets_in_a_kind_is_text_with_its_unit():
    case = kinds().replace({'columns.kinds[0].set."device.left.barrier"': 0.61})
    assert case.columns.kinds[0].set["device.left.barrier"] == "0.61 eV"
    assert parse_case(case.resolved()) == case
    with pytest.raises(CaseError, match="one area"):
        kinds().replace({'columns.kinds[0].set."device.radius"': 1e-6})


def test_curves_at_frozen_ions_are_the_sums_of_their_kinds():
    drive = 'drive = { kind = "iv", start = "-0.4 V", stop = "0.4 V", step = "0.4 V" }\n'
    together = run(parse_case(drive + BARE + KINDS))
    assert together.kind_bias_current.sum("kind").values == pytest.approx(together.bias_current.values, rel=1e-12)
    alone = run(parse_case(drive + BARE).replace({"device.left.barrier": "0.6 eV", "ions.density": "5e25 1/m^3"}))
    background = together.kind_bias_current.sel(kind="background").values
    assert background == pytest.approx(0.25 * alone.bias_current.values, rel=1e-4)


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


def test_kinds_come_back_from_their_text():
    case = kinds()
    again = parse_case(case.resolved())
    assert again == case
    assert np.isclose(again.replace("columns.kinds[0].share", 0.1).columns.kinds[0].share, 0.1)
