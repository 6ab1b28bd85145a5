"""Limits of the model: thresholds for numbers of a run, and the sentences for those that it exceeds.

The thresholds stand here and nowhere else. A run that exceeds one continues and keeps its numbers. Its result says so in
the attribute `model_limits`, and the user reads a line of warning.

The end of a run in words, and the attributes of its result, are made here too.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from otjdd.case.case import Case
from otjdd.errors import SolverError
from otjdd.laws import HOPPING_LAWS
from otjdd.results import store
from otjdd.system.late import xr
from otjdd.system.limits import behind, interruption

log = logging.getLogger(__name__)

ATTRIBUTE = "model_limits"

# Heat leaves the junction, a disc of radius r at the surface of a half space, through the electrode below it.
CONDUCTIVITY = 11.0  # W m-1 K-1, SrTiO3 at 300 K
DIFFUSIVITY = 4.0e-6  # m2/s, with 5.12 g/cm3 and 0.54 J/g/K
POLES = 28  # of the thermal response: 0.4 % from its closed form over twelve decades of time

# 1 - sum w exp(-u s) is the response: 1 - (2/pi) arctan(b sqrt(s)) = (2/pi^1.5) integral D(sqrt(u)/b)/u exp(-s u) du, D
# the Dawson function, evenly in ln u. Numbers, since scipy.special, which has D, takes 0.14 s of each start to import.
RATES = np.geomspace(1e-6, 1e12, POLES)  # DIFFUSIVITY/r^2
WEIGHTS = np.array((
    0.0002446592816322999, 0.0005271021923262838, 0.001135604735737419, 0.002446561111003528, 0.005270704879226616,
    0.011352877342062511, 0.02443393067546793, 0.05239115743194958, 0.11041175260364203, 0.21501362265521717,
    0.2984575295972155, 0.16013970882823197, 0.06402878157510226, 0.029079355085751858, 0.013438476924032728,
    0.0062317859832537225, 0.002891960545570422, 0.001342271391935791, 0.0006230214127936611, 0.00028918034552650427,
    0.00013422556849543494, 6.230198421396521e-05, 2.8918018846205405e-05, 1.3422555278901042e-05, 6.230198264332318e-06,
    2.891801868914128e-06, 1.3422555263194624e-06, 6.230198262761676e-07,
))  # fmt: skip


class Limit(NamedTuple):
    """One limit: the output it applies to, name in words, largest value for which the model holds, unit, advice."""

    output: str
    name: str
    threshold: float
    unit: str
    advice: str


LIMITS = (
    Limit(
        "film_electron_ratio",
        "electrons left out of the film over those that bend its band by kT",
        0.2,  # of 400 random devices 315 are within it: currents move by 7 % at most, in five by more than 3 %
        "",
        'put them into the model: device.film.electrons = "balance"; or lower the voltage, or raise the barriers',
    ),
    Limit(
        "current_density",
        "current density over the area of the electrode",
        1e10,  # A/m2: metal lines of circuits are worn by electromigration from here on
        " A m-2",
        "add circuit.series_resistance or a compliance, or lower the voltage",
    ),
    Limit(
        "temperature_rise",
        "estimated rise of the temperature",
        20.0,  # K: at 0.45 eV and 300 K the ions are then three times as fast
        " K",
        "shorten the pulses, lower the current, make the electrode smaller, or put it into the model: [device.heat]",
    ),
    Limit(
        "junction_temperature",
        "temperature of the junction",
        1000.0,  # K: electrodes mix with oxides, which crystallise, and laws of one activation energy end
        " K",
        "lower the voltage, or limit the current by circuit.compliance or circuit.series_resistance",
    ),
    Limit(
        "drift_ratio",
        "drift of the conductance, or of P over P_s, while the slowest signal turns by a radian",
        0.1,
        "",
        "raise the lowest of drive.frequencies, or let the ions relax: drive.settle = true; along a path, lower "
        "drive.rate",
    ),
    Limit(
        "read_grid_error",
        "estimated error of a read by the cells of the film",
        0.01,
        "",
        'raise device.film.cells, or take numerics.error = "extrapolate"',
    ),
    Limit(
        "curve_grid_error",
        "estimated error of a curve by the cells of the film",
        0.01,
        "",
        'raise device.film.cells, or take numerics.error = "extrapolate" for an I-V curve',
    ),
    Limit(
        "stack_leaps",
        "number of jumps of the electrons to another stack while the voltage did not turn",
        0.0,  # ions can follow a leap back over the fold, so that the stack oscillates
        "",
        "what is read after a jump depends on its moment, and of an oscillation on its phase: compare two numerics.rtol, "
        "or lower the voltage",
    ),
    Limit(
        "vacancy_loss",
        "fraction of its vacancies that the film has lost",
        0.99,  # an oxide without vacancies is another device
        "",
        "the film has emptied into its electrodes: lower formation_energy or rate of the exchange, or shorten the drive",
    ),
    Limit(
        "reservoir_share",
        "fraction of the oxygen sites of a reservoir that are filled, or that are empty,",
        0.999,  # it is then full, or empty, and what it cannot take or give does not pass
        "",
        "the reservoir has run out: raise the capacity of the exchange, or shorten the drive",
    ),
    Limit(
        "site_share",
        "fraction of the sites of the film that vacancies hold",
        0.5,  # a sublattice that is half empty is another oxide
        "",
        "the film has filled from its electrodes: raise formation_energy of the exchange, or give its reservoir a capacity",
    ),
    Limit(
        "single_ion_share",
        "one ion over the ions of a column",
        0.02,  # set times against an exact Monte Carlo: 1.5 ± 0.6 % early with ten ions, 1.7 ± 0.8 % with thirty
        "",
        "sets then come early, by some 2 % with ten ions in a column and 6 % with three: take fewer columns, or make "
        "device.radius, device.area or device.conducting_fraction larger",
    ),
)


class Reached(NamedTuple):
    """The largest value of an output, and where it was reached, in words ("t = 0.1 s")."""

    value: float
    where: str


def thermal_resistance(radius: float) -> float:
    """Steady thermal resistance [K/W] of a disc of a radius [m] on a half space: 1/(4 kappa r)."""
    return 1.0 / (4.0 * CONDUCTIVITY * radius)


def thermal_response(time: ArrayLike, radius: float) -> np.ndarray:
    """Fraction of the steady temperature that a constant power on a disc of a radius [m] reaches after a time [s].

    (2/pi) arctan(4 sqrt(s/pi)), s = time DIFFUSIVITY/r^2: exact for a heat source that is Gaussian over the surface, and
    right at both ends for a disc, where heat first leaves straight down and in the end in all directions.
    """
    return 2.0 / math.pi * np.arctan(4.0 * np.sqrt(np.asarray(time) * DIFFUSIVITY / (math.pi * radius**2)))


def response_poles(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Rates [1/s] and weights (POLES,) of the thermal response of a disc of a radius [m]."""
    return RATES * DIFFUSIVITY / radius**2, WEIGHTS


