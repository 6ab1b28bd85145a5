"""Prepare the process that all workers of the explorer are copied from: kernels loaded, and a first picture drawn."""

import gc

from otjdd.solver import preload
from otjdd.system.imports import without_unused
from otjdd.system.pool import ended_with_parent


def draw_once() -> None:
    """Draw a picture, to load the fonts and libraries that the first one would wait for."""
    from otjdd.case.case import parse_case
    from otjdd.explore.work import drawn_pictures
    from otjdd.runs.run import simulate
    from otjdd.solver import self_check

    ds = simulate(parse_case(self_check.CASE).replace(drive=preload.PULSE))
    drawn_pictures([ds], [ds])


gc.disable()
with ended_with_parent(), without_unused():
    draw_once()
gc.freeze()
gc.enable()
