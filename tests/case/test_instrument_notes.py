"""Keys of the instrument that have no effect on what a drive gives: named."""

import pytest
from devices import BARE, case

from otjdd.case.case import load_case
from otjdd.case.notes import hop_note
from otjdd.case.notes import instrument_notes as notes

CURVE = 'drive = { kind = "iv", voltages = ["0.3 V", "1 V"] }\n'
READ = 'drive = { kind = "pulse", voltage = "1 V", width = "1 us", read = {} }\n'
HOLD = 'drive = { kind = "hold", voltage = "1 V", duration = "1 us" }\n'


@pytest.mark.parametrize(
    ("drive", "circuit", "words"),
    [
        (CURVE, {"range": 1e-12, "bandwidth": 1.0}, "circuit.range, circuit.bandwidth act on"),
        (CURVE, {"time_constant": 1e-6}, "no effect on this drive"),
        (READ, {"range": 1e-12}, "reads are those of the junction"),
        (READ, {"time_constant": 1e-6}, None),
        (HOLD, {"range": 1e-12, "bandwidth": 1.0}, None),
        (CURVE, {"series_resistance": 50.0}, None),
    ],
)
def test_keys_of_the_instrument_that_do_nothing_are_noted(drive, circuit, words):
    found = notes(case(drive + BARE, **{f"circuit__{key}": value for key, value in circuit.items()}))
    assert len(found) == (words is not None)
    assert all(words in line for line in found)


def test_a_hop_distance_beside_the_linear_law_is_noted():
    linear = {"ions.law": "linear", "ions.hop_distance": "0.3 nm"}
    assert "no effect" in hop_note(load_case("junction", linear))
    assert hop_note(load_case("junction", linear | {"ions.law": "mott-gurney"})) == ""
