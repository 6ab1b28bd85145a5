"""A run of a claim with its case and its result, as metrics take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class ClaimTrial(NamedTuple):
    """One run of a claim.

    name : stem of the case file   value : of the varied key [SI], nan without a study; for several keys the number of the
        point, from 1
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
