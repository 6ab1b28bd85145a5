"""The list of this folder: each task of the front page, each command and each file of tests is in it."""

import re
import shlex
from pathlib import Path

import typer
from walk import ROOT

from otjdd.cli import app

HERE = Path(__file__).parent
LIST = (HERE / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Promise -> files of its journeys, of the table below a heading."""
    table = LIST.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (.+?) \| (`test_.+) \|$|^\| (.+?) \| (`\.\./.+) \|$", table, re.MULTILINE)
    return {(a or c).strip("`"): re.findall(r"`([^`]+)`", b or d) for a, b, c, d in found}


def test_each_task_of_the_front_page_has_a_journey():
    page = (ROOT / "README.md").read_text(encoding="utf-8").partition("| task | start here |\n")[2].partition("\n\n")[0]
    tasks = [row.split(" | ")[0].removeprefix("| ") for row in page.splitlines()[1:]]
    named = rows("Tasks of the front page")
    assert len(tasks) == len(named) > 10
    for task, promise in zip(tasks, named, strict=True):
        assert task.startswith(promise)


def test_each_command_has_a_journey():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    journeys = rows("Commands")
    assert set(journeys) == commands
    for command, files in journeys.items():
        typed = "".join((HERE / file).read_text(encoding="utf-8") for file in [*files, "../compact_device.py"])
        assert re.search(rf"[\"'(]{command}[ \"']", typed), command


def test_each_command_takes_the_example_of_its_help():
    for name, command in typer.main.get_command(app).commands.items():
        example = re.search(r"Example: otjdd (.+)$", command.help, re.MULTILINE)[1].replace("\\[", "[")
        words = shlex.split(example.partition(" > ")[0])
        assert words[0] == name
        command.make_context(name, words[1:])


def test_each_journey_that_is_named_is_there_and_each_that_is_there_is_named():
    headings = "Tasks of the front page", "Commands", "Other promises"
    named = {file for heading in headings for files in rows(heading).values() for file in files}
    assert all((HERE / file).exists() for file in named)
    assert {path.name for path in HERE.glob("test_*.py")} - {"test_promises.py"} <= named
