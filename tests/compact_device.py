"""Two columns of the reference device and their compact model, extracted once for all tests that import them."""

import fcntl
from functools import cache
from pathlib import Path

from commands import otjdd

from otjdd.case.case import load_case
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

HISTORY = 'ions.initial={history=[{voltage="-4.3 V", duration="100 ms"}, {voltage="2.2 V", duration="30 ns"}]}'
CHANGES = ("columns.count=2", "device.film.cells=32", HISTORY)  # of li2019


@cache
def written_case():
    """Two columns of the reference device on a coarse grid that have been reset and half set."""
    return load_case("li2019", dict(change.split("=", 1) for change in CHANGES))


def extracted(folder: Path) -> Path:
    """The folder that `otjdd compact` fills for it; once for all processes that share the folder above."""
    out = folder / "compact-model"
    with (folder / "compact-model.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "error.png").exists():
            changes = [word for change in CHANGES for word in ("--set", change)]
            done = otjdd(folder, "compact", "li2019", "-o", out, "--voltage=-4.3:3", *changes)
            assert done.returncode == 0, done.stderr
    return out


def pulses(*heights, width=1e-6, rest=1e-5):
    """Pulses [V] of a width [s], each with a read at 0.1 V and a rest."""
    return concatenate(
        shapes.pulse(height, width).then(shapes.read(0.1, 1e-6)).then(shapes.hold(0.0, rest)) for height in heights
    )
