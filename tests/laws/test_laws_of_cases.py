"""What a case may say in several ways: films, columns, areas, keys of no strength, units, order; and that each key does
something."""

import copy
import tomllib

import any_device as of
import numpy as np
from any_device import paths_of
from any_law import ENDS, TIGHT, NoStatement, alike, bits, in_table, law, reads_alike, run_of, with_keys

from otjdd.case import toml_text
from otjdd.case.case import parse_case
from otjdd.case.film import Sheet
from otjdd.case.notes import unfollowed_notes
from otjdd.case.problem import dotted
from otjdd.errors import SolverError
from otjdd.results.outputs import OUTPUTS
from otjdd.runs.run import simulate

OF_THE_FILM = "electrons", "image_permittivity"  # keys of a film of any number of layers
TEXTS = {"title", "name", "material"}  # keys without a number


# every device


@law(seeds=(*range(12), 319))  # 319 empties into its electrode
def test_a_device_that_check_accepts_comes_to_its_end(data):
    """Or says what ended it, as physics may: only a junction that heats itself has to. Nothing is nan."""
    if not of.accepted(data):
        raise NoStatement("refused")
    ended = None
    try:
        ds = simulate(parse_case(of.text_of(data | {"numerics": {"max_steps": 20_000}})))
    except SolverError as error:
        ended = error
    if ended is not None:
        assert any(words in str(ended) for words in ENDS), str(ended)
        assert ended.partial is not None
        return
    for name in ("conduction_current", "junction_voltage", "electrode_charge", "read_current"):
        assert np.isfinite(ds[name].values).all(), name
    if "vacancies" not in ds:  # an electrode may take all of a column, which then have no place
        assert np.isfinite(ds["vacancy_mean_position"]).all()


@law(seeds=range(12), drives=(of.curve,))
def test_a_curve_that_check_accepts_is_whole(data):
    ds = simulate(parse_case(of.text_of(data)))
    assert np.isfinite(ds.bias_current.values).all()
    assert (ds.bias_current.sel(bias=0.0).values == 0.0).all()
    assert (ds.bias_current.values * np.sign(ds.bias.values) >= 0.0).all()


# the same film


@law(seeds=(0, *range(3, 8), 17, 19), without=(of.layers, of.polarisation), in_turn=(of.nothing, of.image))
def test_a_film_of_one_layer_is_the_film(data):
    film = data["device"]["film"]
    layer = {key: film[key] for key in Sheet.model_fields if key in film}
    layered = {"layers": [layer]} | {key: film[key] for key in OF_THE_FILM if key in film}
    layered = with_keys(data, device__film=layered)
    assert bits(run_of(layered)) == bits(run_of(data))


@law(
    seeds=(0, 1, 6, 7, 11, 32, 116),
    without=(of.layers, of.polarisation, of.noise, of.rise, of.wells, of.columns),
    in_turn=(of.nothing, of.image),
)
def test_two_layers_of_one_material_are_one(data):
    """On cells of one length: each face is two half cells, inside of a layer as between two."""
    film = data["device"]["film"] | {"grading": 1.0, "cells": 12}
    one = with_keys(data, device__film=film)
    thickness = float(film["thickness"].split()[0])
    halves = [{key: film[key] for key in Sheet.model_fields if key in film} for _ in range(2)]
    for layer, share in zip(halves, (5, 7), strict=True):
        layer |= {"thickness": f"{thickness * share / 12!r} nm", "cells": share}
    two = with_keys(data, device__film={"layers": halves} | {key: film[key] for key in OF_THE_FILM if key in film})
    a, b = run_of(one, **TIGHT), run_of(two, **TIGHT)
    reads_alike(a, b, 2e-3)
    alike(a.vacancy_concentration.values[-1], b.vacancy_concentration.values[-1], 1e-3, what="vacancies")


# the same area


def times(text: str, factor: float) -> str:
    """A quantity as text, times a factor."""
    value, name = text.split(maxsplit=1)
    return f"{float(value) * factor!r} {name}"


@law(seeds=(0, 2, 3, 4, 6, 7, 23, 103), without=(of.noise,))
def test_four_times_the_area_carries_four_times_the_current(data):
    """With a circuit and a thermal resistance in proportion."""
    large = copy.deepcopy(data)
    large["device"]["radius"] = times(data["device"]["radius"], 2.0)
    for key, value in data.get("circuit", {}).items():
        large["circuit"][key] = times(value, {"series_resistance": 0.25, "time_constant": 1.0}.get(key, 4.0))
    if "heat" in large["device"]:
        heat = large["device"]["heat"]
        heat["resistance"] = times(heat["resistance"], 0.25)
        heat |= {"capacity": times(heat["capacity"], 4.0)} if "capacity" in heat else {}
    one, four = run_of(data, **TIGHT), run_of(large, **TIGHT)
    alike(four.read_current.values, 4.0 * one.read_current.values, 1e-4, what="reads")
    alike(four.current.values[-1], 4.0 * one.current.values[-1], 1e-4, float(abs(four.current).max()), "current")


