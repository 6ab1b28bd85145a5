"""The table of metrics: numbers of a run, or of several runs together, each with its unit and meaning.

Studies keep them by name, claims compare them with a paper, calibrations fit them. A new metric is one entry here. Units
are written as in case files, and numbers are in that unit: "J" and "eV" differ.
"""

from collections.abc import Callable
from itertools import permutations
from typing import Any, NamedTuple

from otjdd.analysis import (
    comparison,
    drift,
    ferroelectric,
    forward,
    layers,
    learning,
    oxygen,
    polarised,
    power_laws,
    single_ions,
    small_signal,
    stops,
    synapse,
)
from otjdd.analysis.trial import Trials

RUN = "a run"  # the function of a metric takes one Dataset
TRIALS = "trials"  # it takes several runs with their cases
LETTERS = ("c", "h", "n")
CONTRASTS = {
    "at_once": "as the instrument shows it directly after the train",
    "later": "of the junction, at the second last read",
    "last": "of the junction, at the last read",
    "state": "of the junction, directly after the train",
}


class Metric(NamedTuple):
    """A metric.

    of : function that returns numbers by name   takes : its first argument, RUN or TRIALS
    numbers : name -> (unit, meaning)   outputs : outputs of a run that the function uses; () if it may use any
    """

    of: Callable[..., dict[str, float]]
    takes: str
    numbers: dict[str, tuple[str, str]]
    outputs: tuple[str, ...] = ()

    def measured(self, trials: Trials, **settings: Any) -> dict[str, float]:
        """Numbers of trials; for a metric of a single run, those of the first trial.

        settings : keyword arguments of the function. Raises ValueError if the runs do not show the numbers.
        """
        return self.of(trials[0].ds if self.takes == RUN else trials, **settings)


