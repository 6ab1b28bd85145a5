"""Noise in the files for network simulators: numbers fitted to the scatter of the solver, and the scatter that they draw.

Each simulator draws by a published formula. The header of a file compares the standard deviations of the solver with those
of draws by that formula with the numbers of the file; one code computes both.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from otjdd.compact_models.exports import neurosim, python_devices
from otjdd.compact_models.exports import pulses as leveled
from otjdd.compact_models.exports.pulses import Devices, Pulsed
from otjdd.compact_models.scatter_of_pulses import Cycles, Sigmas, cycles_of, mean_cycles, sigmas
from otjdd.system.late import xr

FAR = 0.1  # deviation of the mean cycle of noisy devices, over the range, beyond which a warning is given
APART = 0.2  # relative, beyond which a file does not scatter as the solver does
OWN = 1  # seed of the draws in headers; fits have another seed
QUANTITIES = ("a step", "what a pulse leaves, by cycle", "what a pulse leaves, by device")


class StatedDeviation(NamedTuple):
    """A standard deviation: that of the solver, and that of draws by a file."""

    export: str
    quantity: str
    solver: float
    drawn: float
    unit: str

    @property
    def deviation(self) -> float:
        """Relative difference."""
        return self.drawn / self.solver - 1.0 if self.solver else 0.0

    @property
    def unit_text(self) -> str:
        """The unit behind a number; "" for pure numbers."""
        return "" if self.unit == "1" else f" {self.unit}"


class ExportNoise(NamedTuple):
    """Noise of the files for networks."""

    measured: "xr.Dataset"  # of `scatter_of_pulses.with_deviations`
    devices: Devices
    pulse: python_devices.PulseNoise
    differ: dict[str, float]  # of aihwkit, between devices
    c2c: float  # S, sigmaCtoC of NeuroSim
    vary: neurosim.Variation  # of NeuroSim, between devices
    rows: tuple[StatedDeviation, ...]

    def dataset(self) -> "xr.Dataset":
        """The measurement, and along `statement` the standard deviations of the solver and of the files."""
        statement = [f"{row.export}: {row.quantity} ({row.unit})" for row in self.rows]
        return self.measured.assign(
            statement=(
                "statement",
                statement,
                {"units": "1", "long_name": "what a standard deviation is of, its unit"},
            ),
            solver_sigma=("statement", [row.solver for row in self.rows], {"units": "1", "long_name": "of the solver"}),
            drawn_sigma=("statement", [row.drawn for row in self.rows], {"units": "1", "long_name": "of the file"}),
        ).assign_attrs(self.pulse._asdict() | self.differ | {"sigmaCtoC": self.c2c})


def parts(
    noise: ExportNoise, pulses: Pulsed
) -> tuple[python_devices.PresetNoise, python_devices.DeviceNoise, neurosim.CellNoise]:
    """Noise of the files for aihwkit, CrossSim and NeuroSim of a cycle of pulses."""
    ds, (low, high) = noise.measured, pulses.ends

    def about(export: str) -> list[str]:
        return [
            *noise_sentences(noise, pulses),
            *comparison_lines(tuple(row for row in noise.rows if row.export == export)),
        ]

    measured, in_file = python_devices.preset_spreads(pulses, noise.devices)["dw_min_dtod"], noise.differ["dw_min_dtod"]
    as_one = (
        f"the measured dw_min_dtod is {measured:.3g}; all spreads between devices are multiplied by "
        f"{in_file / measured if measured else 0.0:.3g}, since aihwkit draws them independently, and devices have "
        "correlated ones"
    )
    of_preset = *noise.pulse, noise.differ, [*about("aihwkit"), as_one], python_devices.inference(ds)
    return (
        python_devices.PresetNoise(*of_preset),
        python_devices.DeviceNoise(about("CrossSim"), leveled.level_tables(ds)),
        neurosim.CellNoise(noise.c2c / (high - low), rms(leveled.read_sigma(ds)), noise.vary, about("NeuroSim")),
    )


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt((values**2).mean()))


def noise_sentences(noise: ExportNoise, pulses: Pulsed) -> list[str]:
    """Lines of a header on how the noise was measured."""
    ds, ordered = noise.measured, leveled.by_conductance(noise.measured)
    cycles = cycles_of(ds)
    solver, step = sigmas(cycles), float(np.abs(cycles.steps.mean(axis=(0, 1))).mean())
    devices, count, _ = cycles.after.shape
    drift, day = (ordered[name].values for name in ("drift", "level_sigma"))
    return [
        f"noise: the solver ran {devices} devices of {count} cycles each with single ions, {ds.attrs['cells']} cells, and "
        "a pause of 1 us for a read after each pulse; the statistical error of a sigma between devices is "
        f"{100.0 / np.sqrt(2.0 * (devices - 1)):.0f} %",
        f"their mean cycle differs from the one of this file, which has neither pauses nor single ions, by "
        f"{mean_off(noise.measured, pulses):.2g} of the range, rms",
        f"a step is {step:.3g} S on average, and scatters by {solver.step:.3g} S from cycle to cycle; what a pulse leaves "
        f"scatters by {solver.written:.3g} S from cycle to cycle and by {solver.device:.3g} S from device to device",
        f"drift: d ln R/d ln t over a day is {drift[0]:.3g} at {ordered.level_mean.values[0]:.3g} S and {drift[-1]:.3g} at "
        f"{ordered.level_mean.values[-1]:.3g} S, where ln G scatters by {day[-1, 0]:.3g} at 1 us and {day[-1, -1]:.3g}",
        f"reads of 1 us scatter by {rms(ds.read_sigma.values):.2g} (hops, in {ds.sizes['read']} reads) and "
        f"{rms(ds.electron_sigma.values):.2g} (electrons) of ln I; slower noise is part of the drift",
    ]


def mean_off(measured: "xr.Dataset", pulses: Pulsed) -> float:
    """Root mean square distance of the mean cycle from that of the exports, relative to its range."""
    low, high = pulses.ends
    return rms(np.concatenate((pulses.down[1:], pulses.up[1:])) - measured.mean_conductance.values) / (high - low)


def noise_of_exports(measured: "xr.Dataset", pulses: Pulsed, source: str) -> ExportNoise:
    """Noise of the files of a cycle of pulses. measured : of `scatter_of_pulses`   source : why devices differ, in words"""
    solver, devices = sigmas(cycles_of(measured)), mean_cycles(measured, source)
    (low, high), count = pulses.ends, pulses.train.count
    per_weight = 0.5 * (high - low)
    steps, aim = python_devices.steps(pulses), Sigmas(*(value / per_weight for value in solver))
    names, quiet = tuple(python_devices.preset_spreads(pulses, None)), python_devices.PulseNoise(0.0, 0.0)

    def differing(values: Sequence[float]) -> Cycles:
        return python_devices.drawn_weights(steps, count, quiet, dict(zip(names, values, strict=True)), 0)

    spreads = tuple(python_devices.preset_spreads(pulses, devices).values())
    differ = dict(zip(names, scaled_spreads(spreads, aim.device, differing, python_devices.TRIES), strict=True))
    pulse = python_devices.fitted_pulse_noise(steps, count, aim, differ)
    weights = sigmas(python_devices.drawn_weights(steps, count, pulse, differ, OWN))
    labels = neurosim.fitted_label(pulses.up)[0], neurosim.fitted_label(pulses.down[::-1])[0]

    def varying(values: Sequence[float]) -> Cycles:
        return neurosim.drawn_conductances(labels, pulses.ends, count, 0.0, neurosim.Variation(*values), 0)

    vary = neurosim.Variation(*scaled_spreads(neurosim.variation(devices), solver.device, varying, neurosim.TRIES))
    c2c = neurosim.fitted_cycle_noise(labels, pulses.ends, count, solver, vary)
    law = sigmas(neurosim.drawn_conductances(labels, pulses.ends, count, c2c, vary, OWN))
    rows = [
        *cycle_rows("aihwkit", solver, Sigmas(*(value * per_weight for value in weights))),
        *cycle_rows("NeuroSim", solver, law),
    ]
    day, drawn = (
        np.sqrt((sigma**2).mean(axis=0)) for sigma in (measured.level_sigma.values, leveled.drawn_levels(measured, OWN))
    )
    for time, by_solver, by_file in zip(measured.time.values, day.tolist(), drawn.tolist(), strict=True):
        rows.append(StatedDeviation("CrossSim", f"ln G of a level after {time:.3g} s", by_solver, by_file, "1"))
    return ExportNoise(measured, devices, pulse, differ, c2c, vary, tuple(rows))


def scaled_spreads(
    spreads: Sequence[float], device: float, drawn: Callable[[Sequence[float]], Cycles], tries: int
) -> list[float]:
    """Spreads between devices times one factor, so that draws with them have the scatter `device` between devices.

    The simulators draw these numbers independently, but they are correlated: devices of a larger range make larger steps.
    """
    if not (device > 0.0 and any(spreads)):
        return [0.0] * len(spreads)
    factor = 1.0
    for _ in range(tries):
        factor *= device / sigmas(drawn([factor * value for value in spreads])).device
    return [float(factor * value) for value in spreads]


def cycle_rows(export: str, solver: Sigmas, drawn: Sigmas) -> list[StatedDeviation]:
    """Rows of the cycles of an export."""
    return [StatedDeviation(export, *row, "S") for row in zip(QUANTITIES, solver, drawn, strict=True)]


def comparison_lines(rows: tuple[StatedDeviation, ...]) -> list[str]:
    """A line for each row."""
    return [
        f"{row.export}: sigma of {row.quantity}: solver {row.solver:.3g}{row.unit_text}, draws of the file "
        f"{row.drawn:.3g}{row.unit_text} ({100.0 * row.deviation:+.0f} %)"
        for row in rows
    ]


def scatter_warnings(noise: ExportNoise, pulses: Pulsed) -> list[str]:
    """Sentences on files that do not scatter as the solver does; [] if all do."""
    off = mean_off(noise.measured, pulses)
    mean = f"the mean cycle of devices with single ions differs from the files for networks by {off:.2g} of the range"
    lost = noise.measured.attrs["left_out"]
    few = f"{lost} devices with single ions are left out, since their runs did not end"
    apart = [
        f"draws of the files for {row.export} do not scatter as in the solver: {row.quantity}, "
        f"{100.0 * row.deviation:+.0f} %"
        for row in noise.rows
        if abs(row.deviation) > APART
    ]
    short = noise.measured.attrs["cut_short"]
    levels = f"levels of {short} devices are left out, since the solver could not follow their ions for a day"
    return ([few] if lost else []) + ([levels] if short else []) + ([mean] if off > FAR else []) + apart
