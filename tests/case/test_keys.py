"""The reference of keys: complete, with examples that are accepted, and in the guide as it is made."""

import tomllib

import pytest
from pydantic import TypeAdapter

from otjdd.case import keys, rules
from otjdd.case.case import load_case
from otjdd.case.drive import ReadSettings
from otjdd.case.shipped import shipped_cases
from otjdd.case.toml_text import toml_value
from otjdd.system import marks

FIELDS = [
    (record, name, field)
    for record in dict.fromkeys(table.record for table in keys.tables())
    for name, field in record.model_fields.items()
    if name not in keys.SELECTORS
]


def test_every_key_has_a_meaning():
    assert [f"{record.__name__}.{name}" for record, name, field in FIELDS if not field.description] == []


def test_an_example_is_a_value_of_its_key():
    for record, name, field in FIELDS:
        for example in field.examples or ():
            if (record.__name__, name) != ("Table", "file"):
                annotation = TypeAdapter(field.rebuild_annotation())
                value = tomllib.loads(f"value = {toml_value(example)}")["value"]
                annotation.validate_python(value, context={"strict_units": True})


def test_units_defaults_and_ranges_come_from_the_schema():
    film = {
        key.path: key
        for _, path, record in keys.tables()
        if path == "device.film"
        for key in keys.keys_of(path, record)
    }
    assert film["device.film.thickness"][2:] == (
        "m", "required", 'a length from "0.1 nm" to "100 nm"', '"2.8 nm"',
    )  # fmt: skip
    assert film["device.film.cells"].default == "140"
    assert film["device.film.cells"].range == "a whole number from 8 to 4096"
    read = {key.path: key for key in keys.keys_of("drive.read", ReadSettings)}
    assert read["drive.read.duration"].default == '"1 us"'


def test_dotted_keys_can_be_set():
    names = keys.dotted_keys()
    assert len(names) == len(set(names)) > 80
    assert load_case("li2019", {"circuit.bandwidth": "5 MHz"}).circuit.bandwidth == 5e6
    assert "circuit.bandwidth" in names


@pytest.mark.parametrize(("name", "table"), [("keys", keys), ("combinations", rules)])
def test_the_guide_holds_the_reference_as_it_is_made(name, table):
    text = (shipped_cases() / f"{name}.md").read_text(encoding="utf-8")
    assert marks.part(text, name) == table.markdown(), f"run: otjdd schema --update cases/{name}.md"
