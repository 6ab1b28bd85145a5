"""The order of the modules, read from their sources: imports point one way, and heavy libraries have one home each."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "otjdd"

ORDER = """
units files limits absent compiled physics.kernels
physics.numerics physics.fermi_dirac physics.electrostatics physics.ions physics.tunnelling physics.current
physics.junction physics.probe physics.settle physics.rosenbrock physics.stepper physics.filter physics.analytic
fits curves device waveform shapes circuit drive problems toml draws axes document refusals case model results words
equilibrium integrate checkpoint ahead known ending snapshots frozen simulate processes warm trials claims synapse
plasticity learning measures calibrate kept plan points workers cluster gather influence studies plot plot_study goals
learning_pictures pictures tables page validate rerun selftest
cli.shell cli.given cli.plot cli.run cli.cases cli.study cli.validate cli.calibrate cli.selftest
""".split()

MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def imports(module: str) -> set[str]:
    """Full names of what a module imports, anywhere in its source; for `from a import b` both a and a.b."""
    tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(module: str) -> set[str]:
    """Modules of the package that a module imports."""
    return {name.removeprefix("otjdd.") for name in imports(module)} & set(MODULES)


def test_every_module_has_a_place_in_the_order():
    assert set(MODULES) <= set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_to_the_left(module):
    place = ORDER.index(module)
    assert {name for name in own(module) if ORDER.index(name) >= place} == set()


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("physics.")])
def test_physics_knows_numbers_only(module):
    outside = {name.split(".")[0] for name in imports(module)} - {"otjdd"}
    assert outside <= {"numpy", "numba", "math", "typing"}
    assert "numba.njit" not in imports(module)  # whose cache does not notice edits in other files
    assert {m for m in own(module) if not m.startswith("physics.")} <= {"units", "compiled"}


@pytest.mark.parametrize(("library", "home"), [("matplotlib", ("plot",)), ("numba", ("compiled", "physics."))])
def test_a_heavy_library_has_one_home(library, home):
    users = {module for module in MODULES if library in {name.split(".")[0] for name in imports(module)}}
    assert users, f"nobody uses {library}"
    assert {module for module in users if not module.startswith(home)} == set()


@pytest.mark.parametrize("module", ["otjdd", "otjdd.cli", "otjdd.case"])
def test_what_is_imported_first_is_light(module):
    heavy = {"numba", "scipy", "xarray", "matplotlib", "h5netcdf", "pandas"}
    code = f"import sys, {module}; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
