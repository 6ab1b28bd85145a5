"""Compiled kernels, kept between runs in files that can be trusted.

`njit` is numba's, with another cache. Numba's own does not notice edits in other files of the package, and its files
carry no checksum: one flipped bit of machine code is a crash or a wrong number. Here every entry is a sealed file (see
`otjdd.system.files`) in a folder whose name says what it was made from: the sources of all kernels, the versions of what
compiled them, and numba's options. An entry that is missing, damaged, foreign or unreadable is compiled again, and
where nothing can be written, nothing is kept; neither is ever an error.

numba puts the code of a kernel into that of all its callers, and compiles it anew in each. A kernel that stands `apart`
is called by name instead. An entry lists such names, for the process ends where a name means nothing: their kernels are
loaded or compiled before it, and where one of them has got another name, the entry is foreign.
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
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy
from llvmlite import binding
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, CompileResult
from numba.core.serialize import dumps

from otjdd.system import sources
from otjdd.system.files import read_whole, sealed, unsealed, write_whole
from otjdd.system.imports import absent

log = logging.getLogger(__name__)

KEPT = 8  # folders; one for each state of the sources, of numba and of its options
KERNELS = []  # all that are kept, in the order of their definition
APART = {}  # name in machine code -> kernel and signature, of all in this process that stand apart
PASSED_OVER = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DEBUG_CACHE"}  # options that change no machine code


def njit(function=None, *, cache=False, apart=False, **options):
    """numba.njit; `cache` keeps the machine code in files of otjdd, not of numba. Other options are numba's.

    apart : with cache, callers do not contain the machine code but call it by its name
    """
    if function is None:
        return lambda function: njit(function, cache=cache, apart=apart, **options)
    dispatcher = numba.njit(**options, pipeline_class=Named if apart else Alone)(function)
    if cache and dispatcher is not function:  # NUMBA_DISABLE_JIT
        dispatcher._cache = KernelCache(function, apart)
        KERNELS.append(dispatcher)
    return dispatcher


class Library(JITCodeLibrary):
    """Machine code that does not depend on what else a process has compiled or loaded.

    numba shows the linker the copies that a caller has of callees, and it takes, of all in a process, the one that came
    first. In the run that compiles these are others than in later ones, optimised in other company, with their sums in
    another order: results differed by 1e-9. Here callers keep their copies to themselves.
    """

    def _finalize_final_module(self):
        if self._shared_module is None:  # not loaded from a file
            # As a file would give it: what LLVM makes of a module depends on whether it has been written and read.
            self._shared_module = binding.parse_bitcode(self._final_module.as_bitcode())
            for function in definitions(self._shared_module, "external"):
                function.linkage = "linkonce_odr"
            for function in definitions(self._final_module, "linkonce_odr"):
                function.linkage = "internal"
        super()._finalize_final_module()


def definitions(module, linkage: str) -> list:
    """Functions of a module that are more than declared, and stand for the linker as said."""
    return [f for f in module.functions if not f.is_declaration and f.linkage.name == linkage]


class Alone(Compiler):
    """numba's compiler, into a Library."""

    def _compile_bytecode(self):
        self.state.library = Library(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        self.state.library.enable_object_caching()
        return super()._compile_bytecode()


class Named(Alone):
    """But every process gives the same name to the same machine code.

    numba counts the functions that a process compiles, and files of two processes would not fit together.
    """

    afresh = ""  # makes names unlike all before

    def _compile_bytecode(self):
        source = f"{getattr(folder(), 'name', '')} {self.afresh}"
        self.state.func_id.unique_id = int(hashlib.sha256(source.encode()).hexdigest()[:16], 16)
        return super()._compile_bytecode()


class KernelCache:
    """Machine code of one kernel: a file for each signature. What numba asks of the cache of a dispatcher."""

    def __init__(self, function, apart):
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        self.apart = apart
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
        kind = "apart" if self.apart else "whole"
        key = f"{folder().name} {self.name} {kind} {signature} {codegen.magic_tuple()}\n".encode()
        return folder() / f"{self.name}-{hashlib.sha256(key).hexdigest()[:16]}", key

    def load_overload(self, signature, target):
        """Compiled kernel for a signature, None when there is none that can be trusted."""
        target.refresh()
        if not (self.enabled and folder()):
            return None
        path, key = self.entry(signature, target.codegen())
        try:
            if not path.exists():
                return None
            body = unsealed(path, read_whole(path))
            if not body.startswith(key):
                raise ValueError("made for something else")
            # A pickle, but of a file that only this user can have written, and that is whole.
            called, parts = pickle.loads(body[len(key) :])
            for name, kernel, arguments in called:
                provide(name, kernel, arguments)
            if self.apart:
                target.codegen()._engine._defined_symbols.update(entry_names(parts[1]))
            return self.present(signature, CompileResult._rebuild(target, *parts))
        except Exception as error:
            log.info("compiling %s again: %s", self.name, error)
            return None

    def save_overload(self, signature, result):
        self.present(signature, result)
        if not (self.enabled and folder()) or result.lifted or result.library.has_dynamic_globals:
            return
        path, key = self.entry(signature, result.codegen)
        try:
            write_whole(path, sealed(key + dumps((called_by_name(result.library), result._reduce()))))
        except Exception as error:  # a full disk, say: the kernel is there all the same
            log.info("%s is not kept: %s", self.name, error)

    def present(self, signature, result):
        """A compiled kernel, after what stands apart of it has been taken out of its callers' sight but for its name."""
        if self.apart:
            library = result.library
            library._shared_module = binding.parse_assembly(str(library.codegen._create_empty_module(library.name)))
            APART[result.fndesc.llvm_func_name] = self.name, signature
        return result


def entry_names(description) -> tuple[str, str]:
    """Names in machine code of a kernel: for kernels that call it, and for Python."""
    return description.llvm_func_name, description.llvm_cpython_wrapper_name


def called_by_name(library) -> list:
    """Name, kernel and signature of everything apart that machine code calls."""
    declared = [function.name for function in library._final_module.functions if function.is_declaration]
    return [(name, *APART[name]) for name in declared if name in APART]


def provide(name: str, kernel: str, signature) -> None:
    """Have a kernel that stands apart in this process. Raises ValueError when its name there is another."""
    if name not in APART:
        next(found for found in reversed(KERNELS) if found._cache.name == kernel).compile(signature)
    if name not in APART:
        raise ValueError(f"{kernel} has another name now")


def do_without_blas() -> None:
    """Keep numba from importing scipy.linalg, a quarter of a second, for a BLAS that no kernel here calls.

    For a process that is otjdd's own: numba's `np.dot` is then missing in it.
    """
    with absent("scipy.linalg"):
        import numba.np.arraymath  # noqa: F401


@cache
def folder() -> Path | None:
    """Folder of the machine code of these sources on this installation; None where there is no place for one."""
    for root in roots():
        try:
            place = root / made_from()
            fresh = not place.exists()
            root.mkdir(parents=True, exist_ok=True)
            place.mkdir(mode=0o700, exist_ok=True)
            if is_private(root) and is_private(place):
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


def is_private(path: Path) -> bool:
    """Whether nobody else can have put something there; makes it so where the folder is this user's."""
    if not hasattr(os, "getuid"):
        return True
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or not os.access(path, os.W_OK | os.X_OK):
        return False
    if status.st_mode & 0o022:
        path.chmod(0o700)
    return True


@cache
def made_from() -> str:
    """Name of what machine code depends on: sources, versions and options. Raises OSError when there are no sources."""
    options = sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in PASSED_OVER)
    versions = [module.__version__ for module in (numba, llvmlite, numpy)]
    made = repr((sources.digest(("constants", "errors", "physics")), versions, sys.version, options))
    return f"kernels-{hashlib.sha256(made.encode()).hexdigest()[:20]}"


def compile_for(kernel, arguments: tuple) -> None:
    """Compile a kernel for arguments like these, or load it, without calling it."""
    kernel.compile(tuple(map(numba.typeof, arguments)))


def is_empty() -> bool:
    """Whether kernels are kept and none is there yet."""
    return not numba.config.DISABLE_JIT and folder() is not None and not any(folder().iterdir())


def prune(root: Path) -> None:
    """Remove the folders that were not used for longest, all but KEPT."""
    found = [path for path in root.glob("kernels-*") if path.is_dir() and not path.is_symlink()]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def recompile() -> None:
    """Forget the machine code of these sources and compile again what this process uses of it."""
    Named.afresh = secrets.token_hex()
    APART.clear()
    if folder():
        shutil.rmtree(folder(), ignore_errors=True)
        folder().mkdir(mode=0o700, exist_ok=True)
    for kernel in KERNELS:  # callees first, for their code goes into that of their callers
        kernel.recompile()
