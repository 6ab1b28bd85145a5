"""The table of panels: what each shows, the variables that it needs, and when it is drawn by default."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from otjdd.plot import (
    columns,
    crossbar,
    electrons,
    exchange,
    iv,
    learning,
    noise,
    polarised,
    profiles,
    reads,
    series,
    small_signal,
    traps,
)
from otjdd.plot.labels import meant
from otjdd.plot.runs import NamedResult


class PanelKind(NamedTuple):
    """A kind of panel.

    draw : fills axes from results   shows, needs : contents of the panel, and of results for it, in words
    fits : True if results have what the kind needs
    usual : True if it is drawn by default
    """

    draw: Callable[[Axes, Sequence[NamedResult]], None]
    shows: str
    needs: str
    fits: Callable[[Sequence[NamedResult]], bool]
    usual: Callable[[Sequence[NamedResult]], bool]


def all_have(
    *names: str, when: Callable[[xr.Dataset], object] = lambda ds: True
) -> Callable[[Sequence[NamedResult]], bool]:
    """A predicate of results: each has all of these variables, none of them empty, and `when` holds for each."""
    return lambda runs: all(
        all(name in run.ds and run.ds[name].size for name in names) and when(run.ds) for run in runs
    )


def never(_: Sequence[NamedResult]) -> bool:
    """A predicate for kinds that are drawn only when they are named."""
    return False


WRITTEN = ("write_voltage", "read_resistance")
TIMED_READS = ("read_time", "read_resistance")
TIMED = ("time", "voltage", "current", "conduction_current")
BIASED = ("state", "temperature", "bias", "bias_current")
SWEPT = 'a drive of the kind iv or triangle (with record.every = "all"), or steps with read_each'
ALTERNATING = all_have(*WRITTEN, when=reads.alternating)
VACANCIES = all_have("x", "snapshot_time", "vacancy_concentration")
BANDS = all_have("x", "cell_width", "snapshot_time", "band_position", "band_edge")
ELECTRONS = all_have("film_electrons", "vacancy_concentration", "conduction_band", "snapshot_junction_voltage")
SPECTRUM = all_have("snapshot_time", "spectrum_energy", "spectrum_density")
SIGNALS = ("state", "temperature", "bias", "frequency", "impedance_real", "impedance_imag", "capacitance")
SPECTRA, CAPACITANCES = (
    all_have(*SIGNALS, when=small_signal.enough_frequencies),
    all_have(*SIGNALS, when=small_signal.biased),
)
FEW = all_have(*SIGNALS, when=small_signal.few)
DEPLETED = all_have(*SIGNALS, when=small_signal.depleted)
HYSTERESIS = all_have("voltage", "junction_voltage", "polarisation", when=polarised.loops)
POLARISED = all_have("time", "voltage", "polarisation", when=lambda ds: ds.sizes["time"] > 2)
TWO_STATES = all_have(*BIASED, when=lambda ds: ds.sizes["state"] > 1 and ds.sizes["bias"] > 2)
ARRHENIUS = all_have(*BIASED, when=lambda ds: ds.sizes["temperature"] > 2 and iv.iv_curves(ds))
NOISY = all_have("read_time", "read_current", "read_voltage", when=noise.has_spectrum)
SINGLE = all_have("read_time", "read_current", "read_voltage", when=noise.random_ions)
PATTERNS, SCANS = "one result of a drive of the kind patterns", "one result of such a drive with parts that read"


def of_one(*names: str) -> Callable[[Sequence[NamedResult]], bool]:
    """A predicate of results: there is a single result, and each of these variables has a finite number in it."""
    all_finite = all_have(*names, when=lambda ds: all(np.isfinite(ds[name].values).any() for name in names))
    return lambda runs: len(runs) == 1 and all_finite(runs)


CELLS, SENSED, PROGRAMMED = of_one("cell_conductance"), of_one("sensed_current"), of_one("program_error")

SPIKE_PAIRS = all_have(*TIMED_READS, when=learning.pair_of)
EXCHANGED = all_have("time", "vacancies", "cell_width", when=lambda ds: ds.sizes["time"] > 2)
WARM = all_have("time", "junction_temperature", when=lambda ds: ds.sizes["time"] > 2)
READS_APART, CURVES_APART = of_one("kind_read_current", "read_current"), of_one("kind_bias_current", "bias_current")


def kinds_apart(runs: Sequence[NamedResult]) -> bool:
    """True if there is one result, and it has the currents of kinds of columns."""
    return READS_APART(runs) or CURVES_APART(runs)


READS_BY_CHANNEL, CURVES_BY_CHANNEL = of_one("read_channel_share", "read_current"), of_one("bias_channel_share")


def channels_apart(runs: Sequence[NamedResult]) -> bool:
    """True if there is one result, and it has the shares of channels of conduction."""
    return READS_BY_CHANNEL(runs) or CURVES_BY_CHANNEL(runs)


CHARGE_IN_TIME, CHARGE_AT_REST = all_have("trap_charge"), all_have("bias_trap_charge")


def trap_charges(runs: Sequence[NamedResult]) -> bool:
    """True if all results have the charge of traps at snapshots, or all have it at biases."""
    return CHARGE_IN_TIME(runs) or CHARGE_AT_REST(runs)


KINDS = {
    "loop": PanelKind(
        reads.loop, "resistance against the voltage of the write before the read",
        "reads after writes of different voltages, as a drive of the kind write-read-loop has",
        all_have(*WRITTEN, when=reads.different), all_have(*WRITTEN, when=reads.steps_writes),
    ),
    "columns": PanelKind(
        columns.currents, "current through each kind of columns: of each read, or at frozen ions against the voltage",
        "one result with reads or curves at frozen ions of a case with [[columns.kinds]]", kinds_apart, kinds_apart,
    ),
    "channels": PanelKind(
        columns.channels, "current by each channel of conduction: of each read, or at frozen ions against the voltage",
        "one result with reads or curves at frozen ions of a case with [[device.leaks]] or [[device.traps]]",
        channels_apart, channels_apart,
    ),
    "conductance": PanelKind(
        reads.conductance, "conductance read by read, with its window and nonlinearity",
        "two reads or more, as a train with read_each has",
        all_have(*WRITTEN, when=lambda ds: ds.sizes["read"] > 1), all_have(*WRITTEN, when=reads.repeats_writes),
    ),
    "endurance": PanelKind(
        reads.endurance, "resistance of both states, cycle by cycle",
        "reads after writes of two voltages that alternate", ALTERNATING, ALTERNATING,
    ),
    "cdf": PanelKind(
        reads.spreads, "cumulative distribution of the resistances of both states over the cycles",
        "reads after writes of two voltages that alternate", ALTERNATING, never,
    ),
    "retention": PanelKind(
        reads.retention, "resistance against the time since the write, with what is left of the state",
        "three reads or more after a write or from the start, as a hold with reads_per_decade has",
        all_have(*TIMED_READS, when=reads.holds), all_have(*TIMED_READS, when=reads.without_writes),
    ),
    "iv": PanelKind(
        iv.iv, "|current| against voltage, logarithmic: loops and curves at frozen ions",
        SWEPT, all_have(when=iv.iv_curves), all_have(when=lambda ds: iv.iv_curves(ds) and "capacitance" not in ds),
    ),
    "iv-linear": PanelKind(
        iv.iv_linear, "current against voltage, linear", SWEPT, all_have(when=iv.iv_curves), never,
    ),
    "arrhenius": PanelKind(
        iv.arrhenius, "|current| / T^2 against 1 / T, with the activation energy",
        "a drive of the kind iv with three temperatures or more", ARRHENIUS, ARRHENIUS,
    ),
    "hysteresis": PanelKind(
        polarised.hysteresis, "polarisation against voltage: the loop of a ferroelectric film",
        'a loop of a polarised film, as a triangle with record.every = "all"', HYSTERESIS, HYSTERESIS,
    ),
    "polarisation": PanelKind(
        polarised.in_time, "polarisation over time",
        'a recorded time series of a polarised film: record.every = "all"', POLARISED,
        lambda runs: POLARISED(runs) and not HYSTERESIS(runs),
    ),
    "switching-current": PanelKind(
        polarised.switching_current, "displacement current against voltage, with the peaks of a film that switches",
        'a loop of a polarised film, as a triangle with record.every = "all"', HYSTERESIS, HYSTERESIS,
    ),
    "ter": PanelKind(
        polarised.electroresistance, "ratio of the currents of two states against the read voltage",
        "a drive of the kind iv with two states", TWO_STATES, never,
    ),
    "nyquist": PanelKind(
        small_signal.nyquist, "imaginary against real part of the impedance",
        "a drive of the kind impedance with five frequencies or more", SPECTRA, SPECTRA,
    ),
    "bode": PanelKind(
        small_signal.bode, "magnitude and phase of the impedance against frequency",
        "a drive of the kind impedance with five frequencies or more", SPECTRA, SPECTRA,
    ),
    "cv": PanelKind(
        small_signal.capacitance, "capacitance against voltage",
        "a drive of the kind cv with three voltages or more", CAPACITANCES, FEW,
    ),
    "mott-schottky": PanelKind(
        small_signal.mott_schottky, "1 / C² against voltage, with the doping and built-in voltage of a straight line",
        "a drive of the kind cv with three voltages or more at which a doped oxide is depleted", DEPLETED, DEPLETED,
    ),
    "current": PanelKind(
        series.current, "current and voltage over time",
        'a recorded time series: record.every = "all", or record.windows',
        all_have(*TIMED, when=lambda ds: ds.sizes["time"] > 2), all_have(*TIMED, when=series.shows_time),
    ),
    "noise": PanelKind(
        noise.spectrum, "spectrum of the current of reads at one voltage, with its slope and the shot noise of electrons",
        "64 reads or more at even times and one voltage, which scatter (ions.noise)", NOISY, SINGLE,
    ),
    "trace": PanelKind(
        noise.trace, "current of reads at one voltage over time: the telegraph of few ions",
        "64 reads or more at even times and one voltage, which scatter (ions.noise)", NOISY, SINGLE,
    ),
    "exchange": PanelKind(
        exchange.vacancies, "vacancies per area over time, and those at electrodes that exchange them",
        "a case with device.left.exchange or device.right.exchange, and a recorded time series", EXCHANGED, EXCHANGED,
    ),
    "temperature": PanelKind(
        series.temperature, "temperature of a junction that its current warms, over time",
        "a case with [device.heat], and a recorded time series", WARM, WARM,
    ),
    "train": PanelKind(
        series.train, "peak current of each pulse, with PPF and PTP",
        'two equal pulses or more, recorded with record.every = "all"',
        all_have(*TIMED, when=series.shows_pulses), all_have(*TIMED, when=series.shows_pulses),
    ),
    "ppf": PanelKind(
        learning.ppf, "PPF and PTP against the interval of the pulses, of several results",
        "several results of trains with different intervals, each as `train` needs it",
        learning.many_intervals, learning.many_intervals,
    ),
    "stdp": PanelKind(
        learning.stdp, "change of conductance against the delay of two spikes",
        "results of a drive with one part of the kind spikes between two reads",
        SPIKE_PAIRS, lambda runs: len(runs) > 1 and SPIKE_PAIRS(runs),
    ),
    "vacancies": PanelKind(
        profiles.vacancies, "vacancy concentration against position, a map when there are many snapshots",
        "snapshots", VACANCIES, VACANCIES,
    ),
    "bands": PanelKind(profiles.bands, "conduction band edge through the whole stack", "snapshots", BANDS, BANDS),
    "traps": PanelKind(
        traps.fillings, "filled share of traps against position", "snapshots of a case with [[device.traps]]",
        all_have("trap_filling"), all_have("trap_filling"),
    ),
    "trap-currents": PanelKind(
        traps.currents, "where traps take electrons from one electrode and give them to the other, against position",
        "snapshots of a case with [[device.traps]]", all_have("trap_current_right"), all_have("trap_current_right"),
    ),
    "trap-charge": PanelKind(
        traps.charges, "charge of traps against position, at snapshots or at some biases",
        "snapshots or curves at frozen ions of a case whose [[device.traps]] carry charge", trap_charges, trap_charges,
    ),
    "electrons": PanelKind(
        electrons.electrons, "electrons of the film beside its vacancies, and the band between both Fermi levels",
        'snapshots of a film that holds electrons (device.film.electrons = "balance")', ELECTRONS, ELECTRONS,
    ),
    "spectrum": PanelKind(
        profiles.spectrum, "current density by the energy of the electrons, through the band and to and from traps",
        "snapshots", SPECTRUM, SPECTRUM,
    ),
    "cells": PanelKind(
        crossbar.conductances, "conductance of all cells of a crossbar, for each write and rest", PATTERNS, CELLS, CELLS,
    ),
    "sensed": PanelKind(
        crossbar.currents, "currents of the reads of a crossbar, a map for each", SCANS, SENSED, SENSED,
    ),
    "sneak": PanelKind(crossbar.sneaks, "share of sneak paths in these currents, a map for each", SCANS, SENSED, never),
    "programmed": PanelKind(
        crossbar.programmed, "targets of the cells of a crossbar, what was reached, errors and pulses",
        "one result of such a drive with parts that program", PROGRAMMED, PROGRAMMED,
    ),
    "stress": PanelKind(
        crossbar.voltages, "largest voltage across all cells of a crossbar, a map for each write", PATTERNS, CELLS, never,
    ),
}  # fmt: skip
OF_SAMPLES = {
    "cdf, box": "cumulative distributions, or boxes, of the results of a study's sample, or of both states of its devices",
    "sigma, sigma-median": "scatter of both states of cycled devices, against an axis (area) or the median resistance",
    "parallel": "a line for each device of a study's sample over the keys that were drawn, coloured by a result",
}
OF_CALIBRATIONS = {
    "CLAIM --kind CLAIM": "two aims of a calibration over all sets that it tried, with the front between them"
}
MOVIE = "movie"
MOVIE_SHOWS = "vacancies, bands and current in the course of time: a GIF or, where ffmpeg is, an MP4"


def chosen(runs: Sequence[NamedResult], kinds: str | Sequence[str] = ()) -> list[str]:
    """Names of the kinds to draw: `kinds`, or the usual kinds for these results if `kinds` is empty.

    Raises ValueError for an unknown kind, for one whose needs are not met, and when nothing can be drawn.
    """
    asked = [kinds] if isinstance(kinds, str) else list(kinds)
    for kind in asked:
        if kind not in KINDS:
            raise ValueError(f"there is no kind of picture {kind!r}{meant(kind, KINDS)}; there are {', '.join(KINDS)}")
        if not KINDS[kind].fits(runs):
            raise ValueError(f"nothing to draw for {kind!r}: it needs {KINDS[kind].needs}; {holds(runs)}")
    drawn = asked or [kind for kind, row in KINDS.items() if row.usual(runs) and row.fits(runs)]
    if not drawn:
        raise ValueError(
            f"nothing to draw: {holds(runs)}. Pictures need two reads or more, a time series "
            '(record.every = "all"), snapshots, or curves of a drive of the kind iv, cv or impedance'
        )
    return drawn


def holds(runs: Sequence[NamedResult]) -> str:
    """Contents of results, in words."""
    texts = []
    for run in runs:
        sizes = run.ds.sizes
        parts = [("read", "read"), ("instant", "time"), ("snapshot", "snapshot"), ("bias voltage", "bias")]
        parts += [("step of a crossbar", "step")]
        counts = [f"{sizes[dim]} {name}" + ("s" if sizes[dim] != 1 else "") for name, dim in parts if sizes.get(dim)]
        texts.append(f"{run.label or 'this result'} holds {', '.join(counts) or 'no reads, instants or snapshots'}")
    return "; ".join(texts)


def listing() -> str:
    """A line for each kind: its name, and what it shows."""
    rows = {kind: row.shows for kind, row in KINDS.items()} | OF_SAMPLES | OF_CALIBRATIONS | {MOVIE: MOVIE_SHOWS}
    width = max(map(len, rows))
    return "\n".join(f"{kind:{width}}  {shows}" for kind, shows in rows.items())
