"""Concentrations that a run starts from: uniform, in equilibrium, after a history, from a result or from a profile."""

import numpy as np

from otjdd.solver import equilibrium, integrate, model


def relax(junction, c: np.ndarray) -> np.ndarray:
    """Equilibrium concentrations (K, N) at 0 V with the same number of vacancies as c. Raises SolverError."""
    found = equilibrium.relaxed(junction, c)
    if found is None:
        integrate.fail(integrate.begin(junction, c, rtol=1.0, atol=1.0), "EQUILIBRIUM_NOT_FOUND", 0.0, 0.0, 0.0, np.inf)
    return found


def start(case, junction, parts) -> np.ndarray:
    """Concentrations (K, N) [1/m3] that a case starts from. Raises SolverError, ValueError."""
    initial = case.ions.initial
    c = model.uniform(parts, case.device.film.cells)
    if initial == "uniform":
        return c
    if initial == "equilibrium":
        return relax(junction, c)
    if hasattr(initial, "result"):
        return from_result(initial.result, c)
    if hasattr(initial, "profile"):
        return model.along_profile(case, parts)
    run = integrate.begin(
        junction, c, rtol=case.numerics.rtol, atol=case.numerics.atol, max_steps=case.numerics.max_steps
    )
    for hold in initial.history:
        integrate.jump(run, hold.voltage)
        integrate.advance(run, hold.duration, hold.voltage, hold.voltage, False)
    return run.state.c.copy()


def from_result(path: str, like: np.ndarray) -> np.ndarray:
    """Last concentrations of a result file. Raises ResultError, ValueError when it has none or other columns or cells."""
    from otjdd.results import store

    states = store.read(path).get("vacancy_concentration_columns", ())
    if not len(states):
        raise ValueError("ions.initial.result: that result holds no state to start from")
    c = states.values[-1]
    if c.shape != like.shape:
        raise ValueError(f"ions.initial.result: {c.shape} columns and cells, the case has {like.shape}")
    return c
