"""The scatter of network pulses as the files for networks hold it: fitted numbers, and what the draws of each file give.

Each network draws by a published formula. Stated are the standard deviations of the solver and those that the formula draws
with the numbers of the file, both by the same code.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.compact_models.exports import aihwkit, aihwkit_noise, crosssim, crosssim_noise, neurosim, neurosim_noise
from otjdd.compact_models.exports import levels as leveled
from otjdd.compact_models.exports.pulses import Devices, Pulsed
from otjdd.compact_models.scatter.numbers import Sigmas, cycles_of, devices_of, sigmas

if TYPE_CHECKING:
    import xarray as xr

FAR = 0.1  # of the range, of the mean of noisy devices, beyond which a warning is given
APART = 0.2  # relative, beyond which a file does not scatter as the solver does
OWN = 1  # seed of the draws that are stated, another than that of the fits
QUANTITIES = ("a step", "what a pulse leaves, by cycle", "what a pulse leaves, by device")


class Row(NamedTuple):
    """A standard deviation of the solver, and that which a file draws."""

    export: str
    quantity: str
    solver: float
    drawn: float
    unit: str

    @property
    def apart(self) -> float:
        """Relative difference."""
        return self.drawn / self.solver - 1.0 if self.solver else 0.0

    @property
    def said(self) -> str:
        """The unit in a text."""
        return "" if self.unit == "1" else f" {self.unit}"


class Noisy(NamedTuple):
    """Noise of the files for networks."""

    measured: "xr.Dataset"  # of `scatter.numbers`
    devices: Devices
    pulse: aihwkit_noise.PulseNoise
    differ: dict[str, float]  # of aihwkit, between devices
    c2c: float  # S, sigmaCtoC of NeuroSim
    vary: neurosim.Variation  # of NeuroSim, between devices
    rows: tuple[Row, ...]

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


class Parts(NamedTuple):
    """Noise of each file, None without."""

    preset: aihwkit.PresetNoise | None = None
    cell: neurosim.CellNoise | None = None
    device: crosssim.DeviceNoise | None = None


NONE = Parts()


def parts(found: Noisy, pulses: Pulsed) -> Parts:
    """Noise of each file for networks of a cycle of pulses."""
    ds, (low, high) = found.measured, pulses.ends

    def about(export: str) -> list[str]:
        return [*sentences(found, pulses), *told(tuple(row for row in found.rows if row.export == export))]

    return Parts(
        aihwkit.PresetNoise(
            *found.pulse,
            found.differ,
            [*about("aihwkit"), as_one(found, pulses)],
            aihwkit_noise.IMPORTS,
            aihwkit_noise.inference(ds),
        ),
        neurosim.CellNoise(found.c2c / (high - low), rms(leveled.read_sigma(ds)), found.vary, about("NeuroSim")),
        crosssim.DeviceNoise(about("CrossSim"), leveled.tables(ds), crosssim_noise.methods()),
    )


def as_one(found: Noisy, pulses: Pulsed) -> str:
    """Line on the spreads between devices in the file for aihwkit."""
    measured, told = aihwkit.between_devices(pulses, found.devices)["dw_min_dtod"], found.differ["dw_min_dtod"]
    factor = told / measured if measured else 0.0
    return (
        f"dw_min_dtod is {measured:.3g} as measured; all spreads between devices are times {factor:.3g}, since aihwkit "
        "draws them independently, which they are not"
    )


def rms(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt((values**2).mean()))


def sentences(found: Noisy, pulses: Pulsed) -> list[str]:
    """Lines on the measurement of noise."""
    ds, ordered = found.measured, leveled.ascending(found.measured)
    cycles = cycles_of(ds)
    solver, step = sigmas(cycles), float(np.abs(cycles.steps.mean(axis=(0, 1))).mean())
    devices, count, _ = cycles.after.shape
    drift, day = (ordered[name].values for name in ("drift", "level_sigma"))
    return [
        f"noise: {devices} devices of {count} cycles each, run by the solver with single ions, {ds.attrs['cells']} cells, "
        "and a pause of 1 us for a read after each pulse; a sigma between devices is known to "
        f"{100.0 / np.sqrt(2.0 * (devices - 1)):.0f} %",
        f"their mean cycle is {mean_off(found.measured, pulses):.2g} of the range away, rms, from that of this file, which "
        "knows no pauses and no single ions",
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


def noisy(measured: "xr.Dataset", pulses: Pulsed, source: str) -> Noisy:
    """Noise of the files of a cycle of pulses. measured : of `numbers.numbers`   source : why devices differ, in words"""
    solver, devices = sigmas(cycles_of(measured)), devices_of(measured, source)
    (low, high), count = pulses.ends, pulses.train.count
    per_weight = 0.5 * (high - low)
    steps, wanted = aihwkit.steps(pulses), Sigmas(*(each / per_weight for each in solver))
    differ = aihwkit_noise.spread(steps, count, aihwkit.between_devices(pulses, devices), wanted.device)
    pulse = aihwkit_noise.fitted(steps, count, wanted, differ)
    weights = sigmas(aihwkit_noise.drawn(steps, count, pulse, differ, OWN))
    labels = neurosim.fitted_label(pulses.up)[0], neurosim.fitted_label(pulses.down[::-1])[0]
    vary = neurosim_noise.spread(labels, pulses.ends, count, solver.device, neurosim.variation(devices))
    c2c = neurosim_noise.fitted(labels, pulses.ends, count, solver, vary)
    law = sigmas(neurosim_noise.drawn(labels, pulses.ends, count, c2c, vary, OWN))
    rows = [
        *rows_of("aihwkit", solver, Sigmas(*(each * per_weight for each in weights))),
        *rows_of("NeuroSim", solver, law),
        *levels(measured),
    ]
    return Noisy(measured, devices, pulse, differ, c2c, vary, tuple(rows))


def rows_of(export: str, solver: Sigmas, drawn: Sigmas) -> list[Row]:
    """Rows of the cycles of an export."""
    return [Row(export, *row, "S") for row in zip(QUANTITIES, solver, drawn, strict=True)]


def levels(measured: "xr.Dataset") -> list[Row]:
    """Rows of the levels of CrossSim, root mean squares over the levels, at each time."""
    solver, drawn = (
        np.sqrt((each**2).mean(axis=0)) for each in (measured.level_sigma.values, leveled.drawn(measured, OWN))
    )
    return [
        Row("CrossSim", f"ln G of a level after {time:.3g} s", float(one), float(other), "1")
        for time, one, other in zip(measured.time.values, solver, drawn, strict=True)
    ]


def told(rows: tuple[Row, ...]) -> list[str]:
    """A line for each row."""
    return [
        f"{row.export}: sigma of {row.quantity}: solver {row.solver:.3g}{row.said}, draws of the file "
        f"{row.drawn:.3g}{row.said} ({100.0 * row.apart:+.0f} %)"
        for row in rows
    ]


def warnings(found: Noisy, pulses: Pulsed) -> list[str]:
    """Sentences on files that do not scatter as the solver does; [] if all do."""
    off = mean_off(found.measured, pulses)
    mean = (
        f"the mean cycle of devices with single ions is {off:.2g} of the range away from that of the files for networks"
    )
    lost = found.measured.attrs["left_out"]
    few = f"{lost} devices with single ions are left out, whose runs did not end"
    apart = [
        f"draws of the files for {row.export} scatter unlike the solver: {row.quantity}, {100.0 * row.apart:+.0f} %"
        for row in found.rows
        if abs(row.apart) > APART
    ]
    short = found.measured.attrs["cut_short"]
    levels = f"levels of {short} devices are left out, whose ions the solver could not follow for a day"
    return [few] * bool(lost) + [levels] * bool(short) + [mean] * bool(off > FAR) + apart
