"""A run that was ended, even by kill -9, goes on from its checkpoint to the same numbers, bit for bit."""

import json
import os

import numpy as np
import pytest
from commands import typed
from devices import BARE, needs_speed

import otjdd
from otjdd.case import case
from otjdd.errors import ResultError
from otjdd.results import store
from otjdd.solver import checkpoint, integrate
from otjdd.solver.checkpoint import CheckpointPlace
from otjdd.system import files
from otjdd.waveform import waveform

pytestmark = needs_speed

TRAIN = 'drive = {kind = "train", voltage = "1.8 V", width = "50 ns", count = 10, period = "2 us", read_each = true}\n'
COLUMNS = 'columns = {count = 2, spread = {"ions.activation_energy" = "20 meV"}}\n'
LONG = (
    TRAIN
    + COLUMNS
    + 'record = {profiles = 7, every = "all"}\ncircuit = {series_resistance = "50 ohm"}\nnumerics = {rtol = 1e-5}\n'
    + BARE
)


class Stop(KeyboardInterrupt):
    """Ends a run from within."""


def ended(path, at=0.5, text=LONG):
    """State of a run that was ended after this share of its waveform, with its checkpoint in a file."""

    def stop(fraction):
        if fraction > at:
            raise Stop

    with pytest.raises(Stop) as stopped:
        otjdd.run(case.parse_case(text), progress=stop, checkpoints=CheckpointPlace(path, 0.0))
    return stopped.value.partial


def resumed(path, text=LONG):
    """Dataset of a run that goes on, and the shares of the waveform at which it stood still."""
    shares = []
    ds = otjdd.run(case.parse_case(text), progress=shares.append, checkpoints=CheckpointPlace(path, 1e9, resume=True))
    return ds, shares


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    monkeypatch.setattr(checkpoint, "PATIENCE", 0.0)  # else where writing is slow, some are left out


@pytest.fixture(scope="module")
def uninterrupted():
    return otjdd.run(case.parse_case(LONG))


@pytest.mark.parametrize("at", [0.3])
def test_a_train_too_long_to_hold_goes_on_to_the_same_bits(tmp_path, monkeypatch, at):
    held = otjdd.run(case.parse_case(LONG))
    monkeypatch.setattr(waveform, "MOST_IN_MEMORY", 10)
    monkeypatch.setattr(waveform, "BLOCK", 10)
    drive = case.parse_case(LONG).drive.waveform()
    assert drive.block_count > 3
    whole = otjdd.run(case.parse_case(LONG))
    # a block has times of its own, which differ in the last digits: behind a circuit another step may then be rejected
    assert whole.read_resistance.values == pytest.approx(held.read_resistance.values, rel=1e-5)  # rtol
    no_circuit = case.parse_case(LONG).replace("circuit.series_resistance", 0.0)
    blocks = otjdd.run(no_circuit).read_resistance.values
    monkeypatch.undo()
    assert blocks == pytest.approx(otjdd.run(no_circuit).read_resistance.values, rel=1e-9)
    monkeypatch.setattr(waveform, "MOST_IN_MEMORY", 10)
    monkeypatch.setattr(waveform, "BLOCK", 10)
    ended(tmp_path / "checkpoint", at)
    ds, shares = resumed(tmp_path / "checkpoint")
    assert at < shares[0] < shares[-1] == 1.0
    assert shares == sorted(shares)
    assert store.data_sha256(ds) == store.data_sha256(whole)


def test_a_run_can_be_ended_more_than_once(tmp_path, uninterrupted):
    path, at = tmp_path / "checkpoint", []

    def stop(fraction):
        at.append(fraction)
        if len(at) % 2 == 0:
            raise Stop

    while True:
        try:
            ds = otjdd.run(case.parse_case(LONG), progress=stop, checkpoints=CheckpointPlace(path, 0.0, resume=True))
            break
        except Stop:
            assert len(at) < 1000
    assert len(at) > 6
    assert at == sorted(at)
    assert store.data_sha256(ds) == store.data_sha256(uninterrupted)


@pytest.mark.parametrize("call", [4, 9])
def test_an_interruption_at_any_moment_leaves_a_checkpoint(tmp_path, monkeypatch, uninterrupted, call):
    """Here after the kernel has moved the state, and before what it logged is in the run."""
    path, calls, real = tmp_path / "checkpoint", [], integrate.empty

    def empty(run, log):
        calls.append(0)
        if len(calls) == call:
            raise Stop
        real(run, log)

    monkeypatch.setattr(integrate, "CHUNK", 64)
    with monkeypatch.context() as patch:
        patch.setattr(integrate, "empty", empty)
        with pytest.raises(Stop):
            otjdd.run(case.parse_case(LONG), checkpoints=CheckpointPlace(path, 1e9))
    ds, shares = resumed(path)
    assert 0.0 < shares[0] < 1.0
    assert store.data_sha256(ds) == store.data_sha256(uninterrupted)


