"""The [expect] of a case: one number of its result, and the window in which this version finds it.

It holds for the case as its file states it. It is therefore not inherited through `base`, and dropped when `--set`
or `replace` changes the case.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from otjdd.case.base import Count, Record
from otjdd.case.distributions import Amount, Name, together
from otjdd.errors import NotAsExpected
from otjdd.units import brief


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
    def window(self) -> tuple[float, float]:
        """Ends of the window in SI."""
        low, high = together(self.low, self.high)[0]
        return low, high

    @property
    def dimension(self) -> str:
        """Kind of quantity of the window, "" for plain numbers."""
        return together(self.low, self.high)[1]

    @property
    def words(self) -> str:
        """The expectation in words."""
        point = "" if self.point is None else f" at point {self.point}"
        return f"{self.number} from {self.low} to {self.high}{point}"
