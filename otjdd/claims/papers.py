"""Papers on disk: a folder for each, with its claims, its cases and data, and the metrics and pictures that it needs.

    claims.toml   the claims, [claim.NAME] each, and the device and reports of the paper
    *.toml        the cases that the claims run
    *.py          METRICS of several runs, and DRAW, the picture of each metric; they serve this paper alone
    data/*.csv    measured numbers

Python files of a folder are loaded from their path, in a checkout and in an installed package. Figures of claims are also
targets of calibrations.
"""

from __future__ import annotations

import csv
import importlib.util
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Annotated, Any

import xarray as xr
from pydantic import Field, model_validator

from otjdd import units
from otjdd.analysis.metrics import METRICS, Metric
from otjdd.case.base import Record
from otjdd.case.case import Case, load_case
from otjdd.case.document import Document, parse_document, read_text
from otjdd.case.drive import Drive
from otjdd.case.drive_curves import Prepared
from otjdd.case.explain import read_record
from otjdd.case.keys import value_in_case
from otjdd.case.problem import Problem, Source, nearest
from otjdd.claims.claim import Claim, ClaimTrial, Figure, Trials
from otjdd.errors import CaseError
from otjdd.fitting.fit import case_differences
from otjdd.fitting.targets import files
from otjdd.fitting.targets.task import Calibration, Target, TargetedRun, TargetTask
from otjdd.studies.points import plan
from otjdd.system.files import shipped_folder
from otjdd.units import brief

CLAIMS = "claims.toml"
FIRST = "li-2019"  # folder of the device that otjdd was made for; its claims come first
OF_A_DEVICE = ("temperature", "device", "ions", "columns", "circuit")
AS_SHIPPED: Mapping[str, Any] = MappingProxyType({})  # no change of the device


class Paper(Record):
    """A claims.toml. device : of all claims that name no other   reports : (citation, DOI) of each report"""

    device: str = ""
    reports: tuple[tuple[str, str], ...] = ()
    claim: dict[str, Claim]


class MeasuredTable(Record):
    """A comma-separated table of measured numbers with a header; lines that begin with # are comments. In claims.toml:

    [claim.sweeps.settings]
    measured = { file = "data/sweeps.csv", columns = ["|I| (A)"], by = "contact (um)" }

    file : path relative to the folder of the paper   columns : names of the columns that are read
    by : name of a column; rows with the same entry in this column form one list, in the order of the first rows
    """

    file: str
    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    by: str = ""

    def read(self, folder: Path) -> list[list[float]]:
        """Lists of numbers, one for each row, or one for each value of `by`. Raises OSError, KeyError, ValueError."""
        with (folder / self.file).open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(line for line in text if not line.startswith("#")))
        lists: dict[str, list[float]] = {}
        for i, row in enumerate(rows):
            lists.setdefault(row[self.by] if self.by else str(i), []).extend(float(row[name]) for name in self.columns)
        return list(lists.values())


def shipped_claims() -> Path:
    """Folder of the papers that come with otjdd, in an installed package or in a checkout."""
    return shipped_folder("validation")


def claim_folders(root: Path) -> dict[str, Path]:
    """Name of each claim -> folder of its paper: the paper FIRST, then the others in alphabetical order. Raises OSError."""
    papers = [path for path in root.iterdir() if (path / CLAIMS).is_file()]
    papers.sort(key=lambda path: (path.name != FIRST, path))
    stated = {paper: tomllib.loads(read_text(paper / CLAIMS)).get("claim", ()) for paper in papers}
    return {name: paper for paper, names in stated.items() for name in sorted(names)}


def discover(root: Path | None = None, names: Sequence[str] = ()) -> dict[str, Path]:
    """Name -> folder of the claims in `names`, in their order; without names of all claims, paper by paper.

    names : of claims, or of papers for all their claims   root : folder of the papers, by default the shipped ones
    Raises ValueError for an unknown name, OSError when there is no such folder.
    """
    folders = claim_folders(root or shipped_claims())
    papers: dict[str, list[str]] = {}
    for name, folder in folders.items():
        papers.setdefault(folder.name, []).append(name)
    for name in names:
        if name not in folders and name not in papers:
            raise ValueError(f"there is no claim {name!r}; there are {', '.join(folders)}; papers: {', '.join(papers)}")
    chosen = [claim for name in names for claim in ([name] if name in folders else papers[name])]
    return {name: folders[name] for name in (dict.fromkeys(chosen) or folders)}


def load_paper(folder: Path) -> Paper:
    """Read the claims of a paper. Raises OSError, CaseError, also for an unknown metric or number of a metric."""
    paper, document = read_record(Paper, folder / CLAIMS)
    claims = paper.claim.items()
    if wrong := [problem for name, claim in claims for problem in strange_figures(name, claim, folder, document)]:
        raise CaseError(wrong)
    whole = {name: placed(claim, name, paper, folder, document) for name, claim in claims}
    return paper.model_copy(update={"claim": whole})


