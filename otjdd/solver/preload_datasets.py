"""Prepare a process for runs that return a Dataset: load `preload` and xarray when this module is imported."""

import gc

from otjdd.solver import preload  # noqa: F401
from otjdd.system.interpreter import without_unused
from otjdd.system.pool import ended_with_parent

CURVE = {"kind": "iv", "start": "-1 mV", "stop": "1 mV", "step": "1 mV", "states": {"fresh": []}}


def make_a_dataset() -> None:
    """Make a Dataset once, of a drive at frozen ions, which `preload` has not run."""
    # here and not above: a parent that ends, and the collector, are seen to before libraries are loaded
    from otjdd.case.case import parse_case
    from otjdd.solver import self_check
    from otjdd.solver.simulate import simulate_junction

    simulate_junction(parse_case(self_check.CASE).replace(drive=CURVE))


gc.disable()
with ended_with_parent(), without_unused():
    make_a_dataset()
gc.freeze()
gc.enable()
