"""What the error control of the time steps is asked for."""

from typing import NamedTuple

from otjdd.compiler.pointer_tuples import by_pointer


@by_pointer
class Control(NamedTuple):
    """Error control of the time steps, see `error_norm.norm_of`."""

    rtol: float
    atol: float  # 1/m3
    max_steps: int  # of one call
    outside: float  # share of the ions that concentrations beyond their bounds may stand for
    most: float = 1.0  # error norm up to which a step is accepted
