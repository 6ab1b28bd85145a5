"""The command line: arguments in, files and exit codes out. Nothing is computed here.

Results go to stdout, messages to stderr. numba, xarray and matplotlib are imported as a command first uses them, so that
`otjdd --help` answers at once.
"""

import gc

from otjdd.cli import cases, compact, fit, results, studies
from otjdd.cli.app import app, command
from otjdd.system import interpreter
from otjdd.system.terminal import open_closed_streams

COMMANDS = (
    cases.run, cases.cases, cases.check, cases.show, cases.schema, results.plot, results.export, results.explore,
    cases.rerun, studies.study, studies.validate, fit.fit, fit.predict, fit.design, studies.calibrate, compact.compact,
    cases.selftest,
)  # fmt: skip
for function in COMMANDS:
    command(function)


def main(own: bool = True) -> None:
    """Entry point of the command `otjdd`.

    own : the process runs nothing but this command, so that settings of the whole interpreter may be changed
    """
    open_closed_streams()
    if own:
        interpreter.make_own()
    try:
        app()
    finally:
        if own:
            gc.freeze()  # the process ends here: collecting garbage would take a sixth of the time of a short run
