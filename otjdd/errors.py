"""The exceptions of otjdd. Each has the exit code of a command that it ends.

Each passes its arguments on unchanged, so that it can be pickled in a worker process and raised again in the parent.
"""

from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path
from typing import Any

MAX_PROBLEMS = 100  # most problems that are reported of one case


class ExitCode(IntEnum):
    """Exit code of a command."""

    OK = 0
    BUG = 1
    USAGE = 2
    CASE = 3
    SOLVER = 4
    FILE = 5
    LIMIT = 6
    FAILED = 7  # some points of a study failed
    MISSED = 8  # a claim or self-test failed, or numbers differ
    INTERRUPTED = 130
    TERMINATED = 143


class OtjddError(Exception):
    """Base class of all errors that otjdd raises on purpose."""

    exit_code = ExitCode.BUG


class NotAsExpected(OtjddError, ValueError):
    """A wrong value. `expected` describes the values that are allowed, `got` the value, both in words.

    key : path of the wrong value within the table that was checked; () for the table itself
    """

    exit_code = ExitCode.CASE

    def __init__(self, expected: str, got: str, *key: str | int):
        super().__init__(expected, got, *key)
        self.expected, self.got, self.key = expected, got, key

    def __str__(self) -> str:
        return f"expected {self.expected}, got {self.got}"


class UnitError(NotAsExpected):
    """A text that is not a quantity, or a quantity of the wrong dimension or outside its bounds."""


class CaseError(OtjddError):
    """A case that cannot be used. `problems` lists its faults, at most MAX_PROBLEMS; `str` gives each with its line."""

    exit_code = ExitCode.CASE

    def __init__(self, problems: Iterable[Any]):
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        rest = ["Only the first problems are shown."] if len(self.problems) >= MAX_PROBLEMS else []
        return "\n".join([*map(str, self.problems), *rest])


class DataError(CaseError):
    """Measured data that cannot be used. Each problem names file, line and column."""


class LimitError(OtjddError):
    """A request beyond a limit. The text names the request and the limit, and says what to try."""

    exit_code = ExitCode.LIMIT


class ResultError(OtjddError):
    """A file that cannot be written or read: which, why, and what to try."""

    exit_code = ExitCode.FILE

    def __init__(self, path: str | Path, reason: str, advice: str = ""):
        super().__init__(path, reason, advice)
        self.path, self.reason, self.advice = Path(path), reason, advice

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.reason}" + (f"; {self.advice}" if self.advice else "")


class Status(IntEnum):
    """Return value of a kernel. `WORDS` has a text and advice for each failure."""

    DONE = 0
    PAUSED = 1  # the log is full, or the limit of steps per call is reached: call again
    STEP_REJECTED = 2  # by the error control: try a shorter step
    # failures of kernels
    STEP_TOO_SMALL = 3
    NOT_CLOSED = 4
    CIRCUIT_NOT_SOLVED = 5
    SPECTRUM_NOT_CONVERGED = 6
    NOT_FINITE = 7
    TOO_HOT = 8
    # failures raised by Python code
    EQUILIBRIUM_NOT_FOUND = 9
    TOO_MANY_STEPS = 10
    LINES_NOT_SOLVED = 11
    # failures of kernels of random hops
    CELL_EMPTIED = 12
    # failures of kernels of charged traps
    TRAPS_NOT_FILLED = 13
    # raised by Python code
    STANDS_STILL = 14
    # failure of kernels of film electrons behind a circuit
    CHARGE_FALLS = 15

    @property
    def text(self) -> str:
        """The reason in words."""
        return WORDS[self][0]

    @property
    def advice(self) -> str:
        """Advice to the user."""
        return WORDS[self][1]


