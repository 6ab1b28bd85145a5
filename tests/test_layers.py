"""The order of the packages, read from their sources: layers.toml declares it, and each test walks all files."""

import ast
import importlib
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from imported import imported

PACKAGE = Path(__file__).parents[1] / "otjdd"
DECLARED = tomllib.loads(Path(__file__).with_name("layers.toml").read_text(encoding="utf-8"))
PLACE = {room: floor for floor, rooms in enumerate(DECLARED["floors"]) for room in rooms}
TOGETHER = set(DECLARED["together"])
KERNELS, MOST = DECLARED["kernels"], DECLARED["most"]
PATHS = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((PACKAGE / path).read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of the source of a module."""
    return list(ast.walk(tree(path)))


@pytest.fixture(scope="module", autouse=True)
def forget_sources():
    """Forget the syntax trees of the package at the end, which take 130 MB."""
    yield
    for memory in (tree, nodes):
        memory.cache_clear()


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def named_late() -> dict[str, str]:
    """Name of `otjdd.system.late` -> the module that it stands for, as late.pyi states it."""
    found = {}
    for node in ast.parse((PACKAGE / "system" / "late.pyi").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name.split(".")[0]: alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module in ("otjdd", "importlib", "scipy.optimize"):
            found |= {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


LATE = named_late()


@cache
def imports(path: Path) -> set[str]:
    """Full names of what a module imports or names of a room, anywhere in its source, or late."""
    names = imported(nodes(path))
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            if node.module == "otjdd.system.late":
                names |= {LATE[alias.name] for alias in node.names if alias.name in LATE}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "late":
            names |= {LATE[node.attr]} if node.attr in LATE else set()
    return names


def statements(node: ast.AST, late: bool = False):
    """Imports below a node with whether they are within a function; without those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, late
        elif not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from statements(child, late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def room(path: Path) -> str:
    """Package, or module outside of a package, that a file belongs to."""
    return path.with_suffix("").parts[0]


def rooms(names: set[str]) -> set[str]:
    """Rooms of this house among imported names."""
    return {name.split(".")[1] for name in names if name.startswith("otjdd.")} & set(PLACE)


def libraries(names: set[str]) -> set[str]:
    """Top level packages among imported names, without this one."""
    return {name.split(".")[0] for name in names} - {"otjdd"}


def test_imports_point_down():
    up = {
        path.as_posix(): {o for o in rooms(imports(path)) - {room(path)} if PLACE[o] >= PLACE[room(path)]}
        - (TOGETHER if room(path) in TOGETHER else set())
        for path in PATHS
    }
    assert {path: names for path, names in up.items() if names} == {}


def test_every_module_has_a_room_and_few_stand_outside_of_a_package():
    assert {room(path) for path in PATHS} == set(PLACE)
    assert len(list(PACKAGE.glob("*.py"))) <= MOST["modules"]


PREPARED = {"__main__", "preload", "preload_datasets"}  # these act when they are imported


def test_the_stub_of_a_room_names_all_of_its_modules():
    stubs = [path for path in PACKAGE.rglob("__init__.pyi") if path.parent != PACKAGE]
    assert len(stubs) > 10
    for stub in stubs:
        imported = [node for node in ast.walk(ast.parse(stub.read_text(encoding="utf-8"))) if hasattr(node, "names")]
        stated = {alias.name for node in imported for alias in node.names}
        modules_there = {path.stem for path in stub.parent.glob("*.py")}
        packages_there = {path.parent.name for path in stub.parent.glob("*/__init__.py")}
        assert stated == (modules_there | packages_there) - {"__init__", "workbook_process"} - PREPARED, stub


def test_late_names_stand_for_what_their_stub_states():
    late = importlib.import_module("otjdd.system.late")
    stated = {name: module for name, module in LATE.items() if name not in ("Callable", "ModuleType")}
    assert {name: value.module for name, value in vars(late).items() if isinstance(value, late.Late)} == stated


def test_a_room_has_its_modules_as_attributes_and_no_others():
    room = importlib.import_module("otjdd.fitting")
    assert room.curves is importlib.import_module("otjdd.fitting.curves")
    assert "curves" in dir(room)
    for name in ("no_such_module", "_curves"):
        with pytest.raises(AttributeError, match=f"module 'otjdd.fitting' has no attribute '{name}'"):
            getattr(room, name)


def test_every_module_can_be_imported():
    names = [".".join(("otjdd", *path.with_suffix("").parts)) for path in PATHS if path.stem not in PREPARED]
    for name in names:
        importlib.import_module(name.removesuffix(".__init__"))


def test_no_circles_within_a_package():
    names = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in PATHS}
    graph = {m: {n.removeprefix("otjdd.") for n in imports(p)} & set(names) for m, p in names.items()}
    while free := {module for module, needed in graph.items() if not needed & set(graph) - {module}}:
        graph = {module: needed for module, needed in graph.items() if module not in free}
    assert not graph


def test_a_type_has_its_name_alone_but_for_a_record_of_a_case():
    homes: dict[str, list[str]] = {}
    for path in PATHS:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                homes.setdefault(node.name, []).append(room(path))
    twice = {name: rooms for name, rooms in homes.items() if len(rooms) > 1 and "case" not in rooms}
    assert twice == {}
    assert all(len(rooms) <= 2 and rooms.count("case") <= 1 for rooms in homes.values())


def test_functions_fit_on_a_screen_and_take_few_positional_arguments():
    far = {}
    for path in PATHS:
        lines = {f: set(range(f.lineno, f.end_lineno + 1)) for f in functions(path)}
        for f in lines:
            within = [lines[n] for n in ast.walk(f) if n in lines and n is not f]  # counted by themselves
            length, taken = len(lines[f].difference(*within)), len(f.args.posonlyargs) + len(f.args.args)
            if length > MOST["lines"] or taken > MOST["positional_arguments"]:
                far[f"{path}: {f.name}"] = length, taken
    assert far == {}


def test_kernels_know_numbers_only_and_annotate_their_parameters():
    kernels = [path for path in PATHS if room(path) in KERNELS["packages"]]
    assert len(kernels) > 20
    for path in kernels:
        assert libraries(imports(path)) <= set(KERNELS["libraries"]), path
        assert "numba.njit" not in imports(path), path  # whose cache does not notice edits in other files
        assert rooms(imports(path)) <= set(KERNELS["otjdd"]), path
        compiled = [f for f in functions(path) if f.decorator_list]
        bare = [f"{f.name}: {a.arg}" for f in compiled for a in f.args.args if a.annotation is None and a.arg != "self"]
        assert bare == [], path


def test_few_modules_import_within_functions():
    within = {path.as_posix() for path in PATHS if any(late for _, late in statements(tree(path)))}
    assert within == set(DECLARED["within_functions"])


def test_a_heavy_library_has_one_home():
    for library, home in DECLARED["homes"].items():
        assert {room(path) for path in PATHS if library in libraries(imports(path))} == {home}


def test_names_of_test_files_are_each_there_once():
    names = [path.name for path in Path(__file__).parent.rglob("test_*.py")]
    assert {name for name in names if names.count(name) > 1} == set()  # pytest takes the second for the first


def test_what_is_imported_first_is_light():
    code = f"import sys, {', '.join(DECLARED['light'])}; print({set(DECLARED['heavy'])} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