@law(seeds=(5, 6, 16, 20, 23, 301), without=(of.noise, of.columns, of.kinds))
def test_equal_columns_are_one(data):
    """Three columns of a spread of nothing, and two kinds that share the area and differ in nothing."""
    if "columns" in data:
        raise NoStatement("columns that a law asks for")
    one = run_of(data, **TIGHT)
    three = with_keys(data, columns={"count": 3, "spread": {"ions.activation_energy": "0 eV"}})
    kinds = with_keys(data, columns={"kinds": [{"name": "a", "share": 0.25}, {"name": "b", "share": 0.75}]})
    for other in (three, kinds):
        ds = run_of(other, **TIGHT)
        reads_alike(ds, one, 1e-3)
        alike(ds.vacancy_concentration.values[-1], one.vacancy_concentration.values[-1], 1e-3, what="vacancies")


@law(seeds=(0, 6, 7, 9, 11, 19, 300), without=(of.noise, of.circuit, of.heat, of.columns, of.kinds, of.exchange))
def test_kinds_of_columns_carry_the_sum_of_their_currents(data):
    """Without a circuit, in which they share more than the voltage: each as a device of its own."""
    if "columns" in data:
        raise NoStatement("columns that a law asks for")
    key, energy = "ions.activation_energy", data["ions"]["activation_energy"]
    other = f"{float(energy.split()[0]) - 0.02!r} eV"
    alike_ones = {"count": 2, "spread": {key: "0 eV"}}
    kinds = [{"name": "a", "share": 0.3, "set": {key: other}}, {"name": "b", "share": 0.5} | alike_ones]
    both = run_of(with_keys(data, columns={"kinds": kinds}), **TIGHT)
    a, b = run_of(with_keys(data, ions__activation_energy=other), **TIGHT), run_of(data, **TIGHT)
    alike(both.read_current.values, 0.3 * a.read_current.values + 0.5 * b.read_current.values, 2e-3, what="reads")
    alike(both.kind_read_current.values[:, 0], 0.3 * a.read_current.values, 2e-3, what="reads of a kind")
    places = [float(ds.vacancy_mean_position[-1]) for ds in (a, b)]
    alike(both.kind_vacancy_mean_position.values[-1], places, 1e-3, what="mean positions of kinds")


# no strength


NOTHING = {  # dotted keys of no strength, and of what belongs to them
    "wells": {"ions__well_left": "0 eV", "ions__well_right": "0 eV", "ions__well_width": "0.17 nm"},
    "rise": {"ions__activation_energy_rise": "0 eV"},
    "circuit": {"circuit__series_resistance": "0 ohm", "circuit__parallel_capacitance": "0 F"},
    "screening": {"device__left__screening_length": "0 nm", "device__left__relative_permittivity": 7.0},
    "reservoir": {"device__right__exchange": {"rate": "0 m/s", "equilibrium_density": "1e24 1/m^3"}},
    "spread": {"columns__spread": {"ions.well_left": "0 eV"}},
    "fixed charge": {"device__film__fixed_charge": "0 1/m^3"},
}  # fmt: skip


@law(
    seeds=(*range(1, 6), 9, 18, 21),
    without=(of.wells, of.rise, of.circuit, of.exchange, of.columns, of.kinds, of.layers),
)
def test_a_mechanism_of_no_strength_is_not_there(data):
    """To the bit of each number that both results have."""
    data["device"]["film"].pop("fixed_charge", None)
    if data["device"]["left"].get("kind") == "metal":
        data["device"]["left"] = {k: v for k, v in data["device"]["left"].items() if k != "screening_length"}
    plain = run_of(data)
    for what, keys in NOTHING.items():
        if (what == "screening" and data["device"]["left"]["kind"] != "metal") or (
            what == "spread" and "columns" in data
        ):
            continue
        try:
            ds = run_of(with_keys(data, **keys))
        except NoStatement:
            continue
        for name in plain.data_vars:
            if name in ds:
                number = plain[name].dtype.kind == "f"
                assert np.array_equal(ds[name].values, plain[name].values, equal_nan=number), (what, name)


@law(without=(of.trap,))
def test_traps_of_no_density_are_not_there(data):
    plain = run_of(data)
    for more in ({}, {"relaxation_energy": "0.3 eV"}, {"hop_frequency": "1e12 Hz"}):
        trap = {"name": "none", "kind": "none", "density": "0 1/m^3", "depth": "0.7 eV"} | more
        ds = run_of(with_keys(data, device__traps=[trap]))
        assert np.array_equal(ds.read_current.values, plain.read_current.values), more
        assert np.array_equal(ds.conduction_current.values, plain.conduction_current.values), more


