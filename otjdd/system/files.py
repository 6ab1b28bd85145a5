"""Files that are whole or absent, and bounded reading.

A file is written under another name in the same folder, forced to the disk, read back, and only then renamed. Whatever
happens in between, power cuts included, its name stands for the old content, for the new, or for nothing. A link in its
place is replaced and not followed: in a folder that others can write to, a link could lead to any file of the user.

A sealed file ends with the sha256 of all bytes before it, so that damage is found before any parser reads it. HDF5 allows
bytes after its end, and other readers of NetCDF ignore them. It also states its kind and the version of its format.
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
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path

from otjdd.errors import ResultError

MAX_BYTES = 8 * 2**30
PIECE = 2**24  # bytes read at a time
PATIENCE = 2.0  # s to wait for the next bytes of a file
HDF5 = b"\x89HDF\r\n\x1a\n"
SEAL = b"\notjdd sha256 "
SEAL_BYTES = len(SEAL) + 64 + 1
NOTED: ContextVar[set[tuple[int, int]] | None] = ContextVar("NOTED", default=None)  # (device, number) of files read
LONGEST = 100  # bytes of a name that other names are made from; most disks allow 255 in all, encrypted ones 143
YOUNG, STALE = 5.0, 3600.0  # s: age from which an unfinished file without a lock, or with one, may be removed

FORMATS = {  # kind of sealed file -> version of its format, increased when what it holds changes its meaning
    "result": 1, "compact model": 9, "fit": 2, "calibration": 1, "point": 4, "checkpoint": 2,
}  # fmt: skip

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


def shipped_folder(name: str) -> Path:
    """A folder that comes with otjdd: within an installed package, next to the package in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return package / name if (package / name).is_dir() else package.parent / name


def write_whole(
    path: str | Path, data: bytes | memoryview, overwrite: bool = True, *, among_many: bool = False,
    forced: bool = True, mode: int = 0o666,
) -> None:  # fmt: skip
    """Write `data` to `path`, all or nothing. Raises ResultError, and leaves `path` unchanged then.

    A symbolic link at `path` is replaced by the file, and its target is left alone. A folder, a pipe or a device, or a link
    to one, is never replaced. Unfinished files of the same path that killed writers have left are removed.

    overwrite : if False, `path` must not exist; of several processes that write it at once, one succeeds
    among_many : do not look for unfinished files, which would list a large folder; the caller uses `tidy`
    forced : wait until the disk has the file and its name. Otherwise a power cut within the next half a minute may leave
        a part of the file under its name: only for sealed files that are cheap to make again
    mode : access rights of a new file, before the umask
    """
    target = os.fspath(Path(path))
    with _advised(path):
        _check_free(target, overwrite)
        if not among_many:
            _tidy_beside(target)
        part = _written_beside(target, data, mode, forced)
        try:
            (os.replace if overwrite else _put_new)(part, target)
        except BaseException:
            _remove(part)
            raise
        if forced:
            _sync_folder(os.path.dirname(target) or ".")


