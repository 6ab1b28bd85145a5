"""A crossbar of compact models: lines with resistance, sneak paths, disturbed cells.

    row i:     driver -r- u_i0 -r- u_i1 - ...        one segment r between neighbours, and before the first
    column j:  driver -r- w_0j -r- w_1j - ...
    cell i, j: from u_ij (the metal) to w_ij

Kirchhoff's law at all 2 R C nodes: Newton's iteration, the cells linear around the last voltages, by a sparse solver.
A line without driver floats. While a pulse lasts, the cells move at the voltages that they have, in growing steps.
"""

from typing import NamedTuple

import numpy as np

from otjdd.compact_models.model import CompactModel
from otjdd.errors import NotAsExpected

TOLERANCE = 1e-6  # V, of the voltages at the nodes
MOST_TURNS = 50
STEPS = (0.03, 0.1, 0.27, 0.6)  # shares of a pulse after which the voltages of the lines are solved anew
LEAK = 1e-15  # S from every node to ground, so that a floating line has a voltage
SCHEMES = {"half": (0.5, 0.5), "third": (1.0 / 3.0, 2.0 / 3.0)}  # of the write voltage, on unselected rows and columns


class Crossbar(NamedTuple):
    """R rows and C columns of one device, and the resistance [ohm] of a line between two cells."""

    model: CompactModel
    rows: int
    columns: int
    line_resistance: float


class Solution(NamedTuple):
    """Voltages and currents of all cells."""

    voltage: np.ndarray  # (R, C) V, from row to column
    current: np.ndarray  # (R, C) A
    row_current: np.ndarray  # (R,) A, out of the drivers of the rows
    column_current: np.ndarray  # (C,)


def wires(crossbar: Crossbar, driven_rows: np.ndarray, driven_columns: np.ndarray):
    """Conductances [S] of all lines (2 R C, 2 R C): rows' nodes first, and of the drivers' segments on the diagonal."""
    from scipy.sparse import coo_matrix

    R, C, g = crossbar.rows, crossbar.columns, 1.0 / crossbar.line_resistance
    u, w = np.arange(R * C).reshape(R, C), R * C + np.arange(R * C).reshape(R, C)
    a = np.concatenate((u[:, :-1].ravel(), w[:-1].ravel()))
    b = np.concatenate((u[:, 1:].ravel(), w[1:].ravel()))
    diagonal = np.full(2 * R * C, LEAK)
    np.add.at(diagonal, np.concatenate((a, b)), g)
    diagonal[u[:, 0]] += g * driven_rows
    diagonal[w[0]] += g * driven_columns
    i = np.concatenate((a, b, np.arange(2 * R * C)))
    j = np.concatenate((b, a, np.arange(2 * R * C)))
    values = np.concatenate((np.full(2 * a.size, -g), diagonal))
    return coo_matrix((values, (i, j)), shape=(2 * R * C, 2 * R * C)).tocsc()


def solve(crossbar: Crossbar, states: np.ndarray, rows, columns, guess: np.ndarray | None = None) -> Solution:
    """Voltages and currents of all cells while their states (R C, 2 K) stay where they are.

    rows (R,), columns (C,) : voltages of the drivers [V], nan for lines that float   guess : (R, C) voltages of the cells
    Raises NotAsExpected for a line without resistance, or drivers beyond the range of the model.
    """
    from scipy.sparse import bmat, diags
    from scipy.sparse.linalg import spsolve

    from otjdd.physics import compact

    if not crossbar.line_resistance > 0.0:
        raise NotAsExpected("a resistance of the lines above 0 ohm", f"{crossbar.line_resistance:g} ohm")
    model, n = crossbar.model, crossbar.rows * crossbar.columns
    rows, columns = (np.asarray(line, dtype=float) for line in (rows, columns))
    model.check_voltages(np.subtract.outer(rows[np.isfinite(rows)], columns[np.isfinite(columns)]))
    lines = wires(crossbar, np.isfinite(rows), np.isfinite(columns))
    g, source = 1.0 / crossbar.line_resistance, np.zeros(2 * n)
    source[: n : crossbar.columns] = g * np.nan_to_num(rows)
    source[n : n + crossbar.columns] = g * np.nan_to_num(columns)
    cell = np.zeros(n) if guess is None else np.ravel(guess).copy()
    current, slope = np.empty(n), np.empty(n)
    for _ in range(MOST_TURNS):
        compact.linearise(model.lookup, states, cell, current, slope)
        held, G = current - slope * cell, diags(slope)
        nodes = spsolve(lines + bmat([[G, -G], [-G, G]], format="csc"), source - np.concatenate((held, -held)))
        before, cell = cell, np.clip(nodes[:n] - nodes[n:], model.limits.low, model.limits.high)
        if np.abs(cell - before).max() <= TOLERANCE:
            break
    else:
        raise NotAsExpected(
            "voltages of the lines that settle", f"cells that still move by {np.abs(cell - before).max():.2g} V"
        )
    current = (held + slope * cell).reshape(crossbar.rows, crossbar.columns)
    return Solution(cell.reshape(current.shape), current, current.sum(axis=1), current.sum(axis=0))


