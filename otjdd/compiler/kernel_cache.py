"""Compiled kernels, kept between runs in files that can be trusted.

`njit` is numba's, with another cache. Numba's own does not notice edits in other files of the package, and its files
carry no checksum: one flipped bit of machine code is a crash or a wrong number. Here every entry is a sealed file (see
`otjdd.system.files`) in a folder whose name is a digest of what the code was made from: the sources of all kernels, the
versions of the compiler, and numba's settings. An entry that is missing, damaged, or made from something else is compiled
again. Where no folder can be written, kernels are compiled in each process. Neither is an error.

An entry is a pickle, which can run code. So it is read only from a folder and a file that belong to this user and that
nobody else can write to; a folder that was open to others is emptied before it is used.

numba puts the code of a kernel into that of all its callers, and compiles it again in each. A kernel that stands `apart`
is called by its name instead. An entry lists the kernels that it calls so, and they are loaded or compiled before it. An
entry whose symbols are not all known in this process is neither written nor loaded: LLVM would end the process.

A kernel has two entries: what is inside, for the kernels that call it, and its door, where Python calls it.

Where numba has changed and `private` cannot be imported, kernels are numba's own and are not kept.
"""

import hashlib
import logging
import os
import pickle
import secrets
import shutil
import stat
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy

from otjdd.system import sources
from otjdd.system.files import MAX_BYTES, read_regular, sealed, unsealed, write_whole
from otjdd.system.imports import absent

try:
    from otjdd.compiler import private
except (ImportError, AttributeError) as error:
    private = None
    warnings.warn(
        f"numba {numba.__version__} is not one that otjdd was tested with ({error}): kernels are not kept between runs, "
        "and each process compiles them anew, which takes minutes",
        RuntimeWarning,
        stacklevel=2,
    )

log = logging.getLogger(__name__)

OF_KERNELS = ("constants", "errors", "laws", "compiler", "physics", "stepping", "compact_models/kernels")  # sources
KEPT = 8  # folders; one for each state of the sources, of numba and of its settings
KERNELS = []  # all that are kept, in the order of their definition
NAMED = {}  # name -> kernel, the last one that was defined
APART = {}  # name in machine code -> kernel and signature, of all in this process that stand apart
NO_CODE = (  # settings of numba that change no machine code
    "CACHE_DIR", "CACHE_LOCATOR_CLASSES", "CHROME_TRACE", "COLOR_SCHEME", "CUDA_", "DEBUG_CACHE", "DEVELOPER_MODE",
    "DISABLE_PERFORMANCE_WARNINGS", "FULL_TRACEBACKS", "NUMBA_", "PARALLEL_DIAGNOSTICS", "RUNNING_UNDER_PROFILER",
    "SHOW_HELP", "THREADING_LAYER",
)  # fmt: skip


def njit(function=None, *, cache=False, apart=False, **options):
    """numba.njit; `cache` keeps the machine code in files of otjdd, not of numba. Other options are numba's.

    apart : with cache, callers do not contain the machine code but call it by its name
    """
    if function is None:
        return lambda function: njit(function, cache=cache, apart=apart, **options)
    if private is None:
        return numba.njit(**options)(function)
    if not cache or numba.config.DISABLE_JIT:
        return numba.njit(**options, pipeline_class=private.Alone)(function)
    inner = numba.njit(**options, pipeline_class=Kept if apart else KeptCopied)(function)
    door = numba.njit(**options, pipeline_class=private.door_of(inner))(function)
    private.for_callers(door, inner)
    form = "apart" if apart else "copied"
    for dispatcher, what in ((inner, form), (door, f"door of {form}")):
        private.set_cache(dispatcher, KernelCache(function, what))
        KERNELS.append(dispatcher)
        NAMED[private.cache_of(dispatcher).name] = dispatcher
    return door


