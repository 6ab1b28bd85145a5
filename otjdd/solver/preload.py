"""Prepare a process for simulations when this module is imported: compile or load the kernels of any run, and check them.

The fork server of a pool imports this module (`set_forkserver_preload` of multiprocessing), so that all workers get the
loaded kernels by fork. No user code runs in that process. Objects made here stay until its end, so the garbage collector
is off while they are loaded, which saves a fifth of the time, and does not scan them in the workers.
"""

import gc

from otjdd.system.interpreter import without_unused
from otjdd.system.pool import ended_with_parent, heed_parent
from otjdd.system.steps import finished

PULSE = {"kind": "pulse", "voltage": "1 mV", "width": "1 ps", "read": {"voltage": "1 mV", "duration": "1 ps"}}


def get_ready() -> None:
    """Load what a run needs whose outputs are taken without a Dataset, and run once."""
    # here and not above: a parent that ends, and the collector, are seen to before libraries are loaded
    from otjdd.case.case import parse_case
    from otjdd.compiler import kernel_cache
    from otjdd.solver import self_check
    from otjdd.solver.simulate import outputs_in_steps

    kernel_cache.do_without_blas()
    self_check.verify_kernels()
    finished(outputs_in_steps(parse_case(self_check.CASE).replace(drive=PULSE), {"read_resistance"}))


heed_parent()
gc.disable()
with ended_with_parent(), without_unused():
    get_ready()
gc.freeze()
gc.enable()
