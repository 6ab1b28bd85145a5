"""The task of a calibration: free parameters, runs, and targets for their reads.

A task is a TOML file. The residual of a target is its distance in units of the tolerance: the limit is at 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from otjdd.analysis.metrics import METRICS
from otjdd.case.base import Number, Record
from otjdd.case.case import Case, load_case
from otjdd.case.document import Document
from otjdd.case.drive_curves import Prepared
from otjdd.case.explain import read_record
from otjdd.case.keys import dotted_keys
from otjdd.case.problem import Problem, nearest
from otjdd.claims import claim as claims
from otjdd.claims.figure import Figure
from otjdd.claims.trials import Trial
from otjdd.errors import CaseError, NotAsExpected
from otjdd.fitting.parameters import value_in_case
from otjdd.studies import keep
from otjdd.units import DIMENSIONS, brief, parse, write

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from otjdd.case.drive import Drive

FAILED = 30.0  # residual of every target of a run that cannot be computed


class Parameter(Record):
    """One free parameter: its dotted key, bounds as text, dimension ("" for plain numbers), scale.

    source : where the bounds are from   published : range of the literature, where the bounds reach beyond it
    """

    key: str
    low: str | Number
    high: str | Number
    dimension: str = ""
    log: bool = False
    source: str = ""
    published: tuple[str | Number, str | Number] | None = None

    @model_validator(mode="after")
    def check_bounds(self) -> Self:
        if self.dimension and self.dimension not in DIMENSIONS:
            raise NotAsExpected(f"a dimension, one of {', '.join(DIMENSIONS)}", brief(self.dimension))
        for value in (self.low, self.high, *(self.published or ())):
            if isinstance(value, str) != bool(self.dimension):
                raise NotAsExpected("bounds as text with units beside a dimension, as numbers without", brief(value))
        low, high = (parse(v, self.dimension) if isinstance(v, str) else v for v in (self.low, self.high))
        if not (low < high and (low > 0 or not self.log)):
            raise NotAsExpected(
                f"low below high{' and above 0' * self.log}", f"{brief(self.low)} and {brief(self.high)}"
            )
        return self

    def bounds(self) -> tuple[float, float]:
        """Bounds in the coordinate of the search: SI, or its logarithm."""
        low, high = (parse(v, self.dimension) if isinstance(v, str) else float(v) for v in (self.low, self.high))
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def text(self, x: float) -> str | float:
        """Value at a search coordinate in 0..1, rounded to 4 digits, as a case file has it."""
        low, high = self.bounds()
        value = low + (high - low) * min(1.0, max(0.0, x))
        value = float(f"{math.exp(value) if self.log else value:.4g}")
        return write(value, self.dimension) if self.dimension else value

    def si(self, x: float) -> float:
        """Value [SI] at a search coordinate in 0..1, rounded as in `text`."""
        value = self.text(x)
        return parse(value, self.dimension) if isinstance(value, str) else float(value)

    def beyond(self, x: float) -> bool:
        """True if the value at a search coordinate in 0..1 is outside of the published range."""
        if self.published is None:
            return False
        low, high = (parse(v, self.dimension) if isinstance(v, str) else float(v) for v in self.published)
        return not low <= self.si(x) <= high

    def coordinate(self, value: float) -> float:
        """Search coordinate of a value [SI]."""
        low, high = self.bounds()
        return ((math.log(value) if self.log else value) - low) / (high - low)


class Target(Record):
    """What one number of a run should be: one of its reads, a number as in `[expect]`, or the figure of a claim.

    read : index of the read   over : index of a read to divide by   quantity : column of the reads
    number : its name, such as "loop.set_voltage"   against : name of an earlier run, whose same number divides this one
    value, at_least, at_most : of the quantity in SI   within : a factor, or a difference when linear
    claim : figure of a claim, "rv-hrs.pristine", which supplies the limits that are not given here. Without `read` and
        `number` the figure itself is measured, from this run alone
    """

    name: str
    read: int | None = None
    over: int | None = None
    number: str = ""
    against: str = ""
    quantity: Literal["read_resistance", "read_conductance", "transport_energy", "tunnelling_share"] = "read_resistance"
    claim: str = ""
    value: Number | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    within: Annotated[Number, Field(gt=0)] = 2.0
    linear: bool = False

    @model_validator(mode="before")
    @classmethod
    def ask_claim(cls, data: Any) -> Any:
        claim = data.get("claim") if isinstance(data, dict) else None
        return goal(claims.claim_and_figure(claim)[1]) | data if isinstance(claim, str) else data

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if all(v is None for v in (self.value, self.at_least, self.at_most)):
            raise ValueError("a target needs value, at_least, at_most or a claim that gives them")
        if self.read is None and not (self.number or self.claim):
            raise ValueError("a target needs a number, the index of a read, or a claim that tells how to measure it")
        return self

    def found(self, case: Case, ds: xr.Dataset) -> float:
        """The number [SI] of a run, from its case and Dataset. Raises ValueError when it cannot be measured."""
        if self.number:
            return float(keep.measure(ds, [self.number])[self.number].values)
        if self.read is None:
            claim, figure = claims.claim_and_figure(self.claim)
            return METRICS[claim.metric].measured([Trial("", math.nan, case, ds)], **claim.settings)[figure.name]
        reciprocal = self.quantity == "read_conductance"
        values = 1 / ds.read_resistance.values if reciprocal else ds[self.quantity].values
        return float(values[self.read] if self.over is None else values[self.read] / values[self.over])

    def residual(self, found: float) -> float:
        """Signed distance in tolerances; 0 where a one-sided target is met."""
        if not (math.isfinite(found) and (self.linear or found * (self.value or 1.0) > 0)):
            return FAILED

        def distance(goal: float) -> float:
            return (found - goal) / self.within if self.linear else math.log(found / goal) / math.log(self.within)

        if self.value is not None:
            return distance(self.value)
        below = min(0.0, distance(self.at_least)) if self.at_least is not None else 0.0
        return below + (max(0.0, distance(self.at_most)) if self.at_most is not None else 0.0)

    @property
    def aim(self) -> str:
        """Name of the claim that the target is a figure of; its own name without one."""
        return self.claim.partition(".")[0] or self.name

    def distance(self, found: float) -> float:
        """Distance in tolerances, met up to 1: of a claim in the claim's own, else in those of the target; nan for nan."""
        if self.claim:
            return claims.claim_and_figure(self.claim)[1].distance(found)
        return math.nan if math.isnan(found) else abs(self.residual(found))


