"""Verdicts as a table for the terminal, as Markdown and as JSON; and their differences from what is expected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from otjdd.claims.claim import Verdict, root_mean_square
from otjdd.system.terminal import plain

if TYPE_CHECKING:
    from rich.table import Table

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


def with_distances(verdict: Verdict) -> list[str]:
    """The numbers of a claim as texts, with their distances where they have limits; misses in bold."""
    texts = []
    for n in verdict.numbers:
        text = f"{n} ({n.distance_text})" if n.distance_text else str(n)
        texts.append(f"**{text}**" if n.status == "missed" else text)
    return texts


def to_markdown(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as Markdown: a table for each device, under its name if there are several."""
    devices = by_device(verdicts)
    if len(devices) < 2:
        return of_one_device(verdicts)
    return "\n\n".join(f"**{device}**: {of_one_device(part)}" for device, part in devices.items())


def of_one_device(verdicts: Sequence[Verdict]) -> str:
    """Verdicts on one device as Markdown: number of claims met, a table with the misses in bold, and their reasons."""
    lines = [
        f"{in_total(verdicts)}.",
        "",
        "| claim | paper | otjdd (distance) | tolerance | |",
        "|---|---|---|---|---|",
    ]
    for verdict in verdicts:
        row = verdict.row()
        numbers = "; ".join(with_distances(verdict)) if verdict.values else row["otjdd"]
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


def to_table(verdicts: Sequence[Verdict]) -> Table:
    """The verdicts as a rich table: a line for each claim, and one for each of its numbers."""
    from rich import box
    from rich.table import Column, Table
    from rich.text import Text

    longest = max((len(verdict.id) for verdict in verdicts), default=0)
    table = Table(
        Column("claim", min_width=longest), "otjdd", "paper", "allowed", Column("distance", no_wrap=True),
        Column("", no_wrap=True), box=box.SIMPLE_HEAD,
    )  # fmt: skip
    for verdict in verdicts:
        colour = "green" if verdict.status == "met" else "red"
        device = Text(plain(verdict.claim.device), "dim")
        table.add_row(Text(plain(verdict.id), "bold"), device, "", "", "", Text(verdict.status, f"bold {colour}"))
        for n in verdict.numbers:
            style, mark = {"met": ("", ""), "missed": ("red", "missed"), "told": ("dim", "")}[n.status]
            cells = f"  {n.figure.label}", n.otjdd, n.figure.paper, n.figure.allowed, n.distance_text, mark
            table.add_row(*(Text(plain(cell)) for cell in cells), style=style)
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
