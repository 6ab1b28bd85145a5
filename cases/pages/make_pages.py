"""Make the pages of the site from what stands elsewhere: Markdown of the repository, docstrings, tables from the code.

mkdocs calls `on_files`. Each Markdown file keeps its place, so that its links hold; a link to another file of the
repository leads to a page that shows this file.
"""

import ast
import inspect
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import otjdd
from otjdd.analysis.metrics import METRICS
from otjdd.case.device import materials
from otjdd.case.document import cases
from otjdd.cli import app
from otjdd.plot.figure import KINDS
from otjdd.results.outputs import OUTPUTS

sys.path.insert(0, str(Path(__file__).parent))
from diagrams import DIAGRAMS
from executed import outputs_of, picture_of
from licences import licences

ROOT = Path(__file__).resolve().parents[2]
MARKDOWN = (
    "cases/*.md",
    "otjdd/*.md",
    "otjdd/physics/*.md",
    ".ci/*/*.md",
    "validation/*.md",
    "validation/*/*.md",
    "validation/*/*/*.md",
)
BOOSTS = {"cases/how-to.md": 10, "otjdd/CHANGELOG.md": 0.1, "validation/archive/README.md": 0.1}  # ranks of a search
LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?(?=\))")
DIAGRAM = re.compile(r"^<!-- diagram: (\w+) -->$", re.MULTILINE)  # in a text: hosting sites show nothing there
UNNAMED_BOX = re.compile(r"<input (?=[^>]*checkbox)(?![^>]*aria-label)(class=\"md-[^>]*)")  # in Material's own HTML
LANGUAGES = {".py": "python", ".toml": "toml", ".csv": "text"}
pages: dict[str, str | bytes] = {}  # place on the site -> content
shown_files: set[Path] = set()


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to those of the folder text/."""
    for write in (
        write_markdown,
        write_gallery,
        write_tutorials,
        write_reference,
        write_tables,
        write_commands,
        write_glossary,
        write_checks,
        write_shown_files,
    ):
        write()
    for place, content in pages.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The text of a page with its diagrams."""
    return DIAGRAM.sub(lambda match: DIAGRAMS[match[1]](), markdown)


def on_post_page(output: str, **_: Any) -> str:
    """The finished page, in which the check boxes that open the theme's menus have names for readers of the screen."""
    return UNNAMED_BOX.sub(r'<input aria-label="Open the menu" \1', output)


def write_page(path: str, text: str) -> None:
    pages[path] = text


def page_of(target: Path) -> str | None:
    """Place on the site of a file or folder of the repository; None for what is not there."""
    if target.is_dir():
        return page_of(target / "README.md") or page_of_folder(target)
    if not target.is_file():
        return None
    place = target.relative_to(ROOT)
    if place == Path("README.md"):
        return "index.md"
    if target.suffix == ".md":
        return place_on_site(place)
    if target.suffix in (".png", ".svg"):
        pages[place.as_posix()] = target.read_bytes()
        return place.as_posix()
    shown_files.add(target)
    return f"{place.as_posix()}.md"


def place_on_site(path: Path) -> str:
    """Place of the page of a Markdown file: mkdocs leaves out folders whose names begin with a dot."""
    return path.as_posix().removeprefix(".")


def page_of_folder(folder: Path) -> str:
    """Place of a page that lists the files of a folder."""
    place = folder.relative_to(ROOT)
    listed = [path for path in sorted(folder.iterdir()) if path.is_dir() or path.suffix in LANGUAGES]
    rows = [
        f"- [{path.name}]({'../' * len(place.parts)}{page_of(path)})" for path in listed if path.name != "__pycache__"
    ]
    write_page(f"{place.as_posix()}/index.md", f"# {place.as_posix()}\n\n" + "\n".join(rows) + "\n")
    return f"{place.as_posix()}/index.md"


def with_links(text: str, source: Path) -> str:
    """The text of a Markdown file with links to pages of the site."""

    def link(match: re.Match[str]) -> str:
        page = page_of((source.parent / match[1]).resolve())
        if page is None:
            raise FileNotFoundError(f"{source.relative_to(ROOT)} links to {match[1]}, which is not there")
        depth = len(source.relative_to(ROOT).parts) - 1
        return "../" * depth + page + (match[2] or "")

    return LINK.sub(link, text)


def write_markdown() -> None:
    """The Markdown of the repository but its front page, whose place text/index.md has; how-to comes first in a search."""
    for source in sorted({path for pattern in MARKDOWN for path in ROOT.glob(pattern)}):
        page, text = place_on_site(source.relative_to(ROOT)), with_links(source.read_text(encoding="utf-8"), source)
        boost = BOOSTS.get(page)
        write_page(page, f"---\nsearch: {{boost: {boost}}}\n---\n{text}" if boost else text)
    page_of(ROOT / "cases/rv-loop.png")


