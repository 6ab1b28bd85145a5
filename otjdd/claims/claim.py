"""A claim of a paper as data: the statement, the cases to run, the numbers of a metric that express it, their tolerances.

The claims of a paper are in the file claims.toml of its folder. A case with a [study] is run at each of its points. The
claim is met if and only if every number is within its limits. A claim can give a reason for a miss, which reports print;
the reason does not change the verdict.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, PrivateAttr

from otjdd.case.base import Record
from otjdd.claims.figure import Figure, Measured, finite
from otjdd.solver import model_limits


class ClaimTrial(NamedTuple):
    """One run of a claim, as metrics take it.

    name : of the case in the claim   value : of the varied key [SI], nan without a study; for several keys the number of
        the point, from 1
    ds : Dataset, or the reason of the failure in words; None before the run   text : the value as the case file has it
    key : the one key that the study varies, "" for none or several   source : text of the case file
    """

    name: str
    value: float
    case: Any  # a `case.case.Case`
    ds: Any = None
    text: str = ""
    key: str = ""
    source: str = ""


Trials = Sequence[ClaimTrial]


def by_radius(trials: Trials) -> list[ClaimTrial]:
    """Trials from the smallest junction to the largest."""
    return sorted(trials, key=lambda trial: trial.case.device.disc_radius)


class Claim(Record):
    """A claim: the statement and its place in the paper, the runs, the metric and its numbers, and choices.

    device : the measured device; default: that of the paper   doubtful : what the paper leaves open
    chosen : choices of the simulation   expected : verdict of this version   reason : why the claim is missed, if it is
    cases : name -> a file in the folder of the paper, or the name of a shipped case   metric : of its numbers
    settings : keyword arguments of the metric; a setting can name a table of measured numbers, see `papers.MeasuredTable`
    quick : name of a case -> dotted keys and values for a quick run
    """

    claim: str
    source: str
    device: str = ""
    metric: str
    cases: Annotated[dict[str, str], Field(min_length=1)]
    expected: Literal["met", "missed"] = "met"
    doubtful: str = ""
    chosen: str = ""
    reason: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    quick: dict[str, dict[str, Any]] = Field(default_factory=dict)
    figure: Annotated[tuple[Figure, ...], Field(min_length=1)]
    _folder: Path = PrivateAttr(default=Path())

    @property
    def folder(self) -> Path:
        """Folder of the paper, with its cases, data and metrics."""
        return self._folder


class Verdict(NamedTuple):
    """A judged claim.

    values : name of a number -> its value [SI] in the runs   missed : figures whose values are outside of their limits
    failure : why the claim has no values, else ""   errors : name -> numerical error [SI], where computed
    """

    id: str
    claim: Claim
    values: dict[str, float]
    missed: tuple[Figure, ...]
    failure: str = ""
    trials: tuple[ClaimTrial, ...] = ()
    errors: Mapping[str, float] = MappingProxyType({})

    @property
    def status(self) -> str:
        return "missed" if self.missed or self.failure else "met"

    @property
    def numbers(self) -> tuple[Measured, ...]:
        """All figures of the claim with their values in the runs, None without a result."""
        return tuple(
            Measured(figure, self.values.get(figure.name), self.errors.get(figure.name)) for figure in self.claim.figure
        )

    @property
    def distance(self) -> float:
        """Largest distance of the numbers with limits, in tolerances (`otjdd.claims.figure`); nan without a result."""
        distances = [n.distance for n in self.numbers if not math.isnan(n.distance)]
        return max(distances, default=math.nan)

    @property
    def surprises(self) -> list[str]:
        """Differences from what the claim expects, in words: verdict, numbers outside of their windows, failure."""
        texts = [f"expected {self.claim.expected}, found {self.status}"] if self.status != self.claim.expected else []
        return texts + ([self.failure] if self.failure else []) + [n.surprise for n in self.numbers if n.surprise]

    @property
    def cause(self) -> str:
        """Known cause of a miss: the failure, and the reason of the claim; "" when the claim is met."""
        return "" if self.status == "met" else " ".join(filter(None, [self.failure, self.claim.reason]))

    @property
    def reason(self) -> str:
        """Reason of a miss: the numbers that miss, and the cause; "" when the claim is met."""
        misses = "; ".join(f"{n} ({n.figure.allowed})" for n in self.numbers if self.values and n.status == "missed")
        return " ".join(filter(None, [misses and f"{misses}.", self.cause]))

    @property
    def beyond(self) -> dict[str, int]:
        """Limit of the model (`otjdd.solver.model_limits`) -> number of runs of the claim that exceed it."""
        texts = [getattr(trial.ds, "attrs", {}).get(model_limits.ATTRIBUTE, "") for trial in self.trials]
        return dict(Counter(name for text in texts for name in model_limits.names(text)))

    def row(self) -> dict[str, Any]:
        """The verdict for JSON: texts for people, and the same as numbers and names."""
        figures = self.claim.figure
        return {
            "id": self.id,
            "paper": "; ".join(f"{f.label}: {f.paper or f.allowed}" for f in figures if f.allowed),
            "otjdd": "; ".join(map(str, self.numbers)) if self.values else "no result",
            "tolerance": "; ".join(dict.fromkeys(filter(None, (f.tolerance for f in figures)))) or "as stated",
            "status": self.status,
            "reason": self.reason,
            "device": self.claim.device,
            "expected": self.claim.expected,
            "distance": finite(self.distance),
            "values": [number.row() for number in self.numbers],
            "runs": len(self.trials),
            "model_limits": self.beyond,
        }


def root_mean_square(verdicts: Sequence[Verdict]) -> float:
    """Root mean square of the distances of claims, in tolerances. Claims without a result are left out."""
    distances = [verdict.distance for verdict in verdicts if not math.isnan(verdict.distance)]
    return math.sqrt(sum(x * x for x in distances) / len(distances)) if distances else math.nan
