"""Machine code kept between runs: right numbers whatever happens to the files, and no word of it to the user."""

import importlib
import os
import pickle
import random
import shutil
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import pytest
from llvmlite import binding

from otjdd.compiler import kernel_cache, private
from otjdd.system.files import sealed, unsealed

pytestmark = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")

needs_elf = pytest.mark.skipif(sys.platform != "linux", reason="reads ELF files")

PACKAGE = Path(kernel_cache.__file__).parents[1]
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from kernels import poly
print(poly(3.0), dict(poly.stats.cache_hits) != {})
"""
KERNELS = """
from otjdd.compiler.kernel_cache import njit

@njit(cache=True, apart=True)
def square(x):
    return x * x

@njit(cache=True)
def poly(x):
    return 2.0 * square(x) + 1.0
"""
COPIES = """
from otjdd.compiler.kernel_cache import njit

@njit(cache=True)
def fibonacci(n):  # calls itself, so that it does not dissolve in its caller
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

@njit(cache=True)
def lucas(n):
    return fibonacci(n - 1) + fibonacci(n + 1)
"""
CALLER_FIRST = """
from otjdd.compiler.kernel_cache import njit

@njit(cache=True)
def poly(x):
    return 2.0 * square(x) + 1.0

@njit(cache=True, apart=True)
def square(x):
    return x * x
"""
ORDER = """
import hashlib, pickle, sys
sys.path.insert(0, sys.argv[1])
import kernels, numpy as np
from llvmlite import binding
from otjdd.compiler import kernel_cache, private
from otjdd.system.files import unsealed
x = np.random.default_rng(7).random(999)
for name in sys.argv[2:]:
    getattr(kernels, name)(x)
for name in ("exact", "summed", "both"):
    value = getattr(kernels, name)(x).hex()
    (entry,) = kernel_cache.folder().glob(f"kernels.{name}-*")
    code = private.object_code(pickle.loads(unsealed(entry, entry.read_bytes()).partition(b"\\n")[2])[1])
    parts = [part.data() for part in binding.ObjectFileRef.from_data(code).sections() if part.is_text()]
    print(value, hashlib.sha256(b"".join(parts)).hexdigest(), sum(map(len, parts)))
"""
SQUARES = """
from otjdd.compiler.kernel_cache import njit

@njit(cache=True)
def exact(x):
    total = 0.0
    for i in range(x.size):
        total += (x[i] / 3.0) ** 2
    return total

@njit(cache=True, fastmath={"contract", "reassoc", "nsz"})
def summed(x):
    total = 0.0
    for i in range(x.size):
        total += (x[i] / 3.0) ** 2
    return total

@njit(cache=True)
def both(x):
    return exact(x) - summed(x)
"""
OPTIONS = """
from otjdd.compiler import decorators as jit

@jit.bare
def exact(x):
    total = 0.0
    for i in range(x.size):
        total += max(x[i], 0.5) / 3.0
    return total

@jit.summed
def summed(x):
    total = -exact(x)
    for i in range(x.size):
        total += max(x[i], 0.5) / 3.0 + exact(x) / x.size
    return total

@jit.inlined
def both(x):
    return exact(x) - summed(x)
"""
HEALED = """
import sys
sys.path.insert(0, sys.argv[1])
from kernels import poly
from otjdd.compiler import kernel_cache
poly(3.0)
kernel_cache.recompile()
print(poly(3.0), kernel_cache.folder() is not None)
"""
HIDDEN = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
import numba.core.caching, numba.core.codegen, numba.core.compiler
owner, name = {hidden!r}.rsplit(":", 1)
module, *inner = owner.split("/")
owner = importlib.import_module(module)
for part in inner:
    owner = getattr(owner, part)
delattr(owner, name)
from kernels import poly
from otjdd.compiler import kernel_cache
kernel_cache.recompile()
kernel_cache.compile_for(poly, (3.0,))
print(poly(3.0), kernel_cache.folder(), kernel_cache.is_empty())
"""
AFRESH = """
import sys
sys.path.insert(0, sys.argv[1])
from kernels import square
from otjdd.compiler import kernel_cache
square(3.0)
kernel_cache.recompile()
"""


def square(x):
    return x * x


def cube(x):
    return x * x * x


def other(x):
    return -x


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache folder of its own."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kernel_cache.folder.cache_clear()
    yield kernel_cache.folder()
    kernel_cache.folder.cache_clear()


def call(function=square, x=7.0):
    """Value of a freshly made kernel, and whether its machine code came from a file."""
    kernel = kernel_cache.njit(cache=True)(function)
    return kernel(x), bool(kernel.stats.cache_hits)


