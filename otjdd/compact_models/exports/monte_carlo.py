"""Netlists, ready to run, of noisy models: devices drawn at random, and cycles whose scatter is that of the solver.

    monte_carlo.cir, .sim    devices that differ and scatter, one cycle
    cycles.sim               devices alike, cycle after cycle, for sigma of ln R beside that of the solver

The pulses are those under which `noise_error` has compared model and solver. Files .cir are for ngspice, .sim for VACASK,
both with the compiled Verilog-A.
"""

from collections.abc import Sequence
from typing import NamedTuple

from otjdd.compact_models import noise_error
from otjdd.compact_models.error import READ, set_and_resets
from otjdd.compact_models.exports.functions import number
from otjdd.compact_models.exports.testbench import COMPILE, LOAD, OPTIONS, TOLERANCES
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.noise_error import CYCLES_OF_CIRCUITS, PART

DEVICES = 20  # of a netlist
CYCLES = 8  # of which `noise_error.SETTLING` do not count
EDGE = 0.01  # width of an edge, over the shortest pulse
REST = 0.001  # time at 0 V before the first edge, over the shortest pulse: ngspice finds no first step on an edge
FRAMES = 10  # in the shortest pulse


class Cycle(NamedTuple):
    """Pulses of a cycle with a read after each, on a grid of frames."""

    pulses: Sequence[tuple[float, float]]  # V and s
    shortest: float  # s
    read: tuple[float, float]  # V and s

    @property
    def frame(self) -> float:
        """Time [s] for which a random number is constant."""
        return self.shortest / FRAMES

    @property
    def duration(self) -> float:
        """Time [s] of a cycle."""
        return sum(width + self.read[1] for _, width in self.pulses)

    @property
    def reads(self) -> list[float]:
        """Times [s] at which the reads of the first cycle end."""
        ends, now = [], 0.0
        for _, width in self.pulses:
            now += width + self.read[1]
            ends.append(now)
        return ends

    def points(self, count: int) -> list[tuple[float, float]]:
        """Breakpoints (time [s], voltage [V]) of `count` cycles."""
        breakpoints, now = [(0.0, 0.0), (REST * self.shortest, 0.0)], 0.0
        for _ in range(count):
            for pulse in self.pulses:
                for level, lasts in (pulse, self.read):
                    breakpoints += [(now + EDGE * self.shortest, level), (now + lasts, level)]
                    now += lasts
        return breakpoints


def cycle(model: CompactModel) -> Cycle:
    """The cycle of the measured scatter of a model in circuits; a whole reset and set if this scatter is not measured."""
    shortest = max(PART, model.limits.shortest)
    up, down, _ = set_and_resets(model.limits)
    pulses = noise_error.pulses_of(model, CYCLES_OF_CIRCUITS) or [(down, shortest), (up, shortest)]
    return Cycle(pulses, shortest, (READ["voltage"], max(READ["duration"], shortest)))


def netlists(model: CompactModel) -> dict[str, str]:
    """Name -> text of the netlists of a noisy model."""
    drawn = "{} devices drawn at random, whose ions hop stochastically: pulses, a read at 0.1 V after each"
    alike = "{} identical devices, whose ions hop stochastically: cycles of pulses, a read at 0.1 V after each"
    own = cycle(model)
    reads = [
        f"meas tran read{j}_{i} find i(vs{i}) at={number(t - 0.1 * own.frame)}"
        for j, t in enumerate(own.reads, 1)
        for i in range(1, DEVICES + 1)
    ]
    return {
        "monte_carlo.cir": ngspice(drawn.format(DEVICES), own, reads),
        "monte_carlo.sim": vacask(drawn.format(DEVICES), "monte_carlo.sim", own, 1, 1.0),
        "cycles.sim": vacask(alike.format(DEVICES), "cycles.sim", own, CYCLES, 0.0),
    }


def wave(own: Cycle, count: int) -> str:
    """Breakpoints of `count` cycles as a text of times and voltages."""
    return " ".join(f"{number(t)} {number(v)}" for t, v in own.points(count))


def ngspice(title: str, own: Cycle, control: list[str]) -> str:
    """Text for ngspice of DEVICES devices under one cycle. control : commands after the run"""
    devices = range(1, DEVICES + 1)
    lines = [
        title,
        *LOAD,
        f"Vd d 0 PWL({wave(own, 1)})",
        *(f"Vs{i} d p{i} 0\nN{i} p{i} 0 otj seed={i} frame={number(own.frame)}" for i in devices),
        f".options {OPTIONS}",
        ".save " + " ".join(f"i(vs{i})" for i in devices),
        f".tran {number(own.frame)} {number(own.duration)} 0 {number(own.frame)}",
        *(".control", "run", *control, ".endc", ".end", ""),
    ]
    return "\n".join(lines)


def vacask(title: str, name: str, own: Cycle, count: int, spread: float) -> str:
    """Text for VACASK of DEVICES devices under `count` cycles. name : of the file   spread : of the devices"""
    devices = range(1, DEVICES + 1)
    return "\n".join([
        title,
        f"// {COMPILE}",
        f"// vacask {name} leaves time and the currents vs1:flow(br) ... in tran1.raw",
        "ground 0",
        'load "otj.osdi"',
        "model otj otj",
        "model vsource vsource",
        f'vd (d 0) vsource type="pwl" wave=[{wave(own, count).replace(" ", ", ")}]',
        *(
            f"vs{i} (d p{i}) vsource dc=0\nx{i} (p{i} 0) otj seed={i} frame={number(own.frame)} spread={number(spread)}"
            for i in devices
        ),
        "control",
        f'  options {TOLERANCES} tran_method="gear2"',
        f"  analysis tran1 tran step={number(own.frame)} stop={number(count * own.duration)} maxstep={number(own.frame)}",
        "endc",
        "",
    ])  # fmt: skip
