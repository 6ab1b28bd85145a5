"""Which reads belong to which state, for writes of two voltages in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def two_in_turn(write_voltage: ArrayLike) -> bool:
    """True if each row holds two voltages of opposite sign that alternate, with a read after each.

    write_voltage : (..., reads) [V]. A row may end in nan, or consist of it; one row at least must have two reads
    """
    V = np.asarray(write_voltage, dtype=float)
    if V.ndim == 0 or V.shape[-1] < 2:
        return False
    finite = np.isfinite(V)
    before, after = V[..., :-1], V[..., 1:]
    pairs = finite[..., :-1] & finite[..., 1:]
    turns = (before * after)[pairs] < 0
    beginning = finite[..., 0] | ~finite.any(axis=-1)
    whole = beginning.all() and (finite[..., :-1] | ~finite[..., 1:]).all()
    same = (V[..., 2:] == V[..., :-2])[finite[..., 2:]]
    return bool(pairs.any() and whole and turns.all() and same.all() and (V[finite] != 0).all())
