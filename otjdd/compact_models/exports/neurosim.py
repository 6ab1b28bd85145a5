"""The device for NeuroSim: conductances under equal pulses, a block of parameters, a program that sets numbers.

Conductances are fitted by the law of NeuroSim, G = Gmin + B [1 - exp(-x/A)]. Its label of nonlinearity is
NL = 10.1015 max[y(x) - x], where y is the law scaled to 0 to 1, over x from 0 to 1. Pulses up increase x from 0, pulses
down decrease it from its largest value. A has the sign of the label, so a depression that is steep at first and flat at
the end has a negative label (`wage_quantizer.py` of DNN+NeuroSim 2.1, `Cell.cpp` of MLP+NeuroSim 3.0).

With noise a pulse moves G to G(x +- 1) + sigmaCtoC y, kept within the range, with a normal number y (RealDevice::Write in
Cell.cpp). sigmaCtoC is in S there. `c2cVari` of DNN+NeuroSim is a share of the conductance range, and added once for an
update, whatever its number of pulses. Each device has labels NL + sigmaDtoD y, and ends of its range.

The scatter by a pulse accumulates, so one number cannot give both the scatter of steps and that of conductances after
pulses. sigmaCtoC is a compromise between the two.

MLP+NeuroSim counts G V^2 for a pulse, with G at readVoltage Vr. With nonlinearIV it takes G(V) = G Vr/V NL^[2 (V - Vr)/Vw]
at the write voltage Vw (NonlinearConductance in formula.cpp), so that NL is the ratio of the currents at Vw and Vw/2.

train.py of DNN+NeuroSim sets its numbers after it has read the command line. Weights there have as many bits as cells.
"""

import io
import json
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar

from otjdd.compact_models.exports.functions import export_header, filled_template, number
from otjdd.compact_models.exports.pulses import Devices, Pulsed, pulse_energies, pulse_sentences
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.scatter_of_pulses import Cycles, Sigmas, sigmas

PER_LABEL = 10.1015
STEEPEST = 9.0  # largest label of a fit
DEVICES, CYCLES = 200, 6  # drawn
TRIES = 12
FLAT = 1e-6  # label of a straight line
CTOC = "sigmaCtoC is in S, c2cVari the same as a fraction of the conductance range, of one pulse"


def neurosim_law(label: float, x: np.ndarray) -> np.ndarray:
    """The law of NeuroSim at x from 0 to 1, scaled to 0 to 1. Negative labels bend the other way."""
    if abs(label) < 1e-6:
        return np.asarray(x, dtype=float)
    A = label_width(abs(label))
    if label > 0.0:
        return np.asarray(np.expm1(-x / A) / np.expm1(-1.0 / A))
    return np.asarray(1.0 - np.expm1(-(1.0 - x) / A) / np.expm1(-1.0 / A))


def label_of(A: float) -> float:
    """Label of the law with A, in units of the number of pulses."""
    slope = -1.0 / (A * np.expm1(-1.0 / A))  # y'(x) = slope exp(-x/A) is 1 at the largest y - x
    x = A * np.log(slope)
    return float(PER_LABEL * (np.expm1(-x / A) / np.expm1(-1.0 / A) - x))


@lru_cache(maxsize=4096)  # draws ask for the labels of the same devices again and again
def label_width(label: float) -> float:
    """A of a label, the inverse of `label_of`."""
    low, high = 1e-3, 1e6
    for _ in range(200):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if label_of(middle) > label else (low, middle)
    return float(middle)


def fitted_label(curve: np.ndarray) -> tuple[float, float]:
    """Label of a rising curve (n,) by least squares, and the rms deviation relative to its range."""
    x, y = np.linspace(0.0, 1.0, len(curve)), (curve - curve[0]) / (curve[-1] - curve[0])
    optimum = minimize_scalar(
        lambda label: ((neurosim_law(label, x) - y) ** 2).mean(), bounds=(-STEEPEST, STEEPEST), method="bounded"
    )
    return float(optimum.x), float(np.sqrt(optimum.fun))


class Variation(NamedTuple):
    """Standard deviations between devices."""

    label: float  # of the label of nonlinearity, mean of both directions
    highest: float  # S
    lowest: float  # S


def variation(devices: Devices | None) -> Variation:
    """Spread of labels and ranges between devices; 0 without devices."""
    if devices is None:
        return Variation(0.0, 0.0, 0.0)
    labels = [[fitted_label(curve)[0] for curve in curves] for curves in (devices.up, devices.down[:, ::-1])]
    low, high = devices.ends
    label = float(np.std(labels, axis=1, ddof=1).mean())
    return Variation(label, float(high.std(ddof=1)), float(low.std(ddof=1)))


class CellNoise(NamedTuple):
    """The parts of a cell that noise adds."""

    c2c: float  # of the conductance range
    read: float  # of the conductance
    differ: Variation  # between devices, as draws need it
    about: list[str]  # lines of its header


