"""Tables of a case besides device, ions and drive: [circuit], [numerics], [record], [fit] and [expect].

The circuit is series resistance, parallel capacitance, compliance, and the read-out of the current. The record is which
time steps and snapshots a result keeps.

An expectation is one number of the result. It holds for the case as its file states it. It is therefore not inherited
through `base`, and dropped when `--set` or `replace` changes the case.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, Strict, field_validator, model_validator

from otjdd.analysis.goal import Goal
from otjdd.case.base import Count, Number, Record, key
from otjdd.case.study_axes import Amount, Name, check_rising, of_one_dimension
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity

Ohms = Annotated[float, Quantity("resistance", "0 ohm", "1e15 ohm")]
Farads = Annotated[float, Quantity("capacitance", "0 F", "1 F")]
CurrentLimit = Annotated[float, Quantity("current", "1e-18 A", "1e6 A")]
Bandwidth = Annotated[float, Quantity("frequency", "1e-9 Hz", "1e15 Hz")]
TimeConstant = Annotated[float, Quantity("time", "1e-15 s", "1e9 s")]


class Circuit(Record):
    """Circuit around the junction: one branch from the source through the junction to ground, and the instrument.

    The instrument, a single pole with tau = 1 / 2 pi bandwidth, shows the output `current`, and measured curves in time are
    fitted with it. Reads and curves at frozen ions are of the settled junction, whatever the instrument.
    """

    series_resistance: Ohms = key("resistance in series", "0 ohm", example="55 ohm")
    parallel_capacitance: Farads = key("capacitance across the junction", "0 F", example="30 pF")
    compliance: CurrentLimit | None = key("largest current of the source", None, example="10 mA")
    range: CurrentLimit | None = key(
        "current at which the instrument clips `current`, the series in time; reads stay", None, example="1 mA"
    )
    bandwidth: Bandwidth | None = key(
        "bandwidth of the instrument, one pole that `current` passes; reads stay",
        None,
        example="5 MHz",
        instead_of=("time_constant",),
    )
    time_constant: TimeConstant | None = key("the same as a time", None, example="1 us")

    @model_validator(mode="after")
    def _one_pole(self) -> Self:
        if self.bandwidth is not None and self.time_constant is not None:
            raise ValueError("bandwidth and time_constant state the same: give one of them")
        return self

    @property
    def tau(self) -> float:
        """Time constant of the read-out [s]; 0 for an ideal one."""
        if self.bandwidth is not None:
            return 1 / (2 * math.pi * self.bandwidth)
        return self.time_constant or 0.0


LEAST_RTOL, LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_LEAP = 1e-10, 1e-14, 1e-12, 1e-3
# numerics.error -> divisors of the number of cells, one for each coarser grid
PARTS = {"limit": (2,), "estimate": (2, 3), "extrapolate": (2, 3)}
ERRORS = ("none", *PARTS)
FEWEST_CELLS = 8  # of a grid


class Numerics(Record):
    """Accuracy and limits of a run.

    rtol : error of a time step: of the band edge in units of kT, of the share of the ions on either side of a point, and
        relative error of a concentration. Below 1e-2 the method is of order 5, else of order 4
    largest_leap : in the mean of a step, see `stepping.trial_step`   error : see `runs.error_estimate`
    """

    # 7e-3: with 1e-2 the errors of 4000 pulses add up, see validation/benchmarks/peers
    rtol: Annotated[Number, Field(ge=LEAST_RTOL, le=1e-1)] = key(
        "error of a time step: of the band edge in kT, of charges and of concentrations relative", 7e-3, example=1e-3
    )
    atol: Annotated[Number, Field(ge=LEAST_ATOL, le=1)] = key(
        "error of a concentration, in units of the mean density of the ions", 1e-2, example=1e-4
    )
    max_steps: Annotated[Count, Field(ge=1, le=10**9)] = key("most time steps of a run", 10_000_000, example=10000000)
    current_tolerance: Annotated[Number, Field(ge=LEAST_CURRENT_TOLERANCE, le=0.1)] = key(
        "relative error of recorded currents", 1e-4, example=1e-5
    )
    largest_leap: Annotated[Number, Field(ge=LEAST_LEAP, le=1)] = key(
        "fraction of the ions of a column that may pass a face in a step, where they hop stochastically",
        0.1,
        example=0.03,
    )
    error: Literal[ERRORS] = key(  # type: ignore[valid-type]  # the names of a table
        "reads extrapolated from two grids, errors stated from three, or both", "none", example="estimate"
    )


RecordTime = Annotated[float, Quantity("time", "0 s", "1e12 s")]


class Recording(Record):
    """Outputs that a result keeps, the first and the last state among its snapshots.

    windows : kept whatever `every` is. Between kept times a read-out of finite bandwidth takes the current as linear: let a
        window begin some time constants early
    """

    every: Literal["all", "reads", "none"] = key("time steps in the time series", "all", example="reads")
    windows: Annotated[tuple[tuple[RecordTime, RecordTime], ...], Field(max_length=10_000)] = key(
        "intervals of which all steps are kept", (), example=[["0 s", "2 us"]]
    )
    profiles: Annotated[Count, Field(ge=2, le=100_000)] = key("snapshots, evenly spread over the drive", 2, example=20)
    profiles_at: Annotated[tuple[RecordTime, ...], Field(max_length=100_000)] = key(
        "times of further snapshots", (), example=["1 us", "1 ms"]
    )
    profiles_at_reads: Annotated[bool, Strict()] = key("a snapshot with every read", False, example=True)

    @field_validator("windows")
    @classmethod
    def check_windows(cls, windows: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        for start, end in windows:
            if not start < end:
                raise NotAsExpected("windows that end after they begin", f"{start:g} s to {end:g} s")
        return windows

    @model_validator(mode="after")
    def check_every(self) -> Self:
        if self.windows and self.every == "all":
            raise NotAsExpected('every = "reads" or "none" with windows', '"all", the default')
        return self

    def check_reads(self, count: int) -> None:
        """Raise NotAsExpected when only reads are to be in the time series of a drive that has none."""
        if self.every == "reads" and not count and not self.windows:
            raise NotAsExpected('"all" or "none" with a drive that has no reads', '"reads"', "record", "every")

    def instants(self, duration: float) -> list[float]:
        """Times of the snapshots [s] in a drive of a duration [s], from 0. Raises ValueError for times after its end."""
        for name, times in (("profiles_at", self.profiles_at), ("windows", [end for _, end in self.windows])):
            if late := [t for t in times if t > duration * (1 + 1e-12)]:
                raise ValueError(f"record.{name}: {late[0]:g} s is after the end of the drive, at {duration:g} s")
        spread = (duration * k / (self.profiles - 1) for k in range(self.profiles))
        return sorted({*spread, *(min(t, duration) for t in self.profiles_at)})


class Expect(Record):
    """A number of a result, and the window that it lies in, ends included.

    number : its name, as in `keep` of a study (`read_resistance[-1]`, `loop.ratio`)
    point : for a study, the number of the point, from 0, the last axis fastest
    """

    number: Name
    low: Amount
    high: Amount
    point: Annotated[Count, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def check_window(self) -> Self:
        check_rising(self.low, self.high, equal=True)
        return self

    @property
    def goal(self) -> Goal:
        """The window in SI."""
        low, high = of_one_dimension(self.low, self.high)[0]
        return Goal(low=low, high=high)

    @property
    def dimension(self) -> str:
        """Kind of quantity of the window, "" for plain numbers."""
        return of_one_dimension(self.low, self.high)[1]

    @property
    def words(self) -> str:
        """The expectation in words."""
        point = "" if self.point is None else f" at point {self.point}"
        return f"{self.number} from {self.low} to {self.high}{point}"


LossName = Literal["linear", "soft-l1", "huber", "cauchy", "arctan"]
LOSSES: tuple[str, ...] = get_args(LossName)


class Vary(Record):
    """A parameter to fit. Bounds and scale that are not given are taken from its key.

    log : fit the logarithm   each : fit a value for each data set
    """

    low: Amount | None = key("lower bound; default: the lower bound of the key", None, example="0.5 eV")
    high: Amount | None = key("upper bound; default: the upper bound of the key", None, example="0.8 eV")
    log: Annotated[bool, Strict()] | None = key(
        "a logarithmic scale; default: for quantities that are positive", None, example=True
    )
    each: Annotated[bool, Strict()] = key("a value for each data set", False, example=True)

    @model_validator(mode="after")
    def check_ends(self) -> Self:
        if self.low is not None and self.high is not None:
            check_rising(self.low, self.high)
        return self


class FitData(Record):
    """A data set: its file, the changes of the case that describe its measurement, and what of the file is used."""

    file: Annotated[str, Field(min_length=1, max_length=4096)] = key("file of measured data", example="loop.csv")
    set: dict[str, Any] = key("changes of the case for these data", example={"temperature": "350 K"}, factory=dict)
    weight: Annotated[Number, Field(gt=0, le=1e6)] = key("weight of the squares of these data", 1.0, example=0.5)
    state: Annotated[str, Field(max_length=64)] = key("state of a drive of curves at frozen ions", "", example="LRS")
    noise: Amount | None = key(
        "noise of the instrument of these data; default: the noise of the fit", None, example="1 pA"
    )
    columns: dict[Name, Name] = key("quantity -> header of its column", example={"current": "Reading 2"}, factory=dict)
    sheet: Annotated[str, Field(max_length=200)] = key(
        "sheet of a workbook, or table of a file; default: the first with a curve", "", example="Run1"
    )
    skip: Annotated[tuple[tuple[Count, Count], ...], Field(max_length=1000)] = key(
        "first and last lines of the file that are left out", (), example=[[12, 20]]
    )
    range: dict[Name, tuple[Amount, Amount]] = key(
        "quantity -> ends of the points that are taken", example={"voltage": ["-1 V", "2 V"]}, factory=dict
    )
    from_name: Annotated[str, Field(max_length=200)] = key(
        "what the name of the file says of the measurement", "", example="{temperature}K"
    )

    @model_validator(mode="after")
    def check_ranges(self) -> Self:
        for low, high in self.range.values():
            of_one_dimension(low, high)
        return self

    def reading(self) -> dict[str, Any]:
        """Arguments of the reader of measured data."""
        keep = {name: tuple(of_one_dimension(*ends)[0]) for name, ends in self.range.items()}
        named = {"names": self.columns, "sheet": self.sheet, "from_name": self.from_name}
        return named | {"without": self.skip, "keep": keep}


class Fit(Record):
    """Parameters by dotted key, and data sets.

    loss : how residuals count, as in scipy's least_squares   noise : of data sets that state none of their own
    """

    vary: Annotated[dict[Name, Vary], Field(min_length=1, max_length=100)] = key(
        "dotted key -> bounds and scale", example={"device.left.barrier": {}}, title="A parameter of a fit"
    )
    data: Annotated[tuple[FitData, ...], Field(max_length=100)] = key(
        "data sets", (), example=[{"file": "loop.csv"}], title="A data set of a fit"
    )
    loss: LossName = key("how residuals count; all but the linear loss bear outliers", "linear", example="soft-l1")
    noise: Amount | None = key("noise of the instrument, which adds to the relative uncertainty", None, example="1 pA")
