"""otjdd selftest: check otjdd on this machine."""

import json

import typer

from otjdd.cli.arguments import JsonOption
from otjdd.errors import ExitCode


def selftest(as_json: JsonOption = False) -> None:
    """Check on this machine that kernels, files, cache, processes and pictures work. Uses no network.

    Example: otjdd selftest
    """
    from otjdd import selftest as tests

    outcomes = []
    for outcome in tests.run():
        outcomes.append(outcome)
        if not as_json:
            mark = "ok" if outcome.passed else "FAILED"
            print(f"{outcome.name:16} {mark:6} {outcome.seconds:6.1f} s  {outcome.observation}", flush=True)
    if as_json:
        print(json.dumps([outcome._asdict() for outcome in outcomes], indent=2))
    if not all(outcome.passed for outcome in outcomes):
        raise typer.Exit(ExitCode.MISSED)
