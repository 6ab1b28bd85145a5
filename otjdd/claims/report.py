"""The report: verdicts as one self-contained HTML page, without network access or other files.

The page can be read without JavaScript, which only sorts and filters its table. Pictures are SVG inside the page. The
Content-Security-Policy of the page forbids the browser to load anything.
"""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from otjdd import plot
from otjdd.claims import papers, pictures
from otjdd.claims.claim import ClaimTrial, Verdict
from otjdd.claims.table import by_device, rms_distance
from otjdd.plot import style
from otjdd.results import provenance, summary
from otjdd.system.files import write_whole
from otjdd.units import duration

NAME = "index.html"
SCALE = 8.5  # rem for an inch of a picture
VERSIONS = ("otjdd", "python", "numpy", "numba", "scipy", "xarray")


def write_page(verdicts: Sequence[Verdict], folder: Path, quick: bool = False) -> Path:
    """Write the page into a folder, created if missing. Returns the path of the page. Raises ResultError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / NAME, page(verdicts, quick).encode())
    return folder / NAME


def page(verdicts: Sequence[Verdict], quick: bool = False) -> str:
    """The page as text. quick : the runs were those of --quick, which the page then states"""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = FileSystemLoader([Path(__file__).parent, Path(plot.__file__).parent])
    template = Environment(
        loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return template.get_template("report.html").render(
        claims=[entry(verdict) for verdict in verdicts],
        met=sum(verdict.status == "met" for verdict in verdicts),
        devices=[of_device(device, part) for device, part in by_device(verdicts).items()],
        seconds=duration(sum(seconds_of(trial) for trial in different(verdicts))),
        origin=origin(),
        quick=quick,
    )


def different(verdicts: Sequence[Verdict]) -> list[ClaimTrial]:
    """All runs, those that several claims share only once."""
    return list({trial.case.digest: trial for verdict in verdicts for trial in verdict.trials}.values())


def of_device(device: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Content of the page for all claims on a device."""
    folders = dict.fromkeys(verdict.claim.folder for verdict in verdicts)
    return {
        "name": device,
        "reports": [report for folder in folders for report in papers.load_paper(folder).reports],
        "claims": len(verdicts),
        "met": sum(verdict.status == "met" for verdict in verdicts),
        "spread": rms_distance(verdicts),
    }


def entry(verdict: Verdict) -> dict[str, Any]:
    """Content of the page for a claim."""
    seconds = sum(map(seconds_of, verdict.trials))
    return verdict.row() | {
        "claim": verdict.claim,
        "cause": verdict.cause,
        "numbers": verdict.numbers,
        "distance": verdict.distance,
        "picture": picture_url(verdict),
        "alternative": alternative(verdict),
        "protocol": protocol(verdict),
        "runs": [run_row(trial) for trial in verdict.trials],
        "seconds": seconds,
        "duration": duration(seconds),
    }


def picture_url(verdict: Verdict) -> dict[str, Any]:
    """Picture of a claim as a data URL, and its width [rem]; {} when there is none."""
    if not pictures.has_picture(verdict):
        return {}
    fig = pictures.picture(verdict)
    url = "data:image/svg+xml;base64," + b64encode(style.encoded(fig, "svg")).decode()
    return {"url": url, "width": round(SCALE * fig.get_size_inches()[0], 1)}


def alternative(verdict: Verdict) -> str:
    """The picture of a claim in words, for readers who cannot see it."""
    numbers = (f"{n}" + (f" (paper {n.figure.paper})" if n.figure.paper else "") for n in verdict.numbers)
    return f"Simulation of {verdict.id}, with the numbers of the paper drawn in: {'; '.join(numbers)}."


def protocol(verdict: Verdict) -> list[dict[str, Any]]:
    """The cases of a claim: file, title, drive, the key that is varied, the text of the file."""
    by_name: dict[str, list[ClaimTrial]] = {}
    for trial in verdict.trials:
        by_name.setdefault(trial.name, []).append(trial)
    return [
        {
            "file": f"{name}.toml",
            "title": trials[0].case.title,
            "drive": summary.of_drive(trials[0].case.drive),
            "sweep": varied_key(trials),
            "text": trials[0].source,
        }
        for name, trials in by_name.items()
    ]


def varied_key(trials: Sequence[ClaimTrial]) -> str:
    """Number of the runs of a case, the varied key and its range, as text; "" for one run."""
    if len(trials) == 1:
        return ""
    what = f"{trials[0].key} from " if trials[0].key else ""
    return f"{len(trials)} runs, {what}{trials[0].text} to {trials[-1].text}"


def run_row(trial: ClaimTrial) -> dict[str, Any]:
    """One run: its case, the varied value, the result, the time, and the sha256 of the resolved case."""
    done = not isinstance(trial.ds, str)
    return {
        "file": f"{trial.name}.toml",
        "value": trial.text,
        "result": summary.of_result(trial.ds) if done else trial.ds,
        "duration": duration(seconds_of(trial)),
        "sha256": trial.case.digest,
    }


def seconds_of(trial: ClaimTrial) -> float:
    """Time that a run took [s]; 0 when it failed."""
    return 0.0 if isinstance(trial.ds, str) else float(trial.ds.attrs.get("wall_time", 0.0))


def origin() -> list[tuple[str, str]]:
    """(name, text) of the date, the machine and the versions of packages with which this page is written."""
    attributes = provenance.provenance("", "")
    machine = [
        ("made", attributes["created"]),
        ("processor", attributes["processor"]),
        ("system", attributes["system"]),
    ]
    return machine + [(package, attributes[f"{package}_version"]) for package in VERSIONS]