def program(tmp_path, code=PROGRAM, kernels=KERNELS, arguments=(), **environment):
    if not (tmp_path / "kernels.py").exists():  # others may be reading it
        (tmp_path / "kernels.py").write_text(kernels)
    inherited = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME")}
    command = [sys.executable, "-c", code, str(tmp_path), *arguments]
    return subprocess.Popen(
        command, env=inherited | {"PYTHONPATH": str(PACKAGE.parent)} | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_kernel_is_compiled_once_for_each_type(place):
    assert call() == (49.0, False)
    assert call() == (49.0, True)
    assert call(x=7) == (49, False)
    assert len(list(place.iterdir())) == 4  # what is inside, and its door
    assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0 or os.name == "nt"


def test_a_kernel_that_is_not_to_be_kept_is_not(place):
    assert kernel_cache.njit(square)(2.0) == 4.0
    assert list(place.iterdir()) == []


def test_damage_of_any_kind_is_compiled_again(place):
    call()
    (path,) = place.glob("*.square-*")
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
    (mine,) = place.glob("*.square-*")
    call(other)
    (foreign,) = place.glob("*.other-*")
    shutil.copy(foreign, mine)
    assert call() == (49.0, False)


def test_code_that_stands_apart_is_not_taken_for_code_that_does_not(place):
    assert call() == (49.0, False)
    kernel = kernel_cache.njit(cache=True, apart=True)(square)
    assert (kernel(7.0), bool(kernel.stats.cache_hits)) == (49.0, False)
    for apart in (False, True):
        kernel = kernel_cache.njit(cache=True, apart=apart)(square)
        assert (kernel(7.0), bool(kernel.stats.cache_hits)) == (49.0, True)


def test_an_entry_that_cannot_be_read_or_replaced_is_passed_over(place):
    call()
    (path,) = place.glob("*.square-*")
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
        patch.setattr(other, "__qualname__", "cube")
        assert call(other) == (-7.0, False)
    kernel = kernel_cache.njit(cache=True)(cube)
    assert kernel(7.0) == -7.0
    monkeypatch.setattr(kernel_cache, "KERNELS", [kernel])
    kernel_cache.recompile()
    assert kernel(7.0) == 343.0
    assert call(cube) == (343.0, True)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
@pytest.mark.parametrize("open_to_others", ["the root", "the folder", "neither"])
def test_of_a_folder_that_others_could_write_to_nothing_is_taken(place, open_to_others):
    call()
    (path,) = place.glob("*.square-*")
    {"the root": place.parent, "the folder": place}.get(open_to_others, path).chmod(0o777)
    kernel_cache.folder.cache_clear()
    if open_to_others == "neither":  # the file alone
        assert kernel_cache.folder() == place
        assert path.exists()
    else:
        assert kernel_cache.folder() == place
        assert list(place.iterdir()) == []
        assert stat.S_IMODE(place.stat().st_mode) | stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert call() == (49.0, False)
    assert call() == (49.0, True)
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in place.iterdir()} == {0o600}


