"""State of rest of the ions at a constant voltage, without integration in time, see `physics.rest`.

Between blocking electrodes a given number of ions can rest at any voltage; at 0 V the rest is equilibrium. Where an
electrode exchanges ions its reservoir, at its initial filling, gives the level in the place of the number. Two such
electrodes are at rest at 0 V alone, where their levels agree.
"""

from __future__ import annotations

import numpy as np

from otjdd.errors import Status
from otjdd.physics.columns import close_all
from otjdd.physics.junction import CLOSURE_TOLERANCE, Junction, band_of_fields, new_state
from otjdd.physics.rest import rest_column, rest_parts
from otjdd.physics.state import COSH, State

TURNS = 1000
TURNED = 1e-9  # eV, of the band in the last turn of ions and traps


def relaxed(
    junction: Junction, c: np.ndarray, V: float = 0.0, P: np.ndarray | None = None, trapped: np.ndarray | None = None
) -> np.ndarray | None:
    """Concentrations (K, N) [1/m3] at rest at junction voltage V [V].

    c : (K, N) whose number of ions stays between blocking electrodes, in each part of a column that layers without sites
        part
    P : (K,) [C/m2] polarisation, and trapped : (K, N) [C/m2] charge of traps, which stay; None for none
    None when not found.
    """
    if trapped is not None:
        behind = np.cumsum(trapped[:, ::-1], axis=1)[:, ::-1]
        fixed = junction.columns.fixed + np.pad(behind, ((0, 0), (0, 1)))
        junction = junction._replace(columns=junction.columns._replace(fixed=fixed))
    state = resting_state(junction)
    if P is not None:
        state.P[:] = P
    for k, column in enumerate(c):
        if not rest_column(junction, state, k, V, rest_parts(junction, k, column)):
            return None
    return state.c.copy()


def resting_state(junction: Junction) -> State:
    """A state of a junction in which films have a band also where they hold no electrons; traps carry no charge."""
    K, N = junction.columns.width.shape
    return new_state(
        junction, group=0, charged_cell=0, electronic=K, film_node=N + 2, film_cell=N, film_line=2 * N + 1
    )  # fmt: skip


def relaxed_with_traps(junction: Junction, c: np.ndarray) -> np.ndarray | None:
    """As `relaxed` at 0 V, the charged traps being at rest too; None when not found.

    Ions and filling come to rest by turns: both lower one free energy, which is convex.
    """
    bands = np.full((c.shape[0], c.shape[1] + 2), np.inf)
    state = new_state(junction, group=0)
    for _ in range(TURNS):
        rest = relaxed(junction, c, trapped=state.trapped)
        if rest is None:
            return None
        state.c[:], before = rest, bands
        state.guess[:], state.guess[:, COSH] = 0.0, 1.0
        if close_all(junction, state, 0.0, CLOSURE_TOLERANCE) != Status.DONE:
            return None
        c, bands = rest, np.array([band(junction, state, k) for k in range(len(c))])
        if np.abs(bands - before).max() <= TURNED:
            return c
    return None


def band(junction: Junction, state: State, k: int) -> np.ndarray:
    """Band (N+2,) [eV] of column k at both ends and the centres of its cells."""
    U = np.empty(state.c.shape[1] + 2)
    band_of_fields(junction, state, k, U)
    return U
