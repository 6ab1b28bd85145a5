"""A crossbar and the patterns of a case as netlists: all cells, pieces of line and drivers, in Verilog-A.

ngspice and VACASK load the same compiled modules. `otj` is the junction; devices that differ in more than the speed of
their ions add `otj_2` and so on. `otj_line` is a driver with its resistance, whose line floats while `on` is 0.
`otj_switch` or `otj_selector` is the access to a cell. Each piece of line has its capacitance at its farther end.
Junctions have their charge beside that of lines, as in `otjdd run`.

The steps of a drive of patterns, in each of which the drivers hold their voltages, and the clock of a netlist of them.

The pulses of a part that programs depend on its reads, so its steps are those of the same cells in Python without noise.

No simulator resolves a nanosecond after a rest of minutes. Only the states of the junctions depend on time, so a step far
longer than the shortest one is shortened in the netlist, while the node `pace` speeds up the states by the same factor.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from otjdd.case.crossbar import PatternProgram, PatternRead, Patterns, Switch, targets_of
from otjdd.compact_models.crossbars import pulses
from otjdd.compact_models.crossbars.network import Crossbar, beginning, noiseless
from otjdd.compact_models.crossbars.pulses import DriverStep
from otjdd.compact_models.crossbars.simulate import Programming
from otjdd.compact_models.exports.functions import export_header, filled_template, number
from otjdd.compact_models.exports.testbench import compile_command
from otjdd.compact_models.exports.verilog_a import verilog_a
from otjdd.compact_models.model import CompactModel
from otjdd.errors import NotAsExpected

EDGE = 1e-3  # of the shortest step: time in which drivers change
LAST = 1.0 - 1e-5  # of a step: the time at which its current is taken; at 0.999 one that still decays is 1 % larger
LONGEST_STEP = 100.0  # longest step of the netlist over the shortest; longer steps of the patterns are shortened


class NetlistClock(NamedTuple):
    """Time of the netlist: that of the patterns, with long steps shortened."""

    durations: list[float]  # s, duration of each step in the netlist
    ends: list[float]  # s, end of each step
    edge: float  # s, in which drivers change

    def read_times(self) -> np.ndarray:
        """Times [s] at which the current of each step is taken."""
        return np.array(self.ends) - (1.0 - LAST) * np.array(self.durations)

    def pace(self, steps: list[DriverStep]) -> str:
        """Breakpoints of the pace: 0 while the drivers first rise, above 1 within long steps, else 1.

        The first step lasts as long for the states as if the drivers had their voltages from time 0 on, see `driver_waves`.
        """
        points, e = ["0 0"], self.edge
        for n, (step, lasting, end) in enumerate(zip(steps, self.durations, self.ends, strict=True)):
            if n == 0 or lasting < step.duration:
                start, before = end - lasting, 1.0 if n else 0.0
                fast = number((step.duration - (0.5 + 1.5 * before) * e) / (lasting - 2.0 * e))
                points += [f"{start + e:.12g} {before:g}", f"{start + 2.0 * e:.12g} {fast}"]
                points += [f"{end - e:.12g} {fast}", f"{end:.12g} 1"]
        return " ".join([*points, f"{self.ends[-1] + e:.12g} 1"])


def netlist_clock(steps: list[DriverStep]) -> NetlistClock:
    """The clock of a netlist with these steps."""
    shortest = min(step.duration for step in steps)
    durations = [min(step.duration, LONGEST_STEP * shortest) for step in steps]
    return NetlistClock(durations, np.cumsum(durations).tolist(), EDGE * shortest)


def steps_of(drive: Patterns, crossbar: Crossbar) -> list[DriverStep]:
    """The steps of a drive in order. States are followed in Python up to the last part that programs."""
    programs = [n for n, part in enumerate(drive.parts) if part.kind == "program"]
    uncharged = np.zeros_like(crossbar.line_voltages)
    quiet = crossbar._replace(cells=noiseless(crossbar.cells), line_voltages=uncharged)
    states, in_order = beginning(quiet.cells), []
    for n, part in enumerate(drive.parts):
        if isinstance(part, PatternProgram):
            target = targets_of(part.targets, crossbar.shape)
            pieces = Programming(quiet, drive.scheme, states, part, target).run()
            in_order += [DriverStep(piece.drivers, lasted) for piece, lasted in pieces if piece is not None]
            continue
        steps = list(pulses.steps_of_part(part, drive.scheme, crossbar))
        in_order += steps
        for step in steps if programs and n < programs[-1] else ():
            pulses.apply_step(quiet, states, step)
    return in_order


FIRST = 1e-5  # of the shortest step: the first time step, whose error VACASK does not control
TOLERANCES = "reltol=1e-6 chgtol=1e-3"  # states are charges here, which the defaults would resolve to 1e-14
# Lines that lose the charge of a write: 1e-6 of its voltage over 500 ohm is as large as the currents of small cells.
DISCHARGING = "reltol=1e-9 chgtol=1e-3"
DISCHARGING_VACASK = "reltol=1e-10 chgtol=1e-3 tran_lteratio=1"  # by default 3.5, and such a read 3.6 % off, not 1.7 %


class Element(NamedTuple):
    """An element of the array: its name, its nodes, its module, its parameters."""

    name: str
    nodes: tuple[str, ...]
    module: str
    values: dict[str, float]


def elements(crossbar: Crossbar, drive: Patterns) -> list[Element]:
    """Cells, pieces of line and drivers. Nodes: u_i_j on word lines, b_i_j on bit lines, w_i and e_j of the sources."""
    floating = any(isinstance(part, PatternRead) and part.unselected == "floating" for part in drive.parts)
    cells, r = crossbar.cells, crossbar.line_resistance
    charging = float(crossbar.line_capacitance > 0.0 and cells.access is None)
    firsts, parts = first_of_kind(cells.devices), []
    kinds = sorted(set(firsts))
    for i, j in np.ndindex(crossbar.shape):
        dealt = cells.dealt[i * crossbar.bit_lines + j]
        device, first = cells.devices[dealt], cells.devices[firsts[dealt]]
        values = {"charging": charging, "area": device.area}
        for k in range(device.kind.size) if len(cells.devices) > 1 else ():
            values |= {f"ic{k + 1}": device.start[k], f"faster{k + 1}": device.speed[k] / first.speed[k]}
        inner = f"a_{i}_{j}" if cells.access else f"u_{i}_{j}"
        parts.append(
            Element(f"x_{i}_{j}", (inner, f"b_{i}_{j}", "pace"), junction_name(kinds.index(firsts[dealt])), values)
        )
        if isinstance(cells.access, Switch):
            parts.append(Element(f"t_{i}_{j}", (f"u_{i}_{j}", inner, f"g_{i}"), "otj_switch", {}))
        elif cells.access:
            parts.append(Element(f"t_{i}_{j}", (f"u_{i}_{j}", inner), "otj_selector", {}))
        for name, at, before in (("u", (i, j), (i, j - 1)), ("b", (i, j), (i - 1, j))):
            if min(before) >= 0:
                nodes = f"{name}_{before[0]}_{before[1]}", f"{name}_{at[0]}_{at[1]}"
                parts.append(Element(f"r{name}_{i}_{j}", nodes, "resistor", {"r": r}))
            if crossbar.line_capacitance:
                farther = (f"{name}_{at[0]}_{at[1]}",)
                parts.append(Element(f"c{name}_{i}_{j}", farther, "otj_capacitor", {"c": crossbar.line_capacitance}))
    driver = r + crossbar.driver_resistance
    for name, source, count in (("u", "w", crossbar.word_lines), ("b", "e", crossbar.bit_lines)):
        for n in range(count):
            node = f"u_{n}_0" if name == "u" else f"b_0_{n}"
            on = (f"f{source}_{n}",) if floating else ("one",)
            parts.append(Element(f"d{source}_{n}", (node, f"{source}_{n}", *on), "otj_line", {"r": driver}))
    return parts


def first_of_kind(devices: Sequence[CompactModel]) -> list[int]:
    """Index, for each device, of the first device that differs from it in speed and initial state at most."""

    def alike(first: CompactModel, second: CompactModel) -> bool:
        ours, theirs = (device.weight / device.area for device in (first, second))
        return (
            first.kinds is second.kinds
            and np.array_equal(first.kind, second.kind)
            and np.allclose(ours, theirs, rtol=1e-9)
            and (first.resistance, first.settles) == (second.resistance, second.settles)
        )

    return [next(n for n, other in enumerate(devices) if alike(other, device)) for device in devices]


def junction_name(place: int) -> str:
    """Name of the module of a kind of device, by its place among them."""
    return "otj" if place == 0 else f"otj_{place + 1}"


def junctions(devices: Sequence[CompactModel]) -> str:
    """Text of the Verilog-A modules of the junctions."""
    modules = []
    for place, first in enumerate(sorted(set(first_of_kind(devices)))):
        device, whole = devices[first], float(devices[first].weight.sum())  # undoes `crossbars.models.of_area`
        alone = replace(device, area=device.area / whole, weight=device.weight / whole, noise=None)
        text = verilog_a(alone, paced=True)
        modules.append(text.replace("module otj(", f"module {junction_name(place)}("))
    return "\n".join(modules)


def driver_waves(steps: list[DriverStep], crossbar: Crossbar, drive: Patterns, clock: NetlistClock) -> dict[str, str]:
    """Node -> breakpoints of its source, as text.

    Drivers rise from 0 V while the states stand still. So at time 0 no voltage is anywhere: from 0 V Newton's method of
    a simulator does not find those of half-selected cells behind lines of 50 ohm, tries some beyond the range, and warns.
    """
    ends, edge = np.array(clock.ends), clock.edge
    by_node = {"pace": clock.pace(steps)}
    words, bits = ([step.drivers.words for step in steps], [step.drivers.bits for step in steps])
    for source, volts in (("w", np.array(words)), ("e", np.array(bits))):
        for n, levels in enumerate(volts.T):
            by_node[f"{source}_{n}"] = _breakpoints(np.nan_to_num(levels), ends, edge, 0.0)
            if not np.isfinite(levels).all() or any(
                isinstance(part, PatternRead) and part.unselected == "floating" for part in drive.parts
            ):
                by_node[f"f{source}_{n}"] = _breakpoints(np.isfinite(levels).astype(float), ends, edge)
    if isinstance(crossbar.cells.access, Switch):
        for n in range(crossbar.word_lines):
            by_node[f"g_{n}"] = _breakpoints(np.array([float(step.drivers.chosen[n]) for step in steps]), ends, edge)
    return by_node


def _breakpoints(levels: np.ndarray, ends: np.ndarray, edge: float, begin: float | None = None) -> str:
    """Breakpoints of a source that changes its level at the beginning of each step, as text. Equal levels are merged.

    begin : level at time 0, by default that of the first step
    """
    before = float(levels[0]) if begin is None else begin
    points, now = [f"0 {number(before)}"], 0.0
    for level, end in zip(levels, ends, strict=True):
        if level != before:
            points += ([f"{now:.12g} {number(before)}"] if now > 0.0 else []) + [f"{now + edge:.12g} {number(level)}"]
        now, before = float(end), float(level)
    return " ".join([*points, f"{now:.12g} {number(before)}"])


def crossbar_netlists(crossbar: Crossbar, drive: Patterns) -> dict[str, str]:
    """Name of a file -> its text: the modules, and the array with its patterns for ngspice and for VACASK.

    Raises NotAsExpected for devices drawn from the spread of a noisy model, whose gain no module has.
    """
    if any(any(device.differences.values()) for device in crossbar.cells.devices):
        expected = (
            "devices that are extracted from the case, for netlists (crossbar.cells.devices without crossbar.model)"
        )
        raise NotAsExpected(expected, "devices drawn from the spread of a model")
    steps = steps_of(drive, crossbar)
    clock, parts = netlist_clock(steps), elements(crossbar, drive)
    by_node = driver_waves(steps, crossbar, drive, clock)
    reads = [
        (step, time) for step, time in zip(steps, clock.read_times(), strict=True) if step.drivers.read is not None
    ]
    shortest, charged = min(clock.durations), crossbar.line_capacitance > 0.0
    tolerances = (DISCHARGING, DISCHARGING_VACASK) if charged else (TOLERANCES, TOLERANCES)
    programs = any(part.kind == "program" for part in drive.parts)
    about = [
        f"{crossbar.word_lines} x {crossbar.bit_lines} cells, lines of {crossbar.line_resistance:g} ohm from cell to cell, "
        f"drivers of {crossbar.driver_resistance:g} ohm, {crossbar.line_capacitance:g} F to ground from cell to cell",
        f"steps longer than {LONGEST_STEP:g} times the shortest are shortened to that; V(pace) speeds up the states "
        "meanwhile",
        *(["programming pulses are as in `otjdd run` without noise: reads have no effect here"] if programs else []),
        f"first: {compile_command('otj.va')}; {compile_command('array.va')}",
        *export_header(crossbar.model),
    ]
    values = {
        "about": about, "modules": sorted({part.module for part in parts} - {"resistor"}),
        "parts": parts, "by_node": by_node, "bits": range(crossbar.bit_lines),
        "first": FIRST * shortest, "end": f"{clock.ends[-1]:.12g}", "most": shortest,
    }  # fmt: skip
    measured = [
        (number, bit, f"{at:.12g}")
        for number, (step, at) in enumerate(reads)
        for bit in step.bits_read(crossbar.bit_lines)
    ]
    return {
        "otj.va": junctions(crossbar.cells.devices),
        "array.va": filled_template(
            "array.va", about=export_header(crossbar.model), charged=charged, access=crossbar.cells.access
        ),
        "array.cir": filled_template("array.cir", reads=measured, tolerances=tolerances[0], **values),
        "array.sim": filled_template("array.sim", tolerances=tolerances[1], **values),
    }