def strange_figures(name: str, claim: Claim, folder: Path, document: Document) -> Iterator[Problem]:
    """Problems of a claim: unknown metrics or numbers of a metric, units of another quantity."""
    metrics, place = all_metrics(folder), ("claim", name)
    if claim.metric not in metrics:
        hint = nearest(claim.metric, list(metrics)) or ", ".join(metrics)
        yield document.problem((*place, "metric"), "the name of a metric", units.brief(claim.metric), hint)
        return
    numbers = metrics[claim.metric].numbers
    for i, figure in enumerate(claim.figure):
        if figure.name not in numbers:
            expected = f"a number of the metric {claim.metric}: {', '.join(numbers)}"
            yield document.problem((*place, "figure", i, "name"), expected, units.brief(figure.name))
        elif not units.same_kind(figure.unit, unit := numbers[figure.name][0]):
            expected = f"a unit of the same quantity as {units.brief(unit)}"
            yield document.problem((*place, "figure", i, "unit"), expected, units.brief(figure.unit))


def placed(claim: Claim, name: str, paper: Paper, folder: Path, document: Document) -> Claim:
    """The claim with its folder and device, and the numbers of its measured tables. Raises CaseError."""
    settings = dict(claim.settings)
    for key, value in settings.items():
        if isinstance(value, dict) and "file" in value:
            try:
                settings[key] = MeasuredTable(**value).read(folder)
            except (OSError, KeyError, ValueError, TypeError) as error:
                got = units.brief(" ".join(str(error).split())[:100])
                expected = "file, columns and by of a table of numbers"
                raise CaseError([document.problem(("claim", name, "settings", key), expected, got)]) from error
    claim = claim.model_copy(update={"settings": settings, "device": claim.device or paper.device})
    claim._folder = folder
    return claim


def load_claim(name: str, folder: Path | None = None) -> Claim:
    """A claim of the paper in a folder; by default a shipped claim. Raises ValueError, OSError, CaseError."""
    return load_paper(folder or discover(names=[name])[name]).claim[name]


@cache
def claim_and_figure(path: str) -> tuple[Claim, Figure]:
    """A shipped claim and one of its figures. path : such as "rv-hrs.pristine". Raises ValueError, OSError, CaseError."""
    name, _, of = path.partition(".")
    claim = load_claim(name)
    figures = {figure.name: figure for figure in claim.figure}
    if of not in figures:
        raise ValueError(f"the claim {name!r} has no figure {of!r}; it has {', '.join(figures)}")
    return claim, figures[of]


