"""Exchange of oxygen in a case: what is refused, with its key and what was expected, and what is written back."""

from commands import otjdd

from otjdd.case.case import load_case

LEFT, GIVEN = "device.left.exchange", {"rate": "1e-9 m/s", "formation_energy": "4 eV"}


def test_an_exchange_beside_a_layer_without_sites_and_a_compact_model_of_one_are_refused_with_their_line(tmp_path):
    table = 'base = "junction.toml"\n[device.left.exchange]\nrate = "1e-9 m/s"\nformation_energy = "4 eV"\n'
    layer = '[[device.film.layers]]\nthickness = "1 nm"\ncells = 9\ntunnelling_mass = 0.3\n'
    layer += 'permittivity = {law = "linear", eps_r = 9}\nions = "none"\n'
    (tmp_path / "layers.toml").write_text(table + layer + layer.replace("none", "mobile"), encoding="utf-8")
    refusal = otjdd(tmp_path, "check", "layers.toml")
    assert refusal.returncode == 3
    assert "layers.toml:2:14 device.left.exchange: expected none with device.film.layers" in refusal.stderr
    (tmp_path / "one.toml").write_text(table, encoding="utf-8")
    refusal = otjdd(tmp_path, "compact", "one.toml", "-o", "model")
    assert refusal.returncode == 3
    assert "one.toml:2:14 device.left.exchange: expected none with a compact model" in refusal.stderr


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
