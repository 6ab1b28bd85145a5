"""Every key of the schema: its example is accepted and comes back, what is beyond a bound is refused at its line.

The bounds are read from the schema, so that a new key needs no test of its own. A table is tried as a whole: once with each
of its keys below its bound, once above. `messages/bounds.txt` holds what a user is told; see `messages`.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin

import pytest
from messages import compared
from pydantic import BaseModel, TypeAdapter

from otjdd.case import keys, rules
from otjdd.case.case import Case, load_case, parse_case
from otjdd.case.columns import OF_SPREAD
from otjdd.case.document import shipped_cases
from otjdd.case.explain import alternatives
from otjdd.case.film import OF_IONS
from otjdd.case.kinds import reason_to_share
from otjdd.case.notes import OF_MATERIAL
from otjdd.case.study_axes import coordinate
from otjdd.case.toml_text import toml_value
from otjdd.case.traps import PooleFrenkelLeak, SchottkyLeak, Trap
from otjdd.errors import CaseError
from otjdd.mechanisms.traps import sites
from otjdd.physics import leaks
from otjdd.solver.model import kernel_row
from otjdd.system import text_files

TOLD_BY = {"TargetPicture": ('picture = "digits.png"',)}  # record -> lines that tell it from others without kind or law
SHARED_OR_NOT = {
    "device.radius": True, "device.area": True, "device.transmission": True, "device.heat": True, "device.heat.share": True,
    "device.leaks": True, "device.traps[0].depth": True, "device.film.cells": True, "device.film.grading": True,
    "device.film.layers": True, "device.film.layers[0]": True, "device.film.layers[0].cells": True,
    "device.film.electrons": True, "device.film.image_permittivity": True, "device.film.polarisation.law": True,
    "ions.initial": True, "ions.noise": True, "ions.seed": True,
    "device.film.layers[0].thickness": False, "device.film.polarisation.time": False, "device.film.thickness": False,
    "device.left.barrier": False, "device.right.barrier": False, "ions.density": False, "device.conducting_fraction": False,
}  # fmt: skip
QUOTED = re.compile(r'(from|to|at least|at most) "([^"]+)"')


class Table(NamedTuple):
    """A record at the first of its paths, and the lines of a case file that lead to it."""

    path: str
    record: type[BaseModel]
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return self.record.__name__


def tables(path: str = "", record: type[BaseModel] = Case, above: tuple[str, ...] = ()) -> Iterator[Table]:
    """A record and those within it, with the kind or law of each table on the way."""
    name_of = path.replace("[0]", "")
    lines = (*above, f"[[{name_of}]]" if path.endswith("[0]") else f"[{name_of}]") if path else ()
    for name in keys.SELECTORS:
        choices = get_args(record.model_fields[name].annotation) if name in record.model_fields else ()
        if choices and len(choices) == 1:
            lines = (*lines, f'{name} = "{choices[0]}"')
    lines = (*lines, *TOLD_BY.get(record.__name__, ()))
    yield Table(path, record, lines)
    for name, field in record.model_fields.items():
        if field.title:
            place = f"{path}.{name}".lstrip(".")
            for option in keys.records_of(field.annotation):
                yield from tables(place + ("[0]" if is_listed(field.annotation, option) else ""), option, lines)


def is_listed(annotation: Any, record: type[BaseModel]) -> bool:
    """True where a type has lists of a record."""
    if get_origin(annotation) is tuple:
        return record in keys.records_of(annotation)
    return any(is_listed(inner, record) for inner in get_args(annotation))


TABLES = list({table.record: table for table in reversed(list(tables()))}.values())[::-1]
EACH = pytest.mark.parametrize("table", TABLES, ids=str)


@cache
def nodes_of(record: type[BaseModel]) -> dict[str, list[dict[str, Any]]]:
    """Alternatives of the schema of each key of a record."""
    schema = record.model_json_schema()
    (own,) = alternatives(schema, schema, None)
    names = [name for name in own["properties"] if name not in keys.SELECTORS]
    return {name: list(alternatives(schema, own["properties"][name], None)) for name in names}


def beyond(node: dict[str, Any]) -> dict[int, Any]:
    """Values below (-1) and above (1) the bounds of one alternative of a key."""
    if "dimension" in node:
        bounds = {where: text.split(maxsplit=1) for where, text in QUOTED.findall(node["expected"])}
        low, high = bounds.get("from") or bounds.get("at least"), bounds.get("to") or bounds.get("at most")
        values: dict[int, Any] = {}
        if low:
            least = float(low[0])
            values[-1] = f"{2 * least if least < 0 else 0.5 * least if least else -1:g} {low[1]}"
        if high:
            values[1] = f"{2 * float(high[0]):g} {high[1]}"
    else:
        step = 1 if node.get("type") == "integer" else 0.5
        values = {-1: node.get("exclusiveMinimum"), 1: node.get("exclusiveMaximum")}
        for name, sign in (("minimum", -1), ("maximum", 1)):
            if name in node:
                values[sign] = node[name] + sign * step
    return {sign: value for sign, value in values.items() if value is not None and value != 2**63}


def out_of_bounds(table: Table, sign: int) -> dict[str, Any]:
    """Key -> value beyond its bound, of the keys of a table that are one number."""
    found = {}
    for name, nodes in nodes_of(table.record).items():
        numbers = [node for node in nodes if node.get("type") != "null"]
        if (
            len(numbers) == 1
            and numbers[0].get("type") in ("string", "number", "integer")
            and sign in beyond(numbers[0])
        ):
            found[name] = beyond(numbers[0])[sign]
    return found


@cache
def problems_beyond(table: Table, sign: int) -> dict[str, Any]:
    """Key -> problem, of a table whose keys are beyond their bounds."""
    values = out_of_bounds(table, sign)
    return problems(table, values) if values else {}


def problems(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    """Key -> problem at its line, of a case file that states these values alone."""
    lines = [*table.lines, *(f"{name} = {toml_value(value)}" for name, value in values.items())]
    with pytest.raises(CaseError) as error:
        parse_case("\n".join(lines) + "\n")
    first = len(table.lines) + 1
    at = {(problem.line, problem.key.rpartition(".")[2]): problem for problem in error.value.problems}
    return {name: at.get((first + i, name)) for i, name in enumerate(values)}


@EACH
def test_an_example_is_accepted_and_comes_back(table):
    for name, field in table.record.model_fields.items():
        annotation = TypeAdapter(field.rebuild_annotation())
        for example in (field.examples or ()) if (str(table), name) != ("Table", "file") else ():
            value = tomllib.loads(f"value = {toml_value(example)}")["value"]
            read = annotation.validate_python(value, context={"strict_units": True})
            again = annotation.dump_python(read, mode="json", exclude_none=True)
            assert annotation.validate_python(again, context={"strict_units": True}) == read, name


@EACH
@pytest.mark.parametrize("sign", [-1, 1], ids=["below", "above"])
def test_a_value_beyond_a_bound_is_refused_at_its_line_with_the_bound(table, sign):
    values = out_of_bounds(table, sign)
    for name, problem in problems_beyond(table, sign).items():
        assert problem is not None, name
        assert problem.key.endswith(name), problem
        if isinstance(values[name], str):  # the unit of the bound is that of the value
            assert values[name].split(maxsplit=1)[1] in problem.expected, problem
        assert str(values[name]).split()[0] in problem.got, problem


@EACH
def test_a_bare_number_is_refused_where_a_unit_belongs(table):
    names = [
        name for name in out_of_bounds(table, 1) if any("dimension" in node for node in nodes_of(table.record)[name])
    ]
    for name, problem in problems(table, dict.fromkeys(names, 1.5)).items() if names else ():
        assert problem is not None, name
        assert "unit" in problem.got, problem


@EACH
def test_a_change_beyond_a_bound_is_refused_with_its_key(table):
    values = {f"{table.path}.{name}".lstrip("."): value for name, value in out_of_bounds(table, 1).items()}
    top = (
        table.path.partition(".")[0].removesuffix("[0]") in ("crossbar", "study", "fit", "drive") or "[0]" in table.path
    )
    selected = any(line.startswith(keys.SELECTORS) for line in table.lines)
    if values and not top and not selected:  # a table that is there, and of one kind
        with pytest.raises(CaseError) as error:
            load_case("junction", values)
        named = {problem.key for problem in error.value.problems}
        assert set(values) <= named


@EACH
def test_an_example_is_a_value_of_an_axis_of_a_study(table):
    for name, nodes in nodes_of(table.record).items():
        for example in table.record.model_fields[name].examples or ():
            if isinstance(example, str) and any("dimension" in node for node in nodes):
                values, unit = coordinate([example, example])
                assert values[0] == values[1], name
                assert unit, name


@pytest.mark.parametrize(("name", "table"), [("keys", keys), ("combinations", rules)])
def test_the_guide_has_the_reference_as_it_is_made(name, table):
    text = (shipped_cases() / f"{name}.md").read_text(encoding="utf-8")
    assert text_files.generated_part(text, name) == table.markdown(), f"run: otjdd schema --update cases/{name}.md"


def test_every_key_has_a_meaning_and_completes_a_word():
    rows = [key for _, path, record in keys.tables_within() for key in keys.keys_of(path, record)]
    assert [key.path for key in rows if not key.meaning] == []
    assert set(keys.dotted_keys()) == {key.path for key in rows}


def test_what_is_said_of_values_beyond_bounds():
    lines = []
    for table in TABLES:
        for sign in (-1, 1):
            for name, problem in problems_beyond(table, sign).items():
                key = f"{table.path}.{name}".lstrip(".")
                lines.append(f"{key} ({table}): expected {problem.expected}, got {problem.got}")
    assert len(lines) > 250  # so that the tests above are not about nothing
    compared("bounds.txt", lines)


def test_numbers_of_traps_and_leaks_stand_in_the_columns_of_their_kernels():
    trap = Trap(
        name="t", kind="donor", density=1e25, position=3e-9, width=1e-9, depth=1.1, depth_spread=0.2,
        relaxation_energy=0.7, attempt_frequency=2e12, degeneracy=2.0, frenkel_permittivity=5.5,
    )  # fmt: skip
    row = kernel_row(trap)
    assert row[[sites.DENSITY, sites.PER_ION, sites.LAYER, sites.KINETIC, sites.CHARGE]].tolist() == [1e25, 0, -1, 0, 1]
    assert row[[sites.START, sites.END]] == pytest.approx([2.5e-9, 3.5e-9], rel=1e-12)
    assert row[[sites.DEPTH, sites.SPREAD, sites.RELAXATION, sites.ATTEMPTS]].tolist() == [1.1, 0.2, 0.7, 2e12]
    assert row[[sites.HOPS, sites.DEGENERACY, sites.FRENKEL]].tolist() == [0.0, 2.0, 5.5]
    columns = [leaks.PREFACTOR, leaks.BARRIER, leaks.RIGHT_BARRIER, leaks.PERMITTIVITY]
    numbers = {"conductivity": 0.1, "barrier": 0.5, "permittivity": 4.0}
    assert kernel_row(PooleFrenkelLeak(kind="poole-frenkel", **numbers))[columns].tolist() == [0.1, 0.5, 0, 4]
    numbers = {"left_barrier": 0.6, "right_barrier": 0.4, "richardson": 3e4, "permittivity": 4.0}
    assert kernel_row(SchottkyLeak(kind="schottky", **numbers))[columns].tolist() == [3e4, 0.6, 0.4, 4]


def test_keys_that_columns_share_cannot_be_set_by_a_kind_and_others_can():
    assert {key: bool(reason_to_share(key)) for key in SHARED_OR_NOT} == SHARED_OR_NOT


def test_keys_that_columns_spread_and_numbers_of_a_material_are_these():
    ions, device = ["activation_energy", "density", "well_left", "well_right"], ["film.thickness", "left.barrier"]
    assert list(OF_SPREAD) == [
        *(f"ions.{name}" for name in ions), *(f"device.{name}" for name in device), "device.film.polarisation.time",
    ]  # fmt: skip
    of_electrode = {
        "barrier", "screening_length", "relative_permittivity", "mass", "band_depth", "band_offset", "doping",
        "density_of_states", "permittivity",
    }  # fmt: skip
    of_film = {"permittivity", "fixed_charge", "tunnelling_mass", "image_permittivity", "density_of_states"}
    of_ions = {*OF_IONS, "activation_energy_rise", "well_left", "well_right"}
    film, left, right = ({path[-1] for path in paths} for paths in OF_MATERIAL.values())
    assert (film, left, right) == (of_film | of_ions, of_electrode, of_electrode)
