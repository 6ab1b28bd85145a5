"""A chain is the waveform that it stands for, made one block at a time."""

import numpy as np
import pytest

from otjdd.waveform import shapes, waveform
from otjdd.waveform.shapes import hold, pulse, read, train
from otjdd.waveform.waveform import Block, Chain, Part, Waveform, concatenate, joined, last_writes, repeated, writes

PULSE = pulse(2.2, 5e-8, rise=1e-9, fall=1e-9, wait=1e-7).then(read(0.1, 1e-6, write_voltage=2.2))
OTHER = pulse(-2.5, 1e-7, wait=1e-6).then(read(0.1, 1e-6, write_voltage=-2.5))


@pytest.fixture
def small(monkeypatch):
    """Blocks of some pulses, so that few of them already are a chain."""
    monkeypatch.setattr(waveform, "BLOCK", 40)
    monkeypatch.setattr(waveform, "MOST_IN_MEMORY", 60)


def pieces(shape) -> np.ndarray:
    """Straight pieces (P, 4) of all blocks, on the clock of the whole."""
    found = []
    for start, block in shape.blocks():
        t0, t1, v0, v1 = block.segments()
        found.append(np.column_stack([start + t0, start + t1, v0, v1]))
    return np.concatenate(found)


def test_blocks_of_a_train_are_the_train(small):
    long, held = repeated(PULSE, 37), PULSE.repeat(37)
    assert isinstance(long, Chain)
    assert max(block.waveform.points for block in long.blocks()) <= 41
    assert pieces(long) == pytest.approx(pieces(held), rel=1e-14, abs=1e-20)
    assert (long.read_count, long.write_count, long.last_voltage) == (37, 37, 0.0)
    assert long.duration == held.duration
    assert np.array_equal(long.write_voltages, held.write_voltages)


def test_chains_nest(small):
    once = joined([repeated(PULSE, 21), hold(0.0, 1e-3), repeated(OTHER, 13)])
    thrice, held = repeated(once, 3), concatenate([PULSE.repeat(21), hold(0.0, 1e-3), OTHER.repeat(13)]).repeat(3)
    assert pieces(thrice) == pytest.approx(pieces(held), rel=1e-13, abs=1e-18)
    assert thrice.points >= held.points
    assert thrice.read_count == 102
    assert np.array_equal(thrice.write_voltages, held.write_voltages)


def test_what_can_be_held_is_held():
    assert isinstance(repeated(PULSE, 1000), Waveform)
    assert isinstance(joined([PULSE, OTHER]), Waveform)
    assert list(PULSE.blocks()) == [(0.0, PULSE)]
    assert list(PULSE.blocks(1)) == []


def test_a_thousand_million_pulses_take_no_memory():
    shape = train(PULSE, 10**9, 1e-5)
    assert (shape.duration, shape.read_count) == (pytest.approx(1e4, rel=1e-12), 10**9)
    first = next(shape.blocks())
    assert first.waveform.points <= waveform.BLOCK + 1
    last = next(shape.blocks(shape.block_count - 1))
    assert last.start + last.waveform.duration == pytest.approx(shape.duration, rel=1e-15)


def test_what_no_run_can_do_is_refused():
    with pytest.raises(ValueError, match="limit is 100,000,000,000"):
        repeated(PULSE, 10**11)
    with pytest.raises(ValueError, match="cannot be resolved at t = 100000 s"):
        Chain((Part(pulse(1.0, 1e-12), 10**6), Part(hold(0.0, 1e5), 1)))


READ = shapes.read(0.1, 1e-6)
WRITE = shapes.pulse(2.0, 1e-3)


class Blocks:
    """A drive that is made block by block."""

    def __init__(self, *waveforms):
        self.waveforms = waveforms

    def blocks(self):
        start = 0.0
        for part in self.waveforms:
            yield Block(start, part)
            start += part.duration


def test_a_read_is_no_write_and_comes_after_the_last_one():
    drive = concatenate([READ, WRITE, READ, READ, shapes.pulse(-1.0, 1e-3), READ])
    found = last_writes(drive, 4)
    assert np.isnan(found[0]).all()
    assert found[1:, 1].tolist() == [2.0, 2.0, -1.0]
    assert found[1:, 0] == pytest.approx([1e-6 + 1e-3, 1e-6 + 1e-3, 3e-6 + 2e-3], rel=1e-12)
    assert len(writes(drive)) == 2


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_run_that_ended_early_has_the_reads_that_it_took(count):
    drive = concatenate([READ, WRITE, READ, READ, WRITE, READ, READ])
    whole = last_writes(drive, 5)
    for made in (
        last_writes(drive, count),
        last_writes(Blocks(READ, WRITE.then(READ).then(READ), WRITE, READ, READ), count),
    ):
        assert made.shape == (count, 2)
        np.testing.assert_allclose(made, whole[:count], rtol=1e-12)