WORDS = {
    Status.STEP_TOO_SMALL: (
        "no time step is small enough for the error control",
        "loosen numerics.rtol to 1e-2, or refine device.film.cells",
    ),
    Status.NOT_CLOSED: (
        "no solution of Poisson's equation was found, within the tables of the electrodes or with the film's electrons",
        "reduce the voltage or ions.density, check doping and permittivity of the electrodes, "
        'or try device.film.electrons = "none"',
    ),
    Status.CIRCUIT_NOT_SOLVED: (
        "the voltage over junction and series resistance was not found",
        "set circuit.series_resistance to 0 ohm to test the bare junction, or reduce the voltage",
    ),
    Status.SPECTRUM_NOT_CONVERGED: (
        "the current did not converge: its integral over energy, or the occupancy of traps between which electrons hop",
        'loosen numerics.current_tolerance, use device.transmission = "wkb", or lower device.traps[0].hop_frequency',
    ),
    Status.CHARGE_FALLS: (
        "the charge of the junction falls as its voltage rises, by the electrons of its film: no resistance holds it there",
        "raise circuit.parallel_capacitance, come to another voltage, set circuit.series_resistance to 0 ohm, or see the "
        'film with device.film.electrons = "none"',
    ),
    Status.TRAPS_NOT_FILLED: (
        "no occupancy of the charged traps was found that agrees with the field of its charge",
        "approach the voltage in smaller steps, lower device.traps[0].density or hop_frequency, or try "
        'device.traps[0].kind = "none"',
    ),
    Status.NOT_FINITE: (
        "a number is not finite",
        "check activation_energy and prefactor, or reduce the voltage",
    ),
    Status.TOO_HOT: (
        "the junction heats itself beyond 3000 K",
        "lower the voltage, limit the current by circuit.compliance or circuit.series_resistance, "
        "or check device.heat.resistance",
    ),
    Status.CELL_EMPTIED: (
        "random hops would take more ions from the cells of a column than it holds, or leave more than it has sites",
        "make the junction larger (device.radius, device.area, device.conducting_fraction), use fewer device.film.cells "
        'or columns, or try ions.noise = "none"',
    ),
    Status.EQUILIBRIUM_NOT_FOUND: (
        "the equilibrium of the ions at 0 V was not found",
        'start from ions.initial = "uniform" and a hold at 0 V, or make the wells shallower',
    ),
    Status.TOO_MANY_STEPS: (
        "the run needs more steps than numerics.max_steps",
        "raise numerics.max_steps, or shorten the drive",
    ),
    Status.STANDS_STILL: (
        "the run makes no progress: its steps are too short to reach the end of the drive",
        "loosen numerics.rtol, refine device.film.cells, use fewer columns or a larger junction where single ions hop, or "
        "lower the density of charged traps",
    ),
    Status.LINES_NOT_SOLVED: (
        "the voltages on the lines of the crossbar were not found",
        "lower the voltage, or reduce crossbar.line_resistance",
    ),
}


class SolverError(OtjddError):
    """The integration of a run stopped early. `partial` is the Dataset up to that time, None if nothing was computed.

    reason : name of a Status   time [s]   voltage [V]   step [s]   residual : error norm, 1 is the limit   place [m]
    temperature : highest [K] in a junction with self-heating, else None
    """

    exit_code = ExitCode.SOLVER

    def __init__(
        self, reason: str, time: float, voltage: float, step: float, residual: float, place: float,
        temperature: float | None = None,
    ):  # fmt: skip
        super().__init__(reason, time, voltage, step, residual, place, temperature)
        self.reason, self.time, self.voltage = reason, time, voltage
        self.step, self.residual, self.place, self.temperature = step, residual, place, temperature
        self.partial: Any = None  # xarray is not imported here

    def __str__(self) -> str:
        status = Status[self.reason]
        hot = "" if self.temperature is None else f"T = {self.temperature:.4g} K, "
        return (
            f"{status.text}: at t = {self.time:.6g} s, V = {self.voltage:.4g} V, {hot}x = {self.place * 1e9:.3g} nm, "
            f"step {self.step:.3g} s, last error norm {self.residual:.3g}. Try: {status.advice}"
        )


class NetworkError(SolverError):
    """The node voltages of a crossbar were not found.

    voltage : highest driver voltage [V]   residual : last change of a cell voltage [V]
    """

    def __str__(self) -> str:
        status = Status[self.reason]
        return (
            f"{status.text}: at t = {self.time:.6g} s, drivers at {self.voltage:.4g} V, cells still move by "
            f"{self.residual:.2g} V. Try: {status.advice}"
        )


class ExtractionError(OtjddError):
    """A compact model that did not get as good as asked for. `partial` is the CompactModel as far as it got."""

    exit_code = ExitCode.SOLVER

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason
        self.partial: Any = None

    def __str__(self) -> str:
        return self.reason


class KernelError(OtjddError):
    """Compiled kernels that give wrong numbers, and still do when they are compiled again."""


class Stopped(KeyboardInterrupt):
    """The end of a run that was asked for by a signal or came by a limit. `limit` tells the one from the other.

    A KeyboardInterrupt and no OtjddError: what catches errors must not catch it, and whoever keeps what was computed
    when a user interrupts keeps it here too.
    """

    def __init__(self, reason: str, limit: bool):
        super().__init__(reason, limit)
        self.reason, self.limit = reason, limit

    def __str__(self) -> str:
        return self.reason

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.LIMIT if self.limit else ExitCode.TERMINATED
