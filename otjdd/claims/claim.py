"""A claim of a paper as data: the statement, the numbers of a metric that express it, and their tolerances.

A claim is a folder with claim.toml and the cases to run as further TOML files. A case with a [study] is run at each of
its points. The claim is met if and only if every number is within its limits. The reason for a miss in claim.toml is
shown, and does not change the verdict.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from otjdd import units
from otjdd.analysis.metrics import METRICS
from otjdd.analysis.trial import Trial
from otjdd.case.base import Record
from otjdd.case.document import Document
from otjdd.case.explain import read_record
from otjdd.case.problem import Problem, nearest
from otjdd.claims.figure import Figure, Measured, finite
from otjdd.claims.measured_tables import with_numbers
from otjdd.claims.trials import AS_SHIPPED, trials
from otjdd.errors import CaseError
from otjdd.solver import model_limits

CLAIM = "claim.toml"
FIRST = "paper"  # folder of the device that otjdd was made for; its claims come first


class Claim(Record):
    """A claim.toml: the statement and its place in the paper, the metric and its numbers, and choices.

    device : the measured device of the paper   doubtful : what the paper leaves open   chosen : choices of the simulation
    expected : verdict of this version   reason : why the claim is missed, if it is
    settings : of the metric; numbers of a table of text can be named instead of written, see `measured_tables`
    quick : name of a case -> dotted keys and values for a quick run
    """

    claim: str
    source: str
    device: Annotated[str, Field(min_length=1)]
    metric: str
    expected: Literal["met", "missed"] = "met"
    doubtful: str = ""
    chosen: str = ""
    reason: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    quick: dict[str, dict[str, Any]] = Field(default_factory=dict)
    figure: Annotated[tuple[Figure, ...], Field(min_length=1)]


class Verdict(NamedTuple):
    """A judged claim.

    found : name of a number -> its value [SI]   missed : figures outside of their limits
    failure : why there is no number, else ""   errors : name -> numerical error [SI], where computed
    """

    id: str
    claim: Claim
    values: dict[str, float]
    missed: tuple[Figure, ...]
    failure: str = ""
    trials: tuple[Trial, ...] = ()
    errors: Mapping[str, float] = MappingProxyType({})

    @property
    def status(self) -> str:
        return "missed" if self.missed or self.failure else "met"

    @property
    def numbers(self) -> tuple[Measured, ...]:
        """All figures of the claim, each with the number that was found."""
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
        """Differences from claim.toml, in words: another verdict, numbers outside of their windows, a failure."""
        texts = [f"expected {self.claim.expected}, found {self.status}"] if self.status != self.claim.expected else []
        return texts + ([self.failure] if self.failure else []) + [n.surprise for n in self.numbers if n.surprise]

    @property
    def cause(self) -> str:
        """Known cause of a miss: the failure, and the reason of claim.toml; "" when the claim is met."""
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


def load_claim(folder: Path) -> Claim:
    """Read the claim of a folder. Raises OSError, CaseError, also for an unknown metric or number of a metric."""
    claim, document = read_record(Claim, folder / CLAIM)
    if wrong := list(strange_figures(claim, document)):
        raise CaseError(wrong)
    return claim.model_copy(update={"settings": with_numbers(claim.settings, folder, document)})


def strange_figures(claim: Claim, document: Document) -> Iterator[Problem]:
    """Problems of a claim: unknown metrics or numbers of a metric, units of another quantity."""
    if claim.metric not in METRICS:
        hint = nearest(claim.metric, list(METRICS)) or ", ".join(METRICS)
        yield document.problem(("metric",), "the name of a metric", units.brief(claim.metric), hint)
        return
    numbers = METRICS[claim.metric].numbers
    for i, figure in enumerate(claim.figure):
        if figure.name not in numbers:
            expected = f"a number of the metric {claim.metric}: {', '.join(numbers)}"
            yield document.problem(("figure", i, "name"), expected, units.brief(figure.name))
        elif not units.same_kind(figure.unit, unit := numbers[figure.name][0]):
            expected = f"a unit of the same quantity as {units.brief(unit)}"
            yield document.problem(("figure", i, "unit"), expected, units.brief(figure.unit))


def claim_and_figure(path: str) -> tuple[Claim, Figure]:
    """A shipped claim and its figure by name, "rv-hrs.pristine". Raises ValueError, OSError."""
    name, _, of = path.partition(".")
    claim = load_claim(folder_of(name))
    figures = {figure.name: figure for figure in claim.figure}
    if of not in figures:
        raise ValueError(f"the claim {name!r} has no figure {of!r}; it has {', '.join(figures)}")
    return claim, figures[of]


def planned(folder: Path, claim: Claim, quick: bool = False, device: Mapping[str, Any] = AS_SHIPPED) -> list[Trial]:
    """The runs that a claim needs, without their results. Raises CaseError, OSError, ValueError.

    device : dotted keys and values of another set of parameters, see `otjdd.claims.another_set`
    """
    cases = {path.stem: path for path in sorted(folder.glob("*.toml")) if path.name != CLAIM}
    if unknown := set(claim.quick) - set(cases):
        raise ValueError(f"{folder}: quick names no case of this claim: {', '.join(sorted(unknown))}")
    if not cases:
        raise ValueError(f"{folder}: no case to run")
    changes = claim.quick if quick else {}
    return [trial for stem, path in cases.items() for trial in trials(path, changes.get(stem, {}), device)]


def folders(root: Path) -> dict[str, Path]:
    """Name -> folder of each claim, device by device, in alphabetical order.

    root : holds folders of claims, or of devices with claims. Raises OSError.
    """
    inside = [path for path in root.iterdir() if path.is_dir()]
    inside += [path for device in inside for path in device.iterdir()]
    paths = [path for path in inside if (path / CLAIM).is_file()]
    return {path.name: path for path in sorted(paths, key=lambda path: (path.parent.name != FIRST, path))}


def folder_of(name: str) -> Path:
    """Folder of a claim that comes with otjdd. Raises ValueError."""
    by_name = folders(shipped_claims())
    if name not in by_name:
        raise ValueError(f"there is no claim {name!r}; there are {', '.join(by_name)}")
    return by_name[name]


def shipped_claims() -> Path:
    """Folder of the claims that come with otjdd, in an installed package or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return package / "validation" if (package / "validation").is_dir() else package.parent / "validation"