@lru_cache(maxsize=16)
def unheated(radius: float) -> np.ndarray:
    """`heat` of a Watch below an electrode of a radius [m] that no current has warmed. It cannot be written to."""
    rate, weight = response_poles(radius)
    heat = np.stack((rate, weight * thermal_resistance(radius), np.zeros(POLES)))
    heat.flags.writeable = False
    return heat


def larger(first: dict[str, Reached], second: dict[str, Reached]) -> dict[str, Reached]:
    """The larger of two values of each output; nan counts as no value."""
    both = {name: (first.get(name), second.get(name)) for name in {**first, **second}}
    return {
        name: max((r for r in pair if r), key=lambda r: -math.inf if math.isnan(r.value) else r.value)
        for name, pair in both.items()
    }


def of_series(time: Any, values: ArrayLike, what: str = "t = {:.4g} s") -> Reached:
    """Largest absolute value (n,) and its time or other place (n,); nan is skipped. what : format of the place"""
    sizes = np.abs(np.asarray(values, dtype=float))
    if not np.isfinite(sizes).any():
        return Reached(math.nan, "")
    i = int(np.argmax(np.where(np.isnan(sizes), -1.0, sizes)))
    return Reached(float(sizes[i]), what.format(float(time[i])))


def exceeded_limits(reached: dict[str, Reached]) -> list[str]:
    """A sentence for each limit that is exceeded. reached : output -> largest value"""
    sentences = []
    for limit in LIMITS:
        value, where = reached.get(limit.output, Reached(math.nan, ""))
        if value > limit.threshold:
            sentences.append(
                f"{limit.output}: {limit.name} is {value:.3g}{limit.unit} at {where}, "
                f"the model holds to {limit.threshold:.3g}{limit.unit}; {limit.advice}"
            )
    return sentences