def write_together(contents: Mapping[Path, bytes], obsolete: Iterable[Path]) -> None:
    """Write files that belong together. While one of them cannot be written, none is changed.

    obsolete : files of the earlier ones that have no successor; they are removed
    All files are written under other names first, and renamed at the end. Raises ResultError.
    """
    parts: dict[Path, str] = {}
    try:
        for path, data in contents.items():
            with _advised(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _check_free(os.fspath(path), overwrite=True)
                _tidy_beside(os.fspath(path))
                parts[path] = _written_beside(os.fspath(path), data, 0o666, forced=True)
        for path in obsolete:
            _remove(os.fspath(path))
        for path in contents:
            with _advised(path):
                os.replace(parts[path], path)
                del parts[path]
    finally:
        for part in parts.values():
            _remove(part)
        for folder in {path.parent for path in contents}:
            _sync_folder(os.fspath(folder))


@contextlib.contextmanager
def _advised(path: str | Path) -> Iterator[None]:
    """Within the block an OSError becomes a ResultError about a file that is written, with advice."""
    try:
        yield
    except OSError as error:
        advice = ADVICE.get(error.errno or 0, "check the disk, or write elsewhere")
        raise ResultError(path, f"cannot be written ({error.strerror or error})", advice) from error


def read_whole(path: str | Path, *, owned: bool = False) -> bytes:
    """Content of a regular file of at most MAX_BYTES. owned : as in `read_regular`. Raises ResultError."""
    try:
        return read_regular(path, MAX_BYTES, owned=owned)
    except Refused as error:
        raise ResultError(path, error.reason) from error
    except FileNotFoundError as error:
        raise ResultError(path, "there is no such file") from error
    except OSError as error:
        raise ResultError(path, f"cannot be read ({error.strerror or error})") from error


def read_regular(path: str | Path, most: int, *, owned: bool = False) -> bytes:
    """Content of a regular file of at most `most` bytes, without waiting for a writer.

    Some files of the system, such as /proc/kmsg, are called regular and yet have no end, or no content until something
    happens. So the size is counted while reading, and reading ends after PATIENCE without new bytes.

    owned : take only a file that this user owns, that nobody else can write to, and that has one name
    Raises Refused, whose strerror says why; OSError when the file cannot be opened or read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags | (getattr(os, "O_NOFOLLOW", 0) if owned else 0))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise Refused(errno.EINVAL, "is not a regular file")
        if owned and not is_own(status):
            raise Refused(errno.EPERM, "belongs to somebody else, or others can write to it")
        if (noted := NOTED.get()) is not None:
            noted.add((status.st_dev, status.st_ino))
        pieces, size, began = [], 0, time.monotonic()
        while piece := _piece(descriptor, began):
            pieces.append(piece)
            size += len(piece)
            if size > most or status.st_size > most:
                raise TooLarge(errno.EFBIG, f"is larger than {_size(most)}")
        return b"".join(pieces)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def noting_reads() -> Iterator[None]:
    """Within the block, `was_read` knows the files that are read."""
    before = NOTED.set(set())
    try:
        yield
    finally:
        NOTED.reset(before)


def was_read(path: Path) -> bool:
    """True if a path leads to a file that was read within the block of `noting_reads`."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) in (NOTED.get() or ())


class Refused(OSError):
    """A file of a kind that is not read."""

    @property
    def reason(self) -> str:
        """What the file is, in words."""
        return self.strerror or "is not read"


class TooLarge(Refused):
    """A file of more bytes than allowed."""


def is_own(status: os.stat_result) -> bool:
    """True if a file belongs to this user, cannot be written to by others, and has no second name."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & 0o022 and status.st_nlink == 1


def _piece(descriptor: int, began: float) -> bytes:
    """The next bytes of an open file, b"" at its end. began : time.monotonic() [s] at its beginning. Raises Refused."""
    while True:
        try:
            return os.read(descriptor, PIECE)
        except BlockingIOError:
            if time.monotonic() - began > PATIENCE:
                raise Refused(errno.ETIMEDOUT, f"had no more to read for {PATIENCE:g} s, and no end") from None
            time.sleep(0.05)


def _size(number: int) -> str:
    """A number of bytes in words: 8 GiB, 20 MB, 1000 bytes."""
    for unit, size in (("GiB", 2**30), ("MB", 10**6)):
        if number % size == 0:
            return f"{number // size} {unit}"
    return f"{number} bytes"


def sealed(data: bytes | memoryview) -> bytes:
    """The data with their seal, the sha256, at the end."""
    return b"".join([data, SEAL, hashlib.sha256(data).hexdigest().encode(), b"\n"])


def format_of(kind: str) -> str:
    """What a file of a kind states as its format."""
    return f"otjdd {kind} {FORMATS[kind]}"


class OtherVersion(ResultError):
    """A file of the right kind whose format is of another version."""


def check_format(path: str | Path, kind: str, stated: object, advice: str = "") -> None:
    """Raise ResultError unless a file states the format of a kind; OtherVersion if it states another version of it."""
    words, _, version = str(stated).rpartition(" ")
    if words != f"otjdd {kind}":
        raise ResultError(path, f"is no {kind} of otjdd", advice)
    if version != str(FORMATS[kind]):
        raise OtherVersion(path, f"is a {kind} of version {version}, this is version {FORMATS[kind]}", advice)


def unsealed(path: str | Path, data: bytes) -> bytes:
    """The data without their seal. Raises ResultError (about `path`) when the seal is missing or does not fit."""
    body, seal = data[:-SEAL_BYTES], data[-SEAL_BYTES:]
    if not seal.startswith(SEAL):
        if len(data) == hdf5_length(data):
            raise ResultError(
                path,
                "was not written by otjdd: its checksum is missing",
                "take a file that `otjdd run` has written; from Python, otjdd.write writes one",
            )
        raise ResultError(path, "is cut short, damaged, or not written by otjdd: it does not end with its checksum")
    if data != sealed(body):
        raise ResultError(path, "is damaged, or was changed after otjdd wrote it: its checksum does not fit")
    return body


def hdf5_length(data: bytes) -> int | None:
    """Length that the superblock of an HDF5 file states (versions 0 to 3); None where there is none."""
    if len(data) < 48 or not data.startswith(HDF5):
        return None
    at = 40 if data[8] < 2 else 28
    return int.from_bytes(data[at : at + 8], "little")


def tidy(folder: Path, pattern: str) -> None:
    """Remove unfinished files without a writer. A writer holds a lock, which is released when it is killed."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):  # another process has removed it, or this one may not
            if time.time() - os.lstat(path).st_mtime > (YOUNG if _unlocked(path) else STALE):
                path.unlink()


def _lock(descriptor: int) -> bool:
    """Lock an open file until it is closed. Returns False where that cannot be done."""
    try:
        import fcntl  # not on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # no Unix, no locks on this disk, or another process has it
        return False
    return True


def _unlocked(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        return _lock(descriptor)
    finally:
        os.close(descriptor)


def _check_free(target: str, overwrite: bool) -> None:
    try:
        os.stat(os.path.dirname(target) or ".")
    except (FileNotFoundError, NotADirectoryError):
        raise OSError(errno.ENOENT, "there is no such folder") from None
    if not os.path.lexists(target):
        return
    if os.path.isdir(target):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    # A rename would replace a device such as /dev/null, or the link /dev/stdout, by a file.
    if os.path.exists(target) and not os.path.isfile(target):
        raise OSError(errno.ENXIO, "it is not a regular file")
    if not overwrite:
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))