THICKNESS = {
    "set_voltage_rises": ("1", "share of steps of thickness with a higher set voltage"),
    "reset_voltage_rises": ("1", "share of steps of thickness with a higher reset voltage"),
    "time_rises": ("1", "share of steps of thickness with a longer switching time"),
    "energy_rises": ("1", "share of steps of thickness with a higher switching energy"),
    "log_low_correlation": ("1", "correlation of the logarithm of the low resistance with thickness"),
    "log_low_slope": ("1/m", "slope of the logarithm of the low resistance against thickness"),
    "decay_constant": ("1/m", "kappa of R = R0 exp(2 kappa d)"),
}
METRICS = {
    "loop": Metric(synapse.loop, RUN, {
        "pristine": ("ohm", "resistance at the first read"),
        "low": ("ohm", "resistance after the highest write"),
        "high": ("ohm", "resistance after the lowest write"),
        "ratio": ("1", "resistance after the lowest over after the highest write"),
        "set_voltage": ("V", "voltage at which the resistance falls through the geometric mean"),
        "reset_voltage": ("V", "voltage at which the resistance rises through the geometric mean"),
        "reset_over_set": ("1", "reset voltage over set voltage"),
        "polarity": ("1", "sign of the voltage that sets, 0 for none"),
        "set_decades": ("1", "decades by which the resistance falls"),
        "reset_decades": ("1", "decades by which the resistance rises"),
        "set_states": ("1", "distinct resistances on the way down"),
        "reset_states": ("1", "distinct resistances on the way up"),
    }, ("read_resistance", "write_voltage")),
    "change": Metric(synapse.change, RUN, {
        "ratio": ("1", "first over last resistance read"),
    }, ("read_resistance",)),
    "drift": Metric(drift.drift, RUN, {
        "time": ("s", "time until the mean position of the vacancies has moved by a hundredth of the film"),
    }, ("time", "vacancy_mean_position", "cell_width")),
    "retention": Metric(synapse.retention, RUN, {
        "high_kept": ("1", "share of the high resistance that is left"),
        "low_kept": ("1", "share of the low resistance that is left"),
        "ratio": ("1", "high over low resistance at the end"),
        "high_loss": ("1", "relative change of the high resistance in a decade of time"),
        "low_loss": ("1", "relative change of the low resistance in a decade of time"),
    }, ("read_time", "read_resistance")),
    "area_exponents": Metric(layers.area_exponents, TRIALS, {
        "low_exponent": ("1", "exponent of the current with the area, before the set"),
        "high_exponent": ("1", "exponent of the current with the area, after the set"),
        "ratio": ("1", "least ratio of the currents of both states at a third of the highest voltage"),
    }),
    "self_limit": Metric(layers.self_limit, RUN, {
        "steepest": ("1/V", "largest slope of ln I on the rising branch"),
        "steepest_voltage": ("V", "voltage of that"),
        "last": ("1/V", "slope at the end of the branch"),
        "ratio": ("1", "slope at the end over the largest one"),
    }, ("read_voltage", "read_current")),
    "layer_polarity": Metric(layers.layer_polarity, TRIALS, {
        "right": ("1", "polarity with the layer of the lower permittivity at the right"),
        "left": ("1", "polarity with that at the left"),
        "product": ("1", "product of both polarities: -1 where the order of the layers turns them"),
        "decades": ("1", "decades between both states"),
    }),
    "slow_layer": Metric(layers.slow_layer, TRIALS, {
        "first": ("s", "time until the mean position has moved by a hundredth of the film, lowest barrier"),
        "factor": ("1", "that of the highest barrier over it"),
        "factor_of_half": ("1", "that of the middle barrier over it"),
    }),
    "stops": Metric(stops.stops, TRIALS, {
        "windows_rise": ("1", "share of steps to a deeper stop with a wider memory window, smallest junction"),
        "windows_fall": ("1", "share of steps to a larger junction with a smaller memory window, shallowest stop"),
        **{f"{name}_{i}_{j}": (unit, f"{words} of the junction {i}, from the smallest on, at its stop {j}")
           for i in range(1, stops.MOST + 1) for j in range(1, stops.MOST + 1) for name, unit, words in (
            ("low", "A", "current of the low state"), ("high", "A", "current of the high state"),
            ("window", "1", "low-state over high-state current"))},
    }),
    "sweeps": Metric(stops.sweeps, TRIALS, {
        f"{name}{suffix}": ("1", f"{words} between reads and measured currents, {of}")
        for name, words in (("largest", "largest factor"), ("rms", "root mean square factor"))
        for suffix, of in (("", "all junctions"), *((f"_{i}", f"junction {i}") for i in range(1, stops.MOST + 1)))
    }),
    "train_slopes": Metric(power_laws.train_slopes, RUN, {
        "reset_slope": ("1", "log-log slope of the resets"),
        "set_slope": ("1", "log-log slope of the sets"),
        "growth": ("1", "current after the sets over that before"),
        "doubling": ("1", "number of sets that double the current"),
    }, ("read_current",)),
    "pulses": Metric(power_laws.pulses, RUN, {
        "start": ("A", "current before the trains"),
        **{f"{train}_{number}": ("A", f"current after {number} pulses of the {train} train")
           for train in power_laws.TRAINS for number in power_laws.DECADES},
        **{f"{train}_{number}": ("1", f"{words} of the {train} train") for train in power_laws.TRAINS
           for number, words in (("slope", "log-log slope of the second decade"),
                                 ("bend", "difference of the log-log slopes of both decades"))},
    }, ("read_current",)),
    "pairs": Metric(power_laws.pairs, TRIALS, {
        **{f"slope_{i}_{j}": ("1", f"log-log slope of the sets of voltage {j} after resets of voltage {i}")
           for i in range(1, power_laws.MOST_RESETS + 1) for j in range(1, power_laws.MOST_SETS + 1)},
        **{f"{name}_{i}": (unit, f"{words} {i}") for i in range(1, power_laws.MOST_RESETS + 1) for name, unit, words in (
            ("reset_slope", "1", "log-log slope of the resets of voltage"),
            ("growth", "1", "last over first current of the highest sets after resets of voltage"),
            ("volts", "V", "voltage for a factor e of the number of sets at equal change after resets of voltage"))},
        "memory": ("1", "current after the highest sets, after the shallowest resets over after the deepest"),
    }),
    "protocols": Metric(power_laws.protocols, TRIALS, {
        "near": ("1", "log-log slopes near the measured ones"),
        "rms": ("1", "root mean square distance of the log-log slopes"),
        "largest": ("1", "largest distance of a log-log slope"),
    }),
    "forward": Metric(forward.forward, TRIALS, {
        "ideality_low": ("1", "ideality of the forward current in the low state"),
        "ideality_high": ("1", "ideality of the forward current in the high state"),
        "change": ("1", "largest relative change of the forward current between the states"),
        "window": ("1", "low-state over high-state current in reverse"),
    }),
    "hysteresis": Metric(polarised.hysteresis, RUN, {
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
    "pund": Metric(polarised.pund, RUN, {
        **{name: ("C/m^2", f"charge that the {words} pulse leaves on the left electrode")
           for name, words in (("positive", "first positive"), ("up", "second positive"),
                               ("negative", "first negative"), ("down", "second negative"))},
        "switched_up": ("C/m^2", "charge of the first positive pulse less that of the second"),
        "switched_down": ("C/m^2", "charge of the first negative pulse less that of the second"),
        "remanent": ("C/m^2", "a quarter of the difference of both"),
    }, ("voltage", "electrode_charge")),
    "reversal": Metric(polarised.reversal, RUN, {
        "share": ("1", "share of the polarisation at the start that has turned round at the end"),
        "kept": ("1", "polarisation at the end over that at the start"),
    }, ("polarisation",)),
    "ter": Metric(polarised.electroresistance, RUN, {
        "ratio": ("1", "larger over smaller current of two states, at the voltage nearest to zero"),
        "most": ("1", "largest ratio of these currents"),
        "most_voltage": ("V", "voltage of that ratio"),
    }, ("bias", "bias_current")),
    "coercivity": Metric(ferroelectric.coercivity, TRIALS, {
        "pulse_field": ("V/m", "field of pulses that turn half of the polarisation"),
        "loop_field": ("V/m", "coercive field of the loop whose frequency is nearest to 1 kHz"),
        "slope": ("V/m", "rise of the coercive field of loops with a decade of frequency"),
    }),
    "doping": Metric(ferroelectric.doping, TRIALS, {
        "light": ("1", "high over low resistance on the most lightly doped electrode"),
        "heavy": ("1", "high over low resistance on the most heavily doped electrode"),
        "falls": ("1", "ratio of both"),
    }),
    "fast_and_kept": Metric(ferroelectric.fast_and_kept, RUN, {
        "set_ratio": ("1", "resistance before a set over that after it"),
        "kept_ratio": ("1", "resistance before the set over that after a pause"),
        "high_kept": ("1", "high resistance after a pause over that before it"),
    }, ("read_resistance",)),
    "pulse_scatter": Metric(single_ions.pulse_scatter, TRIALS, {
        **{f"scatter_{i}": ("1", f"scatter of ln |I| from pulse to pulse of junction {i}, from the smallest on")
           for i in range(1, single_ions.MOST + 1)},
        "radius": ("m", "radius of a junction with the measured scatter"),
    }),
    "contact_spread": Metric(single_ions.contact_spread, TRIALS, {
        f"{name}_{i}": ("1", f"spread of ln |I| of read {i} over contacts {words}")
        for name, words in (("drawn", "with columns of their own"), ("shot", "that differ in their ions"),
                            ("switching", "that differ in the ions of columns that switch"))
        for i in range(1, single_ions.MOST + 1)
    }),
    "relaxation": Metric(single_ions.relaxation, TRIALS, {
        "soon": ("1", "spread of ln |I| over that right after programming, at the first later read"),
        "later": ("1", "that at the second later read"),
        "latest": ("1", "that at the third later read"),
        "growth": ("1", "later over soon"),
        "end": ("1", "latest over later"),
        "fall": ("1", "mean change of ln |I| until the second later read"),
    }),
    "endurance": Metric(synapse.endurance, RUN, {
        "first": ("1", "high over low resistance of the first cycle"),
        "last": ("1", "high over low resistance of the last cycle"),
        "drift": ("1", "relative change of the ratio from the first cycle to the last"),
    }, ("read_resistance",)),
    "uptake": Metric(oxygen.uptake, RUN, {
        "formed": ("1", "vacancies after forming over those before"),
        "cycle": ("1", "largest relative change of the number of vacancies over a cycle"),
        "ratio": ("1", "high over low resistance of the last cycle"),
    }, ("read_time", "read_resistance", "time", "vacancies")),
    "oxygen_loss": Metric(oxygen.oxygen_loss, TRIALS, {
        "largest_at": ("S", "conductance of the measured class that loses the largest share in a rest"),
        "largest": ("1", "that share"),
        "falls": ("1", "share lost at the largest conductance over it"),
        "misfit": ("1", "largest factor between these shares and the measured ones, each over its largest"),
    }),
    "reset_limit": Metric(oxygen.reset_limit, TRIALS, {
        "blocked": ("s", "shortest reset at any voltage, electrodes that block vacancies"),
        "exchanged": ("s", "shortest reset at any voltage, an electrode that exchanges them"),
        "factor": ("1", "ratio of both"),
        "unipolar": ("1", "share of the pulses that set instead, an electrode that exchanges them"),
    }),
    "potentiation": Metric(synapse.potentiation, RUN, {
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
    "mott_schottky": Metric(small_signal.mott_schottky, RUN, {
        "doping": ("1/m^3", "apparent doping of a Mott-Schottky plot"),
        "built_in_voltage": ("V", "apparent built-in voltage of a Mott-Schottky plot"),
        "bend": ("1", "slope of the plot in deepest depletion over that in the shallowest"),
        "doping_ratio": ("1", "apparent doping over that of the case"),
        "flat_band_voltage": ("V", "voltage at which the right electrode is not bent"),
    }),
    "impedance": Metric(small_signal.relaxation, RUN, {
        "resistance": ("ohm", "real part of the impedance at the lowest frequency"),
        "low_capacitance": ("F", "capacitance at the lowest frequency"),
        "high_capacitance": ("F", "capacitance at the highest frequency"),
        "peak_frequency": ("Hz", "frequency of the largest imaginary part of the impedance"),
        "kramers_kronig": ("1", "largest misfit of the Kramers-Kronig relations, over the impedance"),
    }),
    "thermal": Metric(comparison.thermal, TRIALS, {
        "activation_energy": ("eV", "activation energy of the current"),
        "transport_energy": ("eV", "mean energy of the current above the Fermi level of the substrate"),
        "tunnelling_share": ("1", "share of the current below the top of the barrier"),
        "thermionic_barrier": ("eV", "barrier of a thermionic fit"),
        "ideality": ("1", "ideality of a thermionic fit"),
        "asymmetry": ("1", "largest ratio of the currents of both signs"),
    }),
    "trapezoid": Metric(comparison.trapezoid, TRIALS, {
        "barrier_metal": ("eV", "barrier at the metal of a fitted trapezoid"),
        "barrier_substrate": ("eV", "barrier at the substrate of a fitted trapezoid"),
        "tunnelling_share": ("1", "share of the current below the top of the barrier"),
    }),
    "fowler-nordheim": Metric(comparison.fowler_nordheim, TRIALS, {
        "slope": ("V", "slope of ln(I/V^2) against 1/V"),
        "barrier": ("eV", "barrier that the slope would mean"),
        "scatter": ("1", "root mean square of ln(I/V^2) about the line"),
    }),
    "cycles": Metric(comparison.cycles, TRIALS, {
        "drift": ("1", "largest relative difference of a current between the last loop and the second"),
        "opening": ("1", "decades between the branches where they lie farthest apart"),
    }),
    "threshold": Metric(comparison.threshold, TRIALS, {
        "threshold": ("V", "smallest amplitude that leaves a lasting change"),
    }),
    "thickness": Metric(comparison.thickness, TRIALS, THICKNESS | {
        f"wide_{name}": (unit, f"{text}, of all films") for name, (unit, text) in THICKNESS.items()
    }),
    "switching": Metric(comparison.switching, TRIALS, {
        "set_correlation": ("1", "correlation of the logarithm of the set time with the voltage"),
        "set_slope": ("V", "voltage for a factor e of the set time"),
        "set_points": ("1", "voltages at which the junction sets"),
        "reset_correlation": ("1", "correlation of the logarithm of the reset time with the voltage"),
        "reset_slope": ("V", "voltage for a factor e of the reset time"),
        "reset_points": ("1", "voltages at which the junction resets"),
        "short_threshold": ("V", "threshold of pulses of 20 ns"),
        "long_threshold": ("V", "threshold of pulses of 1 us"),
        "fold": ("V", "change of the threshold for a factor e of the width"),
    }),
    "uniformity": Metric(comparison.uniformity, TRIALS, {
        "apart": ("1", "lowest high over highest low resistance of all devices"),
        "spread_high": ("1", "decades of spread of the high resistance"),
        "spread_low": ("1", "decades of spread of the low resistance"),
        "ratio_least": ("1", "smallest ratio of high and low resistance of a device"),
        "ratio_most": ("1", "largest ratio of high and low resistance of a device"),
    }),
    "map": Metric(comparison.tip_map, TRIALS, {
        "inner_over_outer": ("1", "current of the inner square over that of the outer one"),
        "outer_over_pristine": ("1", "current of the outer square over that of the pristine film"),
        "inner": ("A", "current of the inner square"),
        "outer": ("A", "current of the outer square"),
    }),
    "single": Metric(learning.single, TRIALS, {
        "response_rises": ("1", "share of steps of amplitude with a higher peak"),
        "change": ("1", "largest lasting change of conductance"),
        "least_tail": ("1", "smallest tail after a pulse over the current at rest"),
        "decay": ("s", "longest decay time of the tail"),
        "misfit": ("1", "largest distance of the tail from an exponential"),
        "return_tail": ("1", "tail of the conduction current over the current at rest"),
        "return_decay": ("s", "decay time of the conduction current"),
        "return_misfit": ("1", "distance of the conduction current from an exponential"),
    }),
    "trains": Metric(learning.trains, TRIALS, {
        "least_growth": ("1", "smallest growth from the first peak to the last"),
        "most_growth": ("1", "largest growth from the first peak to the last"),
        "fall": ("1", "largest relative fall from one peak to the next"),
        "growth_rises": ("1", "share of steps to a higher frequency with more growth"),
        "return_growth": ("1", "largest growth of the peaks of the conduction current"),
    }),
    "facilitation": Metric(learning.facilitation, TRIALS, {
        "above": ("1", "share of intervals with the last peak above the second"),
        **{f"{name}_{number}": meaning for name in ("ppf", "ptp") for number, meaning in {
            "falls": ("1", f"share of steps of the interval with a smaller {name.upper()}"),
            "misfit": ("1", f"distance of {name.upper()} from an exponential of the interval"),
            "decay": ("s", f"decay of {name.upper()} with the interval"),
            "most": ("1", f"{name.upper()} at the shortest interval"),
        }.items()},
    }),
    "amplitudes": Metric(learning.amplitudes, TRIALS, {
        "rises": ("1", "share of steps of amplitude with a higher current"),
        "ratio": ("1", "current after the highest amplitude over that after the lowest"),
        "first": ("A", "current after the lowest amplitude"),
        "last": ("A", "current after the highest amplitude"),
    }),
    "widths": Metric(learning.widths, TRIALS, {
        "rises": ("1", "share of steps of width with a higher conductance"),
        "growth": ("1", "conductance after the longest pulse over that after the shortest"),
        "last_decade": ("1", "conductance after the longest pulse over that after one a tenth as long"),
        "longest": ("S", "conductance after the longest pulse"),
    }),
    "antisymmetric": Metric(learning.antisymmetric, TRIALS, {
        "right": ("1", "share of delays with a change of the right sign"),
        **{f"{side}{number}": (unit, f"{words} for {delays}") for side, delays in
           {"up": "delays above 0", "down": "delays below 0"}.items() for number, unit, words in (
            ("", "1", "amplitude of the change"), ("_error", "1", "standard error of the amplitude"),
            ("_decay", "s", "decay time"), ("_decay_error", "s", "standard error of the decay time"),
            ("_offset", "1", "offset of the change"))},
    }),
    "symmetric": Metric(learning.symmetric, TRIALS, {
        "amplitude": ("1", "amplitude of the change"),
        "amplitude_error": ("1", "standard error of the amplitude"),
        "width": ("s", "width of the Gaussian"),
        "width_error": ("s", "standard error of the width"),
        "offset": ("1", "offset of the change"),
        "misfit": ("1", "distance of the change from a Gaussian"),
        "near": ("1", "change at the shortest delay"),
        "away": ("1", "larger of the changes at the longest delays"),
    }),
    "energy": Metric(learning.energy, TRIALS, {
        f"{pulse}{number}": ("J", f"{words} of the {which} pulse")
        for pulse, which in {"short": "weaker", "long": "stronger"}.items()
        for number, words in {
            "": "conducted energy", "_scaled": "conducted energy, scaled to 0.1 um2,",
            "_charging": "energy that charges the junction", "_shown": "V I t with the current of the instrument",
            "_ohmic": "V^2 t / R with the resistance read before",
        }.items()
    }),
    "letters": Metric(learning.letters, TRIALS, {
        **{f"{letter}_{when}": ("1", f"contrast of the letter {letter.upper()}, {words}")
           for letter in LETTERS for when, words in CONTRASTS.items()},
        **{f"{a}_over_{b}_later": ("1", f"contrast of {a.upper()} over that of {b.upper()}, {CONTRASTS['later']}")
           for a, b in permutations(LETTERS, 2)},
    }),
}  # fmt: skip


OF_A_RUN = {name: metric for name, metric in METRICS.items() if metric.takes == RUN}
