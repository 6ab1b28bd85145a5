"""Pictures in words: axes, limits, curves, notes and legends are those of a text beside the tests; see `messages`."""

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr
from described import described
from made_panels import EXAMPLES, crossbar, of_kinds, spikes, train, with_exchange, with_traps
from made_results import FREQUENCY, WRITES, case_attrs, curves, depletion, profiles, reads, series, signals
from made_studies import front, study_of
from matplotlib.figure import Figure
from messages import compared

import otjdd
from otjdd.plot.figure import comparison, figure, prediction_figure
from otjdd.plot.junction import junction
from otjdd.plot.study import study_figure
from otjdd.studies.dataset import SAMPLE_COUNT, SAMPLE_METHOD

Pictures = dict[str, Callable[[], Figure]]
R = 1e6 * np.array([5.0, 4.0, 3.0, 2.0, 1.0, 9.0])
V = np.concatenate([np.linspace(0, 2, 40), np.linspace(2, -2, 80), np.linspace(-2, 0, 40)])
ONCE_AROUND = reads(V, 1e6 * np.exp(np.cumsum(V) / 20))
SWITCHING = [0.1, 1.0, 2.0, 0.1, -1.0, -2.0, 0.1], [1e8, 1e6, 1e4, 1e4, 1e4, 1e8, 1e8]
RISING = SWITCHING[0], 1e5 * np.array([1.0, 1.2, 1.6, 1.8, 2.0, 2.6, 3.0])
CYCLES = reads(np.array([2.2, -4.3] * 3), np.array([1e5, 1e8, 1.1e5, 2e8, 1e5, 1e8]))
SINCE = np.array([1.0, 10.0, 100.0, 1000.0])
PULSE = case_attrs('{ kind = "pulse", voltage = "2 V", width = "100 ms" }')
TRIANGLE = case_attrs('{ kind = "triangle", path = ["0 V", "1 V", "-1 V", "0 V"], rate = "1 V/s", cycles = 2 }')
TWO_PULSES = """{ kind = "sequence", parts = [
  { kind = "pulse", voltage = "0 V", width = "1 us", read = {} },
  { kind = "pulse", voltage = "1.8 V", width = "20 ns", wait = "25 us", read = {} } ] }"""


def kept(exponent: float, written: float, time: float) -> xr.Dataset:
    """Reads of a retention, R ~ time^exponent. written, time : voltage [V] and end [s] of the write, or nan"""
    of_write = {"write_end": np.full(4, time), "write_end_voltage": np.full(4, written)}
    return reads(np.full(4, np.nan), 1e6 * SINCE**exponent, SINCE + np.nan_to_num(time), **of_write)


PICTURES_OF_READS: Pictures = {
    "a loop that switches says its ratio and voltages": lambda: figure(reads(*SWITCHING), "loop"),
    "a loop without a set at either sign says nothing": lambda: figure(reads(*RISING), "loop"),
    "coinciding loops have markers and arrows at places of their own": lambda: figure(
        [ONCE_AROUND] * 2, "loop", label=["one", "two"]
    ),
    "few points have no places of their own": lambda: figure([reads(WRITES, R)] * 2, "loop", label=["one", "two"]),
    "conductances within decades begin at zero": lambda: figure(
        reads(WRITES, np.geomspace(1e6, 1e5, 6)), "conductance"
    ),
    "conductances over decades are logarithmic": lambda: figure(
        reads(WRITES, np.geomspace(1e6, 1e4, 6)), "conductance"
    ),
    "states that alternate are drawn cycle by cycle": lambda: figure(CYCLES),
    "and as their spread": lambda: figure(CYCLES, "cdf"),
    "a resistance that falls by a tenth": lambda: figure(kept(-0.02, -4.0, 1e-3)),
    "a conductance that falls by a tenth": lambda: figure(kept(0.02, -4.0, 1e-3)),
    "a conductance that falls to its half": lambda: figure(kept(0.2, -4.0, 1e-3)),
    "reads before the first write are of the state that a run begins with": lambda: figure(kept(0.2, np.nan, np.nan)),
    "the curve before is grey and says nothing": lambda: comparison([reads(WRITES, R)], "loop", [reads(WRITES, 2 * R)]),
    "kinds of columns read by read": lambda: figure(of_kinds(CYCLES), "columns"),
    "bands within decades": lambda: predicted(2.0),
    "bands over decades": lambda: predicted(40.0),
}


