"""otjdd check, otjdd show, otjdd schema: what a case says, and may say."""

from otjdd.cli.arguments import CasePath, Outside, Settings, load


def check(path: CasePath, settings: Settings = [], allow_outside: Outside = False):
    """Check a case without simulating it: all that is wrong at once, each with its line.

    Example: otjdd check my-junction.toml
    """
    from otjdd.results import summary

    case = load(path, settings, allow_outside)
    points = ""
    if case.study:
        from otjdd.studies.plan import plan

        points = f", a study of {len(plan(case, str(path)).digests)} points"
    print(f"{path}: ok, {summary.of_drive(case.drive)}{points}")


def show(path: CasePath, settings: Settings = [], allow_outside: Outside = False):
    """Print a case with its bases and all defaults filled in, as a case file.

    Example: otjdd show rv-loop --set temperature="350 K" > rv-loop-350K.toml
    """
    print(load(path, settings, allow_outside).resolved(), end="")


def schema():
    """Print the JSON Schema of case files, for editors that complete and check TOML.

    Example: otjdd schema > otjdd.schema.json
    """
    import json

    from otjdd.case.case import json_schema

    print(json.dumps(json_schema(), indent=2))
