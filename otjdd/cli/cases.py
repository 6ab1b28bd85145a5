"""otjdd cases, check, show, schema: list the shipped cases, check and print a case, and print the schema of all."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from otjdd.cli.arguments import (
    CasePath,
    JsonOption,
    Outside,
    PlotOption,
    SettingOption,
    changes_of,
    check_outputs,
    check_picture,
    complete_case,
    load_checked,
)
from otjdd.cli.data import ColumnOption, FromName, RangeOption, SheetOption, Skipped, is_data, reading
from otjdd.cli.types import usage_of
from otjdd.system import marks
from otjdd.system.terminal import say


def cases(as_json: JsonOption = False) -> None:
    """List the cases that come with otjdd: the name to give to `otjdd run` or `otjdd study`, and what each asks.

    Example: otjdd cases
    """
    from otjdd.case.shipped import cases as shipped

    all_cases = shipped()
    if as_json:
        print(json.dumps([case._asdict() for case in all_cases], indent=2, ensure_ascii=False))
        return
    width = max(len(case.name) for case in all_cases)
    for study, heading in ((False, "otjdd run NAME"), (True, "otjdd study NAME -o DIR")):
        print(f"{heading}:")
        for case in all_cases:
            if case.study == study:
                print(f"  {case.name:{width}}  {case.title}: {case.question}")


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="CASE", help="A case, or files of measured data.", autocompletion=complete_case),
    ],
    *,
    settings: SettingOption = [],
    allow_outside: Outside = False,
    plot: PlotOption = None,
    columns: ColumnOption = [],
    sheet: SheetOption = "",
    skipped: Skipped = [],
    ranges: RangeOption = [],
    from_name: FromName = "",
) -> None:
    """Check a case without simulating it: list all faults at once, each with its line. Or describe files of data.

    Example: otjdd check my-junction.toml
    """
    path = paths[0]
    if all(map(is_data, paths)):
        if settings or allow_outside:
            raise typer.BadParameter(f"{path} is a file of data and has no keys", param_hint="--set")
        check_data(paths, reading(columns, sheet, skipped, ranges, from_name), plot)
        return
    if len(paths) > 1:
        raise typer.BadParameter("give one case, or files of data alone", param_hint="CASE")
    if plot or columns or sheet or skipped or ranges or from_name:
        raise typer.BadParameter(f"{path} is a case; these options are of data", param_hint="--plot")
    check_case(path, settings, allow_outside)


def check_case(path: Path, settings: list[str], allow_outside: bool) -> None:
    """Print that a case is valid, its drive, and which values come from other materials. Raises CaseError, OSError."""
    from otjdd.case.exchange import exchanges
    from otjdd.case.notes import notes
    from otjdd.results import summary
    from otjdd.studies.plan import check_expected, plan

    case = load_checked(path, settings, allow_outside)
    check_expected(case, str(path))
    points, expected = "", f", expects {case.expect.words}" if case.expect else ""
    if case.varied:
        points = f", a study of {len(plan(case, str(path)).digests)} points"
    say(f"{path}: ok, {summary.of_drive(case.drive)}{points}{expected}")
    lines = notes(case, path, changes_of(settings))
    if len(exchanges(case.device)) > 1:
        from otjdd.solver.reservoirs import disagreement

        lines += filter(None, [disagreement(case)])
    for line in lines:
        say(line if line.startswith(" ") else f"note: {line}")


def check_data(paths: list[Path], words: dict[str, Any], picture: Path | None) -> None:
    """Print how files of data were read, and draw them. Raises DataError, OSError, ResultError.

    words : arguments of `read_data`   picture : file to draw into, or None
    """
    from otjdd.measurements.read import described_data, read_data

    if picture:
        check_picture(picture)
    ds = read_data(paths[0] if len(paths) == 1 else paths, **words)
    check_outputs(picture)
    if picture:
        from otjdd.plot import style
        from otjdd.plot.figure import measured_figure

        style.save(measured_figure(ds), picture)
    say(described_data(ds, [*map(str, paths), *options_of(words)]) + (f"\n{picture}" if picture else ""))


def options_of(words: dict[str, Any]) -> list[str]:
    """The options of a command for arguments of `read_data`."""
    options = [word for name, text in words["names"].items() for word in ("--column", f"{name}={text}")]
    options += ["--sheet", words["sheet"]] * bool(words["sheet"])
    options += [word for first, last in words["without"] for word in ("--skip", f"{first}-{last}")]
    options += [word for name, (low, high) in words["keep"].items() for word in ("--range", f"{name}={low:g}:{high:g}")]
    return options + ["--from-name", words["from_name"]] * bool(words["from_name"])


def show(path: CasePath, settings: SettingOption = [], allow_outside: Outside = False) -> None:
    """Print a case with its bases and all defaults filled in, as a case file.

    Example: otjdd show rv-loop --set temperature="350 K" > rv-loop-350K.toml
    """
    say(load_checked(path, settings, allow_outside).resolved(), end="")


def schema(
    update: Annotated[
        Path | None,
        typer.Option(
            "--update",
            metavar="FILE",
            help="Put the table of all keys, or of combinations.md, between the marks of a file.",
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of case files, for editors that complete and check TOML.

    Example: otjdd schema > otjdd.schema.json
    """
    if update:
        from otjdd.case import keys, rules

        name, table = ("combinations", rules) if update.stem == "combinations" else ("keys", keys)
        with usage_of("--update"):
            marks.update(update, name, table.markdown())
        return

    from otjdd.case.keys import editor_schema

    print(json.dumps(editor_schema(), indent=2))
