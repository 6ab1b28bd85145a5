"""The [numerics] of a case."""

from typing import Annotated

from pydantic import Field

from otjdd.case.record import Count, Number, Record


class Numerics(Record):
    """Accuracy and limits of the time integration.

    rtol, atol : error of a time step, relative, and in units of the mean ion concentration
    max_steps : largest number of time steps of a run
    current_tolerance : relative error of recorded currents
    """

    rtol: Annotated[Number, Field(ge=1e-10, le=1e-1)] = 1e-3
    atol: Annotated[Number, Field(ge=1e-14, le=1)] = 1e-5
    max_steps: Annotated[Count, Field(ge=1, le=10**9)] = 10_000_000
    current_tolerance: Annotated[Number, Field(ge=1e-12, le=0.1)] = 1e-4
