"""Calibration: parameters of a case within bounds, so that reads of several runs meet their targets.

The search is CMA-ES (Hansen, arXiv:1604.00772): it needs no derivatives, learns the correlations between parameters, and
found complete sets where differential evolution stalled; Levenberg-Marquardt steps end it. A residual of 1 is a target
just missed by what it allows.
"""

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from otjdd.case.case import Case, load_case
from otjdd.case.document import Document
from otjdd.case.explain import read_record
from otjdd.case.problem import Problem
from otjdd.case.record import Number, Record
from otjdd.claims import claim as claims
from otjdd.claims.metrics import METRICS
from otjdd.claims.trials import Trial
from otjdd.errors import CaseError, NotAsExpected, SolverError
from otjdd.system.pool import team
from otjdd.units import DIMENSIONS, brief, parse, write

FAILED = 30.0  # residual of every target of a run that cannot be computed
SAFE = 0.7  # residual up to which a target counts as met, and little
DAMPINGS = (0.1, 0.4, 1.6, 6.4, 25.0, 100.0)  # of a round, in units of the one that was best before
STEEP = 200.0  # pulls per range of a parameter, beyond which a slope is that of a failure
CAP = 4.0  # residuals beyond this count by their logarithm: one hopeless target must not hide the others


class Parameter(Record):
    """One parameter that may move: its dotted key, bounds as text, dimension ("" for plain numbers), scale."""

    key: str
    low: str | Number
    high: str | Number
    dimension: str = ""
    log: bool = False

    @model_validator(mode="after")
    def check_bounds(self):
        if self.dimension and self.dimension not in DIMENSIONS:
            raise NotAsExpected(f"a dimension, one of {', '.join(DIMENSIONS)}", brief(self.dimension))
        for value in (self.low, self.high):
            if isinstance(value, str) != bool(self.dimension):
                raise NotAsExpected("bounds as text with units beside a dimension, as numbers without", brief(value))
        low, high = (parse(v, self.dimension) if self.dimension else v for v in (self.low, self.high))
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

    def coordinate(self, value: float) -> float:
        """Search coordinate of a value [SI]."""
        low, high = self.bounds()
        return ((math.log(value) if self.log else value) - low) / (high - low)


class Target(Record):
    """What a run should show: one of its reads, or the figure of a claim, as the claim measures it.

    read : index of the read; over : index of a read to divide by   quantity : column of the reads
    value, at_least, at_most : of the quantity in SI   within : a factor, or a difference when linear
    claim : figure of a claim, "rv-hrs.pristine", that gives those of them that are not given here, and without a read is
        measured itself, from this run alone
    """

    name: str
    read: int | None = None
    over: int | None = None
    quantity: Literal["read_resistance", "read_conductance", "transport_energy", "tunnelling_share"] = "read_resistance"
    claim: str = ""
    value: Number | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    within: Annotated[Number, Field(gt=0)] = 2.0
    linear: bool = False

    @model_validator(mode="before")
    @classmethod
    def ask_claim(cls, data):
        claim = data.get("claim") if isinstance(data, dict) else None
        return goal(claims.named(claim)[1]) | data if isinstance(claim, str) else data

    @model_validator(mode="after")
    def check_one(self):
        if all(v is None for v in (self.value, self.at_least, self.at_most)):
            raise ValueError("a target needs value, at_least, at_most or a claim that gives them")
        if self.read is None and not self.claim:
            raise ValueError("a target needs the index of a read, or a claim that tells how to measure it")
        return self

    def found(self, case: Case, ds) -> float:
        """What a run, its case and Dataset, shows. Raises ValueError where it does not show it."""
        if self.read is None:
            claim, figure = claims.named(self.claim)
            return METRICS[claim.metric]([Trial("", math.nan, case, ds)], **claim.settings)[figure.name]
        reciprocal = self.quantity == "read_conductance"
        values = 1 / ds.read_resistance.values if reciprocal else ds[self.quantity].values
        return float(values[self.read] if self.over is None else values[self.read] / values[self.over])

    def residual(self, found: float) -> float:
        """Signed distance in units of what is allowed; 0 where a one-sided target is met."""
        if not (math.isfinite(found) and (self.linear or found * (self.value or 1.0) > 0)):
            return FAILED

        def distance(goal):
            return (found - goal) / self.within if self.linear else math.log(found / goal) / math.log(self.within)

        if self.value is not None:
            return distance(self.value)
        below = min(0.0, distance(self.at_least)) if self.at_least is not None else 0.0
        return below + (max(0.0, distance(self.at_most)) if self.at_most is not None else 0.0)


