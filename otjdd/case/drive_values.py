"""Types of the values in drives: quantities with their limits, names, and lists of these."""

from typing import Annotated

from pydantic import Field, StringConstraints

from otjdd.case.base import Count
from otjdd.units import Quantity

HIGHEST = 100.0  # V, of either sign

Volts = Annotated[float, Quantity("voltage", f"-{HIGHEST:g} V", f"{HIGHEST:g} V")]
Step = Annotated[float, Quantity("voltage", "1 uV", "100 V")]
Duration = Annotated[float, Quantity("time", "1 fs", "1e9 s")]
Pause = Annotated[float, Quantity("time", "0 s", "1e9 s")]
Delay = Annotated[float, Quantity("time", "-1e9 s", "1e9 s")]
SweepRate = Annotated[float, Quantity("voltage rate", "1e-9 V/s", "1e15 V/s")]
Hertz = Annotated[float, Quantity("frequency", "1e-9 Hz", "1e15 Hz")]
Kelvin = Annotated[float, Quantity("temperature", "1 K", "2000 K")]
Times = Annotated[Count, Field(ge=1, le=1_000_000)]
Vertices = Annotated[tuple[Volts, ...], Field(min_length=2, max_length=1000)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_+.-]{0,31}$")]
Spike = Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
