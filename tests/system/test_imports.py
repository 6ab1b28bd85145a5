"""Modules that are imported in a thread, and modules that cannot be imported within a block."""

import importlib
import sys

import pytest

from otjdd.system.imports import absent, importing


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder on the path with two modules."""
    for name in ("first_of_two", "second_of_two"):
        (tmp_path / f"{name}.py").write_text("value = 3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("first_of_two", "second_of_two"):
        sys.modules.pop(name, None)


def test_modules_are_there_at_the_end_of_the_block(modules):
    with importing("first_of_two", "second_of_two"):
        pass
    assert sys.modules["first_of_two"].value == sys.modules["second_of_two"].value == 3


def test_an_error_in_the_block_and_a_missing_module_leave_the_others(modules):
    with pytest.raises(KeyError), importing("first_of_two", "not_on_any_path", "second_of_two"):
        raise KeyError
    assert "first_of_two" in sys.modules
    assert "second_of_two" not in sys.modules


def test_a_module_is_absent_within_the_block_alone(modules):
    with absent("first_of_two"), pytest.raises(ImportError):
        importlib.import_module("first_of_two")
    assert importlib.import_module("first_of_two").value == 3
