"""Films of a run for the page: snapshots at log-spaced times after each jump of the voltage, drawn as images."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.explore.work import FAULTS, Progress, noting
from otjdd.runs.run import simulate
from otjdd.waveform.waveform import Waveform

if TYPE_CHECKING:
    from PIL import Image

FIRST = 1e-12  # s, first snapshot after a jump of the voltage
SPLIT = 1e-6  # s after a jump, where its piece is divided: the solver merges times within 1e-9 of the length of a piece
FRAMES = 64  # approximate number of frames of a film
SHARP = 200  # dots per inch of a frame, more than the page shows on a screen of 1400 points


class Frames(NamedTuple):
    """Frames as PNG, and their times [s]. problem : why there are none, else "" """

    frames: Sequence[bytes] = ()
    times: Sequence[float] = ()
    problem: str = ""


def filmed(case: Case) -> Case:
    """The case with snapshots for a film: log-spaced after each jump, or at each read of a drive with many jumps.

    Raises ValueError for a drive without a waveform.
    """
    from otjdd.plot.clock import PARTS, parts_of

    if not hasattr(case.drive, "waveform"):
        raise ValueError("the ions are at rest in this drive: there is nothing to play")
    waveform = case.drive.waveform()
    if not isinstance(waveform, Waveform) or len(edges := parts_of(waveform)) - 1 > PARTS:
        record = {"profiles_at_reads": True} if waveform.read_count else {"profiles": FRAMES}
        return case.replace("record", {"every": "all"} | record)
    count = -(-FRAMES // (len(edges) - 1))
    times = [edge + np.geomspace(FIRST, width, count) for edge, width in zip(edges, np.diff(edges), strict=False)]
    record = {"every": "all", "profiles_at": np.unique(np.concatenate(times).clip(0, edges[-1])).tolist()}
    return case.replace({"record": record, "drive": {"kind": "table", "points": divided(waveform, edges + SPLIT)}})


def divided(waveform: "Waveform", splits: np.ndarray) -> list[list[float]]:
    """Breakpoints (time [s], voltage [V]) of a waveform, with further ones at the times `splits` (n,) [s]."""
    points = []
    for start, end, first, last in zip(*waveform.segments(), strict=True):
        inside = splits[(splits > start) & (splits < end)]
        points += [[t, first + (last - first) * (t - start) / (end - start)] for t in (start, *inside)] + [[end, last]]
    return [[float(t), float(v)] for t, v in points]


def played(case: Case, start: Any, progress: Progress) -> Frames:
    """Frames of the film of a case, which is simulated. start : state to start from, None for that of the case."""
    from otjdd.plot.movie import Scene, frames, instants
    from otjdd.plot.style import style

    try:
        ds = simulate(filmed(case), noting(progress, 0, 2), start=start)
        times, scene = instants(ds), Scene(ds, SHARP)
        with style():
            images = [png_bytes(image) for image in frames(scene, times)]
    except FAULTS as error:
        return Frames(problem=str(error))
    return Frames(images, [float(t) for t in times])


def png_bytes(image: "Image.Image") -> bytes:
    """An image as PNG of 64 colours, which takes a third of the bytes. The octree method takes a fifth of the time."""
    from PIL import Image

    data = io.BytesIO()
    image.quantize(64, method=Image.Quantize.FASTOCTREE).save(data, "PNG")
    return data.getvalue()


def movie(case: Case, start: Any, suffix: str, progress: Progress) -> bytes | str:
    """Bytes of the film of a case, ".gif" or ".mp4"; or, as text, why there is none."""
    from otjdd.plot import movie as movies

    try:
        return movies.encoded(simulate(filmed(case), noting(progress, 0, 2), start=start), suffix)
    except FAULTS as error:
        return str(error)
