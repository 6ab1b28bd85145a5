"""Targets of a calibration that are figures of claims."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import xarray as xr
from pydantic import Field, model_validator

from otjdd.case.case import Case
from otjdd.case.drive import Drive
from otjdd.case.drive_curves import Prepared
from otjdd.claims import papers
from otjdd.claims.claim import ClaimTrial, Figure
from otjdd.fitting.targets import load
from otjdd.fitting.targets.records import Calibration, Target, TargetedRun
from otjdd.fitting.targets.search import TargetTask
from otjdd.units import brief


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
        return limits_of(papers.claim_and_figure(claim)[1]) | data if isinstance(claim, str) else data

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
        claim, figure = papers.claim_and_figure(self.claim)
        return papers.figure_numbers(claim, [ClaimTrial("", math.nan, case, ds)])[figure.name]

    def fault(self, drive: Drive) -> tuple[str, str, str] | None:
        """Fault as in `Target.fault`; also for a claim whose figure cannot be measured from one run with this drive."""
        if self.from_claim and not measures(self.claim, drive):
            return (
                "claim",
                "a claim that is measured from one run with a drive like this one, or a read",
                brief(self.claim),
            )
        return super().fault(drive)

    def distance(self, value: float) -> float:
        """Distance in tolerances of the claim, without a claim in those of the target; met up to 1, nan for nan."""
        if not self.claim:
            return super().distance(value)
        return papers.claim_and_figure(self.claim)[1].distance(value)


class ClaimRun(TargetedRun):
    target: Annotated[tuple[ClaimTarget, ...], Field(min_length=1)]


class ClaimCalibration(Calibration):
    run: tuple[ClaimRun, ...] = ()


def load_task(path: str | Path) -> TargetTask:
    """Read a calibration and its cases. Raises OSError, CaseError with all problems of one of the files."""
    return load.load_task(path, ClaimCalibration)


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
    claim, _ = papers.claim_and_figure(path)
    trials = papers.planned(claim)
    if len(trials) > 1 or trials[0].case.drive.kind != drive.kind:
        return False
    return not isinstance(drive, Prepared) or claim.settings.get("state") in drive.states
