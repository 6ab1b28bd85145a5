"""Verdicts in words, tables and pictures: for the terminal, as Markdown and JSON, and as one self-contained HTML page.

The page needs no network and no other files, and can be read without JavaScript, which only sorts and filters its table.
Pictures are SVG inside the page. The Content-Security-Policy of the page forbids the browser to load anything. What is
drawn for a metric is in the folder of its paper, in the table DRAW: metric -> number of panels, and the function that fills
them.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otjdd import plot
from otjdd.claims import papers
from otjdd.claims.claim import ClaimTrial, Figure, Verdict, root_mean_square
from otjdd.claims.papers import of_paper
from otjdd.plot import style
from otjdd.plot.style import Axes
from otjdd.plot.style import Figure as Drawing
from otjdd.results import store, summary
from otjdd.system.files import write_whole
from otjdd.system.late import jinja2, rich
from otjdd.system.terminal import plain
from otjdd.units import duration

NAME = "index.html"
SCALE = 8.5  # rem for an inch of a picture
VERSIONS = ("otjdd", "python", "numpy", "numba", "scipy", "xarray")


def write_page(verdicts: Sequence[Verdict], folder: Path, quick: bool = False) -> Path:
    """Write the page into a folder, created if missing. Returns the path of the page. Raises ResultError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / NAME, html_page(verdicts, quick).encode())
    return folder / NAME