@cache
def module(path: Path) -> ModuleType:
    """A Python file of a paper, loaded from its path."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    assert spec is not None  # a path that ends in .py has both
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def of_paper(folder: Path, table: str) -> dict[str, Any]:
    """Entries of the tables METRICS or DRAW in the Python files of a paper."""
    modules = [module(path) for path in sorted(folder.glob("*.py"))]
    return {name: entry for loaded in modules for name, entry in getattr(loaded, table, {}).items()}


def all_metrics(folder: Path) -> dict[str, Metric]:
    """Metrics that the claims of a paper can name: metrics of the Dataset of one run, and its own of several runs."""
    return METRICS | of_paper(folder, "METRICS")


def figure_numbers(claim: Claim, trials: Trials) -> dict[str, float]:
    """Name -> value of the numbers of a claim's metric; a metric of one run takes the first trial.

    Raises ValueError if the runs do not determine the numbers.
    """
    own = of_paper(claim.folder, "METRICS").get(claim.metric)
    if own:
        return own.of(trials, **claim.settings)
    return METRICS[claim.metric].of(trials[0].ds, **claim.settings)


def planned(claim: Claim, quick: bool = False, device: Mapping[str, Any] = AS_SHIPPED) -> list[ClaimTrial]:
    """The runs that a claim needs, without their results. Raises CaseError, OSError, ValueError.

    device : dotted keys and values of another set of parameters, see `another_set`
    """
    if unknown := set(claim.quick) - set(claim.cases):
        raise ValueError(f"{claim.folder}: quick names no case of this claim: {', '.join(sorted(unknown))}")
    changes = claim.quick if quick else {}
    all_trials = []
    for name, file in claim.cases.items():
        path = claim.folder / file if file.endswith(".toml") else file
        all_trials += trials(name, path, changes.get(name, {}), device)
    return all_trials


def trials(
    name: str, path: str | Path, changes: Mapping[str, Any], device: Mapping[str, Any] = AS_SHIPPED
) -> list[ClaimTrial]:
    """The runs of a case, once or once for each point of its [study], without results. Raises CaseError, OSError.

    changes : as for `load_case`   device : likewise, the changes of another set of parameters. Where a study varies a
        number that `device` changes, the values of the study change by the same factor
    """
    case = load_case(path, {**changes, **device})
    if case.study is None:
        return [ClaimTrial(name, math.nan, case, source=case.source)]
    study_plan, all_trials = plan(case, str(path)), []
    shipped, both = load_case(path), {key for axis in study_plan.axes for key in axis.keys} & set(device)
    ratios = {key: value_in_case(case, key)[0] / value_in_case(shipped, key)[0] for key in both}
    for number in range(len(study_plan.digests)):
        varied = {key: times_ratio(value, ratios.get(key, 1.0)) for key, value in study_plan.changes(number).items()}
        key = next(iter(varied)) if len(varied) == 1 else ""
        text = str(varied[key]) if key else f"draw {number + 1}"
        value = si(varied[key]) if key else float(number + 1)
        all_trials.append(ClaimTrial(name, value, study_plan.case.replace(**varied), None, text, key, case.source))
    return all_trials


def times_ratio(value: Any, ratio: float) -> Any:
    """A number, or a quantity as text, times a ratio; unchanged for a ratio of 1."""
    if ratio == 1.0:
        return value
    if not isinstance(value, str):
        return value * ratio
    number, dimension = units.quantity(value)
    return units.write(number * ratio, dimension)


def si(value: str | float) -> float:
    """A number, or a quantity as text, in SI. Raises ValueError for anything else."""
    return units.quantity(value)[0] if isinstance(value, str) else float(value)


def another_set(file: Path) -> dict[str, Any]:
    """Dotted key -> value of each number of the device in which a case differs from its base.

    file : a case with a shipped case as `base`, as `otjdd calibrate` writes it. Raises OSError, CaseError.
    """
    case, document = load_case(file), parse_document(Source(str(file), read_text(file)))
    if "base" not in document.data:
        raise CaseError([document.problem((), 'a case with a base, such as base = "li2019.toml"', "none")])
    below = load_case(document.data["base"])
    changes = dict(case_differences(below.plain(), case.plain()))
    return {key: value for key, value in changes.items() if key.partition(".")[0] in OF_A_DEVICE}


class ClaimTarget(Target):
    """A target that can be the figure of a claim.

    claim : a figure such as "rv-hrs.pristine", which supplies the limits that the target leaves out. Without `read` and
        `number` the target is the figure itself, measured from the one run of the target
    """

    claim: str = ""

    @model_validator(mode="before")
    @classmethod
    def ask_claim(cls, data: Any) -> Any:
        claim = data.get("claim") if isinstance(data, dict) else None
        return limits_of(claim_and_figure(claim)[1]) | data if isinstance(claim, str) else data

    @property
    def aim(self) -> str:
        """Name of the claim, "" without one."""
        return self.claim.partition(".")[0]

    @property
    def from_claim(self) -> bool:
        """True if the figure of the claim is measured, not a read or a number."""
        return self.read is None and not self.number

    def measured(self, case: Case, ds: xr.Dataset) -> float:
        """Number of a run as in `Target.measured`; without `read` and `number` the figure of the claim."""
        if not self.from_claim:
            return super().measured(case, ds)
        claim, figure = claim_and_figure(self.claim)
        return figure_numbers(claim, [ClaimTrial("", math.nan, case, ds)])[figure.name]

    def fault(self, drive: Drive) -> tuple[str, str, str] | None:
        """Fault as in `Target.fault`; also for a claim whose figure cannot be measured from one run with this drive."""
        if self.from_claim and not measures(self.claim, drive):
            expected = "a claim that is measured from one run with a drive like this one, or a read"
            return "claim", expected, brief(self.claim)
        return super().fault(drive)

    def distance(self, value: float) -> float:
        """Distance in tolerances of the claim, without a claim in tolerances of the target; met up to 1, nan for nan."""
        if not self.claim:
            return super().distance(value)
        return claim_and_figure(self.claim)[1].distance(value)


class ClaimRun(TargetedRun):
    target: Annotated[tuple[ClaimTarget, ...], Field(min_length=1)]


class ClaimCalibration(Calibration):
    run: tuple[ClaimRun, ...] = ()


def load_task(path: str | Path) -> TargetTask:
    """Read a calibration and its cases. Raises OSError, CaseError with all problems of one of the files."""
    return files.load_task(path, ClaimCalibration)


def limits_of(figure: Figure) -> dict[str, Any]:
    """Limits of the figure of a claim as fields of a target."""
    limits = {name: getattr(figure, name) for name in ("value", "at_least", "at_most")}
    fields = {name: figure.si(limit) for name, limit in limits.items() if limit is not None}
    if isinstance(figure.within, str):
        value, *ends = figure.published
        ratios = [bound / value for bound in ends]
        return fields | {"within": max(max(ratio, 1 / ratio) for ratio in ratios)}
    return fields if figure.within is None else fields | {"within": figure.si(figure.within), "linear": True}


def measures(path: str, drive: Drive) -> bool:
    """True if the figure of a claim, "claim.figure", can be measured from one run with this drive."""
    claim, _ = claim_and_figure(path)
    trials = planned(claim)
    if len(trials) > 1 or trials[0].case.drive.kind != drive.kind:
        return False
    return not isinstance(drive, Prepared) or claim.settings.get("state") in drive.states
