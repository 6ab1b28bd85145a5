"""Judge claims: run their cases, measure the results, and compare them with the paper.

A case that several claims share is run once. A claim with a run that fails is missed, with the reason.

Numerical errors of the numbers follow from two further runs on half the cells: with the same and with smaller time steps.
The scheme is of second order in the size of the cells: a third of the change between the full and half the number of cells
is the error of the grid (Richardson, see `runs.error_estimate`). The change on half the cells with a tenth of the
tolerances is the error in time. Two runs can agree by chance, as in the difference of two equal currents. So the error in
time is at least the change of the number when each current changes at random within its tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from otjdd.case.case import Case
from otjdd.claims import papers
from otjdd.claims.claim import Claim, ClaimTrial, Verdict
from otjdd.errors import ResultError, SolverError
from otjdd.results import store
from otjdd.runs.error_estimate import TIGHTER, tighter
from otjdd.runs.run import simulate
from otjdd.system import sources
from otjdd.system.pool import team

PARTS = 2  # divides the number of cells
DRAWS = 16  # random changes of the currents: enough for a root mean square within a fifth
SEED = 1
CURRENTS = ("current", "conduction_current", "read_current", "read_resistance", "bias_current")


def validate(
    names: Sequence[str] = (), *, folder: Path | None = None, quick: bool = False, workers: int = 1,
    progress: Callable[[float], None] | None = None, errors: bool = False, device: Mapping[str, Any] = papers.AS_SHIPPED,
    runs: Path | None = None,
) -> list[Verdict]:  # fmt: skip
    """Verdicts on all claims, or on those in `names`.

    quick : fewer runs and shorter trains, by `Claim.quick`   workers : processes; their number changes no result
    progress : called with the fraction of runs done
    errors : also compute the numerical error of each number, from two further runs of each case
    device : dotted keys and values of another set of parameters, see `papers.another_set`
    runs : folder of results; a run with a result in it is not computed again, the result of any other is written to it
    Raises ValueError, OSError, CaseError for claims that cannot be read; KeyboardInterrupt, whose `partial` has the
    verdicts on claims with complete runs. A run that fails raises nothing; its claim is missed.
    """
    chosen = papers.discover(folder, names)
    read = {path: papers.load_paper(path) for path in dict.fromkeys(chosen.values())}
    claims = {name: read[path].claim[name] for name, path in chosen.items()}
    planned = {name: papers.planned(claim, quick, device) for name, claim in claims.items()}
    sets = [planned]
    if errors:
        for change in (coarse, strict):
            sets.append({name: varied(trials, change) for name, trials in planned.items()})
    everything = [trial.case for plan in sets for trials in plan.values() for trial in trials]
    try:
        results = run_all(everything, workers, progress, runs)
    except KeyboardInterrupt as error:
        done = getattr(error, "partial", {})
        whole = {name: plan for name, plan in planned.items() if all(trial.case.digest in done for trial in plan)}
        error.partial = [judge(name, claims[name], plan, done) for name, plan in whole.items()]  # type: ignore[attr-defined]
        raise
    verdicts, *others = ([judge(name, claims[name], trials, results) for name, trials in plan.items()] for plan in sets)
    if not errors:
        return verdicts
    sets_of_runs = zip(verdicts, *others, strict=True)
    return [verdict._replace(errors=errors_of(verdict, *more)) for verdict, *more in sets_of_runs]


def errors_of(verdict: Verdict, on_half: Verdict, in_small_steps: Verdict) -> dict[str, float]:
    """Name -> numerical error [SI] of each number of a claim.

    on_half, in_small_steps : verdicts of the runs of `coarse` and `strict`
    """
    luck = tolerance_noise(verdict.claim, verdict.trials, verdict.values)
    return figure_errors(verdict.values, on_half.values, in_small_steps.values, luck)


def run_all(
    cases: Iterable[Case], workers: int, progress: Callable[[float], None] | None, runs: Path | None
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
            for number, result in spread(attempted_run, [(different[digest],) for digest in missing]):
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


def attempted_run(case: Case) -> xr.Dataset | str:
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
        values = papers.figure_numbers(claim, done)
    except ValueError as error:  # a fit without points raises ValueError
        return Verdict(name, claim, {}, (), f"{error}.", done)
    missed = tuple(f for f in claim.figure if not f.met(values[f.name]))
    return Verdict(name, claim, values, missed, "", done)


def coarse(case: Case) -> Case:
    """The case on half the cells."""
    film = case.device.film.with_cells(case.device.film.cells // PARTS)
    return case.replace({"device.film": film.model_dump(mode="json", exclude_none=True)})


def strict(case: Case) -> Case:
    """The case on half the cells, with a tenth of the tolerances."""
    return coarse(case).replace({f"numerics.{key}": value for key, value in tighter(case, TIGHTER).items()})


def varied(trials: Sequence[ClaimTrial], change: Callable[[Case], Case]) -> list[ClaimTrial]:
    """The trials with changed cases. change : `coarse` or `strict`"""
    return [trial._replace(case=change(trial.case)) for trial in trials]


def figure_errors(
    values: dict[str, float], on_half: dict[str, float], in_small_steps: dict[str, float], luck: dict[str, float]
) -> dict[str, float]:
    """Error [SI] of each number by name, from the numbers of the three sets of runs; nan where one is missing.

    luck : rms change [SI] of each number by the tolerances of the currents, from `tolerance_noise`
    """
    stated = {}
    for name, x in values.items():
        half = on_half.get(name, math.nan)
        grid, time = abs(x - half) / (PARTS**2 - 1), abs(half - in_small_steps.get(name, math.nan))
        stated[name] = float(grid + np.maximum(time, luck.get(name, 0.0)))
    return stated


def tolerance_noise(claim: Claim, trials: Sequence[ClaimTrial], values: dict[str, float]) -> dict[str, float]:
    """Root mean square change [SI] of each number when currents change at random within their tolerances.

    trials : with their Datasets   values : numbers of the metric from these trials
    nan for a number that cannot be measured with all changed currents.
    """
    random = np.random.default_rng(SEED)
    changes = []
    for _ in range(DRAWS if values else 0):
        try:
            moved = papers.figure_numbers(claim, [within_tolerance(t, random) for t in trials])
        except ValueError:  # a fit without points raises ValueError
            moved = {}
        changes.append([moved.get(name, math.nan) - x for name, x in values.items()])
    rms = np.sqrt(np.mean(np.square(changes), axis=0)) if changes else ()
    return dict(zip(values, map(float, rms), strict=True))


def within_tolerance(trial: ClaimTrial, random: np.random.Generator) -> ClaimTrial:
    """The trial with each of its CURRENTS changed by a random factor within `current_tolerance`."""
    tolerance = trial.case.numerics.current_tolerance
    moved = {
        name: trial.ds[name] * (1 + tolerance * random.uniform(-1, 1, trial.ds[name].shape))
        for name in CURRENTS if name in trial.ds
    }  # fmt: skip
    return trial._replace(ds=trial.ds.assign(moved))