def predicted(share: float) -> Figure:
    lots = [reads(np.array([1, 1, 1, -1, -1, -1.0]), np.linspace(1e6, 1.5e6, 6) * f) for f in (1 / share, 1.0, share)]
    ds = xr.concat(lots, "percentile").assign_coords(percentile=[5.0, 50.0, 95.0])
    return prediction_figure(ds.assign_attrs(draws=20), "conductance")


def swept(times: int, scale: float = 1.0, **changes: object) -> xr.Dataset:
    """Two loops of a ramp, the second to `scale` of the voltage, and a rest behind them."""
    once = np.concatenate([np.linspace(0, 1, 20), np.linspace(1, -1, 40)[1:], np.linspace(-1, 0, 20)[1:]])[::times]
    volts = np.concatenate([once, scale * once[1:]])
    t = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(volts)))])
    volts, t = np.append(volts, np.zeros(9)), np.append(t, t[-1] + np.arange(1.0, 10.0))
    return series(t, volts, 1e-6 * volts * np.exp(3 * volts), TRIANGLE, displacement=1.0)


def with_shares() -> xr.Dataset:
    """A leak whose share rises from a tenth to a half with the temperature, and a channel that carries nothing."""
    ds = curves(energy=0.3)
    rising = np.linspace(0.1, 0.5, ds.sizes["temperature"])[:, None] * np.ones(ds.bias_current.shape)
    share = np.stack([1 - rising, rising, 1e-6 * rising], axis=-1)
    names = ["coherent", "traps", "leak"]
    return ds.assign(bias_channel_share=((*ds.bias_current.dims, "channel"), share), channel=names)


PICTURES_OF_CURVES: Pictures = {
    "a ramp is a loop for each cycle of its conduction current": lambda: figure(swept(1), "iv-linear"),
    "a curve follows the junction between points, and loops end at zero": lambda: figure(swept(4, 2.0), "iv"),
    "measured points are drawn on the logarithmic axis alone": lambda: figure([curves(), measured_curve()]),
    "channels at frozen ions": lambda: figure(with_shares(), "channels"),
    "the Arrhenius picture has the channels that count": lambda: figure(with_shares(), "arrhenius"),
    "an arc of its own size": lambda: figure(arcs(1.0, 2.0), "nyquist"),
    "a much smaller arc has axes of its own": lambda: figure(arcs(1.0, 1e-3), "nyquist"),
    "of many arcs some are drawn": lambda: figure(arcs(*range(1, 41)), "nyquist"),
    "bands that are flat within the voltages": lambda: figure(depletion(barrier=0.4), "mott-schottky"),
}


def measured_curve() -> xr.Dataset:
    return otjdd.read_data({"V": np.linspace(-0.4, 0.4, 9), "I": np.linspace(-4e-6, 4e-6, 9)})


def arcs(*sizes: float) -> xr.Dataset:
    Z = (50 + 1e6 / (1 + 2e-3j * np.pi * FREQUENCY)) * np.array(sizes)[:, None]
    return signals(np.linspace(0.0, 1.0, len(sizes)), FREQUENCY, Z)


