"""End of a run: its status in words, and the attributes of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otjdd.case.case import Case
from otjdd.errors import SolverError
from otjdd.laws.hopping import LAWS
from otjdd.results import store
from otjdd.solver import model_limits
from otjdd.solver.model_limits import Reached
from otjdd.system.limits import behind, interruption

if TYPE_CHECKING:
    import xarray as xr


Ended = SolverError | KeyboardInterrupt  # what ends a run early


def ending(error: BaseException) -> Ended:
    """Return SolverError or KeyboardInterrupt; raise any other exception, also one of a program's own signal handler."""
    end = error if isinstance(error, SolverError) else interruption(error)
    if end is None:
        raise behind(error)
    return end


def status_words(failure: Ended | None) -> str:
    """End of a run, in words."""
    return "done" if failure is None else str(failure) or "interrupted"


def delivered(ds: xr.Dataset, failure: Ended | None) -> xr.Dataset:
    """The Dataset of a run. Raises the failure that ended the run early, with the Dataset as its `partial`."""
    if failure is not None:
        failure.partial = ds  # type: ignore[union-attr]  # a KeyboardInterrupt takes it too
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


def references(case: Case) -> str:
    """Publications of the models of a case; the sources of its numbers stand in the case itself."""
    parts = [
        getattr(part, "permittivity", None) for part in (case.device.left, *case.device.film.stack, case.device.right)
    ]
    used = dict.fromkeys([case.ions.law, *(part.law for part in parts if part)])
    return "; ".join([*REFERENCES, *(OF_LAWS[law] for law in used if law in OF_LAWS)])


def attributes(case: Case, statistics: dict[str, Any], wall_time: float, reached: dict[str, Reached]) -> dict[str, str]:
    """Attributes of a result: the case, the provenance of the numbers, and the limits of the model that they exceed.

    reached : output -> largest value
    """
    about = store.provenance(case.source, case.resolved(), title=case.title, statistics=statistics, wall_time=wall_time)
    history = f"{about['created']} otjdd {about['otjdd_version']}: {case.title}"
    return about | {"history": history, "references": references(case)} | limits_attribute(reached)


def limits_attribute(reached: dict[str, Reached]) -> dict[str, str]:
    """Attribute with the limits of the model that are exceeded. reached : output -> largest value"""
    return {model_limits.ATTRIBUTE: "\n".join(model_limits.passed(reached))}
