"""A layer that learns handwritten digits on junctions: accuracy with even, mean and noisy steps, energy and latency.

Accuracy: each weight is a compact model of its own, which pulses move with single ions or without. Energy and latency:
a crossbar of these junctions, by `otjdd.run`: `step_energy` of one pulse on each cell and of a scan, and the time in which
lines settle.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import otjdd
from otjdd.case.case import load_case
from otjdd.compact_models.exports.pulses import Pulsed, pulse_cycle
from otjdd.compact_models.model import CompactModel
from validation.benchmarks.benchmark import HERE, NETWORKS, Asked, Benchmark

JUNCTION = {"device.film.cells": 48, "columns.count": 1, "columns.spread": {}, "device.conducting_fraction": 1.0}
RADIUS, WORDS = "10 nm", 8  # of a junction; word lines of the crossbar that is run
VOLTAGES, TIMES = (-2.5, 2.2), (50e-9, 1.0)  # V, s: range of the compact model
TRAIN, EPOCHS, RATE, GAIN, SEEDS = 600, 2, 0.02, 6.0, (1, 2, 3)
CURVES, PICTURE = HERE / "digits.json", HERE.parents[1] / "cases/networks.png"
COLOURS, TRACES = ("0.65", "0.35", "C0", "C3"), 4  # of the kinds of steps; junctions with noise in the picture
FULL, EMPTY, MOST = (
    0.9,
    -0.7,
    20,
)  # a pair with a weight above FULL is set back if both exceed EMPTY; pulses of a setting
ACCURACY = "steps of a pulse", "one junction:", "pulses a picture:", "pair:", "pulses a picture of pairs:"
COST = "cells", "one pulse on each cell:", "a scan at 0.1 V:", "lines settle to 1 % in:"


class Digits(NamedTuple):
    """Pictures of 8 x 8 pixels and a constant, and what they show."""

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def digits() -> Digits:
    """The 1797 digits of scikit-learn, in one order."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(x))
    x, y = np.column_stack((x / 16.0, np.ones(len(x))))[order], y[order]
    return Digits((x[:TRAIN], y[:TRAIN]), (x[TRAIN:], y[TRAIN:]))


class Even:
    """Weights (n,) that every pulse moves by the same step, between -1 and 1."""

    def __init__(self, count: int, begin: float, step: float):
        self.weights, self.step, self.pulses = np.full(count, begin), step, 0

    def pulse(self, which: np.ndarray, up: bool) -> None:
        """One pulse on some weights, by their indices."""
        self.weights[which] = np.clip(self.weights[which] + (self.step if up else -self.step), -1.0, 1.0)
        self.pulses += which.size


class Junctions:
    """Weights (n,) that are junctions: -1 is the lowest and 1 the highest conductance of a cycle of equal pulses."""

    def __init__(self, model: CompactModel, cycle: Pulsed, count: int, begin: float, seed: int | None):
        self.model, self.cycle, self.pulses = model, cycle, 0
        low, high = cycle.ends
        self.offset, self.gain = 0.5 * (low + high), 2.0 / (high - low)
        self.streams = model.streams(count, seed) if seed is not None else None
        nearest = np.abs(self.read(cycle.states.copy()) - begin).argmin()
        self.states = np.repeat(cycle.states[nearest][None, :], count, axis=0)
        self.weights = self.read(self.states.copy())

    def read(self, states: np.ndarray) -> np.ndarray:
        """Weights of junctions in states (M, ...)."""
        volts = self.cycle.read_voltage
        return np.asarray((self.model.hold(states, volts, 0.0) / volts - self.offset) * self.gain)

    def pulse(self, which: np.ndarray, up: bool) -> None:
        """One pulse on some junctions, by their indices."""
        if not which.size:
            return
        states, train = np.ascontiguousarray(self.states[which]), self.cycle.train
        streams = None if self.streams is None else np.ascontiguousarray(self.streams[which])
        self.model.hold(states, *(train.up if up else train.down), streams=streams)
        if self.streams is not None:
            self.streams[which] = streams
        self.states[which] = states
        self.weights[which] = self.read(states)
        self.pulses += which.size


Weights = Even | Junctions


def set_back(pairs: tuple[Weights, Weights]) -> None:
    """Lower pairs with a full junction to their end, and set their difference again, unless the other is empty."""
    plus, minus = pairs
    high, low = np.maximum(plus.weights, minus.weights), np.minimum(plus.weights, minus.weights)
    full = np.flatnonzero((high > FULL) & (low > EMPTY))
    if not full.size:
        return
    aim = plus.weights[full] - minus.weights[full]
    for half, sign in ((plus, 1.0), (minus, -1.0)):
        for _ in range(MOST):
            half.pulse(full, False)
        goal = half.weights[full] + np.maximum(sign * aim, 0.0)
        for _ in range(MOST):
            half.pulse(full[half.weights[full] < goal - 0.05], True)