T = np.concatenate([[0.0], np.geomspace(1e-9, 0.1, 20)])
EDGES = np.cumsum([0, 1e-6, 1e-6, 20e-9, 25e-6])
WITHIN = np.concatenate([edge + np.geomspace(1e-12, 9e-9, 20) for edge in EDGES])
PARTS = series(WITHIN, np.sin(9e8 * WITHIN), 1e-6 + 0 * WITHIN, case_attrs(TWO_PULSES))
AT_READS = series([2e-6, 28.02e-6, 28.02e-6], [0.1] * 3, [1e-9] * 3, case_attrs(TWO_PULSES))
WALLS = {"wall_concentration_left": 1e26 + np.arange(4.0), "wall_concentration_right": [1e27, 0.0, -1e20, 1e25]}
DELAYS = (-8, -4, -2, -1, 1, 2, 4, 8)

PICTURES_OVER_TIME: Pictures = {
    "a pulse is drawn in decades of time": lambda: figure(series(T, 0 * T + 2, np.geomspace(1e-3, 1e-6, 21), PULSE)),
    "narrow parts are named by their length": lambda: figure(PARTS, "current"),
    "unrecorded writes are drawn": lambda: figure(AT_READS.assign(read_current=("read", [1e-9] * 2)), "current"),
    "a change at one side of the delays has one exponential": lambda: figure(
        [spikes(f"{d} us", 0.3 * np.exp(-d / 4)) for d in (1, 2, 4, 8, 16)], "stdp"
    ),
    "no change has none": lambda: figure([spikes(f"{d} us", 0.0) for d in DELAYS], "stdp"),
    "walls have an axis of their own": lambda: figure(with_exchange(**WALLS), "exchange"),
    "a train says its facilitation": lambda: figure(train([1e-6, 1.2e-6, 1.5e-6]), "train"),
    "both sides of the delays have an exponential": lambda: figure(
        [spikes(f"{d} us", 0.3 * np.sign(d) * np.exp(-abs(d) / 4)) for d in DELAYS], "stdp"
    ),
}


def of_loop() -> xr.Dataset:
    loop = reads(np.array([0.5, 1, 2, -1, -2, 0.5]), np.array([9, 8, 1, 2, 9, 9]) * 1e5)
    return profiles(np.arange(6)).merge(loop.drop_vars(["x", "cell_width"]))


def held() -> xr.Dataset:
    """A film of two layers, held at 0.5 V."""
    ds = profiles([0.0, 1.0], case_attrs('{ kind = "hold", voltage = "0.5 V", duration = "1 s" }'))
    ds = ds.merge(series([0.0, 1.0], [0.5, 0.5], [1e-6, 1e-6])).assign(junction_voltage=("time", [0.4, 0.3]))
    return ds.assign_coords(layer=["AlOx", "NbOx"]).assign(layer_end=("layer", [1e-9, 2.8e-9]))


def changed_at_once() -> xr.Dataset:
    ds = profiles(np.linspace(0, 0.1, 11))
    ds["vacancy_concentration"][1:] = ds.vacancy_concentration[-1]
    return ds


AT_BIASES = profiles([0, 1]).assign(snapshot_junction_voltage=("snapshot", [0.0, 0.7]))
FEW_DECADES = with_traps().assign(trap_current_left=with_traps().trap_current_left ** 0.1)
PICTURES_OVER_X: Pictures = {
    "a map of a pulse has a row in every decade": lambda: figure(profiles(T, PULSE), "vacancies"),
    "change that no snapshot shows is told": lambda: figure(changed_at_once(), "vacancies"),
    "the bottom of a metal sets no limit": lambda: figure(profiles([0, 1], barrier=2.0), "bands"),
    "a step of the band stays": lambda: figure(profiles([0, 1], metal=False, step=0.1), "bands"),
    "what is left of the bending at a lead is no step": lambda: figure(profiles([0], metal=False, step=0.004), "bands"),
    "bands of a loop are those of both states": lambda: figure(of_loop(), "bands"),
    "bands of a state that was not written": lambda: figure(
        profiles([0, 1], case_attrs(**{"ions.initial": "uniform"})), "bands"
    ),
    "bands at a voltage": lambda: figure(AT_BIASES, "bands"),
    "several traps have their names": lambda: figure(with_traps(("vacancies", "sheet")), "trap-currents"),
    "a logarithmic axis ends where its curves do": lambda: figure(FEW_DECADES, "trap-currents"),
    "a spectrum without traps": lambda: figure(profiles([0, 1]), "spectrum"),
    "the junction of layers on one axis of energy": lambda: junction(held()),
    "of many steps of a crossbar some are drawn": lambda: figure(
        crossbar(kinds=["begin"] + ["write", "read"] * 20), "cells"
    ),
}

