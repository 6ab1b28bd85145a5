"""Modules that cannot be imported within a block."""

import importlib
import sys

import pytest

from otjdd.system.interpreter import absent


def test_a_module_is_absent_within_the_block_alone(tmp_path, monkeypatch):
    (tmp_path / "on_the_path.py").write_text("value = 3\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with absent("on_the_path"), pytest.raises(ImportError):
        importlib.import_module("on_the_path")
    assert importlib.import_module("on_the_path").value == 3
    sys.modules.pop("on_the_path")
