"""Compiled kernels, kept between runs in files that can be trusted.

`njit` is numba's, with another cache. Numba's own does not notice edits in other files of the package, and its files
carry no checksum: one flipped bit of machine code is a crash or a wrong number. Here every entry is a sealed file (see
`otjdd.files`) in a folder whose name says what it was made from: the sources of all kernels, the versions of what
compiled them, and numba's options. An entry that is missing, damaged, foreign or unreadable is compiled again, and
where nothing can be written, nothing is kept; neither is ever an error.
"""

import hashlib
import logging
import os
import pickle
import shutil
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from otjdd.files import read_whole, sealed, unsealed, write_whole

log = logging.getLogger(__name__)

KEPT = 8  # folders; one for each state of the sources, of numba and of its options
KERNELS = []  # all that are kept, in the order of their definition
PASSED_OVER = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DEBUG_CACHE"}  # options that change no machine code


def njit(function=None, *, cache=False, **options):
    """numba.njit; `cache` keeps the machine code in files of otjdd, not of numba. Other options are numba's."""
    if function is None:
        return lambda function: njit(function, cache=cache, **options)
    dispatcher = numba.njit(**options)(function)
    if cache and dispatcher is not function:  # NUMBA_DISABLE_JIT
        dispatcher._cache = KernelCache(function)
        KERNELS.append(dispatcher)
    return dispatcher


class KernelCache:
    """Machine code of one kernel: a file for each signature. What numba asks of the cache of a dispatcher."""

    def __init__(self, function):
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
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
        key = f"{folder().name} {self.name} {signature} {codegen.magic_tuple()}\n".encode()
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
            return CompileResult._rebuild(target, *pickle.loads(body[len(key) :]))
        except Exception as error:
            log.info("compiling %s again: %s", self.name, error)
            return None

    def save_overload(self, signature, result):
        if not (self.enabled and folder()) or result.lifted or result.library.has_dynamic_globals:
            return
        path, key = self.entry(signature, result.codegen)
        try:
            write_whole(path, sealed(key + dumps(result._reduce())))
        except Exception as error:  # a full disk, say: the kernel is there all the same
            log.info("%s is not kept: %s", self.name, error)


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
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in (*sorted((package / "physics").glob("*.py")), package / "units.py", Path(__file__)):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    options = sorted((k, v) for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in PASSED_OVER)
    versions = [module.__version__ for module in (numba, llvmlite, numpy)]
    digest.update(repr((versions, sys.version, options)).encode())
    return f"kernels-{digest.hexdigest()[:20]}"


def prune(root: Path) -> None:
    """Remove the folders that were not used for longest, all but KEPT."""
    found = [path for path in root.glob("kernels-*") if path.is_dir() and not path.is_symlink()]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def recompile() -> None:
    """Forget the machine code of these sources and compile again what this process uses of it."""
    if folder():
        shutil.rmtree(folder(), ignore_errors=True)
        folder().mkdir(mode=0o700, exist_ok=True)
    for kernel in KERNELS:  # callees first, for their code goes into that of their callers
        kernel.recompile()
