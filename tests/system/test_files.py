import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time

import pytest

from otjdd.errors import ResultError
from otjdd.system import files
from otjdd.system.files import read_whole, sealed, unsealed, write_whole

OLD, NEW = b"old" * 100, b"new" * 5000


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "a.bin"
    for data in (OLD, NEW, b""):
        write_whole(path, data)
        assert read_whole(path) == data
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_is_kept_when_it_may_not_be_replaced(tmp_path):
    path = tmp_path / "a.bin"
    write_whole(path, OLD, overwrite=False)
    with pytest.raises(ResultError, match=r"a\.bin: cannot be written \(File exists\); choose another name"):
        write_whole(path, NEW, overwrite=False)
    assert path.read_bytes() == OLD


@pytest.mark.parametrize("target", ["there", "missing"])
def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path, target):
    (tmp_path / "there").write_bytes(OLD)
    (tmp_path / "link").symlink_to(tmp_path / target)
    write_whole(tmp_path / "link", NEW)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == NEW
    assert (tmp_path / "there").read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["link", "there"]


def test_a_file_has_the_rights_that_the_user_gives_new_files_or_is_for_its_owner_alone(tmp_path):
    write_whole(tmp_path / "a", b"x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600
    write_whole(tmp_path / "b", b"x")
    (tmp_path / "c").write_bytes(b"x")
    assert (tmp_path / "b").stat().st_mode == (tmp_path / "c").stat().st_mode


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
@pytest.mark.parametrize("harm", ["others write", "a second name", "a link"])
def test_a_file_that_others_may_have_written_is_not_taken_for_the_users_own(tmp_path, harm):
    path = tmp_path / "a"
    write_whole(path, OLD, mode=0o600)
    assert files.read_regular(path, 1000, owned=True) == OLD
    if harm == "others write":
        path.chmod(0o620)
    elif harm == "a second name":
        os.link(path, tmp_path / "b")
    else:
        path.rename(tmp_path / "b")
        path.symlink_to(tmp_path / "b")
    with pytest.raises(OSError, match=r"others can write|Too many levels"):
        files.read_regular(path, 1000, owned=True)


@pytest.mark.skipif(not os.access("/proc/kmsg", os.R_OK), reason="needs a file that blocks")
def test_the_messages_of_the_kernel_are_no_file_to_wait_for():
    with pytest.raises(ResultError, match=r"had no more to read|cannot be read"):
        read_whole("/proc/kmsg")


def test_a_missing_folder_a_folder_and_a_device_are_no_places_for_a_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "null").symlink_to("/dev/null")
    places = {
        tmp_path / "null": "not a regular file",
        tmp_path / "none" / "a": "make the folder first",
        tmp_path: "not of a folder",
        tmp_path / "fifo": "not a regular file",
        tmp_path / "file" / "a": "a part of this path is a file",
        tmp_path / ("a" * 300): "shorter name",
    }
    for path, words in places.items():
        with pytest.raises(ResultError, match=words):
            write_whole(path, NEW)
    with pytest.raises(OSError, match="too long"):
        files.try_name(tmp_path / ("a" * 256))
    assert sorted(os.listdir(tmp_path)) == ["fifo", "file", "null"]
    one, other = (files.shortened("a" * 200 + end) for end in "bc")
    assert one != other