def goal(figure: claims.Figure) -> dict:
    """What a figure of a claim asks for, as a target has it."""
    limits = {name: getattr(figure, name) for name in ("value", "at_least", "at_most")}
    found = {name: figure.si(limit) for name, limit in limits.items() if limit is not None}
    if isinstance(figure.within, str):
        ratios = [bound / figure.value for bound in figure.bounds()]
        return found | {"within": max(max(ratio, 1 / ratio) for ratio in ratios)}
    return found if figure.within is None else found | {"within": figure.si(figure.within), "linear": True}


class Experiment(Record):
    """One run: changes to the case (a drive at least) and the targets that its reads should meet."""

    name: str
    set: dict[str, Any]
    target: Annotated[tuple[Target, ...], Field(min_length=1)]


class Calibration(Record):
    """A calibration file: the case, what may move, what should come out. `set` speeds the runs up (cells, rtol)."""

    case: str
    set: dict[str, Any] = Field(default_factory=dict)
    parameter: Annotated[tuple[Parameter, ...], Field(min_length=1)]
    run: Annotated[tuple[Experiment, ...], Field(min_length=1)]


class Outcome(NamedTuple):
    """One evaluation: what every target shows and its residual."""

    found: np.ndarray
    residuals: np.ndarray

    @property
    def pulls(self) -> np.ndarray:
        """Residuals as they count: the excess over SAFE, and a little of the rest; beyond CAP damped."""
        size = np.abs(self.residuals)
        size = np.where(size < CAP, size, CAP * (1 + np.log(np.maximum(size, CAP) / CAP)))
        return np.copysign(np.sqrt(np.maximum(0.0, size - SAFE) ** 2 + 0.05 * size**2), self.residuals)

    @property
    def score(self) -> float:
        """Sum of the squares of the pulls: what the search makes small."""
        return float(np.sum(self.pulls**2))


def load(path) -> tuple[Calibration, Case]:
    """Calibration and its case. Raises OSError, CaseError with all that is wrong with the one or the other."""
    calibration, document = read_record(Calibration, path)
    case = load_case(Path(path).parent / calibration.case, calibration.set)
    if wrong := [*strange_parameters(calibration, case, document), *strange_runs(calibration, case, document)]:
        raise CaseError(wrong)
    return calibration, case


def strange_parameters(calibration: Calibration, case: Case, document: Document) -> Iterator[Problem]:
    """Parameters that are no number of the case."""
    data = case.model_dump()
    for i, parameter in enumerate(calibration.parameter):
        try:
            dig(data, parameter.key)
        except (KeyError, TypeError, ValueError):
            yield document.problem(("parameter", i, "key"), "the key of a number of the case", brief(parameter.key))


def strange_runs(calibration: Calibration, case: Case, document: Document) -> Iterator[Problem]:
    """Changes that do not fit the case, and targets of reads that a run does not take."""
    for i, run in enumerate(calibration.run):
        try:
            drive = case.replace(**run.set).drive
            count = 0 if drive.kind == "iv" else drive.waveform().read_count
        except CaseError as error:
            for problem in error.problems:
                key = next((key for key in run.set if problem.key.startswith(key)), None)
                path = ("run", i, "set", key)[: 4 if key else 3]
                yield document.problem(path, problem.expected, problem.got, problem.hint)
            continue
        for j, target in enumerate(run.target):
            if target.read is None and not measures(target.claim, drive):
                expected = "a claim that is measured from one run with a drive like this one, or a read"
                yield document.problem(("run", i, "target", j, "claim"), expected, brief(target.claim))
            for name, read in (("read", target.read), ("over", target.over)):
                if read is not None and not -count <= read < count:
                    yield document.problem(("run", i, "target", j, name), f"one of {count} reads of the run", str(read))


