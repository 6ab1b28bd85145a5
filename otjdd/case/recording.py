"""The [record] of a case, which time steps and snapshots a result keeps, and its [expect]: one number of the result.

An expectation holds for the case as its file states it. It is therefore not inherited through `base`, and dropped when
`--set` or `replace` changes the case.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, field_validator, model_validator

from otjdd.analysis.goal import Goal
from otjdd.case.base import Count, Record, key
from otjdd.case.study_axes import Amount, Name, together
from otjdd.errors import NotAsExpected
from otjdd.units import Quantity, brief

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
        (low, high), _ = together(self.low, self.high)
        if low > high:
            raise NotAsExpected(f"a high end above the low one of {brief(self.low)}", brief(self.high))
        return self

    @property
    def goal(self) -> Goal:
        """The window in SI."""
        low, high = together(self.low, self.high)[0]
        return Goal(low=low, high=high)

    @property
    def dimension(self) -> str:
        """Kind of quantity of the window, "" for plain numbers."""
        return together(self.low, self.high)[1]

    @property
    def words(self) -> str:
        """The expectation in words."""
        point = "" if self.point is None else f" at point {self.point}"
        return f"{self.number} from {self.low} to {self.high}{point}"
