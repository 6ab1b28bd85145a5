"""Exchange of oxygen in a case: what is refused, with its key and what was expected, and what is written back."""

import pytest
from commands import otjdd

from otjdd.case.case import load_case
from otjdd.errors import CaseError

LEFT, GIVEN = "device.left.exchange", {"rate": "1e-9 m/s", "formation_energy": "4 eV"}

CROSSBAR = {"word_lines": 2, "bit_lines": 2, "line_resistance": "2 ohm"}
POLARISED = {
    "law": "two-level", "saturation": "27 uC/cm^2", "barrier": "1.05 eV", "dipole_length": "7.5 nm", "initial": -1,
}  # fmt: skip


def refused(*words: str, **changes) -> None:
    """A change of the case junction is refused, in a message with these words."""
    with pytest.raises(CaseError) as failure:
        load_case("junction", {key.replace("__", "."): value for key, value in changes.items()})
    message = str(failure.value)
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        ({"rate": "1e-9 m/s"}, ("formation_energy", "equilibrium_density", "neither")),
        (GIVEN | {"equilibrium_density": "1e26 1/m^3"}, ("formation_energy", "both")),
        ({"formation_energy": "4 eV"}, (f"{LEFT}.rate",)),
        (GIVEN | {"oxygen_pressure": "0 Pa"}, (f"{LEFT}.oxygen_pressure", "a pressure from")),
        (GIVEN | {"oxygen_pressure": "1 V"}, (f"{LEFT}.oxygen_pressure", "a voltage")),
        (GIVEN | {"transfer_coefficient": 1.2}, (f"{LEFT}.transfer_coefficient",)),
        (GIVEN | {"initial_filling": 0}, (f"{LEFT}.initial_filling",)),
        (GIVEN | {"capacity": "1e15 1/m^2"}, (f"{LEFT}.capacity", "3e17 1/m^2", "the film holds")),
        (GIVEN | {"capacitty": "1e20 1/m^2"}, ("capacitty", "capacity")),
        ({"rate": "1e-9 m/s", "equilibrium_density": "6e28 1/m^3"}, (f"{LEFT}.equilibrium_density", "site density")),
        (
            {"rate": "1e-9 m/s", "equilibrium_density": "6e26 1/m^3", "oxygen_pressure": "20 kPa"},
            ("formation_energy beside oxygen_pressure",),
        ),
    ],
)
def test_a_wrong_exchange_is_refused_with_its_key(exchange, words):
    refused(*words, **{"device__left__exchange": exchange})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ions.ionisation_energy": "0.1 eV", "device.film.electrons": "balance",
          "device.film.density_of_states": "1e25 1/m^3"}, ("none beside ions.ionisation_energy",)),
        ({"device.film.polarisation": POLARISED}, ("none beside device.film.polarisation",)),
        ({"drive": {"kind": "patterns", "parts": [{"kind": "read", "voltage": "0.1 V"}]}, "crossbar": CROSSBAR},
         ('kind "patterns"', "compact models")),
        ({"ions.law": "linear", f"{LEFT}.hop_distance": "0.3 nm"}, (f"{LEFT}.hop_distance", "no field accelerates")),
        ({"ions.law": "genreith-schriever", f"{LEFT}.hop_distance": "0.3 nm"}, (f"{LEFT}.activation_energy",)),
        ({"drive": {"kind": "impedance", "bias": ["0.1 V"], "frequencies": ["1 kHz"], "settle": True},
          "device.right.exchange": GIVEN}, ("drive.settle", "steady flux")),
        ({"columns.kinds": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "set": {
            "device.left.exchange.rate": "0 m/s"}}]}, ("left electrode that exchanges in all kinds",)),
    ],
)  # fmt: skip
def test_what_does_not_go_with_an_exchange_is_refused_in_words(changes, words):
    refused(*words, **({"device.left.exchange": GIVEN} | changes))


def test_an_exchange_beside_a_layer_without_sites_and_a_compact_model_of_one_are_refused_with_their_line(tmp_path):
    table = 'base = "junction.toml"\n[device.left.exchange]\nrate = "1e-9 m/s"\nformation_energy = "4 eV"\n'
    layer = '[[device.film.layers]]\nthickness = "1 nm"\ncells = 9\ntunnelling_mass = 0.3\n'
    layer += 'permittivity = {law = "linear", eps_r = 9}\nions = "none"\n'
    (tmp_path / "layers.toml").write_text(table + layer + layer.replace("none", "mobile"), encoding="utf-8")
    refusal = otjdd(tmp_path, "check", "layers.toml")
    assert refusal.returncode == 3
    assert "layers.toml:2:14 device.left.exchange: expected none beside device.film.layers" in refusal.stderr
    (tmp_path / "one.toml").write_text(table, encoding="utf-8")
    refusal = otjdd(tmp_path, "compact", "one.toml", "-o", "model")
    assert refusal.returncode == 3
    assert "one.toml:2:14 device.left.exchange: expected none beside a compact model" in refusal.stderr


def test_a_case_with_an_exchange_is_written_back_as_it_is():
    from otjdd.case.case import parse_case

    case = load_case("junction", {LEFT: GIVEN | {"oxygen_pressure": "0.2 bar", "capacity": "5e19 1/m^2"}})
    assert case.device.left.exchange.oxygen_pressure == 2e4
    assert parse_case(case.resolved()) == case


def test_two_levels_that_disagree_are_named_by_check(tmp_path):
    from otjdd.solver.reservoirs import disagreement

    unlike = {LEFT: {"rate": "1e-9 m/s", "equilibrium_density": "1e26 1/m^3"}} | {
        "device.right.exchange": {"rate": "1e-9 m/s", "equilibrium_density": "1e26 1/m^3"}
    }
    note = disagreement(load_case("junction", unlike))
    assert "6.263 eV at the left electrode" in note  # 2 x 3.05 eV + kT ln 549
    assert "from the right to the left electrode" in note
    assert disagreement(load_case("junction", {LEFT: GIVEN, "device.right.exchange": GIVEN})) == ""
    table = '{rate = "1e-9 m/s", equilibrium_density = "1e26 1/m^3"}'
    sets = [word for side in ("left", "right") for word in ("--set", f"device.{side}.exchange={table}")]
    done = otjdd(tmp_path, "check", "junction", *sets)
    assert done.returncode == 3  # its ions begin in equilibrium, of which there is none
    assert "junction ions.initial: expected another state to start from" in done.stderr
    done = otjdd(tmp_path, "check", "junction", *sets, "--set", "ions.initial=uniform")
    assert done.returncode == 0, done.stderr
    assert "at 0 V vacancies pass the film for ever" in done.stdout