def html_page(verdicts: Sequence[Verdict], quick: bool = False) -> str:
    """The page as text. quick : the runs were made with --quick, which the page then states"""
    templates = jinja2.FileSystemLoader([Path(__file__).parent, Path(plot.__file__).parent])
    devices = []
    for device, own in by_device(verdicts).items():
        folders = dict.fromkeys(verdict.claim.folder for verdict in own)
        devices.append({
            "name": device,
            "reports": [report for folder in folders for report in papers.load_paper(folder).reports],
            "claims": len(own),
            "met": sum(verdict.status == "met" for verdict in own),
            "spread": rms_distance(own),
        })  # fmt: skip
    different = {trial.case.digest: trial for verdict in verdicts for trial in verdict.trials}  # claims share runs
    template = jinja2.Environment(
        loader=templates, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return template.get_template("report.html").render(
        claims=[content_of_claim(verdict) for verdict in verdicts],
        met=sum(verdict.status == "met" for verdict in verdicts),
        devices=devices,
        seconds=duration(sum(map(seconds_of, different.values()))),
        origin=versions_and_machine(),
        quick=quick,
    )


def content_of_claim(verdict: Verdict) -> dict[str, Any]:
    """Content of the page for a claim."""
    seconds = sum(map(seconds_of, verdict.trials))
    image: dict[str, Any] = {}
    if has_picture(verdict):
        fig = picture(verdict)
        url = "data:image/svg+xml;base64," + b64encode(style.encoded_picture(fig, "svg")).decode()
        image = {"url": url, "width": round(SCALE * fig.get_size_inches()[0], 1)}  # rem
    return verdict.row() | {
        "claim": verdict.claim,
        "cause": verdict.cause,
        "numbers": verdict.measured,
        "distance": verdict.distance,
        "picture": image,
        "alternative": alternative_text(verdict),
        "protocol": protocol(verdict),
        "runs": [
            {
                "file": f"{trial.name}.toml",
                "value": trial.text,
                "result": trial.ds if isinstance(trial.ds, str) else summary.of_result(trial.ds),
                "duration": duration(seconds_of(trial)),
                "sha256": trial.case.digest,
            }
            for trial in verdict.trials
        ],
        "seconds": seconds,
        "duration": duration(seconds),
    }


def alternative_text(verdict: Verdict) -> str:
    """The picture of a claim in words, for readers who cannot see it."""
    numbers = (f"{n}" + (f" (paper {n.figure.paper})" if n.figure.paper else "") for n in verdict.measured)
    return f"Simulation of {verdict.id}, with the numbers of the paper drawn in: {'; '.join(numbers)}."


def protocol(verdict: Verdict) -> list[dict[str, Any]]:
    """The cases of a claim: file, title, drive, the key that is varied, the text of the file."""
    by_name: dict[str, list[ClaimTrial]] = {}
    for trial in verdict.trials:
        by_name.setdefault(trial.name, []).append(trial)
    cases = []
    for name, trials in by_name.items():
        first, what = trials[0], f"{trials[0].key} from " if trials[0].key else ""
        cases.append({
            "file": f"{name}.toml",
            "title": first.case.title,
            "drive": summary.of_drive(first.case.drive),
            "sweep": f"{len(trials)} runs, {what}{first.text} to {trials[-1].text}" if len(trials) > 1 else "",
            "text": first.source,
        })  # fmt: skip
    return cases


def seconds_of(trial: ClaimTrial) -> float:
    """Time that a run took [s]; 0 when it failed."""
    return 0.0 if isinstance(trial.ds, str) else float(trial.ds.attrs.get("wall_time", 0.0))


def versions_and_machine() -> list[tuple[str, str]]:
    """(name, text) of the date, the machine and the versions of packages with which this page is written."""
    attributes = store.provenance("", "")
    keys = {"made": "created", "processor": "processor", "system": "system"}
    keys |= {package: f"{package}_version" for package in VERSIONS}
    return [(name, attributes[key]) for name, key in keys.items()]


PAPER = style.GREEN  # blue and orange are the simulation
COLOURS = (style.BLUE, style.ORANGE, style.PURPLE, style.SKY, style.YELLOW)  # green is the paper
POINTS: dict[str, Any] = {"color": PAPER, "linestyle": "none", "capsize": 2, "markersize": 4}


def has_picture(verdict: Verdict) -> bool:
    """True for a claim with results whose paper draws its metric."""
    return bool(verdict.values) and verdict.claim.metric in of_paper(verdict.claim.folder, "DRAW")


def picture(verdict: Verdict) -> Drawing:
    """Figure of a judged claim that has a picture."""
    count, fill = of_paper(verdict.claim.folder, "DRAW")[verdict.claim.metric]
    with style.style():
        fig, axes = style.panels(count)
        fill(verdict, axes)
    return fig


def save_pictures(verdicts: Sequence[Verdict], folder: Path) -> None:
    """Draw each claim that has a picture into folder/<id>.png. Raises ResultError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for verdict in filter(has_picture, verdicts):
        fig = picture(verdict)
        fig.suptitle(f"{verdict.id}: {verdict.status}", fontsize=8)
        style.save(fig, folder / f"{verdict.id}.png")


def published_line(
    axes: Axes,
    value: float,
    low: float | None = None,
    high: float | None = None,
    label: str | None = "paper",
    across: bool = False,
) -> None:
    """Draw a number of the paper as a dashed line, with its tolerance as a band. across : the number is on the x axis"""
    line, span = (axes.axvline, axes.axvspan) if across else (axes.axhline, axes.axhspan)
    line(value, color=PAPER, linewidth=0.8, linestyle="--", label=label)
    if low is not None and high is not None:
        span(low, high, color=PAPER, alpha=0.12, linewidth=0)


def published_lines(verdict: Verdict, axes: Axes, scale: float = 1.0, **options: Any) -> None:
    """Draw the published values of all figures of a claim as lines, with their tolerances as bands.

    scale : factor on numbers in the units of the figures that gives numbers of the axes
    """
    for i, figure in enumerate(f for f in verdict.claim.figure if f.value is not None):
        value, low, high = (scale * number for number in figure.published)
        published_line(axes, value, low, high, label="paper" if i == 0 else None, **options)


def published_points(
    axes: Axes, x: Sequence[float] | np.ndarray, figures: Sequence[Figure | None], **options: Any
) -> None:
    """Draw numbers of the paper as points, with the allowed interval as bar. x : abscissa of each figure"""
    stated = [(at, figure) for at, figure in zip(x, figures, strict=True) if figure is not None]
    if stated:
        value, *ends = np.array([[figure.si(number) for number in figure.published] for _, figure in stated]).T
        axes.errorbar([at for at, _ in stated], value, np.abs(np.array(ends) - value), fmt="s", **POINTS | options)


def figures_of(verdict: Verdict, *names: str) -> list[Figure | None]:
    """Figures of a claim by name; None for a name without a figure that has a value."""
    by_name = {figure.name: figure for figure in verdict.claim.figure if figure.value is not None}
    return [by_name.get(name) for name in names]


def diameter(trial: ClaimTrial) -> str:
    """Diameter of the junction of a run [µm] as text."""
    return f"{2e6 * trial.case.device.disc_radius:.3g} µm"


BAR = r"\|"  # escaped, since a bar ends a cell
PART = "validation"  # name of the generated part that holds the table


def to_json(verdicts: Sequence[Verdict]) -> str:
    """The verdicts for programs: {"claims": [`Verdict.row`, ...]}."""
    return json.dumps({"claims": [verdict.row() for verdict in verdicts]}, indent=2, ensure_ascii=False)


def by_device(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    """Device -> verdicts of the claims on it, in their order."""
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.claim.device, []).append(verdict)
    return groups


def in_total(verdicts: Sequence[Verdict]) -> str:
    """Number of claims that are met, and the root mean square of their distances, in words."""
    met = sum(verdict.status == "met" for verdict in verdicts)
    return f"{met} of {len(verdicts)} claims are met; {rms_distance(verdicts)}"


def rms_distance(verdicts: Sequence[Verdict]) -> str:
    """Root mean square of the distances of claims, in words."""
    return f"root mean square distance {root_mean_square(verdicts):.2g} tolerances"


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as Markdown: a table for each device, under its name if there are several."""
    devices = by_device(verdicts)
    if len(devices) < 2:
        return device_markdown(verdicts)
    return "\n\n".join(f"**{device}**: {device_markdown(part)}" for device, part in devices.items())


def device_markdown(verdicts: Sequence[Verdict]) -> str:
    """Verdicts on one device as Markdown: number of claims met, a table with the misses in bold, and their reasons."""
    lines = [
        f"{in_total(verdicts)}.",
        "",
        "| claim | paper | otjdd (distance) | tolerance | |",
        "|---|---|---|---|---|",
    ]
    for verdict in verdicts:
        row = verdict.row()
        texts = []
        for n in verdict.measured:
            text = f"{n} ({n.distance_text})" if n.distance_text else str(n)
            texts.append(f"**{text}**" if n.status == "missed" else text)
        numbers = "; ".join(texts) if verdict.values else row["otjdd"]
        cells = [verdict.id, row["paper"], numbers, row["tolerance"], verdict.status]
        lines.append(f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |")
    why = [f"- {verdict.id}: {verdict.cause}" for verdict in verdicts if verdict.cause]
    limits = beyond_limits(verdicts)
    return "\n".join(lines + ([""] if why else []) + why + (["", limits] if limits else []))


def beyond_limits(verdicts: Sequence[Verdict]) -> str:
    """A line on the claims whose runs exceed limits of the model; "" if there are none."""
    texts = [
        f"{verdict.id} ({', '.join(f'{name} in {count} of {len(verdict.trials)}' for name, count in counts.items())})"
        for verdict in verdicts
        if (counts := verdict.beyond)
    ]
    return f"Runs beyond the limits of the model: {'; '.join(texts)}." if texts else ""


def to_table(verdicts: Sequence[Verdict]) -> rich.table.Table:
    """The verdicts as a rich table: a line for each claim, and one for each of its numbers."""
    Text, longest = rich.text.Text, max((len(verdict.id) for verdict in verdicts), default=0)
    table = rich.table.Table(
        rich.table.Column("claim", min_width=longest), "otjdd", "paper", "allowed",
        rich.table.Column("distance", no_wrap=True), rich.table.Column("", no_wrap=True), box=rich.box.SIMPLE_HEAD,
    )  # fmt: skip
    for verdict in verdicts:
        colour = "green" if verdict.status == "met" else "red"
        name, device = Text(plain(verdict.id), "bold"), Text(plain(verdict.claim.device), "dim")
        table.add_row(name, device, "", "", "", Text(verdict.status, f"bold {colour}"))
        for n in verdict.measured:
            style, mark = {"met": ("", ""), "missed": ("red", "missed"), "told": ("dim", "")}[n.status]
            cells = f"  {n.figure.label}", n.otjdd, n.figure.paper, n.figure.allowed, n.distance_text, mark
            table.add_row(*(Text(plain(cell)) for cell in cells), style=style)
    return table


def print_verdicts(verdicts: Sequence[Verdict], form: str = "table") -> None:
    """Print the verdicts as a "table", as "markdown" or as "json"."""
    if form != "table":
        print(to_json(verdicts) if form == "json" else to_markdown(verdicts))
        return
    console = rich.console.Console(highlight=False)
    console.print(to_table(verdicts))
    for verdict in verdicts:
        if verdict.cause:
            console.print(plain(f"{verdict.id}: {verdict.cause}"), markup=False)
    if limits := beyond_limits(verdicts):
        console.print(plain(limits), markup=False)
    devices = by_device(verdicts)
    for device, part in devices.items():
        name = f"{plain(device)}: " if len(devices) > 1 else ""
        console.print(f"{name}{in_total(part)}", markup=False)


def surprises(verdicts: Sequence[Verdict]) -> list[str]:
    """A line for each difference between a claim and what it expects."""
    return [f"{verdict.id}: {text}" for verdict in verdicts for text in verdict.surprises]
