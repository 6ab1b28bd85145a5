"""The reference of keys: complete, with examples that are accepted, and in the guide as it is made."""

import tomllib

from pydantic import TypeAdapter

from otjdd.case import keys
from otjdd.case.case import load_case
from otjdd.case.shipped import shipped_cases
from otjdd.system import marks

FIELDS = [
    (record, name)
    for _, _, record in keys.TABLES
    for name in record.model_fields
    if name not in keys.SELECTORS
]  # fmt: skip


def test_every_key_has_a_meaning():
    assert [f"{r.__name__}.{name}" for r, name in FIELDS if f"{r.__name__}.{name}" not in keys.MEANINGS] == []


def test_an_example_is_a_value_of_its_key():
    for record, name in FIELDS:
        _, example = keys.MEANINGS[f"{record.__name__}.{name}"]
        if example and f"{record.__name__}.{name}" != "Table.file":
            annotation = TypeAdapter(record.model_fields[name].rebuild_annotation())
            annotation.validate_python(tomllib.loads(f"value = {example}")["value"], context={"strict_units": True})


def test_units_defaults_and_ranges_come_from_the_schema():
    film = {
        key.path: key for _, path, record in keys.TABLES if path == "device.film" for key in keys.keys_of(path, record)
    }
    assert film["device.film.thickness"][2:] == (
        "m", "required", 'a length from "0.1 nm" to "100 nm"', '"2.8 nm"',
    )  # fmt: skip
    assert film["device.film.cells"].default == "140"
    assert film["device.film.cells"].range == "a whole number from 8 to 4096"
    read = {key.path: key for key in keys.keys_of("drive.read", keys.drive.ReadSettings)}
    assert read["drive.read.duration"].default == '"1 us"'


def test_dotted_keys_can_be_set():
    names = keys.dotted_keys()
    assert len(names) == len(set(names)) > 80
    assert load_case("li2019", {"circuit.bandwidth": "5 MHz"}).circuit.bandwidth == 5e6
    assert "circuit.bandwidth" in names


def test_the_guide_holds_the_reference_as_it_is_made():
    text = (shipped_cases() / "keys.md").read_text(encoding="utf-8")
    assert marks.part(text, "keys") == keys.markdown(), "run: otjdd schema --update cases/keys.md"