if private is not None:

    class Numbered(private.Named):
        """Compiler of kernels that are kept: the same sources give the same names."""

        def number(self) -> int:
            source = f"{getattr(folder(), 'name', '')} {Kept.afresh}"
            return int(hashlib.sha256(source.encode()).hexdigest()[:16], 16)

    class Kept(Numbered):
        """Compiler of kernels that are called by their name."""

        afresh = ""  # makes names unlike all before

    class KeptCopied(Numbered, private.Copied):
        """Compiler of kernels that are copied into their callers."""


class KernelCache:
    """Code of one kernel: a file for each signature. What numba asks of the cache of a dispatcher.

    form : "apart", called by its name; "copied" by its callers, no machine code; "door of apart" or "door of copied",
        where Python calls the kernel
    """

    def __init__(self, function, form: str):
        suffix = f".{form}" if form in ("apart", "copied") else ""
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}{suffix}"
        self.form = form
        self.enabled = True

    @property
    def cache_path(self):
        return folder()

    def enable(self):
        self.enabled = True

    def disable(self):
        self.enabled = False

    def flush(self):
        for path in folder().glob(f"{self.name}-*") if folder() else ():
            path.unlink(missing_ok=True)

    def entry(self, signature, codegen) -> tuple[Path, bytes]:
        """File of a signature on this processor, and what it must begin with."""
        key = f"{folder().name} {self.name} {self.form} {signature} {codegen.magic_tuple()}\n".encode()
        return folder() / f"{self.name}-{hashlib.sha256(key).hexdigest()[:16]}", key

    def load_overload(self, signature, target):
        """Compiled kernel for a signature, None when there is none that can be trusted."""
        private.get_ready(target)
        if not (self.enabled and folder()):
            return None
        path, key = self.entry(signature, target.codegen())
        try:
            if not path.exists():
                return None
            body = unsealed(path, read_regular(path, MAX_BYTES, owned=True))
            if not body.startswith(key):
                raise ValueError("made for something else")
            needed, parts = pickle.loads(body[len(key) :])
            for name, kernel, arguments in needed:
                provide(name, kernel, arguments)
            if self.form == "copied":
                return private.rebuilt_copied(target, parts)
            check_symbols(private.object_code(parts))
            return self.present(signature, private.rebuilt(target, parts, self.form == "apart"))
        except Exception as error:
            log.info("compiling %s again: %s", self.name, error)
            return None

    def save_overload(self, signature, result):
        self.present(signature, result)
        if not (self.enabled and folder()) or result.lifted or result.library.has_dynamic_globals:
            return
        path, key = self.entry(signature, result.codegen)
        try:
            if self.form == "copied":
                parts = private.copied_parts(result)
            else:
                parts = private.parts(result)
                check_symbols(private.object_code(parts))
            entry = sealed(key + private.dumps((called_by_name(result.library), parts)))
            write_whole(path, entry, forced=False, mode=0o600)
        except Exception as error:  # a full disk, say: the kernel is there all the same
            log.info("%s is not kept: %s", self.name, error)

    def present(self, signature, result):
        """Make a compiled kernel that stands apart known by its name; returns the kernel."""
        if self.form == "apart":
            APART[private.hide(result)] = self.name, signature
        return result


def called_by_name(library) -> list:
    """Name, kernel and signature of everything apart that machine code calls."""
    return [(name, *APART[name]) for name in sorted(private.called(library)) if name in APART]


def provide(name: str, kernel: str, signature) -> None:
    """Load or compile a kernel that stands apart. Raises ValueError when its name in this process is another."""
    if name not in APART:
        dispatcher = NAMED[kernel]
        if not private.loaded(dispatcher, signature):
            dispatcher.compile(signature)
    if name not in APART:
        raise ValueError(f"{kernel} has another name now")


def check_symbols(code: bytes) -> None:
    """Raise ValueError when machine code needs a symbol that is neither in this process nor a kernel that stands apart."""
    unknown = {name for name in private.wanted(code) if name not in APART and not private.is_of_process(name)}
    if unknown:
        raise ValueError(f"it needs what is not there: {', '.join(sorted(unknown))}")


