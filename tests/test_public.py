"""The package as its users have it: names, cases by name, the accessor, and an import that costs nothing."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from devices import needs_speed

import otjdd
from otjdd.case import document


def test_every_public_name_is_there_and_has_a_docstring():
    for name in otjdd.__all__:
        value = getattr(otjdd, name)
        assert name == "__version__" or value.__doc__, name
        assert name in dir(otjdd)
    with pytest.raises(AttributeError, match="No otjdd attribute runn"):
        otjdd.runn  # noqa: B018


def test_help_names_all_that_is_public():
    for name in otjdd.__all__:
        if name not in ("__version__", "Case", "ShippedCase", "shipped_cases"):
            assert name in otjdd.__doc__, name


def test_cases_are_listed_with_title_and_question():
    found = {case.name: case for case in otjdd.cases()}
    assert set(found) == {path.stem for path in otjdd.shipped_cases().glob("*.toml")}
    assert found["rv-loop"] == (
        "rv-loop",
        "R-V loop",
        "where does the junction set and reset, and how gradually?",
        False,
    )
    assert found["sobol"].study
    assert all(case.question.endswith("?") and "#" not in case.question for case in found.values())


@pytest.mark.parametrize("name", ["rv-loop", "rv-loop.toml", "cases/rv-loop.toml"])
def test_a_shipped_case_is_found_by_its_name_from_any_folder(tmp_path, monkeypatch, name):
    (tmp_path / "rv-loop").mkdir()  # the folder of a study, say
    (tmp_path / "iv").write_text('base = "rv-loop.toml"\ntitle = "mine"')
    monkeypatch.chdir(tmp_path)
    assert otjdd.load_case(name).title == "R-V loop"
    assert otjdd.load_case("iv").title == "mine"  # a file goes before a shipped case


@pytest.mark.parametrize(("name", "hint"), [("rv-lop", 'did you mean "rv-loop"'), ("qqq", "otjdd cases")])
def test_a_name_that_is_none_gets_a_hint(name, hint):
    with pytest.raises(FileNotFoundError, match=hint):
        document.find_case(name)


def test_measured_arrays_have_the_metrics_of_a_run():
    V = np.concatenate((np.linspace(0.1, 2, 20), np.linspace(1.9, -2, 40), np.linspace(-1.9, 0, 20)))
    R = np.where(np.arange(80) < 10, 1e8, np.where(np.arange(80) < 50, 1e4, 1e8))
    ds = otjdd.measured(write_voltage=V, read_resistance=R)
    assert otjdd.synapse.loop(ds)["ratio"] == pytest.approx(1e4)
    assert ds.otjdd.metrics("loop") == otjdd.synapse.loop(ds)
    assert ds.otjdd.reads.identical(ds)
    assert ds.otjdd.figure("loop").axes[0].get_xlabel() == "write voltage (V)"
    with pytest.raises(ValueError, match="no metric 'lop'"):
        ds.otjdd.metrics("lop")
    with pytest.raises(ValueError, match="does not fit"):
        otjdd.measured(read_time=[1.0]).otjdd.metrics("loop")


FIRST, LAST = "import otjdd, importlib.util as u; u.find_spec('xarray'); import xarray", "import xarray, otjdd"


@pytest.mark.parametrize("lines", [FIRST, pytest.param(LAST, marks=pytest.mark.campaign)])
def test_the_accessor_is_there_in_either_order_of_imports(tmp_path, lines):
    ds = otjdd.measured(read_time=[1.0, 2.0], read_resistance=[1e4, 2e4])
    otjdd.write(ds, tmp_path / "a.nc")
    code = (
        f"import sys; before = len(sys.meta_path); {lines}\n"
        "print(xarray.open_dataset('a.nc').otjdd.reads.sizes['read'], len(sys.meta_path) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "2 0\n"


@needs_speed
def test_a_case_by_name_with_changes(caplog):
    changes = {"device.film.cells": 12, "columns.count": 1, "columns.spread": {}, "drive.path": ["0 V", "0.2 V"]}
    ds = otjdd.run("rv-loop", changes)
    assert (ds.sizes["x"], ds.sizes["read"]) == (12, 2)
    assert ds.identical(otjdd.run("rv-loop", **changes).assign_attrs(ds.attrs))
    assert ds.attrs["Conventions"].startswith("CF-")
    assert "R-V loop" in ds.attrs["history"]
    assert "Mott & Gurney" in ds.attrs["references"]
    assert set(ds.coords) == {"time", "x", "read_time", "write_voltage", "snapshot_time"}


def taken(path):
    """(line, object, name) of each name that a script takes from a module of otjdd."""
    nodes, modules, names = list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))), {}, []
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "otjdd":
            module = importlib.import_module(node.module)
            names += [(node.lineno, module, one.name) for one in node.names]
            modules |= {one.asname or one.name: getattr(module, one.name, None) for one in node.names}
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if isinstance(module := modules.get(node.value.id), ModuleType) and module.__name__.startswith("otjdd"):
                names.append((node.lineno, module, node.attr))
    return names


def test_names_that_tutorials_pages_and_validation_take_are_there():
    root = Path(__file__).parents[1]
    paths = [path for folder in ("cases", "validation") for path in sorted((root / folder).rglob("*.py"))]
    missing = [
        f"{path.relative_to(root)}:{line}: {module.__name__}.{name}"
        for path in paths
        for line, module, name in taken(path)
        if not hasattr(module, name)
    ]
    assert paths
    assert missing == []
