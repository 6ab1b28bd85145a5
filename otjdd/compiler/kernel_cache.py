"""Machine code of kernels by LLVM, kept between runs in files that can be trusted.

Each kernel is one object file, which calls other kernels by their symbols. All functions in an object file but the
kernel itself are internal to it. A linker takes the first of several functions of one name, so results would otherwise
depend on what a process has loaded before.

The interface is that of llvmlite: https://llvmlite.readthedocs.io/en/stable/user-guide/binding

numba's own cache does not notice edits in other files of the package, and its files have no checksum: one flipped bit
of machine code is a crash or a wrong number. Here every entry is a sealed file (see `otjdd.system.files`) in a folder
whose name is a digest of what the code depends on: the sources of all kernels, the versions of the compiler, this
processor, and numba's settings. An entry that is missing, damaged, or made from something else is compiled again. If no
folder can be written to, kernels are compiled in each process. Neither is an error.

An entry is a pickle, which can run code. So it is read only from a folder and a file that belong to this user and that
nobody else can write to.

A kernel has two entries. One is its machine code, with the names of the kernels that it calls, which are loaded or
compiled before it. The other is its entry point for Python. Symbols are the same in all processes, so that any entry
may be lost without the others.
"""

import hashlib
import logging
import os
import pickle
import shutil
import stat
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import llvmlite
import numba
import numpy
from llvmlite import binding
from numba.core import types
from numba.core.funcdesc import FunctionDescriptor

from otjdd.system import sources
from otjdd.system.files import MAX_BYTES, read_regular, sealed, unsealed, write_whole
from otjdd.system.interpreter import absent

LOADED: set[str] = set()  # symbols of kernels in this process
ENGINES: list[binding.ExecutionEngine] = []  # hold the machine code in memory


