"""The last write before each read: of a waveform, across blocks, and before any write."""

import numpy as np
import pytest

from otjdd.waveform import shapes
from otjdd.waveform.waveform import Block, concatenate
from otjdd.waveform.writes import last_writes, writes

READ = shapes.read(0.1, 1e-6)
WRITE = shapes.pulse(2.0, 1e-3)


class Blocks:
    """A drive that is made block by block."""

    def __init__(self, *waveforms):
        self.waveforms = waveforms

    def blocks(self):
        start = 0.0
        for waveform in self.waveforms:
            yield Block(start, waveform)
            start += waveform.duration


def test_a_read_is_no_write_and_comes_after_the_last_one():
    drive = concatenate([READ, WRITE, READ, READ, shapes.pulse(-1.0, 1e-3), READ])
    found = last_writes(drive, 4)
    assert np.isnan(found[0]).all()
    assert found[1:, 1].tolist() == [2.0, 2.0, -1.0]
    assert found[1:, 0] == pytest.approx([1e-6 + 1e-3, 1e-6 + 1e-3, 3e-6 + 2e-3], rel=1e-12)
    assert len(writes(drive)) == 2


def test_blocks_give_what_the_whole_gives():
    parts = [READ, WRITE, READ, READ, shapes.pulse(-1.0, 1e-3).then(READ), READ]
    whole = last_writes(concatenate(parts), 5)
    assert last_writes(Blocks(*parts), 5)[1:] == pytest.approx(whole[1:], rel=1e-12)


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
