"""Judge claims: run their cases, measure the results, and compare them with the paper.

A case that several claims share is run once. A claim with a run that fails is missed, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from otjdd.case.case import Case
from otjdd.claims import folders as claims
from otjdd.claims import metrics, uncertainty
from otjdd.claims.claim import Claim, Verdict
from otjdd.claims.trial import ClaimTrial
from otjdd.claims.trials import AS_SHIPPED
from otjdd.errors import ResultError, SolverError
from otjdd.results import store
from otjdd.runs.run import simulate
from otjdd.system import sources
from otjdd.system.pool import team


def discover(folder: Path | None = None, names: Sequence[str] = ()) -> dict[str, Path]:
    """Name -> folder of the claims in `names`, in their order; without names of all claims, device by device.

    names : of claims, or of folders of devices for all claims in them   folder : of the claims, by default the shipped ones
    Raises ValueError for an unknown name, OSError when there is no such folder.
    """
    by_name = claims.folders(folder or claims.shipped_claims())
    devices: dict[str, list[str]] = {}
    for name, path in by_name.items():
        devices.setdefault(path.parent.name, []).append(name)
    for name in names:
        if name not in by_name and name not in devices:
            raise ValueError(
                f"there is no claim {name!r}; there are {', '.join(by_name)}; devices: {', '.join(devices)}"
            )
    chosen = [claim for name in names for claim in ([name] if name in by_name else devices[name])]
    return {name: by_name[name] for name in (dict.fromkeys(chosen) or by_name)}


def validate(
    names: Sequence[str] = (), *, folder: Path | None = None, quick: bool = False, workers: int = 1,
    progress: Callable[[float], None] | None = None, errors: bool = False, device: Mapping[str, Any] = AS_SHIPPED,
    runs: Path | None = None,
) -> list[Verdict]:  # fmt: skip
    """Verdicts on all claims, or on those in `names`.

    quick : fewer runs and shorter trains, by `Claim.quick`   workers : processes; their number changes no result
    progress : called with the fraction of runs done
    errors : also compute the numerical error of each number, from two further runs of each case
    device : dotted keys and values of another set of parameters, see `trials.another_set`
    runs : folder of results; a run with a result in it is not computed again, the result of any other is written to it
    Raises ValueError, OSError, CaseError for claims that cannot be read; KeyboardInterrupt, whose `partial` has the
    verdicts on claims with complete runs. A run that fails raises nothing; its claim is missed.
    """
    loaded = {name: (path, claims.load_claim(path)) for name, path in discover(folder, names).items()}
    planned = {name: claims.planned(path, claim, quick, device) for name, (path, claim) in loaded.items()}
    sets = [planned]
    if errors:
        for change in (uncertainty.coarse, uncertainty.strict):
            sets.append({name: uncertainty.varied(trials, change) for name, trials in planned.items()})
    everything = [trial.case for plan in sets for trials in plan.values() for trial in trials]
    try:
        results = run_all(everything, workers, progress, runs)
    except KeyboardInterrupt as error:
        done = getattr(error, "partial", {})
        whole = {name: plan for name, plan in planned.items() if all(trial.case.digest in done for trial in plan)}
        error.partial = [judge(name, loaded[name][1], plan, done) for name, plan in whole.items()]  # type: ignore[attr-defined]
        raise
    verdicts, *others = (
        [judge(name, loaded[name][1], trials, results) for name, trials in plan.items()] for plan in sets
    )
    if not errors:
        return verdicts
    return [
        verdict._replace(errors=errors_of(verdict, *more)) for verdict, *more in zip(verdicts, *others, strict=True)
    ]


def errors_of(verdict: Verdict, on_half: Verdict, in_small_steps: Verdict) -> dict[str, float]:
    """Name -> numerical error [SI] of each number of a claim.

    on_half, in_small_steps : verdicts of the runs of `uncertainty.coarse` and `uncertainty.strict`
    """
    luck = uncertainty.noise(verdict.claim, verdict.trials, verdict.values)
    return uncertainty.figure_errors(verdict.values, on_half.values, in_small_steps.values, luck)


def run_all(
    cases: Iterable[Case], workers: int = 1, progress: Callable[[float], None] | None = None, runs: Path | None = None
) -> dict[str, Any]:
    """Results of all different cases: digest -> Dataset, or the reason of a failure in words.

    runs : folder from which existing results are read, and to which new ones are written
    Raises KeyboardInterrupt, whose `partial` has the results so far.
    """
    different = {case.digest: case for case in cases}
    results: dict[str, Any] = {digest: ds for digest in different if (ds := stored_run(runs, digest)) is not None}
    missing = [digest for digest in different if digest not in results]
    try:
        with team(max(1, min(workers, len(missing)))) as spread:
            for number, result in spread(attempt, [(different[digest],) for digest in missing]):
                results[missing[number]] = result
                if runs and not isinstance(result, str):
                    store.write(result, runs / f"{missing[number]}.nc")
                if progress:
                    progress(len(results) / len(different))
    except KeyboardInterrupt as error:
        error.partial = results  # type: ignore[attr-defined]  # an exception takes any attribute
        raise
    return results


def stored_run(runs: Path | None, digest: str) -> xr.Dataset | None:
    """The run of a case in a folder of runs; None where it is missing, damaged, or of another version of otjdd."""
    if runs is None or not (path := runs / f"{digest}.nc").exists():
        return None
    try:
        ds = store.read(path)
    except ResultError:
        return None
    return ds if ds.attrs.get("source_sha256") == sources.digest() else None


def attempt(case: Case) -> xr.Dataset | str:
    """Dataset of a case, or the reason of its failure in words."""
    try:
        ds: xr.Dataset = simulate(case)
    except (SolverError, ValueError) as error:
        return str(error)
    return ds


def judge(name: str, claim: Claim, trials: Sequence[ClaimTrial], results: dict[str, Any]) -> Verdict:
    """Verdict on one claim. results : digest of a case -> Dataset, or the reason of its failure in words."""
    done = tuple(trial._replace(ds=results[trial.case.digest]) for trial in trials)
    for trial in done:
        if isinstance(trial.ds, str):
            return Verdict(name, claim, {}, (), f"{trial.case.title}: {trial.ds}.", done)
    try:
        values = metrics.measured(claim.metric, done, **claim.settings)
    except ValueError as error:  # a fit without points raises ValueError
        return Verdict(name, claim, {}, (), f"{error}.", done)
    missed = tuple(f for f in claim.figure if not f.met(values[f.name]))
    return Verdict(name, claim, values, missed, "", done)