class Planted:
    """A pickle that leaves a mark when it is read."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
@pytest.mark.parametrize(
    "how", ["others could write the file", "a link", "a second name", "others could write the folder"]
)
def test_a_planted_entry_with_a_good_seal_is_not_read(place, tmp_path, how):
    call()
    (path,) = place.glob("*.square-*")
    kernel = kernel_cache.njit(cache=True)(square)
    _, key = kernel._cache.entry((numba.float64,), kernel.targetctx.codegen())
    other, mark = tmp_path / "other", tmp_path / "mark"
    other.write_bytes(sealed(key + pickle.dumps(Planted(str(mark)))))
    other.chmod(0o600)
    path.unlink()
    if how == "a link":
        path.symlink_to(other)
    elif how == "a second name":
        os.link(other, path)
    else:
        shutil.move(other, path)
        (path if "the file" in how else place).chmod(0o777 if "the folder" in how else 0o666)
    kernel_cache.folder.cache_clear()
    assert call() == (49.0, False)
    assert not mark.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
def test_a_folder_of_somebody_else_or_behind_a_link_is_not_used(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    assert not kernel_cache.is_closed(tmp_path / "link", "*")
    monkeypatch.setattr(os, "getuid", lambda: (tmp_path / "theirs").stat().st_uid + 1)
    assert not kernel_cache.is_closed(tmp_path / "theirs", "*")


def test_only_the_folders_used_last_are_kept(tmp_path):
    for age in range(12):
        folder = tmp_path / f"kernels-{age}"
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "mine").mkdir()
    kernel_cache.prune(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {f"kernels-{age}" for age in range(kernel_cache.KEPT)} | {"mine"}


@pytest.mark.parametrize("edited", ["constants.py", "physics/ions.py", "compiler/kernel_cache.py", None])
def test_an_edit_of_any_source_of_a_kernel_makes_another_folder(tmp_path, edited):
    shutil.copytree(PACKAGE, tmp_path / "otjdd", ignore=shutil.ignore_patterns("__pycache__", "cases"))
    code = "from otjdd.compiler import kernel_cache; print(kernel_cache.__file__, kernel_cache.made_from())"
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


@pytest.mark.parametrize("kernels", [SQUARES, OPTIONS], ids=["squares", "options"])
def test_a_kernel_is_the_same_whatever_was_compiled_before_it_and_by_which_process(tmp_path, kernels):
    """Else a result cannot be made again.

    numba has one x**2 for all kernels, with the rounding of the first. A kernel takes the options that it is not given
    from the first that calls it, and sets of options have another order in each process.
    """
    orders = {"a": ("exact", "summed", "both"), "b": ("summed", "exact", "both"), "c": ("both",), "d": ("summed",)}
    said = {}
    for seed, (place, order) in enumerate(orders.items()):
        environment = {"NUMBA_CACHE_DIR": str(tmp_path / place), "PYTHONHASHSEED": str(seed)}
        for arguments in (order, ()):  # in the process that compiles, and in one that finds some or all of it
            process = program(tmp_path, ORDER, kernels, arguments, **environment)
            said[place, arguments] = process.communicate(timeout=250)
    (told,) = set(said.values())
    values, _, lengths = zip(*(line.split() for line in told[0].splitlines()), strict=True)
    exact, summed, both = map(float.fromhex, values)
    assert exact != summed
    assert both == exact - summed
    assert all(map(int, lengths))
    files = [{entry.name for entry in (tmp_path / place).glob("otjdd/*/*")} for place in orders]
    assert all(names == files[0] for names in files)


def spoil(path: Path, harm: str) -> None:
    whole, rng = path.read_bytes(), random.Random(5)
    flipped = bytearray(whole)
    flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "flipped": bytes(flipped)}.get(harm, whole))
    if harm == "missing":
        path.unlink()


@pytest.mark.parametrize("harm", ["missing", "empty", "cut", "flipped"])
@pytest.mark.parametrize("spoilt", ["square.apart", "poly"])
def test_of_a_kernel_that_stands_apart_and_its_caller_one_alone_may_be_lost(tmp_path, spoilt, harm):
    def result():
        return program(tmp_path, NUMBA_CACHE_DIR=str(tmp_path)).communicate(timeout=250)

    assert result() == ("19.0 False\n", "")
    (path,) = tmp_path.glob(f"otjdd/*/*.{spoilt}-*")
    spoil(path, harm)
    assert result() == (f"19.0 {spoilt != 'poly'}\n", "")  # a name is the same in all processes: the caller fits
    assert result() == ("19.0 True\n", "")


def test_a_caller_of_a_kernel_that_has_another_name_now_is_compiled_again(tmp_path):
    said = [
        program(tmp_path, code, NUMBA_CACHE_DIR=str(tmp_path)).communicate(timeout=250)
        for code in (PROGRAM, AFRESH, PROGRAM, PROGRAM)
    ]
    assert said == [("19.0 False\n", ""), ("", ""), ("19.0 False\n", ""), ("19.0 True\n", "")]


@pytest.mark.parametrize("kernels", [KERNELS, CALLER_FIRST], ids=["callee first", "caller first"])
def test_after_all_kernels_were_compiled_again_new_processes_find_them(tmp_path, kernels):
    said = []
    for code in (PROGRAM, HEALED, PROGRAM):
        process = program(tmp_path, code, kernels, NUMBA_CACHE_DIR=str(tmp_path))
        said.append((*process.communicate(timeout=250), process.returncode))
    assert said == [("19.0 False\n", "", 0), ("19.0 True\n", "", 0), ("19.0 True\n", "", 0)]


@needs_elf
def test_code_whose_symbols_are_not_known_is_neither_written_nor_loaded(tmp_path):
    def run(code=PROGRAM):
        process = program(tmp_path, code, NUMBA_CACHE_DIR=str(tmp_path))
        return *process.communicate(timeout=250), process.returncode

    assert run() == ("19.0 False\n", "", 0)
    (path,) = tmp_path.glob("otjdd/*/*poly-*")
    body = unsealed(path, path.read_bytes())
    at = body.rindex(b"square", 0, body.rindex(b".text"))  # the name of a symbol in the object file
    path.write_bytes(sealed(body[:at] + b"squarf" + body[at + 6 :]))
    path.chmod(0o600)
    assert run() == ("19.0 False\n", "", 0)  # and not "LLVM ERROR: Symbol not found", exit code 134
    assert run() == ("19.0 True\n", "", 0)


@needs_elf
def test_symbols_that_an_object_file_needs_are_read_off_it(place):
    from llvmlite import binding

    source = """
    declare double @somewhere(double)
    declare double @cos(double)
    define double @here(double %x) {
        %y = call double @somewhere(double %x)
        %z = call double @cos(double %y)
        ret double %z
    }"""
    machine = binding.Target.from_default_triple().create_target_machine()
    code = machine.emit_object(binding.parse_assembly(source))
    assert private.wanted(code) == {"somewhere", "cos"}
    assert private.wanted(b"no object file") == set()
    with pytest.raises(ValueError, match=r"it needs what is not there: somewhere$"):
        kernel_cache.check_symbols(code)
    for length in (8, 60, len(code) // 2, len(code) - 8):
        with pytest.raises(ValueError, match="no object file"):
            private.wanted(code[:length])


@pytest.mark.parametrize("hidden", [
    "numba.core.codegen:JITCodeLibrary", "numba.core.compiler/CompileResult:_reduce",
    "numba.core.dispatcher/_DispatcherBase:_reset_overloads",
])  # fmt: skip
def test_without_a_private_part_of_numba_kernels_are_its_own_and_the_numbers_right(tmp_path, hidden):
    process = program(tmp_path, HIDDEN.format(hidden=hidden), NUMBA_CACHE_DIR=str(tmp_path))
    out, err = process.communicate(timeout=250)
    assert (out, process.returncode) == ("19.0 None False\n", 0), err
    assert err.count("RuntimeWarning") == 1
    assert "is not one that otjdd was tested with" in err
    assert not list(tmp_path.glob("otjdd*"))


def test_settings_of_numba_that_change_code_are_in_the_name_of_the_folder(monkeypatch):
    before = kernel_cache.settings()
    monkeypatch.setattr(numba.config, "LOOP_VECTORIZE", 0)
    assert kernel_cache.settings() != before
    monkeypatch.undo()
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "elsewhere")
    assert kernel_cache.settings() == before


def test_code_that_stands_apart_is_not_in_its_callers(place, tmp_path, monkeypatch):
    for apart in (True, False):
        name = f"kernels_{apart}"
        (tmp_path / f"{name}.py").write_text(KERNELS.replace("apart=True", f"apart={apart}"))
        monkeypatch.syspath_prepend(tmp_path)
        poly = importlib.import_module(name).poly
        assert poly(3.0) == 19.0
        (result,) = poly.overloads.values()
        assert [kernel for _, kernel, _ in kernel_cache.called_by_name(result.library)] == [
            f"{name}.square.apart"
        ] * apart


def test_callers_keep_their_copies_of_what_they_call_to_themselves(place, tmp_path, monkeypatch):
    """Else the linker takes, of all copies in a process, the first: of the run that compiles other ones than of later."""
    (tmp_path / "copies.py").write_text(COPIES)
    monkeypatch.syspath_prepend(tmp_path)
    lucas = importlib.import_module("copies").lucas
    assert lucas(10) == 123
    (result,) = lucas.overloads.values()
    module = result.library._final_module
    assert any("fibonacci" in function.name for function in private.definitions(module, "internal"))
    assert not private.definitions(module, "linkonce_odr")
    assert any("lucas" in function.name for function in private.definitions(module, "external"))


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_machine_code_is_loaded(number):
    class Came(BaseException):
        pass

    def come(number, frame):
        raise Came

    def load():
        with private.undisturbed():
            signal.raise_signal(number)
            seen.append("loaded")

    before, seen = signal.signal(number, come), []
    try:
        with pytest.raises(Came):
            load()
        assert seen == ["loaded"]
        assert signal.getsignal(number) is come
    finally:
        signal.signal(number, before)


def test_timers_are_told_of_calls_again_after_machine_code_is_loaded():
    seen = []

    def come():
        seen.append("came")

    def go():
        seen.append("went")

    binding.ffi.register_lock_callback(come, go)
    try:
        with private.untimed():
            binding.get_default_triple()
        assert seen == []
        binding.get_default_triple()
        assert seen[:2] == ["came", "went"]
    finally:
        binding.ffi.unregister_lock_callback(come, go)


def test_threads_load_machine_code_as_they_are():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: private.undisturbed().__enter__()).result() is None