class WriteEnergies(NamedTuple):
    """Mean energies [J] of pulses up and down: that which the source gives, and what NeuroSim counts."""

    source: tuple[float, float]
    linear: tuple[float, float]  # with the conductance at the read voltage
    counted: tuple[float, float]  # with nonlinearIV and NL
    ratio: float  # NL, nearest to both directions in ln

    @classmethod
    def of(cls, model: CompactModel, pulses: Pulsed) -> "WriteEnergies":
        """Energies of a cycle of pulses of a model."""
        source = [float(energies.mean()) for energies in pulse_energies(model, pulses)]
        volts = [abs(pulse.voltage) for pulse in pulses.train[:2]]
        linear = [
            float(0.5 * (curve[1:] + curve[:-1]).mean()) * V**2 * pulse.width
            for curve, V, pulse in zip((pulses.up, pulses.down), volts, pulses.train[:2], strict=True)
        ]
        powers = [2.0 * (1.0 - pulses.read_voltage / V) for V in volts]
        logs = np.log([a / b * V / pulses.read_voltage for a, b, V in zip(source, linear, volts, strict=True)])
        ratio = float(np.exp(np.dot(powers, logs) / np.dot(powers, powers)))
        counted = [b * pulses.read_voltage / V * ratio**n for b, V, n in zip(linear, volts, powers, strict=True)]
        return cls((source[0], source[1]), (linear[0], linear[1]), (counted[0], counted[1]), ratio)

    @property
    def words(self) -> list[str]:
        """Lines of the header of a cell."""
        of_source, linear, counted = (f"{up:.3g} J (LTP) and {down:.3g} J (LTD)" for up, down in self[:3])
        up, down = (a / b for a, b in zip(self.source, self.linear, strict=True))
        return [
            f"energy of a pulse, mean of the cycle, from the source: {of_source}. NeuroSim counts {counted} with "
            "nonlinearIV and NL, one number for both, and with nonlinearIV = false, where the current is taken at "
            f"readVoltage, {linear}, {up:.3g} and {down:.3g} times too little; nonlinearIV is for cross-point arrays "
            "(cmosAccess = false), and counts cells at half of the voltage too",
        ]


def set_numbers(values: dict[str, float], c2c: float, labels: tuple[float, float]) -> str:
    """Text of a program that sets the numbers of a device in a checkout of DNN+NeuroSim 2.1.

    values : of the cell, by the names of MLP+NeuroSim   c2c : of the conductance range   labels : NL_LTP, NL_LTD
    """
    count = int(values["maxNumLevelLTP"])
    bits = int(np.log2(count))
    train = {"wl_weight": bits, "wl_grad": bits, "cellBit": bits, "max_level": count, "c2cVari": c2c}
    train |= {"d2dVari": values["sigmaDtoD"], "nonlinearityLTP": labels[0], "nonlinearityLTD": labels[1]}
    cell = {
        "cellBit": bits, "resistanceOn": 1.0 / values["maxConductance"], "resistanceOff": 1.0 / values["minConductance"],
        "maxNumLevelLTP": count, "maxNumLevelLTD": count, "readVoltage": values["readVoltage"],
        "writeVoltage": max(values["writeVoltageLTP"], values["writeVoltageLTD"]),
        "writePulseWidth": max(values["writePulseWidthLTP"], values["writePulseWidthLTD"]),
        "nonlinearity": values["NL"],
    }  # fmt: skip
    of_files = {
        "train.py": {f"args.{name}": number(value) for name, value in train.items()},
        "NeuroSIM/Param.cpp": {name: number(value) for name, value in cell.items()},
    }
    return filled_template("set_numbers.py", numbers=json.dumps(of_files, indent=4))


