"""Netlists of crossbars in both simulators against the same cells in Python."""

import numpy as np
import pytest
import simulators

from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.network import beginning
from otjdd.compact_models.exports import array


def check_both(folder, bar, drive, allowed=0.01, with_run=True):
    """Assert that ngspice and VACASK sense the currents of a crossbar in Python, within a relative deviation.

    with_run : else they are compared with each other alone
    """
    steps, states, read = array.steps_of(drive, bar), beginning(bar.cells), []
    for step in steps:
        driven = pulses.hold_drivers(bar, states, step.drivers, step.duration)
        read += [driven.end.bit_current[bit] for bit in step.bits_read(bar.bit_lines)]
    texts = array.crossbar_netlists(bar, drive)
    (folder / "array.va").write_text(texts["array.va"])
    simulators.compiled(texts["otj.va"], folder)  # the same for all sizes
    simulators.compile_module(folder, "array")
    circuit = simulators.ngspice(folder, texts["array.cir"].split("\n", 1)[1].replace(".end\n", ""))
    sensed = np.abs([value for name, value in circuit.items() if name.startswith("r_")])
    expected = np.abs(read) if with_run else sensed
    assert sensed == pytest.approx(expected, rel=allowed)
    vectors, sensed = simulators.vacask(folder, texts["array.sim"], "tran1"), []
    for step, at in zip(steps, array.netlist_clock(steps).read_times(), strict=True):
        currents = [vectors[f"ve_{bit}:flow(br)"] for bit in step.bits_read(bar.bit_lines)]
        sensed += [abs(np.interp(at, vectors["time"], current)) for current in currents]
    assert sensed == pytest.approx(expected, rel=allowed)