def measures(path: str, drive) -> bool:
    """Whether the claim of a figure can be measured from one run with a drive."""
    claim, _ = claims.named(path)
    trials = claims.planned(claims.shipped_claims() / path.partition(".")[0], claim)
    if len(trials) > 1 or trials[0].case.drive.kind != drive.kind:
        return False
    return drive.kind != "iv" or claim.settings.get("state") in drive.states


def targets(calibration: Calibration) -> list[Target]:
    """All targets in order."""
    return [target for run in calibration.run for target in run.target]


def settings(calibration: Calibration, x) -> dict:
    """Dotted key -> value as text of a point x in the unit cube."""
    return {p.key: p.text(v) for p, v in zip(calibration.parameter, x, strict=True)}


def evaluate(calibration: Calibration, case: Case, x) -> Outcome:
    """All targets at a point of the unit cube; a run that fails gives FAILED for each of its targets."""
    from otjdd.solver.simulate import simulate

    found = []
    for run in calibration.run:
        try:
            ran = case.replace(**settings(calibration, x)).replace(**run.set)
            ds = simulate(ran)
            found += [target.found(ran, ds) for target in run.target]
        except (SolverError, ValueError):
            found += [math.nan] * len(run.target)
    residuals = [t.residual(f) for t, f in zip(targets(calibration), found, strict=True)]
    return Outcome(np.array(found), np.array(residuals))


def present(calibration: Calibration, case: Case) -> np.ndarray:
    """Where the case stands now, in the unit cube."""
    data = case.model_dump()
    return np.array([np.clip(p.coordinate(dig(data, p.key)), 0.0, 1.0) for p in calibration.parameter])


def dig(data, key: str) -> float:
    """Value at a dotted key; a part in double quotes may hold dots itself."""
    for quoted, plain in re.findall(r'"([^"]+)"|([^."]+)', key):
        data = data[quoted or plain]
    return float(data)


class Search(NamedTuple):
    """Result of a calibration: the best point, its outcome, and the sensitivities there."""

    x: np.ndarray
    outcome: Outcome
    evaluations: int


def search(
    calibration: Calibration, case: Case, *, evaluations: int = 1000, spread: float = 0.1, seed: int = 1,
    workers: int = 1, progress: Callable[[int, float, dict], None] | None = None,
) -> Search:  # fmt: skip
    """CMA-ES from where the case stands. progress(evaluations done, best score, best settings) after each generation."""
    import cma

    start = present(calibration, case)
    best, done = (start, evaluate(calibration, case, start)), 0
    options = {
        "bounds": [0.0, 1.0], "maxfevals": evaluations, "seed": seed, "verbose": -9, "tolfun": 1e-3,
        "popsize": 16,
    }  # fmt: skip
    strategy = cma.CMAEvolutionStrategy(start, spread, options)
    with team(workers) as spread:
        while done < evaluations and not strategy.stop():
            points = strategy.ask()
            outcomes = every(spread, calibration, case, points)
            strategy.tell(points, [o.score for o in outcomes])
            done += len(points)
            for x, outcome in zip(points, outcomes, strict=True):
                if outcome.score < best[1].score:
                    best = np.array(x), outcome
            if progress:
                progress(done, best[1].score, settings(calibration, best[0]))
    return Search(*best, done)


def neighbours(x, step: float = 0.012) -> tuple[list[np.ndarray], np.ndarray]:
    """Points of the cube one step from x, along each axis into the cube, and the steps with their signs."""
    steps = np.where(np.asarray(x) + step <= 1.0, step, -step)
    return [np.array(x) + move for move in np.diag(steps)], steps


