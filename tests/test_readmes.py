"""Pages: links and anchors lead somewhere, commands and options exist, code blocks run, tables agree with the code."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer

from otjdd.case.case import load_case, shipped_cases
from otjdd.claims.papers import load_task
from otjdd.cli import app
from otjdd.errors import ExitCode
from otjdd.results.outputs import OUTPUTS

ROOT = Path(__file__).parents[1]
READMES = [
    ROOT / "README.md",
    *sorted(set((ROOT / "cases").glob("*.md")) - {ROOT / "cases/keys.md"}),
    *(file for top in ("otjdd", "validation", ".ci") for file in sorted((ROOT / top).rglob("*.md"))),
]
WALKED = ("README.md", "cases/README.md", "cases/studies.md")  # from top to bottom, by `journeys/test_pages.py`
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMANDS = typer.main.get_command(app).commands


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(language: str) -> dict[str, str]:
    """Fenced code blocks of all READMEs in a language, by their place."""
    return {
        f"{file.relative_to(ROOT)} {number}": body
        for file in READMES
        for number, (kind, body) in enumerate(FENCE.findall(file.read_text(encoding="utf-8")))
        if kind == language
    }


@cache
def anchors(file: Path) -> set[str]:
    """Anchors of the headings of a Markdown file, as GitHub makes them."""
    prose = FENCE.sub("", file.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(text: str, heading: str) -> str:
    """Text from a heading to the next one of its level."""
    return re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]


def cells(text: str) -> list[str]:
    """First cells of the rows of all tables in a text, without their heads."""
    rows = re.findall(r"^\| (.*?) \|.*\n", re.sub(r"^\|.*\n\|--.*\n", "", text, flags=re.MULTILINE), re.MULTILINE)
    return [row.strip("`") for row in rows]


def test_links_lead_to_files_and_headings():
    for file in READMES:
        prose = FENCE.sub("", file.read_text(encoding="utf-8"))
        for link in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"https?://", link):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.exists(), f"{file}: {link}: no such file"
            assert not anchor or anchor in anchors(target), f"{file}: {link}: no such heading"


def spoken(text: str, command: str) -> list[list[str]]:
    """Words of each use of a command in code, fenced, indented or inline."""
    code = [line for _, body in FENCE.findall(text) for line in body.splitlines()]
    code += re.findall(r"^    (\S.*)$", text, re.MULTILINE) + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    uses = [use for line in code for use in re.split(r" && ", line) if re.match(rf"(\S*/)?{command}( |$)", use)]
    return [
        shlex.split(re.sub(r"  +[a-z].*|[\[\]]|\.\.\.", " ", use), comments=True)[len(command.split()) :]
        for use in uses
    ]


def test_commands_and_their_options_exist():
    for words in (words for file in READMES for words in spoken(file.read_text(encoding="utf-8"), "otjdd")):
        named = [word for word in words if not word.startswith("-")]
        if not named or named[0].isupper():  # `otjdd --version`, `otjdd COMMAND --help`
            continue
        assert named[0] in COMMANDS, f"otjdd {' '.join(words)}"
        known = {option for parameter in COMMANDS[named[0]].params for option in parameter.opts} | {"-h", "--help"}
        asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert asked <= known, f"otjdd {' '.join(words)}"
        if named[0] in ("run", "check", "show", "study") and re.fullmatch("[a-z0-9-]+", "".join(named[1:2])):
            assert (shipped_cases() / f"{named[1]}.toml").exists(), f"otjdd {' '.join(words)}"


@pytest.mark.parametrize("place", [place for place in blocks("python") if not place.startswith(WALKED)])
def test_python_runs(place, tmp_path, monkeypatch):
    compiled = compile(blocks("python")[place], place, "exec")
    (tmp_path / "cases").symlink_to(shipped_cases(), target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    exec(compiled, {"__name__": "README"})


def test_case_files_load(tmp_path):
    for place, text in blocks("toml").items():
        if "[[run]]" in text:
            continue
        (tmp_path / "case.toml").write_text(text, encoding="utf-8")
        for name in re.findall(r'^file = "([^"]+)"', text, re.MULTILINE):  # measured data, which a run does not read
            (tmp_path / name).touch()
        case = load_case(tmp_path / "case.toml")
        assert case.drive.kind == "patterns" or case.drive.waveform().duration > 0, place


def test_calibrations_load(tmp_path):
    first, second = (text for text in blocks("toml").values() if "[[run]]" in text)
    (tmp_path / "aims.toml").write_text(first, encoding="utf-8")
    (tmp_path / "several.toml").write_text(second, encoding="utf-8")
    assert [len(load_task(tmp_path / file).cases) for file in ("aims.toml", "several.toml")] == [1, 2]


def test_front_page_counts_the_claims_as_the_table_does():
    verdicts = re.findall(r"^\| [\w-]+ \| (met|missed) \|", read("validation/li-2019/README.md"), re.MULTILINE)
    assert f"{verdicts.count('met')} of {len(verdicts)} claims of the paper are met" in read("README.md")


def test_each_shipped_case_is_listed_with_its_question():
    listed = dict(re.findall(r"^\| \[([\w-]+)\]\(\1\.toml\) \| (.*) \|$", read("cases/README.md"), re.MULTILINE))
    asked = {
        file.stem: re.search(r"^# Question: (.*)$", file.read_text(), re.MULTILINE)[1]
        for file in shipped_cases().glob("*.toml")
    }
    assert listed == asked


QUESTIONS = (
    "compliance", "formed", "0.05 V after each pulse", "own material", "cluster", "cite", "GPU", "Windows", "sign of V",
    "square electrode", "Excel or Origin", "two results in one picture", "drop a table", "8.5 cm", "scatter", "filaments",
    "field in a layer", "crash", "set voltage as a number", "my instrument",
)  # fmt: skip


def test_each_question_of_a_user_is_a_heading_by_which_the_search_of_the_site_finds_it():
    headings = re.findall(r"^### (.*)$", read("cases/how-to.md"), re.MULTILINE)
    assert [question for question in QUESTIONS if not any(question in heading for heading in headings)] == []


def test_table_of_commands_is_complete():
    listed = set(re.findall(r"^\| `otjdd ([a-z]+)", section(read("cases/README.md"), "Commands"), re.MULTILINE))
    assert listed == set(COMMANDS)


def test_tables_of_exit_codes_and_outputs_are_complete():
    text = read("cases/README.md")
    assert [int(code) for code in cells(section(text, "Exit codes"))] == [code.value for code in ExitCode]
    listed = set(re.findall(r"`([a-z_]+)`", "\n".join(re.findall(r"^\| .*", read("cases/outputs.md"), re.MULTILINE))))
    dimensions = {dim for output in OUTPUTS.values() for dim in output.dims}
    weights = {"cell_width", "column_weight"}
    assert set(OUTPUTS) - dimensions - weights - listed == set(), "missing in the table of cases/outputs.md"
    assert listed - set(OUTPUTS) - dimensions - {"iv", "cv", "impedance", "patterns"} == set(), (
        "in the table, but no output"
    )


def test_map_of_the_code_is_complete():
    listed = " ".join(cells(section(read("otjdd/README.md"), "Map")))
    packages = {f"{folder.parent.name}/" for folder in (ROOT / "otjdd").glob("*/__init__.py")}
    modules = {file.name for file in (ROOT / "otjdd").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"[a-z_]+(?:/|\.py)", listed)) == packages | modules