def accuracies(halves: tuple[Weights, ...], data: Digits, step: float, seed: int) -> Iterator[float]:
    """Share of the test pictures that are right after each epoch. halves : one set of weights, or two that are subtracted

    step : mean of a pulse, by which the gradient is translated into pulses
    """
    rng, (x, y) = np.random.default_rng(seed), data.train
    for _ in range(EPOCHS):
        for i in rng.permutation(len(x)):
            z = GAIN * x[i] @ total(halves)
            p = np.exp(z - z.max())
            p /= p.sum()
            p[y[i]] -= 1.0
            change = (-RATE * np.outer(x[i], p) / step).ravel()
            count = np.floor(np.abs(change) + rng.random(change.size)).astype(int)
            for sign in (1.0, -1.0):
                half, up = (halves[0], sign > 0.0) if len(halves) == 1 else (halves[0 if sign > 0.0 else 1], True)
                for n in range(1, count.max(initial=0) + 1):
                    half.pulse(np.flatnonzero((count >= n) & (sign * change > 0.0)), up)
            if len(halves) == 2:
                set_back(halves)
        yield float((np.argmax(data.test[0] @ total(halves), axis=1) == data.test[1]).mean())


def total(halves: tuple[Weights, ...]) -> np.ndarray:
    """The weights (65, 10) of the layer."""
    weights = halves[0].weights if len(halves) == 1 else 0.5 * (halves[0].weights - halves[1].weights)
    return weights.reshape(-1, 10)


def junction() -> CompactModel:
    """The compact model of the junction, with the noise of its ions."""
    return otjdd.compact(
        "ltp-ltd", JUNCTION | {"device.radius": RADIUS}, voltage=VOLTAGES, time=TIMES, measure=False, noise=True
    )


class Learned(NamedTuple):
    """What a layer learned."""

    accuracy: list[float]  # (EPOCHS,) share of the test pictures that are right
    pulses: float  # for a picture of the training


def learned(kind: str, model: CompactModel | None, cycle: Pulsed, data: Digits, seed: int) -> dict[str, Learned]:
    """Layers whose weights are "single" junctions, and "pairs" of them.

    kind : "fine", "even", "mean" or "noisy" steps   model : of the junction, None for even steps
    """
    n, mean = data.train[0].shape[1] * 10, mean_step(cycle)
    step = mean / 20.0 if kind == "fine" else mean
    layers = {}
    for name, count, begin in (("single", 1, 0.0), ("pairs", 2, -FULL)):
        halves: tuple[Weights, ...]
        if model is None:
            halves = tuple(Even(n, begin, step) for _ in range(count))
        else:
            seeds = [10 * seed + half if kind == "noisy" else None for half in range(count)]
            halves = tuple(Junctions(model, cycle, n, begin, drawn) for drawn in seeds)
        accuracy = list(accuracies(halves, data, step, seed))
        layers[name] = Learned(accuracy, sum(half.pulses for half in halves) / (EPOCHS * TRAIN))
    return layers


def mean_step(cycle: Pulsed) -> float:
    """Mean step of a weight by a pulse of the cycle, up and down."""
    low, high = cycle.ends
    return float(np.abs(np.diff(np.concatenate((cycle.down, cycle.up)))).mean() * 2.0 / (high - low))


def curves_of_all(model: CompactModel) -> dict[str, Any]:
    """Numbers of the table and the picture.

    "layers" : kind of steps -> name of a layer -> what it `learned` with each seed   "weights" : see `cycled`
    """
    data, cycle = digits(), pulse_cycle(model)
    kinds: list[tuple[str, str, CompactModel | None]] = [
        ("even, a twentieth", "fine", None), ("even, the mean of the junction", "even", None),
        ("of the junction, without noise", "mean", model), ("of the junction, single ions", "noisy", model),
    ]  # fmt: skip
    layers: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for title, kind, device in kinds:
        layers[title] = {"single": [], "pairs": []}
        for seed in SEEDS:
            for name, layer in learned(kind, device, cycle, data, seed).items():
                layers[title][name].append(layer._asdict())
                print(title, name, seed, layer, flush=True)
    weights = {
        title: cycled(device, cycle, 1 if kind == "noisy" else None).tolist()
        for title, kind, device in kinds
        if device is not None
    }
    return {"layers": layers, "weights": weights}