def goal(figure: Figure) -> dict[str, Any]:
    """Limits of the figure of a claim as fields of a target."""
    limits = {name: getattr(figure, name) for name in ("value", "at_least", "at_most")}
    found = {name: figure.si(limit) for name, limit in limits.items() if limit is not None}
    if isinstance(figure.within, str):
        value, *ends = figure.said
        ratios = [bound / value for bound in ends]
        return found | {"within": max(max(ratio, 1 / ratio) for ratio in ratios)}
    return found if figure.within is None else found | {"within": figure.si(figure.within), "linear": True}


class Experiment(Record):
    """One run: changes to the case (a drive at least) and the targets that it should meet.

    set : dotted key -> value   scale : dotted key of a number -> factor that multiplies its value in the evaluated case
    """

    name: str
    set: dict[str, Any]
    scale: dict[str, Annotated[Number, Field(gt=0)]] = Field(default_factory=dict)
    target: Annotated[tuple[Target, ...], Field(min_length=1)]

    def of(self, case: Case) -> Case:
        """The case of this run. case : with the values of the evaluated point. Raises CaseError."""
        scaled = {key: factor * value_of(case, key) for key, factor in self.scale.items()}
        return case.replace(**scaled).replace(**self.set)


class Calibration(Record):
    """A calibration file: the case, its free parameters, the runs.

    set : changes of the case
    coarse : more of them, for the runs of the search alone, which make these faster: cells, rtol
    """

    case: str
    set: dict[str, Any] = Field(default_factory=dict)
    coarse: dict[str, Any] = Field(default_factory=dict)
    parameter: Annotated[tuple[Parameter, ...], Field(min_length=1)]
    run: Annotated[tuple[Experiment, ...], Field(min_length=1)]


