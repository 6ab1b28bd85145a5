"""Numbers of campaigns, kept in a file `measured.json` in each folder. The tables of its page are made from the file.

    python -m validation.measured        write all tables anew from the files

A file holds parts and a part holds rows. Each row holds its cells and their origin: commit, date, machine. A campaign with
--update replaces the rows that it has measured; earlier numbers are in the git history of the file.
"""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from otjdd.system import text_files

HERE = Path(__file__).parent
FILE, README = "measured.json", "README.md"
CLAIMS = "claims-"  # part of a paper, before its name


def processor() -> str:
    """Name of the processor, from the operating system."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine() -> str:
    """Processor, operating system, versions of Python and libraries, and the load of the machine."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "scipy"))
    load = f"; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    return f"{processor()}; {platform.system()}, Python {platform.python_version()}, {packages}{load}"


def origin() -> dict[str, str]:
    """Commit of the checkout (with a "+" if files of otjdd/ are changed), date and machine."""
    git = ["git", "-C", str(HERE)]
    commit = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*git, "status", "--porcelain", "-uno", "../otjdd"], capture_output=True, text=True).stdout
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"commit": (commit or "unknown") + "+" * bool(changed), "date": today, "machine": machine()}


def read(folder: Path) -> dict:
    """Parts in the file of a folder, by name; {} without a file."""
    file = folder / FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def keep(
    folder: Path, part: str, columns: Sequence[str], rows: Iterable[Sequence], *, command: str, key: int = 1,
    readme: str = README,
) -> None:  # fmt: skip
    """Replace rows of a part by new ones, and write the tables of the folder anew.

    columns : headings; a column whose heading ends in ":" is aligned to the right   rows : cells, texts or numbers
    command : command that measures the part   key : number of leading cells that identify a row
    readme : path of the file with the table, relative to the folder
    """
    parts, here = read(folder), origin()
    found = parts.setdefault(part, {"rows": []})
    found |= {"command": command, "columns": list(columns), "readme": readme}
    fresh = {tuple(map(str, row[:key])): {"cells": [*map(cell, row)], **here} for row in rows}
    old = {tuple(row["cells"][:key]): row for row in found["rows"] if len(row["cells"]) == len(columns)}
    found["rows"] = list((old | fresh).values())
    (folder / FILE).write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_tables(folder)
    if part.startswith(CLAIMS):
        text_files.replace_generated_part(HERE / README, "verdicts", verdicts())


def cell(value) -> str:
    return value if isinstance(value, str) else f"{value:.3g}" if isinstance(value, float) else str(value)


def table(part: dict) -> str:
    """A part as Markdown: its command, the dates of its rows, and the rows without their origin."""
    rows = part["rows"]
    days = sorted({row["date"] for row in rows})
    when = f"{days[0]} to {days[-1]}" if len(days) > 1 else days[0]
    columns = part["columns"]
    lines = [
        f"`{part['command']}`, {when}:",
        "",
        f"| {' | '.join(column.removesuffix(':') for column in columns)} |",
        f"|{'|'.join('--:' if column.endswith(':') else '---' for column in columns)}|",
    ]
    return "\n".join(lines + [f"| {' | '.join(row['cells'])} |" for row in rows])


def write_tables(folder: Path) -> None:
    """Write the parts of a folder between their marks in its README. Raises ValueError for a README without the marks."""
    for name, part in read(folder).items():
        text_files.replace_generated_part(folder / part.get("readme", README), name, table(part))


def verdicts() -> str:
    """All papers with the number of claims that are met, and all claims with their verdicts, as Markdown."""
    papers = ["| paper | met |", "|---|---|"]
    claims = [
        "| paper | claim | verdict | deciding metric | measured | otjdd | distance |",
        "|---|---|---|---|---|---|--:|",
    ]
    for file in sorted(HERE.glob(f"*/{FILE}")):
        name = file.parent.name
        rows = [row["cells"] for row in read(file.parent).get(f"{CLAIMS}{name}", {"rows": ()})["rows"]]
        if rows:
            met = sum(verdict == "met" for _, verdict, *_ in rows)
            papers.append(f"| [{name}]({name}/{README}) | {met} of {len(rows)} |")
            claims += [f"| {' | '.join([name, *row])} |" for row in rows]
    return "\n".join([*papers, "", *claims])


def files() -> list[Path]:
    """All files of measured numbers."""
    return sorted([*HERE.glob(f"*/{FILE}"), *HERE.parent.glob(f".ci/*/{FILE}")])


def main() -> None:
    text_files.replace_generated_part(HERE / README, "verdicts", verdicts())
    for file in files():
        write_tables(file.parent)
        print(file.parent.name)


if __name__ == "__main__":
    main()