def cycled(model: CompactModel, cycle: Pulsed, seed: int | None) -> np.ndarray:
    """Weights (devices, pulses) of junctions under a cycle of pulses down and up; one without a seed, TRACES with one."""
    if seed is None:
        return Junctions(model, cycle, 1, 1.0, None).read(cycle.states.copy())[None, :]
    devices, weights = Junctions(model, cycle, TRACES, 1.0, seed), []
    for up in (False, True):
        for _ in range(cycle.train.count):
            devices.pulse(np.arange(TRACES), up)
            weights.append(devices.weights.copy())
    return np.array(weights).T


def accuracy_rows(curves: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """A row of ACCURACY for each kind of steps: mean and standard deviation over the seeds, of the last epoch."""
    for title, layers in curves["layers"].items():
        cells = []
        for name in ("single", "pairs"):
            last = 100.0 * np.array([layer["accuracy"][-1] for layer in layers[name]])
            pulses = np.mean([layer["pulses"] for layer in layers[name]])
            cells += [f"{last.mean():.1f} ± {last.std(ddof=1):.1f} %", f"{pulses:.1f}"]
        yield title, *cells


def cost_row(model: CompactModel) -> tuple[str, ...]:
    """A row of COST, by `otjdd.run` of a crossbar of WORDS x 10 cells."""
    pulse = {"kind": "write", "voltage": "2.2 V", "width": "50 ns"}
    lines = {"word_lines": WORDS, "bit_lines": 10, "line_resistance": "2 ohm", "driver_resistance": "1 kohm"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.nc"
        model.save(file)
        changes = JUNCTION | {
            "device.radius": RADIUS, "crossbar": lines | {"line_capacitance": "1 fF", "model": str(file)},
            "drive": {"kind": "patterns", "parts": [pulse, {"kind": "rest", "duration": "1 ms"}, {"kind": "read"}]},
        }  # fmt: skip
        ds = otjdd.run(load_case("ltp-ltd", changes, allow_outside=True))
    write, read = (float(ds.step_energy[step]) / 1e-15 for step in (1, 3))
    settling = float(ds.settling_time[3])
    return f"{WORDS} x 10", f"{1e-6 * write:.3g} nJ", f"{read:.3g} fJ", f"{settling / 1e-12:.3g} ps"


def learn(asked: Asked) -> list[tuple[str, ...]]:
    """Rows of accuracies; with --update the curves are kept and drawn."""
    curves = curves_of_all(junction())
    if asked.update:
        CURVES.write_text(json.dumps(curves, indent=1) + "\n", encoding="utf-8")
        draw(PICTURE)
    return list(accuracy_rows(curves))


def draw(file: Path) -> None:
    """Draw the curves that are kept: weights by pulse, and accuracy by epoch of single junctions and of pairs."""
    import matplotlib.pyplot as plt

    curves = json.loads(CURVES.read_text(encoding="utf-8"))
    with plt.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.7), layout="constrained", width_ratios=(1.0, 1.0, 1.0))
        colours = dict(zip(curves["layers"], COLOURS, strict=True))
        for title, devices in curves["weights"].items():
            alone = len(devices) == 1  # the mean, above the junctions with noise
            for weights in devices:
                axes[0].plot(
                    range(1, len(weights) + 1), weights, color=colours[title], linewidth=1.2 if alone else 0.6,
                    linestyle="--" if alone else "-", zorder=3 if alone else 2,
                )  # fmt: skip
        axes[0].set(xlabel="pulse, down and then up", ylabel="weight", title="weight under pulses")
        for ax, name, title in ((axes[1], "single", "one junction a weight"), (axes[2], "pairs", "pairs of junctions")):
            for (kind, layers), mark in zip(curves["layers"].items(), "os^D", strict=True):
                shares = 100.0 * np.array([layer["accuracy"] for layer in layers[name]])
                ax.errorbar(
                    range(1, EPOCHS + 1), shares.mean(axis=0), shares.std(axis=0, ddof=1), fmt=f"{mark}-", markersize=3,
                    linewidth=0.8, capsize=1.5, color=colours[kind], label=kind,
                )  # fmt: skip
            ax.set(xlabel="epoch", ylim=(0.0, 100.0), title=title, xticks=range(1, EPOCHS + 1))
        axes[1].set_ylabel("digits that are right (%)")
        fig.legend(
            *axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, title="steps"
        )
        fig.savefig(file, dpi=200, metadata={"Software": None})
        plt.close(fig)


BENCHMARKS = {
    "cost": Benchmark("energy and latency of a layer?", lambda _: [cost_row(junction())], COST, page=NETWORKS),
    "digits": Benchmark("how well does a layer of junctions learn digits?", learn, ACCURACY, page=NETWORKS),
}