def load_task(path: str | Path) -> tuple[Calibration, Case]:
    """Read a calibration and its case. Raises OSError, CaseError with all problems of one of the two files."""
    calibration, document = read_record(Calibration, path)
    case = load_case(Path(path).parent / calibration.case, calibration.set)
    strange = strange_parameters, strange_numerics, strange_runs
    if wrong := [problem for of in strange for problem in of(calibration, case, document)]:
        raise CaseError(wrong)
    return calibration, case


def strange_parameters(calibration: Calibration, case: Case, document: Document) -> Iterator[Problem]:
    """Problems of parameters whose keys are no numbers of the case."""
    for i, parameter in enumerate(calibration.parameter):
        if not is_number(case, parameter.key):
            hint = nearest(parameter.key, dotted_keys())
            yield document.problem(
                ("parameter", i, "key"), "the key of a number of the case", brief(parameter.key), hint
            )


def strange_numerics(calibration: Calibration, case: Case, document: Document) -> Iterator[Problem]:
    """Problems of the coarser numerics of the search that do not fit the case."""
    try:
        case.replace(**calibration.coarse)
    except CaseError as error:
        for problem in error.problems:
            yield document.problem(("coarse", problem.key), problem.expected, problem.got, problem.hint)


def strange_runs(calibration: Calibration, case: Case, document: Document) -> Iterator[Problem]:
    """Problems of runs: changes that the case cannot have, targets for reads or numbers that a run does not have."""
    for i, run in enumerate(calibration.run):
        before = [other.name for other in calibration.run[:i]]
        if strange := [key for key in run.scale if not is_number(case, key)]:
            yield document.problem(
                ("run", i, "scale", strange[0]), "the key of a number of the case", brief(strange[0])
            )
            continue
        try:
            drive = run.of(case).drive
            count = drive.waveform().read_count if hasattr(drive, "waveform") else 0
        except CaseError as error:
            for problem in error.problems:
                key = next((key for key in run.set if problem.key.startswith(key)), None)
                path = ("run", i, "set", key) if key else ("run", i, "set")
                yield document.problem(path, problem.expected, problem.got, problem.hint)
            continue
        for j, target in enumerate(run.target):
            if target.number and (wrong := keep.not_one(target.number)):
                yield document.problem(("run", i, "target", j, "number"), "one number of a run", wrong)
            if target.against and target.against not in before:
                yield document.problem(
                    ("run", i, "target", j, "against"), "a run before this one", brief(target.against)
                )
            if target.read is None and not target.number and not measures(target.claim, drive):
                expected = "a claim that is measured from one run with a drive like this one, or a read"
                yield document.problem(("run", i, "target", j, "claim"), expected, brief(target.claim))
            for name, read in (("read", target.read), ("over", target.over)):
                if read is not None and not -count <= read < count:
                    yield document.problem(("run", i, "target", j, name), f"one of {count} reads of the run", str(read))


def measures(path: str, drive: Drive) -> bool:
    """True if the figure of a claim, "claim.figure", can be measured from one run with this drive."""
    claim, _ = claims.claim_and_figure(path)
    trials = claims.planned(claims.folder_of(path.partition(".")[0]), claim)
    if len(trials) > 1 or trials[0].case.drive.kind != drive.kind:
        return False
    return not isinstance(drive, Prepared) or claim.settings.get("state") in drive.states


def targets(calibration: Calibration) -> list[Target]:
    """All targets in order."""
    return [target for run in calibration.run for target in run.target]


def values_of_point(calibration: Calibration, x: np.ndarray) -> dict[str, Any]:
    """Dotted key -> value as text of a point x in the unit cube."""
    return {p.key: p.text(v) for p, v in zip(calibration.parameter, x, strict=True)}


def is_number(case: Case, key: str) -> bool:
    """True for the dotted key of a number of the case that can vary continuously."""
    try:
        value_of(case, key)
    except CaseError:
        return False
    return True


def value_of(case: Case, key: str) -> float:
    """Value [SI] of a number of the case, also of a kind of columns. Raises CaseError for other keys."""
    return value_in_case(case, key)[0]