def warn(ds: xr.Dataset | None) -> None:
    """Log a warning for each limit that a result exceeds; without a handler the lines go to stderr.

    ds : None for a run that ended before it had a result
    """
    for line in ds.attrs[ATTRIBUTE].splitlines() if ds is not None else ():
        log.warning("beyond the limits of the model: %s", line)


def names(text: str) -> list[str]:
    """Outputs that exceed their limits, from the text of the attribute `model_limits`."""
    return [line.partition(":")[0] for line in text.splitlines()]


Ended = SolverError | KeyboardInterrupt  # what ends a run early


def ending(error: BaseException) -> Ended:
    """Return SolverError or KeyboardInterrupt; raise any other exception, also one of a program's own signal handler."""
    end = error if isinstance(error, SolverError) else interruption(error)
    if end is None:
        raise behind(error)
    return end


def status_words(failure: Ended | None) -> str:
    """End of a run, in words."""
    return "done" if failure is None else str(failure) or "interrupted"


def delivered(ds: xr.Dataset, failure: Ended | None) -> xr.Dataset:
    """The Dataset of a run. Raises the failure that ended the run early, with the Dataset as its `partial`."""
    if failure is not None:
        failure.partial = ds  # type: ignore[union-attr]  # a KeyboardInterrupt takes it too
        raise failure
    return ds


REFERENCES = (
    "Hairer & Wanner, Solving Ordinary Differential Equations II (1996), section VI.4: RODAS",
    "Steinebach, BIT Numer. Math. 63, 27 (2023): RODAS5P",
    "Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969): ion fluxes",
    "Tsu & Esaki, Appl. Phys. Lett. 22, 562 (1973): current",
)
OF_LAWS = {
    **{name: law.source for name, law in HOPPING_LAWS.items() if law.source},
    "nonlinear": "Suzuki, Yamamoto et al., J. Appl. Phys. 81, 6830 (1997): nonlinear permittivity",
}


def references(case: Case) -> str:
    """Publications of the models of a case; the sources of its numbers stand in the case itself."""
    parts = [
        getattr(part, "permittivity", None) for part in (case.device.left, *case.device.film.stack, case.device.right)
    ]
    used = dict.fromkeys([case.ions.law, *(part.law for part in parts if part)])
    return "; ".join([*REFERENCES, *(OF_LAWS[law] for law in used if law in OF_LAWS)])


def attributes(case: Case, statistics: dict[str, Any], wall_time: float, reached: dict[str, Reached]) -> dict[str, str]:
    """Attributes of a result: the case, the provenance of the numbers, and the limits of the model that they exceed.

    reached : output -> largest value
    """
    about = store.provenance(case.source, case.resolved(), title=case.title, statistics=statistics, wall_time=wall_time)
    history = f"{about['created']} otjdd {about['otjdd_version']}: {case.title}"
    return about | {"history": history, "references": references(case)} | limits_attribute(reached)


def limits_attribute(reached: dict[str, Reached]) -> dict[str, str]:
    """Attribute with the limits of the model that are exceeded. reached : output -> largest value"""
    return {ATTRIBUTE: "\n".join(exceeded_limits(reached))}
