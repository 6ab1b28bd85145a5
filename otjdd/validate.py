"""Paper against otjdd: run the cases of the claims, measure, judge, and tell it as a table, JSON or Markdown.

Cases that several claims share are run once. A run that fails makes its claims missed, with the reason.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from otjdd import claims, synapse
from otjdd.claims import Claim, Trial, Verdict

BEGIN, END = "<!-- validation:begin -->", "<!-- validation:end -->"
TO_SWITCH = "set"  # case of a sweep from the high state, and
TO_RESET = "reset"  # from the low one


def discover(folder: Path | None = None, names: Sequence[str] = ()) -> dict[str, Path]:
    """Claims by name, in the order of the names given, else of the alphabet.

    Raises ValueError for a name that is none of them, OSError when there is no such folder.
    """
    folder = folder or claims.shipped_claims()
    found = {path.name: path for path in sorted(folder.iterdir()) if (path / claims.CLAIM).is_file()}
    for name in names:
        if name not in found:
            raise ValueError(f"there is no claim {name!r}; there are {', '.join(found)}")
    return {name: found[name] for name in (dict.fromkeys(names) or found)}


def validate(
    names: Sequence[str] = (), *, folder: Path | None = None, quick: bool = False,
    progress: Callable[[float], None] | None = None,
) -> list[Verdict]:  # fmt: skip
    """Judge claims, all or the named ones.

    quick : fewer runs and shorter trains where a claim says so   progress : called with the fraction of runs done
    Raises ValueError, OSError, CaseError for claims that cannot be read; runs that fail are verdicts, not exceptions.
    """
    loaded = {name: (path, load(path)) for name, path in discover(folder, names).items()}
    planned = {name: claims.trials(path, claim, quick) for name, (path, claim) in loaded.items()}
    results = run_all([trial.case for trials in planned.values() for trial in trials], progress)
    return [judge(name, loaded[name][1], trials, results) for name, trials in planned.items()]


def load(folder: Path) -> Claim:
    """The claim of a folder. Raises OSError, ValueError, also for a metric that is not there."""
    claim = claims.load(folder)
    if claim.metric not in METRICS:
        raise ValueError(f"{folder}: there is no metric {claim.metric!r}; there are {', '.join(METRICS)}")
    return claim


def run_all(cases, progress=None) -> dict:
    """digest -> Dataset, or the exception, of all different cases."""
    from otjdd.simulate import SolverError, simulate

    different = {case.digest: case for case in cases}
    results = {}
    for i, (digest, case) in enumerate(different.items()):
        try:
            results[digest] = simulate(case)
        except (SolverError, ValueError) as error:
            results[digest] = error
        if progress:
            progress((i + 1) / len(different))
    return results


def judge(name: str, claim: Claim, trials: Sequence[Trial], results: dict) -> Verdict:
    """Verdict on one claim. results : digest of a case -> Dataset or exception.

    Raises ValueError for a figure that the metric does not give.
    """
    done = tuple(trial._replace(ds=results[trial.case.digest]) for trial in trials)
    for trial in done:
        if isinstance(trial.ds, Exception):
            return Verdict(name, claim, {}, (), f"{trial.case.title}: {trial.ds}.")
    try:
        found = METRICS[claim.metric](done, **claim.settings)
    except ValueError as error:  # fits that have nothing to fit say so
        return Verdict(name, claim, {}, (), f"{error}.", done)
    absent = [f.name for f in claim.figure if f.name not in found]
    if absent:
        raise ValueError(f"{name}: the metric {claim.metric!r} gives {', '.join(found)}, not {', '.join(absent)}")
    missed = tuple(f for f in claim.figure if not f.met(found[f.name]))
    return Verdict(name, claim, found, missed, "", done)


# --- metrics: trials -> name -> number [SI]


def of_one(measure: Callable) -> Callable:
    """Metric of a single Dataset."""
    return lambda trials, **settings: measure(trials[0].ds, **settings)


def thermal(trials, **settings):
    device = trials[0].case.device
    return synapse.thermal(trials[0].ds, area=device.area, richardson=device.richardson, **settings)


def trapezoid(trials, **settings):
    device = trials[0].case.device
    return synapse.trapezoid(trials[0].ds, thickness=device.film.thickness, area=device.area, **settings)


def fowler_nordheim(trials, **settings):
    return synapse.fowler_nordheim(trials[0].ds, thickness=trials[0].case.device.film.thickness, **settings)


def threshold(trials) -> dict[str, float]:
    """Least amplitude that leaves a lasting change, of a sweep over amplitudes."""
    return {"threshold": synapse.threshold(*changes(trials))}


def changes(trials) -> tuple[list[float], list[float]]:
    """Amplitudes [V] and the lasting changes that they leave."""
    return [t.value for t in trials], [synapse.lasting_change(t.ds) for t in trials]


def thickness(trials) -> dict[str, float]:
    """How a film's thickness [m] acts: on its loop, and on one switch at a fixed voltage (cases `loop` and `set`)."""
    loops = {t.value: synapse.loop(t.ds) for t in trials if t.name == "loop"}
    d, found = np.array(list(loops)), {key: np.array([loop[key] for loop in loops.values()]) for key in ROWS}
    times, energies = [], []
    for trial, loop in zip((t for t in trials if t.name == TO_SWITCH), loops.values(), strict=True):
        times.append(synapse.switching_time(trial.ds, math.sqrt(loop["pristine"] * loop["low"])))
        energies.append(synapse.switching_energy(trial.ds, times[-1]))
    return {
        "set_voltage_rises": synapse.rises(found["set_voltage"]),
        "reset_voltage_rises": synapse.rises(-found["reset_voltage"]),
        "time_rises": synapse.rises(times),
        "energy_rises": synapse.rises(energies),
        "log_low_correlation": synapse.correlation(d, np.log(found["low"])),
        "log_low_slope": synapse.slope(d, np.log(found["low"])),
    }