def test_a_disk_that_stores_something_else_is_found_out_and_a_folder_that_cannot_be_synced_is_no_failure(
    tmp_path, monkeypatch
):
    write, sync = os.write, os.fsync
    for stored in (lambda data: bytes(len(data)), lambda data: data[:-1] if len(data) < 1000 else data):
        with monkeypatch.context() as patch:
            patch.setattr(
                os, "write", lambda descriptor, data, stored=stored: write(descriptor, stored(data)) and len(data)
            )
            with pytest.raises(ResultError, match="not what was written"):
                write_whole(tmp_path / "a.bin", OLD)
        assert os.listdir(tmp_path) == []

    def only_files(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    write_whole(tmp_path / "a.bin", NEW)
    assert (tmp_path / "a.bin").read_bytes() == NEW


def test_only_regular_files_of_sane_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, words in (
        (tmp_path / "fifo", "not a regular file"),
        (tmp_path, "directory"),
        (tmp_path / "no", "no such"),
    ):
        with pytest.raises(ResultError, match=words):
            read_whole(path)
    with open(tmp_path / "large", "wb") as file:
        file.truncate(9 * 2**30)  # sparse: takes no space
    with pytest.raises(ResultError, match="larger than 8 GiB"):
        read_whole(tmp_path / "large")


@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT])
@pytest.mark.parametrize("existing", [True, False])
def test_whatever_the_system_refuses_the_name_stands_for_what_it_was(tmp_path, monkeypatch, call, code, existing):
    path = tmp_path / "a.bin"
    if existing:
        path.write_bytes(OLD)

    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(ResultError) as caught:
            write_whole(path, NEW)
    assert os.strerror(code) in str(caught.value)
    assert "; " in str(caught.value)
    assert os.listdir(tmp_path) == ["a.bin"] * existing
    assert not existing or path.read_bytes() == OLD


def test_a_disk_that_fills_half_way_leaves_nothing(tmp_path, monkeypatch):
    real, left = os.write, [7000]

    def write(descriptor, data):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = real(descriptor, data[: left[0]])
        left[0] -= count
        return count

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(ResultError, match="free some space"):
            write_whole(tmp_path / "a.bin", NEW)
    assert os.listdir(tmp_path) == []


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    code = """
import itertools, sys
from otjdd.system.files import sealed, write_whole
for k in itertools.count():
    write_whole(sys.argv[1], sealed(bytes([k % 256]) * (300_000 + k % 7)))
    print("written", flush=True) if k == 0 else None
"""
    path, rng = tmp_path / "a.bin", random.Random(5)
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
        with writer.stdout:
            assert writer.stdout.readline() == "written\n"
            time.sleep(rng.uniform(0.0, 0.05))
            writer.send_signal(signal.SIGKILL)
            writer.wait(timeout=500)
        content = unsealed(path, read_whole(path))
        assert len(set(content)) == 1
        assert 300_000 <= len(content) < 300_007


def test_a_seal_says_what_became_of_the_data_to_the_last_bit():
    assert unsealed("a", sealed(NEW)) == NEW
    assert unsealed("a", sealed(b"")) == b""
    with pytest.raises(ResultError, match="does not end with its checksum"):
        unsealed("a", NEW)
    with pytest.raises(ResultError, match="does not fit"):
        unsealed("a", b"x" + sealed(NEW)[1:])
    whole = sealed(b"\x00\xff data")
    for k in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[k // 8] ^= 1 << k % 8
        with pytest.raises(ResultError):
            unsealed("a", bytes(damaged))


def test_what_a_killed_writer_left_goes_with_the_next_file(tmp_path):
    path, old = tmp_path / "a.nc", time.time() - 60
    left, other, locked = (
        tmp_path / name for name in (".a.nc.01234567.part", ".b.nc.01234567.part", ".a.nc.89ab.part")
    )
    for part in (left, other, locked):
        part.write_bytes(b"half")
        os.utime(part, (old, old))
    with locked.open("rb+") as file:
        assert files._lock(file.fileno())
        files.write_whole(path, b"whole")
    assert not left.exists()
    assert other.exists()
    assert locked.exists()
    files.write_whole(path, b"again")
    assert not locked.exists()


def test_a_file_that_is_not_forced_waits_for_no_disk(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", None)
        write_whole(tmp_path / "a.bin", NEW, forced=False)
        with pytest.raises(TypeError):
            write_whole(tmp_path / "b.bin", NEW)
    assert (tmp_path / "a.bin").read_bytes() == NEW
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("size", [files.LONGEST, files.LONGEST + 1, 240, 241, 245, 255])
def test_a_name_as_long_as_the_disk_allows_is_tried_written_and_read(tmp_path, size):
    path = tmp_path / ("é" + "a" * (size - 5) + ".nc")
    files.try_name(path)
    assert not any(tmp_path.iterdir())
    write_whole(path, OLD)
    assert (read_whole(path), os.listdir(tmp_path)) == (OLD, [path.name])