# the same words


OTHER_UNITS = {  # unit -> power of ten and unit of the same quantity
    "nm": ((-7, "cm"), (-9, "m")), "eV": ((3, "meV"),), "V": ((3, "mV"),), "s": ((6, "us"), (9, "ns")),
    "Hz": ((-6, "MHz"),), "1/m^3": ((-6, "cm^-3"),), "ohm": ((-3, "kohm"),),
}  # fmt: skip


def rewritten(value, rng):
    """Data with each quantity in another unit: the same number, to the bit."""
    if isinstance(value, dict):
        return {key: rewritten(inner, rng) if key not in TEXTS else inner for key, inner in value.items()}
    if isinstance(value, list):
        return [rewritten(inner, rng) for inner in value]
    if not isinstance(value, str) or value[:1] not in "-0123456789":
        return value
    number, unit = value.split(maxsplit=1)
    power, other = rng.choice(OTHER_UNITS[unit]) if unit in OTHER_UNITS else (0, unit)
    mantissa, _, own = number.partition("e")
    return f"{mantissa}e{int(own or 0) + int(power)} {other}"


def reordered(value, rng):
    """Data whose tables have their keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order = (
            range(len(keys)) if any("." in key for key in keys) else rng.permutation(len(keys))
        )  # of a spread: of columns
        return {keys[i]: value[keys[i]] if keys[i] == "pieces" else reordered(value[keys[i]], rng) for i in order}
    return [reordered(inner, rng) for inner in value] if isinstance(value, list) else value


@law(seeds=range(24))
def test_units_order_and_defaults_that_are_written_are_the_same_case(data):
    """In other units, in another order, and with all defaults as `resolved` writes them: one case, to the bit."""
    case, rng = parse_case(of.text_of(data)), np.random.default_rng(3)
    kinds = [kind.pop("set", None) for kind in data.get("columns", {}).get("kinds", [])]
    if not any(kinds):  # which keep their values as written
        assert parse_case(of.text_of(rewritten(data, rng))).plain() == case.plain()
        assert parse_case(of.text_of(reordered(data, rng))) == case
    assert parse_case(case.resolved()) == case
    assert parse_case(toml_text.write(tomllib.loads(case.resolved()))) == case
    assert case.digest == parse_case(case.resolved()).digest


@law(seeds=(0, 2, 3, 4, 6, 7, 18, 26), without=(of.noise,))
def test_a_drive_is_the_table_of_its_breakpoints(data):
    reads_alike(run_of(in_table(data)), run_of(data), 1e-9)


# keys that do something


def another(value, path, data):
    """A value beside that at a path; None for what is left alone."""
    name = path[-1]
    if name in TEXTS or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 0.9
    if value[:1] in "-0123456789":
        number, unit_of = value.split(maxsplit=1)
        return f"{float(number) * 0.93 + (float(number) == 0.0) * 0.07!r} {unit_of}"
    return None


WITHOUT_EFFECT = {  # keys whose change may change nothing, whole numbers apart: where nothing reaches or meets them
    "compliance", "range", "time_constant", "attempt_frequency", "band_depth", "mass", "exponent", "capacity",
    "fixed_charge",
}  # fmt: skip


@law(seeds=(*range(6), 85, 301), without=(of.noise,))
def test_each_key_that_check_accepts_changes_a_number(data):
    """A tenth more or less of six keys of a device, drawn at random: some output of the run is another one."""
    plain, rng = run_of(data), np.random.default_rng(sum(map(ord, of.text_of(data))))
    paths = [path for path in paths_of(data) if path[0] not in ("drive", "title", "numerics")]
    tried = 0
    for i in rng.permutation(len(paths)):
        path, new = paths[i], copy.deepcopy(data)
        table = new
        for part in path[:-1]:
            table = table[part]
        value = another(table[path[-1]], path, data)
        if value is None or path[-1] in WITHOUT_EFFECT or tried == 6:
            continue
        table[path[-1]] = value
        noted = unfollowed_notes(parse_case(of.text_of(new))) if of.accepted(new) else None
        if noted is None or any(line.startswith(dotted(path)) for line in noted):
            continue
        tried += 1
        try:
            ds = run_of(new)
        except NoStatement:
            continue
        names = [name for name in plain.variables if name in OUTPUTS and plain[name].dtype.kind == "f" and name in ds]
        same = all(np.array_equal(ds[name].values, plain[name].values, equal_nan=True) for name in names)
        assert not same, f"{'.'.join(map(str, path))} = {value!r} changes nothing"
