"""The order of the packages, read from their sources: imports point down, and heavy libraries have one home each."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "otjdd"
FLOORS = [  # from the ground up; what stands on one floor does not know each other, but for case and results
    {"constants", "errors"},
    {"laws", "units"},
    {"system"},
    {"compiler", "waveform", "analysis"},
    {"physics", "case", "results"},
    {"stepping", "measurements"},
    {"solver"},
    {"compact_models"},
    {"runs"},
    {"studies", "fitting"},
    {"plot"},
    {"claims", "selftest"},
    {"accessor", "explore"},
    {"cli"},
]
KERNELS = ("physics", "stepping")  # packages of kernels
MOST_ARGUMENTS = 8  # self included
MOST_LINES = 60  # of a function
PLACE = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
MODULES = [".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES]


def imports(path: Path) -> set[str]:
    """Full names of what a module imports, anywhere in its source; for `from a import b` both a and a.b."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms(names: set[str]) -> set[str]:
    """Rooms of this house among imported names."""
    return {name.split(".")[1] for name in names if name.startswith("otjdd.")} & set(PLACE)


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_imports_point_down(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    assert {room for room in rooms(imports(path)) - {own} if PLACE[room] >= PLACE[own]} == set()


def test_few_modules_stand_outside_of_a_package():
    assert len(list(PACKAGE.glob("*.py"))) <= 8
    assert {module.split(".")[0] for module in MODULES} <= set(PLACE)


def test_no_circles_within_a_package():
    graph = {
        m: {n.removeprefix("otjdd.") for n in imports(p)} & set(MODULES) for m, p in zip(MODULES, SOURCES, strict=True)
    }
    while free := {module for module, needed in graph.items() if not needed & set(graph) - {module}}:
        graph = {module: needed for module, needed in graph.items() if module not in free}
    assert not graph


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_functions_take_at_most_eight_positional_arguments(path):
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = [node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    taken = {getattr(f, "name", "lambda"): len(f.args.posonlyargs) + len(f.args.args) for f in functions}
    assert {name: count for name, count in taken.items() if count > MOST_ARGUMENTS} == {}


@pytest.mark.parametrize("path", SOURCES, ids=MODULES)
def test_functions_fit_on_a_screen(path):
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = [node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = {f: set(range(f.lineno, f.end_lineno + 1)) for f in functions}
    within = {f: {n for n in ast.walk(f) if n in lines and n is not f} for f in functions}  # counted by themselves
    own = {f.name: len(lines[f].difference(*(lines[n] for n in within[f]))) for f in functions}
    assert {name: count for name, count in own.items() if count > MOST_LINES} == {}


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parent.name in KERNELS], ids=lambda p: p.stem)
def test_parameters_of_kernels_are_annotated(path):
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    kernels = [node for node in tree if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert [
        f"{f.name}: {a.arg}" for f in kernels for a in f.args.args if a.annotation is None and a.arg != "self"
    ] == []


@pytest.mark.parametrize("path", [p for p in SOURCES if p.parent.name in KERNELS], ids=lambda p: p.stem)
def test_physics_knows_numbers_only(path):
    names = imports(path)
    assert {name.split(".")[0] for name in names} - {"otjdd"} <= {"numpy", "numba", "math", "typing"}
    assert "numba.njit" not in names  # whose cache does not notice edits in other files
    assert rooms(names) <= {"compiler", "physics", "stepping", "laws", "constants", "errors"}


@pytest.mark.parametrize(("library", "home"), [("matplotlib", ("plot",)), ("numba", ("compiler",))])
def test_a_heavy_library_has_one_home(library, home):
    users = {m for m, p in zip(MODULES, SOURCES, strict=True) if library in {name.split(".")[0] for name in imports(p)}}
    assert users, f"nobody uses {library}"
    assert {module for module in users if not module.startswith(home)} == set()


@pytest.mark.parametrize("module", ["otjdd", "otjdd.cli", "otjdd.case.case"])
def test_what_is_imported_first_is_light(module):
    heavy = {"numba", "scipy", "xarray", "matplotlib", "h5netcdf", "pandas"}
    code = f"import sys, {module}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
