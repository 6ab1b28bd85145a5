"""Verdicts told as a table: in the terminal, as Markdown, as JSON."""

import json
from collections.abc import Sequence

from otjdd.claims import Verdict

BEGIN, END = "<!-- validation:begin -->", "<!-- validation:end -->"


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


def updated(text: str, table: str) -> str:
    """A text with what stands between the markers replaced. Raises ValueError when they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected the markers {BEGIN} and {END}")
    return f"{before}{begin}\n{table}\n{end}{after}"
