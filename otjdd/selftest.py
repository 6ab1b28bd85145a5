"""Checks of otjdd on this machine, one per function: each returns what it observed, or raises if that is wrong.

They need no network and leave no files, and take a few seconds once the kernels are compiled.
"""

import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.case import case
from otjdd.compiler import decorators, kernel_cache
from otjdd.errors import CaseError, ResultError
from otjdd.results import store
from otjdd.runs.run import simulate
from otjdd.solver import self_check
from otjdd.system import interpreter
from otjdd.system.late import metadata, plot, xr

PULSE: dict[str, Any] = {
    "drive": {"kind": "pulse", "voltage": "1.5 V", "width": "50 ns", "read": {}},
    "numerics.rtol": 1e-3,
    "numerics.atol": 1e-5,
}


class CheckOutcome(NamedTuple):
    """Outcome of one check, a line of the table of `otjdd selftest`. observation : or the error"""

    name: str
    passed: bool
    observation: str
    seconds: float


class Failed(Exception):
    """A check observed something else than expected."""


def require(condition: object, otherwise: str) -> None:
    """Raise Failed unless the condition holds."""
    if not condition:
        raise Failed(otherwise)


def run() -> Iterator[CheckOutcome]:
    """Run all checks in order."""
    with tempfile.TemporaryDirectory(prefix="otjdd-selftest-") as folder:
        for name, check in CHECKS.items():
            began = time.perf_counter()
            try:
                passed, observation = True, check(Path(folder))
            except Exception as error:
                passed, observation = False, " ".join(f"{type(error).__name__}: {error}".split())[:300]
            yield CheckOutcome(name, passed, observation, time.perf_counter() - began)


def packages(folder: Path) -> str:
    """Versions of Python and of the libraries that the numbers depend on."""
    names = ("otjdd", "numpy", "numba", "scipy", "xarray", "h5netcdf", "h5py", "pydantic", "matplotlib")
    return f"Python {platform.python_version()}, " + ", ".join(f"{name} {metadata.version(name)}" for name in names)


def shipped_cases(folder: Path) -> str:
    """Every shipped case loads, and its resolved text loads to the same case."""
    paths = sorted(case.shipped_cases().glob("*.toml"))
    require(paths, f"no cases in {case.shipped_cases()}")
    for path in paths:
        loaded = case.load_case(path)
        require(case.parse_case(loaded.resolved(), path.parent) == loaded, f"{path.name} is another case as text")
    return f"{len(paths)} cases"


def bad_case(folder: Path) -> str:
    """A fault in a case is reported with its line."""
    try:
        case.parse_case(self_check.CASE.replace('"2.8 nm"', '"2.8 eV"'))
    except CaseError as error:
        require(":14:1 device.film.thickness: expected a length" in str(error), str(error))
        return "refused with file, line and what was expected"
    raise Failed("a thickness in eV was accepted")


def kernels(folder: Path) -> str:
    """The kernels compile or load, and give the known answer."""
    answer = self_check.computed_answer()
    require(not self_check.difference_from_known(answer), self_check.difference_from_known(answer))
    worst = max(abs(a / b - 1) for a, b in zip(answer, self_check.EXPECTED, strict=True))
    counts = kernel_cache.COUNTS
    return f"known answer to {worst:.0e}; {counts['loaded']} compiled kernels loaded, {counts['compiled']} compiled now"


def kept_kernels(folder: Path) -> str:
    """Compiled kernels are kept on disk between processes, and a damaged one is not used."""
    place = kernel_cache.folder()
    if not kernel_cache.KERNELS:
        return "kernels are not kept: they are interpreted, or numba's own"
    if place is None:
        return "no folder can be written: each run compiles the kernels again, for about a minute"
    with tempfile.TemporaryDirectory(prefix="selftest-", dir=place.parent) as other:
        code = "from otjdd import selftest; selftest.kept_kernel()"
        environment = interpreter.environment(NUMBA_CACHE_DIR=other)
        for expected in ("compiled", "loaded", "damaged, compiled", "loaded"):
            done = subprocess.run(
                interpreter.interpreter_command(code), env=environment, capture_output=True, text=True
            )
            entries = list(Path(other).rglob("selftest.square*"))
            require(len(entries) == 2, f"{len(entries)} files for one kernel and its entry point; {done.stderr[-200:]}")
            require(done.stdout == f"49.0 {expected.split()[-1]}\n", f"{expected}: {done.stdout}{done.stderr[-200:]}")
            if expected == "loaded":
                flip(entries[0])
    return f"kept in {place}; a flipped bit is noticed"


