"""Point files: what is written is read, damage is seen, another code is not believed."""

import json

import numpy as np
import pytest

from otjdd.errors import ResultError
from otjdd.studies import points
from otjdd.studies.points import KeptArray, PointOutcome
from otjdd.system.files import sealed, unsealed

DIGEST = "ab" * 32
POINT = PointOutcome(
    "done", seconds=0.25, keep=("read_resistance", "bias_current"), limits="current_density: too high\nfilm: too high",
    arrays={
        "read_resistance": KeptArray(("read",), np.array([1e8, np.nan, 1.1])),
        "change.ratio": KeptArray((), np.float64(3.0)),
        "state": KeptArray(("state",), np.array(["HRS", "LRS"], dtype=object)),
        "vacancy_concentration": KeptArray(("snapshot", "x"), np.arange(6.0).reshape(2, 3)),
    },
)  # fmt: skip


def is_final(folder, digest, keep):
    """True if a point need not be computed again."""
    return points.final_points(folder, [digest], keep)[0] == {digest}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / points.FOLDER).mkdir()
    points.write_point(tmp_path, DIGEST, POINT)
    return tmp_path


def test_what_is_written_is_read_bit_for_bit(folder):
    found = points.read_point(folder, DIGEST)
    assert found._replace(arrays=None) == POINT._replace(arrays=None)
    assert list(found.arrays) == list(POINT.arrays)
    for name, (dims, values) in POINT.arrays.items():
        assert found.arrays[name].dims == dims
        np.testing.assert_array_equal(found.arrays[name].values, values)
    assert points.read_point(folder, "cd" * 32) is None


def test_every_flipped_byte_and_every_cut_is_seen(folder):
    path = points.path_of(folder, DIGEST)
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(ResultError):
            points.read_point(folder, DIGEST)
        path.write_bytes(data[:at])
        with pytest.raises(ResultError):
            points.read_point(folder, DIGEST)
        assert not is_final(folder, DIGEST, ())


def test_a_point_of_other_sources_is_not_believed(folder, monkeypatch):
    assert is_final(folder, DIGEST, ("read_resistance",))
    monkeypatch.setattr(points.sources, "digest", lambda *_: "another")
    assert points.read_point(folder, DIGEST).status == "stale"
    assert not is_final(folder, DIGEST, ("read_resistance",))


def test_a_point_is_computed_again_when_more_is_to_be_kept_or_it_was_stopped(folder):
    assert is_final(folder, DIGEST, ("bias_current",))
    assert not is_final(folder, DIGEST, ("bias_current", "loop"))
    for status, final in (("solver", True), ("time", False), ("lost", False), ("error", False)):
        points.write_point(folder, DIGEST, PointOutcome(status, "why", keep=()))
        assert is_final(folder, DIGEST, ("loop",)) == final
        assert points.usable_point(folder, DIGEST, ("loop",)).reason == "why"


def test_a_point_is_written_without_a_look_at_all_others(folder, monkeypatch):
    monkeypatch.setattr("otjdd.system.files.tidy", None)
    points.write_point(folder, "cd" * 32, POINT)
    assert is_final(folder, "cd" * 32, POINT.keep)


def test_only_old_leftovers_are_tidied(folder):
    import os

    old, new = (folder / points.FOLDER / f".x.{n}.part" for n in ("old", "new"))
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    points.tidy_points(folder)
    assert (old.exists(), new.exists(), points.path_of(folder, DIGEST).exists()) == (False, True, True)


@pytest.mark.parametrize("change", [
    {"status": "finished"}, {"reason": 3}, {"seconds": "long"}, {"keep": 1}, {"keep": [1]}, {"more": 1},
    {"arrays": [["read_resistance", "<i8", [3], None]]}, {"arrays": [["read_resistance", "<f8", [3, 1], None]]},
    {"arrays": [["read_resistance", "<f8", [-3], None]]}, {"arrays": [["read_resistance", "<f8", [10**9], None]]},
    {"arrays": [["read_resistance", "<f8", [2], None]]}, {"arrays": [["colour", "<f8", [3], None]]},
    {"arrays": [["state", "text", [1], [[[1]]]]]}, {"arrays": [["state", "text", [3], ["HRS"]]]}, {"arrays": [[]]},
    {"arrays": 5}, {"format": 5}, b"[" * 100_000, b"3", b"[]", b"{}", b"", b"\xff",
])  # fmt: skip
def test_a_head_that_is_not_one_is_refused_in_words(folder, change):
    first, _, rest = unsealed("point", points.pack(POINT)).partition(b"\n")
    line = change if isinstance(change, bytes) else json.dumps(json.loads(first) | change).encode()
    points.put_bytes(folder, DIGEST, sealed(line + b"\n" + rest))
    with pytest.raises(ResultError, match=r"is no (whole )?point"):
        points.read_point(folder, DIGEST)


@pytest.mark.parametrize(("seconds", "forced"), [(0.01, False), (60.0, True), (float("nan"), True)])
def test_only_points_that_took_long_are_forced_to_the_disk(tmp_path, monkeypatch, seconds, forced):
    (tmp_path / points.FOLDER).mkdir()
    asked = []
    monkeypatch.setattr(points, "write_whole", lambda *_, **options: asked.append(options["forced"]))
    points.write_point(tmp_path, DIGEST, POINT._replace(seconds=seconds))
    assert asked == [forced]