ROWS = ("low", "set_voltage", "reset_voltage")


def switching(trials) -> dict[str, float]:
    """Time to switch against |V| [V]: sweeps `set` from the high state, `reset` from the low one, and thresholds.

    `short` and `long` are sweeps of single pulses of 20 ns and 1 us over the amplitude.
    """
    named = {name: [t for t in trials if t.name == name] for name in (TO_SWITCH, TO_RESET, "short", "long")}
    target = middle(trials)
    found = {}
    for name in (TO_SWITCH, TO_RESET):
        V, t = times_to(named[name], target)
        found[f"{name}_correlation"] = synapse.correlation(V, np.log(t))
        found[f"{name}_slope"] = -1 / synapse.slope(V, np.log(t))
        found[f"{name}_points"] = int(np.isfinite(t).sum())
    short, long = (synapse.threshold(*changes(named[name])) for name in ("short", "long"))
    return found | {"short_threshold": short, "long_threshold": long, "fold": (short - long) / math.log(50)}


def middle(trials) -> float:
    """Geometric mean [ohm] of the states that `set` and `reset` start from."""
    first = {t.name: float(t.ds.read_resistance[0]) for t in trials if t.name in (TO_SWITCH, TO_RESET)}
    return math.sqrt(math.prod(first.values()))


def times_to(trials, target: float) -> tuple[np.ndarray, np.ndarray]:
    """|V| [V] and switching times [s] of a sweep, nan where it does not switch."""
    return np.abs([t.value for t in trials]), np.array([synapse.switching_time(t.ds, target) for t in trials])


METRICS = {
    "loop": of_one(synapse.loop),
    "thermal": thermal,
    "trapezoid": trapezoid,
    "fowler-nordheim": fowler_nordheim,
    "retention": of_one(synapse.retention),
    "potentiation": of_one(synapse.potentiation),
    "threshold": threshold,
    "thickness": thickness,
    "switching": switching,
}


# --- reports


def to_json(verdicts: Sequence[Verdict]) -> str:
    """The verdicts for programs: {"claims": [{"id", "paper", "otjdd", "tolerance", "status", "reason"}]}."""
    return json.dumps({"claims": [verdict.row() for verdict in verdicts]}, indent=2, ensure_ascii=False)


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as a Markdown table, and the reasons of the misses below it."""
    rows = [verdict.row() for verdict in verdicts]
    head = ["| claim | paper | otjdd | tolerance | |", "|---|---|---|---|---|"]
    cells = [[str(r[key]).replace("|", r"\|") for key in ("id", "paper", "otjdd", "tolerance", "status")] for r in rows]
    table = [f"| {' | '.join(row)} |" for row in cells]  # |V| would end a cell
    reasons = [f"- {r['id']}: {r['reason']}" for r in rows if r["reason"]]
    return "\n".join(head + table + [""] * bool(reasons) + reasons)


def to_table(verdicts: Sequence[Verdict]):
    """The verdicts as a rich table."""
    from rich import box
    from rich.table import Column, Table

    table = Table(Column("claim", no_wrap=True), "paper", "otjdd", "tolerance", "", box=box.SIMPLE_HEAD)
    for verdict in verdicts:
        row = verdict.row()
        status = f"[{'green' if verdict.status == 'met' else 'red'}]{verdict.status}[/]"
        table.add_row(*(row[key].replace("; ", "\n") for key in ("id", "paper", "otjdd", "tolerance")), status)
    return table


def report(verdicts: Sequence[Verdict], form: str = "table") -> None:
    """Print the verdicts as a "table", as "markdown" or as "json"."""
    if form != "table":
        print(to_json(verdicts) if form == "json" else to_markdown(verdicts))
        return
    from rich.console import Console

    console = Console(highlight=False)
    console.print(to_table(verdicts))
    for verdict in verdicts:
        if verdict.reason:
            console.print(f"{verdict.id}: {verdict.reason}", markup=False)
    met = sum(verdict.status == "met" for verdict in verdicts)
    console.print(f"{met} of {len(verdicts)} met")


def draw(verdicts: Sequence[Verdict], folder: Path) -> None:
    """Draw each claim that has results into folder/<id>.png, the paper's numbers beside what came out.

    Raises ResultError, OSError when the folder or a file cannot be written.
    """
    from otjdd import pictures, plot

    folder.mkdir(parents=True, exist_ok=True)
    for verdict in verdicts:
        if verdict.found:
            plot.save(pictures.picture(verdict), folder / f"{verdict.id}.png")


def updated(text: str, table: str) -> str:
    """A text with what stands between the markers replaced. Raises ValueError when they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected the markers {BEGIN} and {END}")
    return f"{before}{begin}\n{table}\n{end}{after}"