def sensitivities(calibration: Calibration, case: Case, found: Search, workers: int = 1) -> np.ndarray:
    """d residual/d parameter (targets, parameters), per range of the bounds, by one-sided differences."""
    points, steps = neighbours(found.x)
    with team(workers) as spread:
        outcomes = every(spread, calibration, case, points)
    return np.column_stack([(o.residuals - found.outcome.residuals) / h for o, h in zip(outcomes, steps, strict=True)])


def every(spread, calibration: Calibration, case: Case, points) -> list[Outcome]:
    """Outcomes at points of the unit cube, by a team of processes."""
    return [outcome for _, outcome in sorted(spread(evaluate, [(calibration, case, x) for x in points]))]


def polish(
    calibration: Calibration, case: Case, found: Search, *, rounds: int = 20, workers: int = 1,
    progress: Callable[[float], None] | None = None,
) -> Search:  # fmt: skip
    """Levenberg-Marquardt steps on the pulls from what the search has found, as long as the score falls.

    From a point with half of the targets met six rounds took the score of cases/calibration/li2019.toml from 79 to 1.05,
    where CMA-ES stood still: near a solution residuals are smooth, and each hangs on a few parameters. Several dampings
    are tried at once, about the one that was best before.
    """
    x, outcome, evaluations = found
    damping = 1.0
    with team(workers) as spread:
        for number in range(rounds):
            points, steps = neighbours(x)
            around = every(spread, calibration, case, points)
            slopes = np.column_stack([(o.pulls - outcome.pulls) / h for o, h in zip(around, steps, strict=True)])
            tried = [damping * factor for factor in DAMPINGS]
            ahead = [np.clip(x + newton_move(slopes, outcome.pulls, value), 0.0, 1.0) for value in tried]
            results = list(zip(points + ahead, around + every(spread, calibration, case, ahead), strict=True))
            evaluations += len(results)
            best = min(range(len(results)), key=lambda i: results[i][1].score)
            if progress:
                progress((number + 1) / rounds)
            if results[best][1].score > outcome.score - 1e-3:
                break
            x, outcome = results[best]
            damping = tried[best - len(points)] if best >= len(points) else 4.0 * damping
    return Search(x, outcome, evaluations)


def newton_move(slopes: np.ndarray, pulls: np.ndarray, damping: float) -> np.ndarray:
    """Damped Gauss-Newton move in the unit cube; steep slopes, those of targets that fail, are cut."""
    A = np.clip(np.nan_to_num(slopes), -STEEP, STEEP)
    normal = A.T @ A
    return -np.linalg.solve(
        normal + damping * (3.0 * np.eye(len(normal)) + 0.3 * np.diag(np.diag(normal))), A.T @ pulls
    )


def as_case(calibration: Calibration, x) -> str:
    """Case file that puts the found values on the calibrated case."""
    from otjdd.case import toml_text

    lines = [f"base = {toml_text.write({'x': Path(calibration.case).name}).partition('=')[2].strip()}"]
    lines += [f"{key} = {value!r}" if isinstance(value, float) else f'{key} = "{value}"' for key, value in
              settings(calibration, x).items()]  # fmt: skip
    return "\n".join(lines) + "\n"


def report(calibration: Calibration, found: Search, slopes: np.ndarray | None) -> str:
    """What every target shows, what every parameter became, and which target hangs on it most."""
    goals = targets(calibration)
    lines = [f"score {found.outcome.score:.3g} after {found.evaluations} evaluations", ""]
    for target, value, residual in zip(goals, *found.outcome, strict=True):
        lines.append(
            f"{target.name:44s} {value:12.4g}  residual {residual:+.2f}{'' if abs(residual) <= 1 else '  missed'}"
        )
    lines.append("")
    for i, (key, value) in enumerate(settings(calibration, found.x).items()):
        strongest = ""
        if slopes is not None:
            column = np.nan_to_num(slopes[:, i])
            t = int(np.argmax(np.abs(column)))
            strongest = f"  most felt by: {goals[t].name} ({column[t]:+.3g} residuals per range)"
        lines.append(f"{key:44s} {value!s:>14}{strongest}")
    return "\n".join(lines)
