"""The table of metrics: numbers of a run, each with its unit and meaning. Numbers of the vacancies are computed here.

Studies keep metrics by name, claims compare them with a paper, calibrations fit them. A new metric is one entry here.
Metrics of several runs together are in the folder of the paper that needs them, in `validation/`. Units are written as in
case files, and numbers are in that unit: "J" and "eV" differ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from otjdd.analysis import small_signal, synapse
from otjdd.system.late import xr

SHARE = 0.01  # of the thickness of the film


def drift(ds: xr.Dataset) -> dict[str, float]:
    """Time [s] until the mean position of the vacancies has moved by SHARE of the film.

    It is interpolated between recorded times, so `record.every` should be "all". Raises ValueError if they move less.
    """
    time, moved = ds.time.values, abs(ds.vacancy_mean_position.values - float(ds.vacancy_mean_position[0]))
    share = moved / float(ds.cell_width.sum())
    if not len(share) or share.max() < SHARE:
        raise ValueError(f"the vacancies drift by less than {SHARE:g} of the film in the recorded times")
    i = int(np.argmax(share >= SHARE))
    return {"time": float(np.interp(SHARE, share[i - 1 : i + 1], time[i - 1 : i + 1]))}


def uptake(ds: xr.Dataset, settling: int = 1) -> dict[str, float]:
    """Numbers of a run with a read before forming, one after it, and two in each cycle that follows.

    settling : number of first cycles that `cycle` leaves out
    Raises ValueError for a run with fewer reads.
    """
    count = np.interp(ds.read_time.values, ds.time.values, ds.vacancies.values)
    ends = count[3 + 2 * settling :: 2]
    if len(ends) < 2:
        raise ValueError(
            f"{len(count)} reads are less than one before forming, one after, and two in {settling + 2} cycles"
        )
    last = np.asarray(ds.read_resistance)[-2:]
    return {
        "formed": float(count[1] / count[0]),
        "cycle": float(np.abs(ends[1:] / ends[:-1] - 1.0).max()),
        "ratio": float(last.max() / last.min()),
    }


class Metric(NamedTuple):
    """A metric.

    of : function that returns numbers by name; its first argument is a Dataset, or several runs
    numbers : name -> (unit, meaning)   outputs : outputs of a run that the function uses; () if it may use any
    """

    of: Callable[..., dict[str, float]]
    numbers: dict[str, tuple[str, str]]
    outputs: tuple[str, ...] = ()


METRICS = {
    "loop": Metric(synapse.loop, {
        "pristine": ("ohm", "resistance at the first read"),
        "low": ("ohm", "smaller resistance after the highest and the lowest write"),
        "high": ("ohm", "larger resistance after the highest and the lowest write"),
        "ratio": ("1", "high over low resistance, 1 or more"),
        "set_voltage": ("V", "voltage at which the resistance falls through the geometric mean of both states"),
        "reset_voltage": ("V", "voltage at which the resistance rises through the geometric mean of both states"),
        "reset_over_set": ("1", "reset voltage over set voltage"),
        "polarity": ("1", "sign of the voltage that sets, 0 for none"),
        "set_decades": ("1", "decades by which the resistance falls"),
        "reset_decades": ("1", "decades by which the resistance rises"),
        "set_states": ("1", "distinct resistances on the way down"),
        "reset_states": ("1", "distinct resistances on the way up"),
    }, ("read_resistance", "write_voltage")),
    "change": Metric(synapse.change, {
        "ratio": ("1", "first over last resistance read"),
    }, ("read_resistance",)),
    "drift": Metric(drift, {
        "time": ("s", "time until the mean position of the vacancies has moved by a hundredth of the film"),
    }, ("time", "vacancy_mean_position", "cell_width")),
    "retention": Metric(synapse.retention, {
        "high_kept": ("1", "remaining fraction of the high resistance"),
        "low_kept": ("1", "remaining fraction of the low resistance"),
        "ratio": ("1", "high over low resistance at the end"),
        "high_loss": ("1", "relative change of the high resistance in a decade of time"),
        "low_loss": ("1", "relative change of the low resistance in a decade of time"),
    }, ("read_time", "read_resistance")),
    "self_limit": Metric(synapse.self_limit, {
        "steepest": ("1/V", "largest slope of ln I on the rising branch"),
        "steepest_voltage": ("V", "voltage of that"),
        "last": ("1/V", "slope at the end of the branch"),
        "ratio": ("1", "slope at the end over the largest one"),
    }, ("read_voltage", "read_current")),
    "train_slopes": Metric(synapse.train_slopes, {
        "reset_slope": ("1", "log-log slope of the resets"),
        "set_slope": ("1", "log-log slope of the sets"),
        "growth": ("1", "current after the sets over that before"),
        "doubling": ("1", "number of sets that double the current"),
    }, ("read_current",)),
    "pulses": Metric(synapse.currents_and_slopes, {
        "start": ("A", "current before the trains"),
        **{f"{train}_{number}": ("A", f"current after {number} pulses of the {train} train")
           for train in synapse.TRAINS for number in synapse.DECADES},
        **{f"{train}_{number}": ("1", f"{words} of the {train} train") for train in synapse.TRAINS
           for number, words in (("slope", "log-log slope of the second decade"),
                                 ("bend", "difference of the log-log slopes of both decades"))},
    }, ("read_current",)),
    "hysteresis": Metric(small_signal.hysteresis, {
        "coercive_up": ("V", "junction voltage at which the polarisation rises through zero"),
        "coercive_down": ("V", "junction voltage at which the polarisation falls through zero"),
        "coercive_voltage": ("V", "half of the distance between both"),
        "imprint": ("V", "mean of both"),
        "coercive_field": ("V/m", "half of the distance of the fields of the film at which the polarisation passes zero"),
        "field_imprint": ("V/m", "mean of these fields"),
        "remanent_up": ("C/m^2", "polarisation at 0 V after the highest voltage"),
        "remanent_down": ("C/m^2", "polarisation at 0 V after the lowest voltage"),
        "remanent": ("C/m^2", "half of the difference of both"),
        "saturation": ("C/m^2", "largest polarisation"),
    }, ("polarisation", "junction_voltage", "film_field")),
    "pund": Metric(small_signal.pund, {
        **{name: ("C/m^2", f"charge that the {words} pulse leaves on the left electrode")
           for name, words in (("positive", "first positive"), ("up", "second positive"),
                               ("negative", "first negative"), ("down", "second negative"))},
        "switched_up": ("C/m^2", "charge of the first positive pulse minus the charge of the second"),
        "switched_down": ("C/m^2", "charge of the first negative pulse minus the charge of the second"),
        "remanent": ("C/m^2", "a quarter of the difference of both"),
    }, ("voltage", "electrode_charge")),
    "reversal": Metric(small_signal.reversal, {
        "share": ("1", "fraction of the initial polarisation that is reversed at the end"),
        "kept": ("1", "polarisation at the end over that at the start"),
    }, ("polarisation",)),
    "ter": Metric(small_signal.electroresistance, {
        "ratio": ("1", "larger over smaller current of two states, at the voltage nearest to zero"),
        "most": ("1", "largest ratio of these currents"),
        "most_voltage": ("V", "voltage of that ratio"),
    }, ("bias", "bias_current")),
    "fast_and_kept": Metric(synapse.fast_and_kept, {
        "set_ratio": ("1", "resistance before a set over that after it"),
        "kept_ratio": ("1", "resistance before the set over that after a pause"),
        "high_kept": ("1", "high resistance after a pause over that before it"),
    }, ("read_resistance",)),
    "endurance": Metric(synapse.endurance, {
        "first": ("1", "high over low resistance of the first cycle"),
        "last": ("1", "high over low resistance of the last cycle"),
        "drift": ("1", "relative change of the ratio from the first cycle to the last"),
    }, ("read_resistance",)),
    "uptake": Metric(uptake, {
        "formed": ("1", "vacancies after forming over those before"),
        "cycle": ("1", "largest relative change of the number of vacancies over a cycle"),
        "ratio": ("1", "high over low resistance of the last cycle"),
    }, ("read_time", "read_resistance", "time", "vacancies")),
    "potentiation": Metric(synapse.potentiation, {
        "lowest": ("S", "lower end of the conductance window"),
        "highest": ("S", "upper end of the conductance window"),
        "states_up": ("1", "pulses of the last round that raise the conductance"),
        "states_down": ("1", "pulses of the last round that lower the conductance"),
        "drift": ("1", "largest relative change of an end of the window over the rounds"),
        "nonlinearity_up": ("1", "curvature nu of the rise, 0 for a straight line"),
        "nonlinearity_up_error": ("1", "standard error of the curvature of the rise"),
        "nonlinearity_down": ("1", "curvature nu of the fall, 0 for a straight line"),
        "nonlinearity_down_error": ("1", "standard error of the curvature of the fall"),
        "asymmetry": ("1", "largest distance of rise and reversed fall over the window"),
        "asymmetry_error": ("1", "standard error of this distance"),
    }, ("read_resistance",)),
    "mott_schottky": Metric(small_signal.mott_schottky, {
        "doping": ("1/m^3", "apparent doping of a Mott-Schottky plot"),
        "built_in_voltage": ("V", "apparent built-in voltage of a Mott-Schottky plot"),
        "bend": ("1", "slope of the plot in deepest depletion over that in the shallowest"),
        "doping_ratio": ("1", "apparent doping over the doping of the case"),
        "flat_band_voltage": ("V", "voltage at which the right electrode is not bent"),
    }),
    "impedance": Metric(small_signal.impedance_numbers, {
        "resistance": ("ohm", "real part of the impedance at the lowest frequency"),
        "low_capacitance": ("F", "capacitance at the lowest frequency"),
        "high_capacitance": ("F", "capacitance at the highest frequency"),
        "peak_frequency": ("Hz", "frequency of the largest imaginary part of the impedance"),
        "kramers_kronig": ("1", "largest residual of the Kramers-Kronig relations, over the impedance"),
    }),
}  # fmt: skip