def files(
    model: CompactModel, pulses: Pulsed, devices: Devices | None = None, noise: CellNoise | None = None
) -> dict[str, str]:
    """Name -> text of the files: parameters for Cell.cpp, conductances by pulse (and device), program for DNN+NeuroSim."""
    differ = noise.differ if noise else variation(devices)
    (up, up_off), (down, down_off) = fitted_label(pulses.up), fitted_label(pulses.down[::-1])
    (low, high), (raising, lowering, count) = pulses.ends, pulses.train
    energies = WriteEnergies.of(model, pulses)
    about = [
        *export_header(model),
        "each line replaces the assignment of that name in the constructor RealDevice::RealDevice of Cell.cpp of "
        "MLP+NeuroSim 3.0, in its place: after it, the constructor has already computed with the old value",
        *energies.words,
        *pulse_sentences(pulses, devices, noise.about if noise else ()),
        f"conductances after a pulse differ from the compact model's by {up_off:.3f} (LTP) and {down_off:.3f} (LTD) of the "
        "range, rms: the law of NeuroSim is an exponential",
        f"{CTOC if noise else 'sigmaCtoC is therefore 0'}; sigmaDtoD is the spread of the labels NL; pulses.csv holds the "
        "conductances themselves",
        "tried with the weight functions of DNN+NeuroSim 2.1, whose numbers set_numbers.py sets",
    ]
    c2c = noise.c2c if noise else 0.0
    values = {
        "maxConductance": high, "minConductance": low, "readVoltage": pulses.read_voltage, "readPulseWidth": 1e-6,
        "writeVoltageLTP": abs(raising.voltage), "writeVoltageLTD": abs(lowering.voltage),
        "writePulseWidthLTP": raising.width, "writePulseWidthLTD": lowering.width, "maxNumLevelLTP": count,
        "maxNumLevelLTD": count, "NL_LTP": up, "NL_LTD": down, "sigmaDtoD": differ.label,
        "sigmaCtoC": c2c * (high - low),
        "maxConductanceVar": differ.highest, "minConductanceVar": differ.lowest,
        "NL": energies.ratio,
    }  # fmt: skip
    cycle = np.column_stack((np.arange(count + 1), pulses.up, pulses.down))
    named = {
        "cell.txt": filled_template("cell.txt", about=about, values=values, noise=noise, devices=devices),
        "pulses.csv": table_text("pulse,G_LTP_S,G_LTD_S", cycle),
        "set_numbers.py": set_numbers(values, c2c, (up, down)),
    }
    if devices is not None:
        places = np.indices(devices.up.shape).reshape(2, -1)
        cycles = np.column_stack((*places, devices.up.ravel(), devices.down.ravel()))
        named["devices.csv"] = table_text("device,pulse,G_LTP_S,G_LTD_S", cycles)
    return named


def table_text(header: str, rows: np.ndarray) -> str:
    """Comma-separated text of rows of whole numbers and, in the last two columns, conductances [S]."""
    text, whole = io.StringIO(), rows.shape[1] - 2
    np.savetxt(text, rows, fmt=["%d"] * whole + ["%.9g"] * 2, delimiter=",", header=header, comments="")
    return text.getvalue()


class Way:
    """The law of pulses of one sign on devices, between their smallest and largest conductances (D,) [S].

    label : (D,) labels of nonlinearity   count : pulses from end to end
    """

    def __init__(self, label: np.ndarray, low: np.ndarray, high: np.ndarray, count: int):
        width = np.array([label_width(max(abs(number), FLAT)) for number in np.clip(label, -STEEPEST, STEEPEST)])
        self.A = np.where(label < 0.0, -1.0, 1.0) * width * count
        self.B = (high - low) / -np.expm1(-count / self.A)
        self.low = low

    def after(self, G: np.ndarray, pulses: int) -> np.ndarray:
        """Conductances (D,) [S] after pulses, whose sign is that of their effect."""
        inside = np.maximum(1.0 - (G - self.low) / self.B, 1e-12)
        return self.B * (1.0 - inside * np.exp(-pulses / self.A)) + self.low


def drawn_conductances(
    labels: tuple[float, float], ends: tuple[float, float], count: int, c2c: float, differ: Variation, seed: int
) -> Cycles:
    """Conductances [S] of DEVICES under CYCLES of pulses, `count` down and `count` up, by the law of NeuroSim.

    labels : NL_LTP, NL_LTD   ends : smallest and largest conductance [S]   c2c : sigmaCtoC [S]
    """
    rng = np.random.default_rng(seed)
    up, down, lowest, highest = rng.standard_normal((4, DEVICES))
    low = np.maximum(ends[0] + differ.lowest * lowest, 1e-3 * ends[0])
    high = np.maximum(ends[1] + differ.highest * highest, 1.001 * low)
    raising = Way(labels[0] + differ.label * up, low, high, count)
    lowering = Way(labels[1] + differ.label * down, low, high, count)
    G, after_pulses = high.copy(), []
    for way, sign in ([(lowering, -1)] * count + [(raising, 1)] * count) * (1 + CYCLES):
        G = np.clip(way.after(G, sign) + c2c * rng.standard_normal(DEVICES), low, high)
        after_pulses.append(G)
    return Cycles.drawn(after_pulses, count)


def fitted_cycle_noise(
    labels: tuple[float, float], ends: tuple[float, float], count: int, solver: Sigmas, differ: Variation
) -> float:
    """sigmaCtoC [S] with which draws miss the scatter of steps and that after pulses of `solver` [S] by inverse factors."""
    if not (solver.step > 0.0 and solver.written > 0.0):
        return 0.0
    sigma = solver.step
    for _ in range(TRIES):
        got = sigmas(drawn_conductances(labels, ends, count, sigma, differ, 0))
        sigma = min(sigma * math.sqrt(solver.step / got.step * solver.written / got.written), ends[1] - ends[0])
    return sigma
