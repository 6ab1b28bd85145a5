"""Importing this makes a process ready to simulate: every kernel compiled, or loaded, and tried.

The process that all workers of a pool are copied from imports it, so that the kernels are loaded once for all of them.
It is otjdd's own and nobody else's work is done in it. What is loaded here stays, so nobody looks for garbage in it: not
while it is loaded, which takes a fifth longer, and not in the copies.
"""

import gc

from otjdd.system.imports import DASK, absent
from otjdd.system.pool import ended_with_parent, heed_parent

PULSE = {"kind": "pulse", "voltage": "1 mV", "width": "1 ps", "read": {"voltage": "1 mV", "duration": "1 ps"}}
CURVE = {"kind": "iv", "start": "-1 mV", "stop": "1 mV", "step": "1 mV", "states": {"fresh": []}}


def get_ready() -> None:
    """Load all that a run needs, and run."""
    from otjdd.case.case import parse_case
    from otjdd.physics import jit_cache
    from otjdd.solver import self_check
    from otjdd.solver.simulate import simulate

    jit_cache.do_without_blas()
    self_check.trust()
    for drive in (PULSE, CURVE):
        simulate(parse_case(self_check.CASE).replace(drive=drive))


heed_parent()
gc.disable()
with ended_with_parent(), absent(*DASK):
    get_ready()
gc.freeze()
gc.enable()
