"""Two columns of the reference device and their compact model, extracted once for all tests that import them."""

import fcntl
from functools import cache
from pathlib import Path

import yardstick

from otjdd.case.case import load_case
from otjdd.compact_models.build import compact
from otjdd.compact_models.model import CompactModel
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

RANGE = -4.3, 3.0  # V


@cache
def written_case():
    """Two columns of the reference device on a coarse grid that have been reset and half set."""
    history = {"history": [{"voltage": "-4.3 V", "duration": "100 ms"}, {"voltage": "2.2 V", "duration": "30 ns"}]}
    return load_case(
        yardstick.CASES / "li2019.toml", {"columns.count": 2, "ions.initial": history, "device.film.cells": 32}
    )


def extracted_model(folder: Path) -> CompactModel:
    """Its compact model, with the error that it was measured to have; once for all processes that share a folder."""
    path = folder / "compact-model.nc"
    with (folder / "compact-model.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            compact(written_case(), voltage=RANGE).save(path)
        return CompactModel.load(path)


def pulses(*heights, width=1e-6, rest=1e-5):
    """Pulses [V] of a width [s], each with a read at 0.1 V and a rest."""
    return concatenate(
        shapes.pulse(height, width).then(shapes.read(0.1, 1e-6)).then(shapes.hold(0.0, rest)) for height in heights
    )
