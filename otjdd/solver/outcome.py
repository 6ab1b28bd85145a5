"""How a run ended, and what its result says of it."""

from otjdd.errors import SolverError
from otjdd.results import provenance
from otjdd.solver import model_limits
from otjdd.system.limits import interruption


def ending(error: BaseException):
    """The failure or interruption that an exception is; raises the exception when it is neither."""
    found = error if isinstance(error, SolverError) else interruption(error)
    if found is None:
        raise error
    return found


def status(failure) -> str:
    """How a run ended, in words."""
    return "done" if failure is None else str(failure) or "interrupted"


def delivered(ds, failure):
    """The Dataset of a run; raises the failure that ended it before its time, with the Dataset as its `partial`."""
    if failure is not None:
        failure.partial = ds
        raise failure
    return ds


def attributes(case, statistics: dict, wall_time: float, reached: dict) -> dict:
    """Attributes of a result: the case, where the numbers come from, and the limits of the model that they pass.

    reached : output -> `model_limits.Reached`
    """
    about = provenance.provenance(
        case.source, case.resolved(), title=case.title, statistics=statistics, wall_time=wall_time
    )
    return about | {model_limits.ATTRIBUTE: "\n".join(model_limits.passed(reached))}
