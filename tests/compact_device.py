"""Two columns of the reference device and their compact model, which is extracted once for all tests."""

import fcntl
from functools import cache
from pathlib import Path
from unittest.mock import patch

from commands import otjdd

from otjdd.case.case import load_case
from otjdd.compact_models import error
from otjdd.waveform import shapes
from otjdd.waveform.waveform import concatenate

WRITES = '{voltage="-4.3 V", duration="100 ms"}, {voltage="2.2 V", duration="30 ns"}, {voltage="0 V", duration="1 ms"}'
HISTORY = f"ions.initial={{history=[{WRITES}]}}"
CHANGES = ("columns.count=2", "device.film.cells=32", HISTORY)  # of li2019


@cache
def written_case():
    """The reference device in two columns on a coarse grid, after a reset and a partial set."""
    return load_case("li2019", dict(change.split("=", 1) for change in CHANGES))


def extracted(folder: Path) -> Path:
    """Folder below `folder` with the output of `otjdd compact` for it. Processes that share `folder` extract only once."""
    out = folder / "compact-model"
    with (folder / "compact-model.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "error.png").exists():
            changes = [word for change in CHANGES for word in ("--set", change)]
            # one short random train of each width, and few reads of a sweep, tell the error
            with patch.multiple(error, TRAINS=1, RAMPED_TRAINS=1, PULSES=8, READS=8):
                done = otjdd(folder, "compact", "li2019", "-o", out, "--voltage=-4.3:3", *changes)
            assert done.returncode == 0, done.stderr
    return out


def pulses(*heights, width=1e-6, rest=1e-5):
    """Pulses of heights [V] and a width [s], each followed by a read at 0.1 V and a rest [s] at 0 V."""
    return concatenate(
        shapes.pulse(height, width).then(shapes.read(0.1, 1e-6)).then(shapes.hold(0.0, rest)) for height in heights
    )