def write_shown_files() -> None:
    for path in sorted(shown_files):
        language = LANGUAGES.get(path.suffix, "text")
        name = path.relative_to(ROOT).as_posix()
        unsearched = "---\nsearch: {exclude: true}\n---\n"
        write_page(f"{name}.md", f"{unsearched}# {name}\n\n````{language}\n{path.read_text(encoding='utf-8')}````\n")


def write_gallery() -> None:
    """Pictures with their cases and the lines that draw them."""
    entries = tomllib.loads((ROOT / "cases/pages/gallery.toml").read_text("utf-8"))["picture"]
    titles = {case.name: case.title for case in cases()}
    texts = ["# Gallery\n\nEach picture with its case, and the lines that draw it.\n"]
    for number, entry in enumerate(entries):
        name, lines, language = entry.get("case"), entry["lines"], entry.get("language", "sh")
        texts.append(f"## {entry.get('title') or titles[name]}\n")
        place = entry["picture"]
        if (ROOT / place).is_file():
            texts.append(f"![{entry['alt']}]({page_of(ROOT / place)})\n")
        elif picture := picture_of(lines, language, place, (ROOT / f"cases/{name}.toml").read_bytes()):
            pages[f"gallery/{number}.png"] = picture
            texts.append(f"![{entry['alt']}](gallery/{number}.png)\n")
        else:
            texts.append(f"*{entry['alt']}: drawn where pages are executed.*\n")
        texts.append(f"```{language}\n" + "\n".join(lines) + "\n```\n")
        if name:
            texts.append(f"[The case {name}]({page_of(ROOT / 'cases' / f'{name}.toml')})\n")
    write_page("gallery.md", "\n".join(texts))


def write_tutorials() -> None:
    """The tutorials as pages: text cells as Markdown, code cells as code with what they print and draw."""
    rows = []
    for path in sorted(ROOT.glob("cases/tutorials/*.py")):
        cells = re.split(r"^# %%(.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
        parts = [(kind, body.strip()) for kind, body in zip(cells[::2], cells[1::2], strict=True) if body.strip()]
        outputs = iter(outputs_of([body for kind, body in parts if "[markdown]" not in kind], path.parent) or [])
        texts = []
        for kind, body in parts:
            if "[markdown]" in kind:
                texts.append(with_links(re.sub(r"^# ?", "", body, flags=re.MULTILINE), path))
            else:
                texts.append(f"```python\n{body}\n```" + output_text(next(outputs, None), path.stem, len(texts)))
        page = f"cases/tutorials/{path.stem}.md"
        write_page(page, "\n\n".join(texts) + "\n")
        title = next(
            (line.lstrip("# ") for text in texts for line in text.splitlines() if line.startswith("# ")), path.stem
        )
        rows.append(f"- [{title}]({page})")
    write_page("tutorials.md", "# Tutorials\n\n" + "\n".join(rows) + "\n")


def output_text(output: dict[str, Any] | None, name: str, number: int) -> str:
    """What a cell prints and draws, as Markdown; nothing where tutorials are not executed."""
    if output is None:
        return ""
    text = f"\n\n````text\n{output['text'].strip()[:3000]}\n````" if output["text"].strip() else ""
    for place, picture in enumerate(output["pictures"]):
        pages[f"cases/tutorials/{name}-{number}-{place}.png"] = picture
        text += f"\n\n![Figure of the code above, tutorial {name}]({name}-{number}-{place}.png)"
    return text


def reference_of(name: str, value: object) -> str:
    """Signature and docstring of a public name, and of the public functions of a module."""
    if inspect.ismodule(value):
        members = [(n, v) for n, v in vars(value).items() if inspect.isfunction(v) and v.__module__ == value.__name__]
        parts = [reference_of(f"{name}.{n}", v) for n, v in members if not n.startswith("_")]
        return f"## {name}\n\n{preformatted(value)}\n" + "\n".join(part.replace("## ", "### ", 1) for part in parts)
    signature = f"```python\n{name}{signature_of(value)}\n```\n\n" if callable(value) else ""
    return f"## {name}\n\n{signature}{preformatted(value)}\n"


def signature_of(value: Any) -> str:
    """Parameters of a callable, with types by their last names; without types where a record has them as fields."""
    if fields := getattr(value, "model_fields", None):
        return f"({', '.join(fields)})"
    try:
        text = str(inspect.signature(value))
    except ValueError:
        return ""
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])", "", text).replace("'", "")


def summary(value: object) -> str:
    """First paragraph of a docstring as Markdown."""
    parts = re.split(r"(`[^`]+`)", first_paragraph(inspect.getdoc(value)))
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_\[\]<>#|$])", r"\\\1", part) for part in parts)


def preformatted(value: object) -> str:
    """A docstring: its first paragraph as prose, the rest with its columns as they stand."""
    rest = (inspect.getdoc(value) or "").partition("\n\n")[2]
    return f"{summary(value)}\n" + (f"\n````text\n{rest}\n````\n" if rest else "")


