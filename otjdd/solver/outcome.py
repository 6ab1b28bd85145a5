"""End of a run: its status in words, and the attributes of its result."""

from otjdd.errors import SolverError
from otjdd.laws.hopping import LAWS
from otjdd.results import provenance
from otjdd.solver import model_limits
from otjdd.system.limits import behind, interruption


def ending(error: BaseException):
    """Return SolverError or KeyboardInterrupt; raise any other exception, also one of a program's own signal handler."""
    found = error if isinstance(error, SolverError) else interruption(error)
    if found is None:
        raise behind(error)
    return found


def status(failure) -> str:
    """End of a run, in words."""
    return "done" if failure is None else str(failure) or "interrupted"


def delivered(ds, failure):
    """The Dataset of a run. Raises the failure that ended the run early, with the Dataset as its `partial`."""
    if failure is not None:
        failure.partial = ds
        raise failure
    return ds


REFERENCES = (
    "Hairer & Wanner, Solving Ordinary Differential Equations II (1996), section VI.4: RODAS",
    "Steinebach, BIT Numer. Math. 63, 27 (2023): RODAS5P",
    "Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969): ion fluxes",
    "Tsu & Esaki, Appl. Phys. Lett. 22, 562 (1973): current",
)
OF_LAWS = {
    **{name: law.source for name, law in LAWS.items() if law.source},
    "nonlinear": "Suzuki, Yamamoto et al., J. Appl. Phys. 81, 6830 (1997): nonlinear permittivity",
}


def references(case) -> str:
    """Publications of the models of a case; the sources of its numbers stand in the case itself."""
    parts = [getattr(part, "permittivity", None) for part in (case.device.left, case.device.film, case.device.right)]
    used = dict.fromkeys([case.ions.law, *(part.law for part in parts if part)])
    return "; ".join([*REFERENCES, *(OF_LAWS[law] for law in used if law in OF_LAWS)])


def attributes(case, statistics: dict, wall_time: float, reached: dict) -> dict:
    """Attributes of a result: the case, the provenance of the numbers, and the limits of the model that they exceed.

    reached : output -> `model_limits.Reached`
    """
    about = provenance.provenance(
        case.source, case.resolved(), title=case.title, statistics=statistics, wall_time=wall_time
    )
    history = f"{about['created']} otjdd {about['otjdd_version']}: {case.title}"
    return about | {"history": history, "references": references(case)} | limits(reached)


def limits(reached: dict) -> dict:
    """Attribute with the limits of the model that are exceeded. reached : output -> `model_limits.Reached`"""
    return {model_limits.ATTRIBUTE: "\n".join(model_limits.passed(reached))}