def kept_kernel() -> None:
    """Compile or load a small kernel: the code of the child processes of `kept_kernels`."""
    kernel = decorators.bare(square)
    print(kernel(7.0), "compiled" if kernel_cache.COUNTS["compiled"] else "loaded")


def square(x: float) -> float:
    return x * x


def flip(path: Path) -> None:
    """Flip one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def conservation(folder: Path) -> str:
    """Pulses of opposite sign move the vacancies in opposite directions, and their number stays the same."""
    positive, negative = pulse_dataset(), pulse_dataset({"drive.voltage": "-1.5 V"})
    apart = float(positive.vacancy_mean_position[-1] - negative.vacancy_mean_position[-1])
    lost = max(float(abs(ds.vacancy_balance).max()) for ds in (positive, negative))
    require(apart > 0, f"a positive pulse moved the vacancies by {apart:.3g} m against a negative one")
    require(lost < 1e-12, f"vacancies changed by {lost:.1e}")
    require(all(positive[name].notnull().all() for name in ("current", "read_current")), "a current is not a number")
    return f"moved by {apart * 1e12:.3g} pm, their number kept to {max(lost, 1e-16):.0e}"


def pulse_dataset(changes: Mapping[str, str] | None = None) -> "xr.Dataset":
    """Dataset of a pulse on the small junction, as `otjdd run` gives it."""
    return simulate(case.parse_case(self_check.CASE).replace(**PULSE, **(changes or {})), check_grid=True)


def result_file(folder: Path) -> str:
    """A result file is read back bit for bit, and damage to it is detected."""
    ds = pulse_dataset()
    path = folder / "pulse.nc"
    store.write(ds, path)
    require(store.data_sha256(store.read(path)) == store.data_sha256(ds), "the file holds other numbers")
    size = path.stat().st_size
    flip(path)
    try:
        store.read(path)
    except ResultError:
        return f"{size} bytes, the same numbers read back; a flipped bit is noticed"
    raise Failed("a flipped bit was not noticed")


def other_processes(folder: Path) -> str:
    """The command line in a process with another time zone and one thread gives the same numbers."""
    (folder / "pulse.toml").write_text(case.parse_case(self_check.CASE).replace(**PULSE).resolved(), encoding="utf-8")
    words = "run", "pulse.toml", "-o", "other.nc", "-q"
    command = interpreter.interpreter_command("from otjdd.cli import main; main()", *words)
    environment = interpreter.environment(TZ="Asia/Kathmandu", NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    require(done.returncode == 0, f"exit code {done.returncode}: {done.stderr}")
    same = store.data_sha256(store.read(folder / "other.nc")) == store.data_sha256(pulse_dataset())
    require(same, "another process gives other numbers")
    return "the same numbers, bit for bit"


def picture_drawn(folder: Path) -> str:
    """A figure can be drawn without a display."""
    plot.style.save(plot.figure.figure(pulse_dataset()), folder / "pulse.png")
    size = (folder / "pulse.png").stat().st_size
    require(size > 1000, f"a picture of {size} bytes")
    return f"{size} bytes of PNG"


CHECKS = {
    "packages": packages,
    "shipped cases": shipped_cases,
    "a bad case": bad_case,
    "kernels": kernels,
    "kernel cache": kept_kernels,
    "conservation": conservation,
    "result file": result_file,
    "another process": other_processes,
    "picture": picture_drawn,
}
