"""A claim of a paper as data: what is said, which numbers of which metric stand for it, how near they must come.

A claim is a folder: claim.toml, and the cases to run as further TOML files. It is met when every number that has a
limit keeps it, and nothing else: the reason that claim.toml gives for a miss is shown, and changes nothing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator

from otjdd import units
from otjdd.analysis.metrics import METRICS
from otjdd.case.document import Document
from otjdd.case.explain import read_record
from otjdd.case.problem import Problem, nearest
from otjdd.case.record import Number, Record
from otjdd.claims.trials import Draws, Once, Sweep, Trial
from otjdd.errors import CaseError

CLAIM = "claim.toml"


class Figure(Record):
    """One number of a metric: its name there, its name in words, the unit it is told in, and its limits in that unit.

    value with within ("x2" a factor, "30 %" relative, a number absolute), at_least, at_most; none of them: told only
    """

    name: str
    label: str
    unit: str = "1"
    value: Number | None = None
    within: Number | Annotated[str, Field(pattern=r"^(x[0-9.]+|[0-9.]+ %)$")] | None = None
    at_least: Number | None = None
    at_most: Number | None = None

    @model_validator(mode="after")
    def check_limits(self):
        if (self.value is None) != (self.within is None):
            raise ValueError("value and within belong together")
        units.unit(self.unit)
        return self

    def shown(self, found: float) -> float:
        """A number [SI] in `unit`."""
        return found / 10.0 ** units.unit(self.unit).exponent

    def si(self, number: float) -> float:
        """A number in `unit` in SI."""
        return number * 10.0 ** units.unit(self.unit).exponent

    def met(self, found: float) -> bool:
        """Whether a number [SI] keeps all limits. No number at all (nan) keeps none."""
        x, (low, high) = self.shown(found), self.bounds()
        return (low is None or x >= low) and (high is None or x <= high)

    def bounds(self) -> tuple[float | None, float | None]:
        """Lowest and highest allowed value in `unit`, None where there is no limit."""
        if self.value is None:
            return self.at_least, self.at_most
        if isinstance(self.within, str) and self.within.startswith("x"):
            ends = self.value / float(self.within[1:]), self.value * float(self.within[1:])
        elif isinstance(self.within, str):
            ends = [self.value * (1 + s * float(self.within[:-2]) / 100) for s in (-1, 1)]
        else:
            ends = self.value - self.within, self.value + self.within
        return min(ends), max(ends)

    def text(self, number: float) -> str:
        """A number in `unit`, with the unit."""
        return plain(number) + f" {self.unit}" * (self.unit != "1")

    @property
    def paper(self) -> str:
        """What the paper says, in words; "" where it gives limits or nothing."""
        return "" if self.value is None else self.text(self.value)

    @property
    def tolerance(self) -> str:
        """How near a value must come, in words; "" where limits are the whole statement."""
        if self.within is None:
            return ""
        return self.within if isinstance(self.within, str) else f"±{self.text(self.within)}"

    @property
    def allowed(self) -> str:
        """The interval that meets, in words; "" where there is no limit."""
        low, high = self.bounds()
        if low is not None and high is not None:
            return f"{plain(low)} to {self.text(high)}"
        if low is not None:
            return f"at least {self.text(low)}"
        return "" if high is None else f"at most {self.text(high)}"


def plain(number: float) -> str:
    """A number to three digits, as people write it: 1.8e8."""
    return f"{number:.3g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


class Measured(NamedTuple):
    """A figure of a claim beside what was found [SI], None when there is no result."""

    figure: Figure
    found: float | None

    @property
    def status(self) -> str:
        """ "met", "missed", or "told" for a number without limits."""
        if not self.figure.allowed:
            return "told"
        return "met" if self.found is not None and self.figure.met(self.found) else "missed"

    @property
    def otjdd(self) -> str:
        """What was found, in words."""
        return "no result" if self.found is None else self.figure.text(self.figure.shown(self.found))

    def __str__(self) -> str:
        return f"{self.figure.label}: {self.otjdd}"


class Claim(Record):
    """A claim.toml: what the paper says and where, what it leaves open, what was chosen, what is measured.

    sweep : case name -> Sweep   draws : case name -> Draws   settings : of the metric
    quick : changes to every case for a quick look   reason : why the claim is missed, when it is
    """

    claim: str
    source: str
    metric: str
    doubtful: str = ""
    chosen: str = ""
    reason: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    sweep: dict[str, Sweep] = Field(default_factory=dict)
    draws: dict[str, Draws] = Field(default_factory=dict)
    quick: dict[str, Any] = Field(default_factory=dict)
    figure: Annotated[tuple[Figure, ...], Field(min_length=1)]


class Verdict(NamedTuple):
    """A claim, judged: what was found by name [SI], the figures that miss, and why there is no number at all."""

    id: str
    claim: Claim
    found: dict[str, float]
    missed: tuple[Figure, ...]
    failure: str = ""
    trials: tuple[Trial, ...] = ()

    @property
    def status(self) -> str:
        return "missed" if self.missed or self.failure else "met"

    @property
    def numbers(self) -> tuple[Measured, ...]:
        """All figures of the claim, and what was found."""
        return tuple(Measured(figure, self.found.get(figure.name)) for figure in self.claim.figure)

    @property
    def cause(self) -> str:
        """What is known of the cause of a miss; "" when the claim is met."""
        return "" if self.status == "met" else " ".join(filter(None, [self.failure, self.claim.reason]))

    @property
    def reason(self) -> str:
        """Why the claim is missed: which numbers, and the cause; "" when it is met."""
        misses = "; ".join(f"{n} ({n.figure.allowed})" for n in self.numbers if self.found and n.status == "missed")
        return " ".join(filter(None, [misses and f"{misses}.", self.cause]))

    def row(self) -> dict[str, str]:
        """The claim as the machine-readable report has it."""
        figures = self.claim.figure
        return {
            "id": self.id,
            "paper": "; ".join(f"{f.label}: {f.paper or f.allowed}" for f in figures if f.allowed),
            "otjdd": "; ".join(map(str, self.numbers)) if self.found else "no result",
            "tolerance": "; ".join(dict.fromkeys(filter(None, (f.tolerance for f in figures)))) or "as stated",
            "status": self.status,
            "reason": self.reason,
        }


def load(folder: Path) -> Claim:
    """The claim of a folder. Raises OSError, CaseError, also for a metric or a number of it that does not exist."""
    claim, document = read_record(Claim, folder / CLAIM)
    if wrong := list(strange_figures(claim, document)):
        raise CaseError(wrong)
    return claim


def strange_figures(claim: Claim, document: Document) -> Iterator[Problem]:
    """Problems of a claim with the table of metrics: names that it does not have, units of another quantity."""
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


def named(path: str) -> tuple[Claim, Figure]:
    """Claim and figure of "rv-hrs.pristine", say, of those that come with otjdd. Raises ValueError, OSError."""
    name, _, of = path.partition(".")
    if not (shipped_claims() / name / CLAIM).is_file():
        raise ValueError(f"there is no claim {name!r}")
    claim = load(shipped_claims() / name)
    figures = {figure.name: figure for figure in claim.figure}
    if of not in figures:
        raise ValueError(f"the claim {name!r} has no figure {of!r}; it has {', '.join(figures)}")
    return claim, figures[of]


def planned(folder: Path, claim: Claim, quick: bool = False) -> list[Trial]:
    """The runs that a claim needs, without their results. Raises CaseError, OSError, ValueError."""
    changes, found = dict(claim.quick) if quick else {}, []
    plans = claim.sweep | claim.draws
    for path in sorted(folder.glob("*.toml")):
        if path.name != CLAIM:
            found += plans.get(path.stem, Once()).trials(path, changes, quick)
    unknown = set(plans) - {trial.name for trial in found}
    if unknown or not found:
        raise ValueError(f"{folder}: no case {', '.join(sorted(unknown)) or 'at all'} to run")
    return found


def shipped_claims() -> Path:
    """Folder of the claims that come with otjdd, in an installed package or in a checkout."""
    here = Path(__file__).resolve().parents[1]
    return here / "validation" if (here / "validation").is_dir() else here.parent / "validation" / "paper"