DRAWN = {
    "a.barrier": ("sample", np.linspace(1, 2, 9)),
    "b.law": ("sample", np.array(["x", "y", "x"] * 3, dtype=object)),
}
SALTELLI = {SAMPLE_METHOD: "saltelli", SAMPLE_COUNT: 16}
OF_INDICES = {key: ("sample", np.arange(64.0)) for key in ("one", "two")}
TWO_PARTS = """{ kind = "sequence", parts = [
  { kind = "pulse", voltage = "0 V", width = "1 us" }, { kind = "pulse", voltage = "2 V", width = "1 us" } ] }"""
LAWS = ['{ law = "linear", eps_r = 4 }', '{ law = "nonlinear", b = "1e10 V/m" }']


def of_parts() -> xr.Dataset:
    """A study over the width of the second pulse and two laws of the permittivity."""
    ds = study_of({"thickness": 8, "law": 2}, attrs=case_attrs(TWO_PARTS)).drop_vars("law").rename(law="point")
    ds = ds.assign_coords({"device.film.permittivity": ("point", np.array(LAWS, dtype=object))})
    return ds.rename(thickness="drive.parts[1].width")


def with_failures() -> xr.Dataset:
    ds = study_of({"thickness": 5}).rename(R="drift.time")
    ds["drift.time"].attrs["long_name"] = "a meaning " * 9
    ds["drift.time"][2] = np.nan
    return ds


PICTURES_OF_STUDIES: Pictures = {
    "one axis is a curve with its unit": lambda: study_figure(study_of({"thickness": 5})),
    "a short second axis is a colour": lambda: study_figure(study_of({"thickness": 8, "law": 3})),
    "a long one is a map": lambda: study_figure(study_of({"thickness": 8, "width": 7})),
    "three axes are a map for each place of the shortest": lambda: study_figure(
        study_of({"thickness": 9, "width": 8, "law": 7})
    ),
    "draws are lines over their keys": lambda: study_figure(study_of({"sample": 9}, coords=DRAWN)),
    "draws as boxes": lambda: study_figure(study_of({"sample": 9}, coords=DRAWN), "box"),
    "draws along an axis have their median": lambda: study_figure(
        study_of({"sample": 9, "thickness": 5}, coords=DRAWN)
    ),
    "the design for indices is drawn as indices": lambda: study_figure(
        study_of({"sample": 64}, 3, SALTELLI, OF_INDICES)
    ),
    "the last of several reads is drawn": lambda: study_figure(study_of({"thickness": 5}, inner=4)),
    "points that failed are told": lambda: study_figure(with_failures()),
    "keys are told by the parts they belong to": lambda: study_figure(of_parts()),
    "aims that exclude each other are drawn with their front": lambda: figure(front()),
    "named aims are drawn pair by pair": lambda: figure(front(), ["threshold", "slope", "R"]),
}


def told(pictures: Pictures) -> Iterator[str]:
    for name, drawn in pictures.items():
        yield f"# {name}"
        yield from described(drawn())
        yield ""


def test_each_kind_draws_its_example():
    compared("pictures_of_kinds.txt", told({kind: lambda kind=kind: figure(EXAMPLES[kind], kind) for kind in EXAMPLES}))


def test_pictures_are_what_they_were():
    every = PICTURES_OF_READS | PICTURES_OF_CURVES | PICTURES_OVER_TIME | PICTURES_OVER_X | PICTURES_OF_STUDIES
    compared("pictures.txt", told(every))