def do_without_blas() -> None:
    """Keep numba from importing scipy.linalg, a quarter of a second, for a BLAS that no kernel here calls.

    For a process that is otjdd's own: numba's `np.dot` is then missing in it.
    """
    with absent("scipy.linalg"):
        import numba.np.arraymath  # noqa: F401


@cache
def folder() -> Path | None:
    """Folder of the machine code of these sources on this installation; None where there is no place for one."""
    if private is None:
        return None
    for root in roots():
        try:
            place = root / made_from()
            fresh = not place.exists()
            root.parent.mkdir(parents=True, exist_ok=True)
            if is_closed(root, "kernels-*") and is_closed(place, "*"):
                os.utime(place)
                if fresh:
                    prune(root)
                return place
        except OSError as error:
            log.info("kernels are not kept in %s: %s", root, error)
    return None


def roots():
    """Places for the folders, in order of preference."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen).absolute() / "otjdd"
    for name, sub in (
        ("XDG_CACHE_HOME", ()),
        ("LOCALAPPDATA", ()),
        ("HOME", (".cache",)),
        ("USERPROFILE", (".cache",)),
    ):
        if os.environ.get(name):
            yield Path(os.environ[name], *sub, "otjdd").absolute()
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        yield Path(tempfile.gettempdir(), f"otjdd-{user}")
    except FileNotFoundError:
        return


def is_closed(path: Path, entries: str) -> bool:
    """True for a folder that only this user can write to; it is made when it is missing.

    entries : pattern of what is removed from it when it was open to others, who may have put it there
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if not hasattr(os, "getuid"):
        return True
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or not os.access(path, os.W_OK | os.X_OK):
        return False
    if status.st_mode & 0o022:
        path.chmod(0o700)
        for entry in path.glob(entries):
            remove(entry)
    return True


def remove(path: Path) -> None:
    """Remove a folder with all that is in it, a file or a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@cache
def made_from() -> str:
    """Name of what machine code depends on: sources, versions and settings. Raises OSError when there are no sources."""
    versions = [module.__version__ for module in (numba, llvmlite, numpy)]
    made = repr((sources.digest(OF_KERNELS), versions, sys.version, settings()))
    return f"kernels-{hashlib.sha256(made.encode()).hexdigest()[:20]}"


def settings() -> list[tuple[str, str]]:
    """Names and values of numba's settings that may change machine code, wherever they were made."""
    found = {name: value for name, value in vars(numba.config).items() if name.isupper()}
    return sorted((name, repr(value)) for name, value in found.items() if not name.startswith(NO_CODE))


def compile_for(kernel, arguments: tuple, door: bool = False) -> None:
    """Compile a kernel for arguments like these, or load it, without calling it.

    door : for calls by Python, else for calls by other kernels
    """
    types = tuple(map(numba.typeof, arguments))
    kernel.compile(types) if door else kernel.get_call_template(types, {})


def is_empty() -> bool:
    """True where kernels are kept and none is there yet."""
    return not numba.config.DISABLE_JIT and folder() is not None and not any(folder().iterdir())


def prune(root: Path) -> None:
    """Remove the folders that were not used for longest, all but KEPT."""
    found = [path for path in root.glob("kernels-*") if path.is_dir() and not path.is_symlink()]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def recompile() -> None:
    """Forget the machine code of these sources and compile again what this process uses of it.

    All kernels are forgotten before one is compiled. A caller that was compiled while what it calls was still the old
    one would contain it, or call it by a name that no later process knows.
    """
    if private is None:
        return
    Kept.afresh = secrets.token_hex()
    APART.clear()
    if folder():
        shutil.rmtree(folder(), ignore_errors=True)
        folder().mkdir(mode=0o700, exist_ok=True)
    used = [(kernel, private.reset(kernel)) for kernel in KERNELS]
    for kernel, signatures in used:
        for signature in signatures:
            kernel.compile(signature)
