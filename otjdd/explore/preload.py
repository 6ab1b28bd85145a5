"""Prepare the process that all workers of the explorer are copied from: kernels loaded, and a first picture drawn."""

import gc

from otjdd.solver import preload
from otjdd.system.interpreter import without_unused
from otjdd.system.pool import ended_with_parent


def draw_once() -> None:
    """Draw a picture and a frame of a film, to load the fonts and libraries that the first ones would wait for."""
    # here and not above: a parent that ends, and the collector, are seen to before libraries are loaded
    from otjdd.case.case import parse_case
    from otjdd.explore.workers import FilmOfResult, drawn_pictures, encoded_frames
    from otjdd.runs.run import simulate
    from otjdd.solver import self_check

    ds = simulate(parse_case(self_check.CASE).replace(drive=preload.PULSE))
    drawn_pictures([ds], [ds])
    encoded_frames(FilmOfResult(ds, ds.snapshot_time.values[-1:]), 0, 1, print)


gc.disable()
with ended_with_parent(), without_unused():
    draw_once()
gc.freeze()
gc.enable()
