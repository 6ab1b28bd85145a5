"""Kinds of columns: junctions side by side that share the voltage."""

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
