"""Machine code kept between runs: right numbers whatever happens to the files, and no word of it to the user."""

import importlib
import os
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from otjdd.physics import jit_cache

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

PACKAGE = Path(jit_cache.__file__).parents[1]
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from kernels import poly
print(poly(3.0), dict(poly.stats.cache_hits) != {})
"""
KERNELS = """
from otjdd.physics.jit_cache import njit

@njit(cache=True, apart=True)
def square(x):
    return x * x

@njit(cache=True)
def poly(x):
    return 2.0 * square(x) + 1.0
"""
COPIES = """
from otjdd.physics.jit_cache import njit

@njit(cache=True)
def fibonacci(n):  # calls itself, so that it does not dissolve in its caller
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

@njit(cache=True)
def lucas(n):
    return fibonacci(n - 1) + fibonacci(n + 1)
"""
AFRESH = """
import sys
sys.path.insert(0, sys.argv[1])
from kernels import square
from otjdd.physics import jit_cache
square(3.0)
jit_cache.recompile()
"""


def square(x):
    return x * x


def other(x):
    return -x


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache folder of its own."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    jit_cache.folder.cache_clear()
    yield jit_cache.folder()
    jit_cache.folder.cache_clear()


def call(function=square, x=7.0):
    """Value of a freshly made kernel, and whether its machine code came from a file."""
    kernel = jit_cache.njit(cache=True)(function)
    return kernel(x), bool(kernel.stats.cache_hits)


def program(tmp_path, code=PROGRAM, **environment):
    if not (tmp_path / "kernels.py").exists():  # others may be reading it
        (tmp_path / "kernels.py").write_text(KERNELS)
    inherited = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME")}
    command = [sys.executable, "-c", code, str(tmp_path)]
    return subprocess.Popen(
        command, env=inherited | {"PYTHONPATH": str(PACKAGE.parent)} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_kernel_is_compiled_once_for_each_type(place):
    assert call() == (49.0, False)
    assert call() == (49.0, True)
    assert call(x=7) == (49, False)
    assert len(list(place.iterdir())) == 2
    assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0 or os.name == "nt"


def test_a_kernel_that_is_not_to_be_kept_is_not(place):
    assert jit_cache.njit(square)(2.0) == 4.0
    assert list(place.iterdir()) == []


def test_damage_of_any_kind_is_compiled_again(place):
    call()
    (path,) = place.iterdir()
    whole, rng = path.read_bytes(), random.Random(3)
    flips = [bytearray(whole) for _ in range(12)]
    for damaged in flips:
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    cuts = [whole[:n] for n in (0, 1, 100, len(whole) - 1, rng.randrange(len(whole)))]
    for content in [*flips, *cuts, b"nonsense" * 1000, whole + b"x"]:
        path.write_bytes(content)
        assert call() == (49.0, False)
        assert call() == (49.0, True)


def test_code_of_another_kernel_is_not_taken(place):
    call()
    (mine,) = place.iterdir()
    call(other)
    (foreign,) = set(place.iterdir()) - {mine}
    shutil.copy(foreign, mine)
    assert call() == (49.0, False)


def test_code_that_stands_apart_is_not_taken_for_code_that_does_not(place):
    assert call() == (49.0, False)
    kernel = jit_cache.njit(cache=True, apart=True)(square)
    assert (kernel(7.0), bool(kernel.stats.cache_hits)) == (49.0, False)
    for apart in (False, True):
        kernel = jit_cache.njit(cache=True, apart=apart)(square)
        assert (kernel(7.0), bool(kernel.stats.cache_hits)) == (49.0, True)


def test_an_entry_that_cannot_be_read_or_replaced_is_passed_over(place):
    call()
    (path,) = place.iterdir()
    path.unlink()
    path.mkdir()
    assert call() == (49.0, False)
    assert call() == (49.0, False)


def test_a_folder_that_vanishes_is_no_loss(place):
    call()
    shutil.rmtree(place)
    assert call() == (49.0, False)


def test_wrong_code_under_a_good_seal_is_gone_after_compiling_again(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(other, "__qualname__", "square")
        assert call(other) == (-7.0, False)
    kernel = jit_cache.njit(cache=True)(square)
    assert kernel(7.0) == -7.0
    monkeypatch.setattr(jit_cache, "KERNELS", [kernel])
    jit_cache.recompile()
    assert kernel(7.0) == 49.0
    assert call() == (49.0, True)


def test_a_folder_that_others_can_write_to_is_closed_to_them(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    (tmp_path / "otjdd").mkdir()
    (tmp_path / "otjdd").chmod(0o777)
    assert jit_cache.is_private(tmp_path / "otjdd")
    assert stat.S_IMODE((tmp_path / "otjdd").stat().st_mode) == 0o700


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
def test_a_folder_of_somebody_else_or_behind_a_link_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    assert not jit_cache.is_private(tmp_path / "link")
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "theirs").stat().st_uid + 1)
    assert not jit_cache.is_private(tmp_path / "theirs")


def test_only_the_folders_used_last_are_kept(tmp_path):
    for age in range(12):
        folder = tmp_path / f"kernels-{age}"
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "mine").mkdir()
    jit_cache.prune(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {f"kernels-{age}" for age in range(jit_cache.KEPT)} | {"mine"}


@pytest.mark.parametrize("edited", ["constants.py", "physics/ions.py", "physics/jit_cache.py", None])
def test_an_edit_of_any_source_of_a_kernel_makes_another_folder(tmp_path, edited):
    shutil.copytree(PACKAGE, tmp_path / "otjdd", ignore=shutil.ignore_patterns("__pycache__", "cases"))
    code = "from otjdd.physics import jit_cache; print(jit_cache.__file__, jit_cache.made_from())"
    run = [sys.executable, "-c", code]
    options = {"env": os.environ | {"PYTHONPATH": str(tmp_path)}, "cwd": tmp_path, "text": True}
    before = subprocess.check_output(run, **options)
    assert str(tmp_path) in before
    if edited:
        with open(tmp_path / "otjdd" / edited, "a") as file:
            file.write("\n# another line\n")
    else:
        options["env"]["NUMBA_OPT"] = "1"
    assert subprocess.check_output(run, **options) != before


def test_first_runs_at_the_same_time_do_not_disturb_each_other(tmp_path):
    homes = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    for _ in range(2):
        running = [program(tmp_path, **homes) for _ in range(4)]
        for process in running:
            assert process.communicate(timeout=250)[0].startswith("19.0")
    assert program(tmp_path, **homes).communicate(timeout=250) == ("19.0 True\n", "")


def spoil(path: Path, harm: str) -> None:
    whole, rng = path.read_bytes(), random.Random(5)
    flipped = bytearray(whole)
    flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "flipped": bytes(flipped)}.get(harm, whole))
    if harm == "missing":
        path.unlink()


@pytest.mark.parametrize("harm", ["missing", "empty", "cut", "flipped"])
@pytest.mark.parametrize("spoilt", ["square", "poly"])
def test_of_a_kernel_that_stands_apart_and_its_caller_one_alone_may_be_lost(tmp_path, spoilt, harm):
    def result():
        return program(tmp_path, NUMBA_CACHE_DIR=str(tmp_path)).communicate(timeout=250)

    assert result() == ("19.0 False\n", "")
    (path,) = tmp_path.glob(f"otjdd/*/*{spoilt}-*")
    spoil(path, harm)
    assert result() == (f"19.0 {spoilt == 'square'}\n", "")  # a name is the same in all processes: the caller fits
    assert result() == ("19.0 True\n", "")


def test_a_caller_of_a_kernel_that_has_another_name_now_is_compiled_again(tmp_path):
    said = [
        program(tmp_path, code, NUMBA_CACHE_DIR=str(tmp_path)).communicate(timeout=250)
        for code in (PROGRAM, AFRESH, PROGRAM, PROGRAM)
    ]
    assert said == [("19.0 False\n", ""), ("", ""), ("19.0 False\n", ""), ("19.0 True\n", "")]


def test_code_that_stands_apart_is_not_in_its_callers(place, tmp_path, monkeypatch):
    for apart in (True, False):
        name = f"kernels_{apart}"
        (tmp_path / f"{name}.py").write_text(KERNELS.replace("apart=True", f"apart={apart}"))
        monkeypatch.syspath_prepend(tmp_path)
        poly = importlib.import_module(name).poly
        assert poly(3.0) == 19.0
        (result,) = poly.overloads.values()
        assert [kernel for _, kernel, _ in jit_cache.called_by_name(result.library)] == [f"{name}.square"] * apart


def test_callers_keep_their_copies_of_what_they_call_to_themselves(place, tmp_path, monkeypatch):
    """Else the linker takes, of all copies in a process, the first: of the run that compiles other ones than of later."""
    (tmp_path / "copies.py").write_text(COPIES)
    monkeypatch.syspath_prepend(tmp_path)
    lucas = importlib.import_module("copies").lucas
    assert lucas(10) == 123
    (result,) = lucas.overloads.values()
    module = result.library._final_module
    assert any("fibonacci" in function.name for function in jit_cache.definitions(module, "internal"))
    assert not jit_cache.definitions(module, "linkonce_odr")
    assert any("lucas" in function.name for function in jit_cache.definitions(module, "external"))


@pytest.mark.parametrize("home", ["missing", "a file", "not writable", "none"])
def test_without_a_home_kernels_are_kept_in_a_temporary_folder_or_not_at_all(tmp_path, home):
    (tmp_path / "file").write_text("")
    (tmp_path / "closed").mkdir(mode=0o500)
    named = {"missing": "/proc/none", "a file": str(tmp_path / "file"), "not writable": str(tmp_path / "closed")}
    homes = {"HOME": named[home]} if home in named else {}
    for _ in range(2):
        assert program(tmp_path, TMPDIR=str(tmp_path), **homes).communicate(timeout=250)[1] == ""
    said = program(tmp_path, TMPDIR=str(tmp_path), **homes).communicate(timeout=250)
    assert said == ("19.0 True\n", "")