def pulse(crossbar: Crossbar, states: np.ndarray, rows, columns, duration: float) -> tuple[Solution, float]:
    """Hold the drivers' voltages for a duration [s]; the states change in place. Returns the end, and the energy [J].

    The energy is that of the drivers, the current taken to be linear in time between two solutions.
    """
    found, energy, now = solve(crossbar, states, rows, columns), 0.0, 0.0
    for share in (*STEPS, 1.0):
        lasts = duration * share - now
        crossbar.model.hold(states, found.voltage.ravel(), lasts)
        new = solve(crossbar, states, rows, columns, found.voltage)
        energy += 0.5 * lasts * (power(found, rows, columns) + power(new, rows, columns))
        found, now = new, now + lasts
    return found, energy


def power(found: Solution, rows, columns) -> float:
    """Power [W] that the drivers give."""
    return float(np.nan_to_num(rows) @ found.row_current - np.nan_to_num(columns) @ found.column_current)


def write(
    crossbar: Crossbar,
    states: np.ndarray,
    row: int,
    chosen: np.ndarray,
    voltage: float,
    duration: float,
    scheme: str = "half",
):
    """Write the chosen cells (C,) of a row with a voltage [V] for a duration [s]; see `pulse`.

    The others see a half of the voltage, or a third of either sign. Raises NotAsExpected for another scheme.
    """
    if scheme not in SCHEMES:
        raise NotAsExpected(f"a scheme out of {', '.join(SCHEMES)}", repr(scheme))
    on_rows, on_columns = SCHEMES[scheme]
    rows = np.full(crossbar.rows, on_rows * voltage)
    rows[row] = voltage
    return pulse(crossbar, states, rows, np.where(chosen, 0.0, on_columns * voltage), duration)


def read(crossbar: Crossbar, states: np.ndarray, voltage: float, floating: bool = False) -> np.ndarray:
    """Currents (R, C) [A] that each column takes while one row after the other is read.

    floating : unselected rows float, and sneak paths pass through them; else they are grounded
    """
    out = np.empty((crossbar.rows, crossbar.columns))
    for row in range(crossbar.rows):
        rows = np.full(crossbar.rows, np.nan if floating else 0.0)
        rows[row] = voltage
        out[row] = solve(crossbar, states, rows, np.zeros(crossbar.columns)).column_current
    return out


def program(
    crossbar: Crossbar, pattern: np.ndarray, voltage: float, duration: float, scheme: str = "half", states=None
):
    """Write a pattern (R, C) of chosen cells, row by row, into cells that begin at rest.

    Returns the states (R C, 2 K) and a Dataset: chosen cells, chord conductance before and after, energy of each row.
    """
    import xarray as xr

    pattern = np.asarray(pattern, dtype=bool)
    if pattern.shape != (crossbar.rows, crossbar.columns):
        raise NotAsExpected(
            f"a pattern of {crossbar.rows} x {crossbar.columns} cells", f"one of the shape {pattern.shape}"
        )
    states = crossbar.model.states(pattern.size) if states is None else states
    before, energy = conductances(crossbar, states), np.zeros(crossbar.rows)
    for row in np.flatnonzero(pattern.any(axis=1)):
        _, energy[row] = write(crossbar, states, row, pattern[row], voltage, duration, scheme)
    crossbar.model.hold(states, 0.0, 1e-3)
    after = conductances(crossbar, states)
    cells = ("row", "column")
    arrays = {
        "chosen": (cells, pattern.astype(float), {"units": "1", "long_name": "cells to be written"}),
        "conductance_before": (cells, before, {"units": "S", "long_name": "conductance of a cell at 0.1 V, before"}),
        "conductance": (cells, after, {"units": "S", "long_name": "conductance of a cell at 0.1 V, after"}),
        "write_energy": (
            ("row",),
            energy,
            {"units": "J", "long_name": "energy of the drivers while a row was written"},
        ),
    }
    return states, xr.Dataset(arrays)


def conductances(crossbar: Crossbar, states: np.ndarray) -> np.ndarray:
    """Chord conductances (R, C) [S] of the cells themselves at 0.1 V."""
    return (crossbar.model.hold(states.copy(), 0.1, 0.0) / 0.1).reshape(crossbar.rows, crossbar.columns)
