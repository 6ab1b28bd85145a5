"""Importing this makes a process ready to simulate: every kernel compiled, or loaded, and tried.

The process that all workers of a pool are copied from imports it, so that the kernels are loaded once for all of them.
"""

from otjdd import known, processes
from otjdd.case import parse_case
from otjdd.simulate import simulate

PULSE = {"kind": "pulse", "voltage": "1 mV", "width": "1 ps", "read": {"voltage": "1 mV", "duration": "1 ps"}}
CURVE = {"kind": "iv", "start": "-1 mV", "stop": "1 mV", "step": "1 mV", "states": {"fresh": []}}

processes.heed_parent()
known.trust()
for drive in (PULSE, CURVE):
    simulate(parse_case(known.CASE).replace(drive=drive))