def test_a_checkpoint_of_something_else_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    ended(path)
    with pytest.raises(ResultError, match=r"another case.*without --resume"):
        resumed(path, LONG.replace("count = 10", "count = 11"))
    real = store.provenance
    for name, words in [("numba_version", "another numba version: .* then, 0.1 now"), ("processor", "processor")]:
        monkeypatch.setattr(store, "provenance", lambda *_, name=name: real("", "") | {name: "0.1"})
        with pytest.raises(ResultError, match=words):
            resumed(path)
    monkeypatch.undo()
    monkeypatch.setattr("otjdd.compiler.kernel_cache.made_from", lambda: "other sources")
    with pytest.raises(ResultError, match="other sources"):
        resumed(path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    path = tmp_path / "checkpoint"
    ended(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ResultError, match="damaged"):
        resumed(path)
    files.write_whole(path, files.sealed(b"not arrays"))
    with pytest.raises(ResultError, match="is no checkpoint"):
        resumed(path)


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    """The line of JSON and the arrays of a checkpoint in the middle of a run."""
    path = tmp_path_factory.mktemp("halfway") / "checkpoint"
    ended(path)
    return parts_of(path)


def parts_of(path):
    """The line of JSON and the arrays of a checkpoint."""
    line, _, numbers = files.unsealed(path, path.read_bytes()).partition(b"\n")
    head = json.loads(line)
    return head, store.unpacked(head["arrays"], numbers)


@pytest.mark.parametrize("change", [
    {"place.piece": np.array([10**9])}, {"place.piece": np.array([-1])}, {"place.piece": np.array([1.5])},
    {"place.elapsed": np.array([1e3])}, {"place.step": np.array([np.nan])}, {"place.step": np.array(1e-9)},
    {"block": np.array([7])}, {"block": np.array([-1])}, {"state": np.ones((1, 1))}, {"rows": np.ones((4, 2))},
    {"rows": np.ones(4)}, {"counts": ["many"] * 3}, {"counts": [1, 2]}, {"kept.c": np.ones(2)},
    {"kept.time": np.ones(1)}, {"wall_time": "long"}, {"belongs": 3}, {"belongs": {}}, {"format": "otjdd point 4"},
    {"state": None}, {"kept.D_left": None},
], ids=lambda change: next(iter(change)))  # fmt: skip
def test_a_checkpoint_with_another_content_is_refused(tmp_path, halfway, change):
    head, arrays = halfway
    path = tmp_path / "checkpoint"
    changed = {name: array for name, array in (arrays | change).items() if array is not None and name not in head}
    head = {name: change.get(name, value) for name, value in head.items()}
    path.write_bytes(store.packed("checkpoint", head, changed))
    with pytest.raises(ResultError, match="start again, without --resume"):
        resumed(path)


@pytest.mark.skipif(os.name == "nt", reason="owners of Unix")
def test_a_checkpoint_that_others_may_have_written_is_not_taken(tmp_path, halfway):
    path = tmp_path / "checkpoint"
    path.write_bytes(store.packed("checkpoint", *halfway))
    path.chmod(0o666)
    with pytest.raises(ResultError, match="belongs to somebody else, or others can write to it"):
        resumed(path)
    if os.getuid() == 0:
        path.chmod(0o600)
        os.chown(path, 65534, 65534)
        with pytest.raises(ResultError, match="belongs to somebody else"):
            resumed(path)


@pytest.mark.skipif(os.name == "nt", reason="owners of Unix")
def test_a_result_in_the_place_of_a_checkpoint_is_no_advice_to_load_it_unsafely(tmp_path, uninterrupted):
    store.write(uninterrupted, tmp_path / "checkpoint")
    with pytest.raises(ResultError, match="is no checkpoint of otjdd; start again"):
        resumed(tmp_path / "checkpoint")


def test_a_checkpoint_that_cannot_be_written_ends_nothing(tmp_path, uninterrupted, caplog):
    ds = otjdd.run(case.parse_case(LONG), checkpoints=CheckpointPlace(tmp_path / "none" / "checkpoint", 0.0))
    assert "no checkpoint" in caplog.text
    assert store.data_sha256(ds) == store.data_sha256(uninterrupted)


def test_checkpoints_come_when_it_is_time(tmp_path):
    path = tmp_path / "checkpoint"
    otjdd.run(case.parse_case(LONG), checkpoints=CheckpointPlace(path, 1e9))
    assert not path.exists()


def test_resuming_without_a_checkpoint_is_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "long.toml").write_text(LONG.replace("count = 10", "count = 1"))
    monkeypatch.chdir(tmp_path)
    said = "There is no checkpoint .long.nc.checkpoint: the run starts again."
    assert typed("run", "long.toml", "-q", "--resume") == said