def write_reference() -> None:
    names = [name for name in otjdd.__all__ if not name.startswith("_")]
    texts = [reference_of(name, getattr(otjdd, name)) for name in sorted(names, key=str.lower)]
    listed = [(f"[`{name}`](#{name.lower()})", summary(getattr(otjdd, name))) for name in sorted(names, key=str.lower)]
    head = f"# Python\n\n{summary(otjdd)}\n\n{table(('name', 'meaning'), listed)}\n"
    write_page("reference/python.md", head + "\n".join(texts))


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return (
        "\n".join(
            "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines
        )
        + "\n"
    )


def write_tables() -> None:
    metrics = [
        (f"`{name}`", f"`{key}`", unit, words)
        for name, metric in METRICS.items()
        for key, (unit, words) in metric.numbers.items()
    ]
    write_page("reference/metrics.md", "# Metrics\n\n" + table(("metric", "number", "unit", "meaning"), metrics))
    values = [(f"`{name}`", entry.what, entry.text, entry.source) for name, entry in materials().items()]
    write_page("reference/materials.md", "# Materials\n\n" + table(("name", "meaning", "value", "source"), values))
    outputs = [(f"`{name}`", " ".join(row.dims), row.unit, row.long_name) for name, row in sorted(OUTPUTS.items())]
    head = ("name", "dimensions", "unit", "meaning")
    write_page(
        "reference/outputs.md", "# All outputs\n\n[By dimension](../cases/outputs.md)\n\n" + table(head, outputs)
    )
    kinds = [(f"`{name}`", kind.shows, kind.needs) for name, kind in KINDS.items()]
    write_page("reference/pictures.md", "# Kinds of figures\n\n" + table(("kind", "shows", "needs"), kinds))
    listed = [(f"[{case.name}]({page_of(ROOT / 'cases' / f'{case.name}.toml')})", case.title) for case in cases()]
    write_page("cases.md", "# Shipped cases\n\n" + table(("case", "title"), listed))


def write_glossary() -> None:
    """The glossary of the map of the code as a page of its own; exit codes; dependencies and their licences."""
    map_of_code = ROOT / "otjdd/README.md"
    text = map_of_code.read_text(encoding="utf-8").partition("\n## Glossary\n")[2].partition("\n## ")[0]
    text = re.sub(r"^### ", "## ", text, flags=re.MULTILINE).replace("](#", "](../otjdd/README.md#")
    text = with_links(text, map_of_code).replace("](../../otjdd", "](../otjdd")
    write_page("reference/glossary.md", f"# Glossary\n{text}")
    codes = (
        (ROOT / "cases/README.md").read_text(encoding="utf-8").partition("\n## Exit codes\n")[2].partition("\n## ")[0]
    )
    write_page("reference/exit-codes.md", f"# Exit codes\n{codes}")
    words = (
        "What otjdd needs in the environment that built this page. `python cases/pages/licences.py` lists another one."
    )
    rows = table(("package", "version", "licence"), licences())
    write_page("reference/dependencies.md", f"# Dependencies\n\n{words}\n\n{rows}")


def write_commands() -> None:
    """The help of each command, as the command line shows it."""
    group = typer.main.get_command(app)
    context = typer.Context(group, info_name="otjdd")
    texts = ["# Commands\n"]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        parameters = command.get_params(typer.Context(command, info_name=f"otjdd {name}"))
        rows = [(option_names(parameter), getattr(parameter, "help", "") or "") for parameter in parameters]
        texts.append(
            f"## otjdd {name}\n\n{inspect.cleandoc(command.help or '')}\n\n" + table(("option", "meaning"), rows)
        )
    write_page("reference/commands.md", "\n".join(texts))


def write_checks() -> None:
    """What is walked as a user walks it, and which mistakes of users are tried: lists for developers."""
    readme = ROOT / "tests/journeys/README.md"
    journeys = [
        (page_link(path, "tests/journeys"), first_paragraph(ast.get_docstring(ast.parse(path.read_text("utf-8")))))
        for path in sorted(ROOT.glob("tests/journeys/test_*.py"))
    ]
    said = (ROOT / "tests/case/messages/commands.txt").read_text("utf-8")
    write_page(
        "tests/journeys/README.md",
        f"{with_links(readme.read_text('utf-8'), readme)}\n{table(('test', 'journey'), journeys)}\n"
        f"## Wrong words\n\nMistakes of users, with the exit code and what is said.\n\n```text\n{said}```\n",
    )


def page_link(path: Path, folder: str) -> str:
    """Link to the page of a file, from a page in a folder of the site."""
    return f"[{path.name}]({'../' * len(Path(folder).parts)}{page_of(path)})"


def first_paragraph(text: str | None) -> str:
    return " ".join((text or "").partition("\n\n")[0].split())


def option_names(parameter: Any) -> str:
    """Names of an option as code, or that of an argument."""
    options = [*parameter.opts, *parameter.secondary_opts]
    return " ".join(f"`{option}`" for option in options) or f"`{parameter.human_readable_name}`"