def _written_beside(target: str, data: bytes | memoryview, mode: int, forced: bool) -> str:
    """Name of an unfinished file in the folder of `target` that holds the data, and is on the disk if `forced`."""
    folder, name = os.path.split(target)
    part = os.path.join(folder, f".{shortened(name)}.{secrets.token_hex(4)}.part")
    # O_EXCL: an existing file or link of that name is an error.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(part, flags, mode)
    try:
        try:
            _lock(descriptor)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            if forced:
                os.fsync(descriptor)
            if not _holds(descriptor, data):
                raise OSError(errno.EIO, "what was read back is not what was written")
        finally:
            os.close(descriptor)
    except BaseException:
        _remove(part)
        raise
    return part


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)


def _tidy_beside(target: str) -> None:
    tidy(Path(target).parent, f".{glob.escape(shortened(os.path.basename(target)))}.*.part")


def shortened(name: str) -> str:
    """The name of a file, of more than LONGEST bytes its beginning and a digest: for names with something added."""
    data = os.fsencode(name)
    if len(data) <= LONGEST:
        return name
    return f"{data[: LONGEST - 17].decode('utf-8', 'ignore')}-{hashlib.sha256(data).hexdigest()[:16]}"


def try_name(path: str | Path) -> None:
    """Write nothing under the name of an unfinished file, and remove it. Raises OSError where `write_whole` would fail."""
    target = os.fspath(Path(path))
    with contextlib.suppress(FileNotFoundError):
        os.lstat(target)  # a name that is too long
    _remove(_written_beside(target, b"", 0o666, forced=False))


def _put_new(part: str, target: str) -> None:
    """Rename a file unless the new name exists. Of several processes that do so at once, one succeeds."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, where only `_check_free` has looked for the name
        os.replace(part, target)
    else:
        os.unlink(part)


def _holds(descriptor: int, data: bytes | memoryview) -> bool:
    """True if an open file holds these bytes and no others."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    rest = memoryview(data)
    while piece := os.read(descriptor, PIECE):
        if piece != rest[: len(piece)]:
            return False
        rest = rest[len(piece) :]
    return not rest


def _sync_folder(folder: str) -> None:
    # The file is complete already; some file systems cannot sync a folder.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