def processor() -> tuple[str, str]:
    """Name and features of this processor."""
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def machine() -> binding.TargetMachine:
    """LLVM's target of this processor, with the level of optimisation of numba."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name, abilities = processor()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=name, features=abilities, opt=int(numba.config.OPT), reloc="default", codemodel="jitdefault", jit=True
    )


def engine() -> binding.ExecutionEngine:
    """A new execution engine, which holds machine code."""
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine())


def assembled(code: str) -> bytes:
    """Object file of LLVM code, as it is."""
    return machine().emit_object(binding.parse_assembly(code))


def object_file(code: str, function: str, symbol: str) -> tuple[bytes, list[str]]:
    """Object file of LLVM code, and the symbols that it needs. function : gets the symbol; all others become internal"""
    module = binding.parse_assembly(code)
    parts = [*module.functions, *module.global_variables]
    for part in parts:
        if not part.is_declaration:
            part.linkage = "external" if part.name == function else "internal"
    module.get_function(function).name = symbol
    needed = [part.name for part in parts if part.is_declaration and not part.name.startswith("llvm.")]
    return machine().emit_object(module), needed


def is_known(symbol: str) -> bool:
    """True for a symbol of the process or of a kernel. LLVM ends the process if it cannot find one."""
    return symbol in LOADED or binding.address_of_symbol(symbol) is not None


def link(code: bytes, symbol: str) -> None:
    """Load an object file into this process, so that kernels loaded later can call its symbol. Raises ValueError."""
    if symbol in LOADED or not ENGINES:
        ENGINES.append(engine())  # an engine holds one function of a name, and a session may define a kernel again
    ENGINES[-1].add_object_file(binding.ObjectFileRef.from_data(code))
    ENGINES[-1].finalize_object()
    place = ENGINES[-1].get_function_address(symbol)
    if not place:
        raise ValueError(f"{symbol} is not in its object file")
    binding.add_symbol(symbol, place)
    LOADED.add(symbol)


def address(symbol: str) -> int:
    """Address of what was loaded last under a symbol."""
    place: int = binding.address_of_symbol(symbol)
    return place


Types = tuple[types.Type, ...]  # of the arguments of a kernel
Compiled = tuple[FunctionDescriptor, bytes, list[str | tuple[str, Types]]]  # description, machine code, what it calls


class Provider(Protocol):
    """A kernel, as far as the cache uses it."""

    apart: bool  # its callers call it by its symbol instead of copying its code

    def provide(self, arguments: Types) -> FunctionDescriptor: ...

    def find(self, arguments: Types) -> int: ...


log = logging.getLogger(__name__)

# sources of kernels
OF_KERNELS = (
    "constants",
    "errors",
    "variables",
    "laws",
    "compiler",
    "physics",
    "mechanisms",
    "stepping",
    "compact_models/kernels",
)
MOST_FOLDERS = 8  # most folders that are kept, one for each state of the sources, of numba and of its settings
KERNELS: dict[str, Provider] = {}  # name -> kernel, the last one that was defined
SYMBOLS: dict[str, tuple[str, Types]] = {}  # symbol -> its kernel and types of arguments, in this process
COUNTS: Counter[str] = Counter()  # number of entries that this process has "loaded" and "compiled"
COMPILING: list[str] = []  # kernels that this process compiles, each because the one before calls it
ON_COMPILING: list[Callable[[str], None]] = []  # called with the first name of COMPILING, and with "" at its end
NO_CODE = (  # settings of numba that change no machine code
    "CACHE_DIR", "CACHE_LOCATOR_CLASSES", "CHROME_TRACE", "COLOR_SCHEME", "CUDA_", "DEBUG_CACHE", "DEVELOPER_MODE",
    "DISABLE_PERFORMANCE_WARNINGS", "FULL_TRACEBACKS", "NUMBA_", "PARALLEL_DIAGNOSTICS", "RUNNING_UNDER_PROFILER",
    "SHOW_HELP", "THREADING_LAYER", "_HAVE_YAML",
)  # fmt: skip


def kernel_symbol(name: str, arguments: Types) -> str:
    """Symbol of a kernel for types of arguments, the same in all processes."""
    own_symbol = f"otjdd.{name}.{hashlib.sha256(str(arguments).encode()).hexdigest()[:16]}"
    SYMBOLS[own_symbol] = name, arguments
    return own_symbol


def load(name: str, arguments: Types) -> Compiled | None:
    """Load a kernel and all kernels that it calls. Returns None if it has to be compiled."""
    compiled: Compiled | None = read_entry(name, arguments)
    if compiled is None:
        return None
    try:
        for needed in compiled[2]:
            if isinstance(needed, tuple):
                callee, kinds = needed
                KERNELS[callee].provide(kinds)
            elif not is_known(needed):
                raise ValueError(f"it calls {needed}, which is not there")
        kernel_symbol(name, arguments)  # notes the symbol for kernels that are compiled later and call this one
        return compiled
    except Exception as error:
        log.info("compiling %s again: %s", name, error)
        return None


def entry_file(place: Path, name: str, arguments: Types) -> tuple[Path, bytes]:
    """File of an entry in a folder, and the key with which its content begins."""
    key = f"{place.name} {name} {arguments}\n".encode()
    return place / f"{name}-{hashlib.sha256(key).hexdigest()[:16]}", key


def read_entry(name: str, arguments: Types) -> Any:
    """Content of an entry; None if the file is missing or damaged, or if others can write to it."""
    place = folder()
    if place is None:
        return None
    path, key = entry_file(place, name, arguments)
    try:
        if not path.exists():
            return None
        body = unsealed(path, read_regular(path, MAX_BYTES, owned=True))
        if not body.startswith(key):
            raise ValueError("made for something else")
        content = pickle.loads(body[len(key) :])
        COUNTS["loaded"] += 1
        return content
    except Exception as error:
        log.info("compiling %s again: %s", name, error)
        return None


def write_entry(name: str, arguments: Types, content: object) -> None:
    """Write an entry to disk. A failure is logged, and is no error."""
    COUNTS["compiled"] += 1
    place = folder()
    if place is None:
        return
    path, key = entry_file(place, name, arguments)
    try:
        write_whole(path, sealed(key + pickle.dumps(content)), forced=False, mode=0o600)
    except Exception as error:  # such as a full disk; the kernel is loaded all the same
        COUNTS["not kept"] += 1
        log.info("%s is not kept: %s", name, error)


@contextmanager
def compiling(name: str) -> Iterator[None]:
    """Within the block a kernel is compiled: it stands in COMPILING, and functions in ON_COMPILING are called."""
    COMPILING.append(name)
    try:
        for note in ON_COMPILING:
            note(COMPILING[0])
        yield
    finally:
        COMPILING.pop()
        for note in ON_COMPILING if not COMPILING else ():
            note("")


def do_without_blas() -> None:
    """Keep numba from importing scipy.linalg, which takes a quarter of a second, for a BLAS that no kernel here calls.

    Only for a process of otjdd alone: numba has no `np.dot` then.
    """
    with absent("scipy.linalg"):
        import numba.np.arraymath  # noqa: F401


@cache
def folder() -> Path | None:
    """Folder of the machine code of these sources on this machine; None if no folder can be written to."""
    for root in roots():
        try:
            place = root / made_from()
            fresh = not place.exists()
            root.parent.mkdir(parents=True, exist_ok=True)
            if is_closed(root) and is_closed(place):
                os.utime(place)
                if fresh:
                    prune(root)
                return place
        except OSError as error:
            log.info("kernels are not kept in %s: %s", root, error)
    return None


def roots() -> Iterator[Path]:
    """Places for the folders, in order of preference."""
    for chosen in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        if os.environ.get(chosen):
            yield Path(os.environ[chosen], "otjdd").absolute()
    with suppress(RuntimeError):  # the user has no home folder
        yield Path.home() / ".cache" / "otjdd"
    with suppress(FileNotFoundError):
        yield Path(tempfile.gettempdir(), f"otjdd-{os.getuid() if hasattr(os, 'getuid') else 'user'}")


def is_closed(path: Path) -> bool:
    """True for a folder that only this user can write to. A missing one is made."""
    path.mkdir(mode=0o700, exist_ok=True)
    if not hasattr(os, "getuid"):
        return True
    status = os.lstat(path)
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
    return mine and os.access(path, os.W_OK | os.X_OK)


@cache
def made_from() -> str:
    """Name of a folder: a digest of sources, versions, processor and settings. Raises OSError without sources."""
    versions = [module.__version__ for module in (numba, llvmlite, numpy)]
    text = repr((sources.digest(OF_KERNELS), versions, sys.version, processor(), settings()))
    return f"kernels-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def settings() -> list[tuple[str, str]]:
    """(name, value) of numba's settings that may change machine code, from variables and files."""
    numba.config.reload_config()  # as each compilation does
    values = {name: value for name, value in vars(numba.config).items() if name.isupper()}
    return sorted((name, repr(value)) for name, value in values.items() if not name.startswith(NO_CODE))


def compile_for(kernel: Any, arguments: tuple[Any, ...], from_python: bool = False) -> None:
    """Load or compile a kernel for the types of these arguments, without calling it.

    from_python : for calls by Python, else for calls by other kernels
    """
    kinds = tuple(map(numba.typeof, arguments))
    if not KERNELS:
        kernel.compile(kinds)  # numba's own function
    elif from_python:
        kernel.entry_point.compile(kinds)
    else:
        kernel.provide(kinds)


def is_empty() -> bool:
    """True if kernels are kept on disk, and none is there yet."""
    place = folder()
    return bool(KERNELS) and place is not None and not any(place.iterdir())


def prune(root: Path) -> None:
    """Remove the least recently used folders, so that KEPT are left."""
    folders = [path for path in root.glob("kernels-*") if path.is_dir() and not path.is_symlink()]
    folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in folders[MOST_FOLDERS:]:
        shutil.rmtree(path, ignore_errors=True)


def forget() -> None:
    """Remove the machine code of these sources from disk. Kernels that are not loaded yet are compiled again."""
    if place := folder():
        shutil.rmtree(place, ignore_errors=True)
        folder.cache_clear()  # the next call makes it again
