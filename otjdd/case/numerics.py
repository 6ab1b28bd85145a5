"""The [numerics] of a case."""

from typing import Annotated, Literal

from pydantic import Field

from otjdd.case.base import Count, Number, Record, key

LEAST_RTOL, LEAST_ATOL, LEAST_CURRENT_TOLERANCE, LEAST_LEAP = 1e-10, 1e-14, 1e-12, 1e-3
# numerics.error -> divisors of the number of cells, one for each coarser grid
PARTS = {"limit": (2,), "estimate": (2, 3), "extrapolate": (2, 3)}
ERRORS = ("none", *PARTS)
FEWEST_CELLS = 8  # of a grid


class Numerics(Record):
    """Accuracy and limits of a run.

    rtol : error of a time step: of the band edge in units of kT, of the share of the ions on either side of a point, and
        relative error of a concentration. Below 1e-2 the method is of order 5, else of order 4
    largest_leap : in the mean of a step, see `stepping.largest_leap`   error : see `runs.error_estimate`
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
