"""Files that are whole or absent.

A file is written beside its place under another name, forced to the disk, read back, and only then renamed: whatever
happens in between, power cuts included, its name stands for the old content, for the new, or for nothing. A sealed file
ends with the sha256 of all bytes before it, so that damage is seen before any parser meets it; HDF5 allows bytes after
its end, and every other reader of NetCDF passes over them.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import secrets
import stat
import time
from pathlib import Path

from otjdd.errors import ResultError

MAX_BYTES = 8 * 2**30
SEAL = b"\notjdd sha256 "
SEAL_BYTES = len(SEAL) + 64 + 1
YOUNG, STALE = 5.0, 3600.0  # s, after which an unfinished file without a lock, or with one, belongs to nobody

ADVICE = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), or record less",
    errno.EACCES: "choose a folder you may write to",
    errno.EPERM: "choose a folder you may write to",
    errno.EROFS: "choose a folder you may write to",
    errno.ENOENT: "make the folder first",
    errno.ENOTDIR: "choose a folder: a part of this path is a file",
    errno.EISDIR: "give the name of a file, not of a folder",
    errno.EEXIST: "choose another name, or remove the file first",
    errno.ENXIO: "choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def write_whole(
    path: str | Path, data: bytes | memoryview, overwrite: bool = True, *, among_many: bool = False
) -> None:
    """Put `data` under `path`, all or nothing. Raises ResultError; then `path` is as it was before.

    A symbolic link is followed. Anything else than a regular file is never replaced. What writers of the same path that
    were killed have left beside it goes; not so `among_many` files, which all would have to be looked at: `tidy` them.
    """
    try:
        target = Path(os.path.realpath(path))
        _check_free(target, overwrite)
        if not among_many:
            tidy(target.parent, f".{glob.escape(target.name)}.*.part")
        _write_beside(target, data)
    except OSError as error:
        advice = ADVICE.get(error.errno, "check the disk, or write elsewhere")
        raise ResultError(path, f"cannot be written ({error.strerror or error})", advice) from error


def read_whole(path: str | Path) -> bytes:
    """Content of a regular file of at most MAX_BYTES. Raises ResultError."""
    try:
        # Non-blocking, or opening a FIFO that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ResultError(path, "is not a regular file")
            if status.st_size > MAX_BYTES:
                raise ResultError(path, f"is larger than {MAX_BYTES // 2**30} GiB")
            return file.read()
    except FileNotFoundError as error:
        raise ResultError(path, "there is no such file") from error
    except OSError as error:
        raise ResultError(path, f"cannot be read ({error.strerror or error})") from error


def sealed(data: bytes | memoryview) -> bytes:
    """The data and, at their end, their sha256."""
    return b"".join([data, SEAL, hashlib.sha256(data).hexdigest().encode(), b"\n"])


def unsealed(path: str | Path, data: bytes) -> bytes:
    """The data without their seal. Raises ResultError (about `path`) when the seal is missing or does not fit."""
    body, seal = data[:-SEAL_BYTES], data[-SEAL_BYTES:]
    if not seal.startswith(SEAL):
        raise ResultError(path, "is cut short, damaged, or not written by otjdd: it does not end with its checksum")
    if data != sealed(body):
        raise ResultError(path, "is damaged, or was changed after otjdd wrote it: its checksum does not fit")
    return body


def tidy(folder: Path, pattern: str) -> None:
    """Remove unfinished files that nobody writes any more: a writer holds a lock, which goes when it is killed."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):  # another process was quicker, or the folder is closed
            if time.time() - path.stat().st_mtime > (YOUNG if _unlocked(path) else STALE):
                path.unlink()


def _lock(descriptor: int) -> bool:
    """Take the lock of an open file until it is closed; False where that cannot be done."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # no Unix, no locks on this disk, or another process has it
        return False
    return True


def _unlocked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR)
    try:
        return _lock(descriptor)
    finally:
        os.close(descriptor)


def _check_free(target: Path, overwrite: bool):
    if not target.parent.exists():
        raise OSError(errno.ENOENT, "there is no such folder")
    if not os.path.lexists(target):
        return
    if target.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    # A rename would replace a device such as /dev/null by a file.
    if not target.is_file():
        raise OSError(errno.ENXIO, "it is not a regular file")
    if not overwrite:
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))


def _write_beside(target: Path, data):
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(part, flags, 0o666)
    try:
        try:
            _lock(descriptor)
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if part.read_bytes() != data:
            raise OSError(errno.EIO, "what was read back is not what was written")
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    _sync_folder(target.parent)


def _write_all(descriptor: int, data):
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path):
    # The file is whole and in place; that some file systems cannot sync a folder does not make it less so.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
