"""Linear equations of a crossbar on driven lines, by conjugate gradients.

Each line with the conductances of its cells is a ladder, whose matrix has three diagonals. The ladders alone are close to
the network where cells conduct less than lines, so their inverse is the preconditioner. It costs a tenth of an LU
factorisation of the network.
"""

from typing import Any

import numpy as np

ACCURATE = 1e-5  # residual over right side
MOST_TURNS = 200
DENSE = 300  # nodes of a network whose matrix is not sparse


class Ladders:
    """The matrix of a network of R word lines and C bit lines.

    conductance : sparse (2 R C, 2 R C) [S], of the lines and their drivers   along : of a line between two cells [S]
    slope : differential conductances (R C,) [S] of the cells, none negative
    """

    def __init__(self, conductance: Any, along: float, slope: np.ndarray, shape: tuple[int, int]):
        self.conductance, self.slope, self.n, self.shape = conductance, slope, slope.size, shape
        diagonal = conductance.diagonal() + np.tile(slope, 2)
        from scipy.linalg import lapack

        R, C = shape
        self.solve_ladder = lapack.dpttrs
        words = np.where(np.arange(1, self.n) % C == 0, 0.0, -along)
        bits = np.where(np.arange(1, self.n) % R == 0, 0.0, -along)
        self.ladders = [
            lapack.dpttrf(diagonal, off)[:2]
            for diagonal, off in ((diagonal[: self.n], words), (self.turned(diagonal[self.n :]), bits))
        ]

    def turned(self, values: np.ndarray) -> np.ndarray:
        """Values (R C,) bit line by bit line."""
        return values.reshape(self.shape).T.ravel()

    def near(self, right: np.ndarray) -> np.ndarray:
        """Solution (2 R C,) of the ladders alone."""
        (words, bits), n = self.ladders, self.n
        first = self.solve_ladder(*words, right[:n])[0]
        second = self.solve_ladder(*bits, self.turned(right[n:]))[0]
        return np.concatenate((first, second.reshape(self.shape[::-1]).T.ravel()))

    def times(self, nodes: np.ndarray) -> np.ndarray:
        """Currents (2 R C,) [A] out of nodes at these voltages [V]."""
        n = self.n
        through = self.slope * (nodes[:n] - nodes[n:])
        return self.conductance @ nodes + np.concatenate((through, -through))

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Voltages (2 R C,) [V] at which these currents [A] leave the nodes."""
        from scipy.sparse.linalg import LinearOperator, cg

        matrix, near = (LinearOperator((right.size, right.size), f) for f in (self.times, self.near))
        nodes: np.ndarray
        nodes, failed = cg(matrix, right, rtol=ACCURATE, maxiter=MOST_TURNS, M=near)
        return factors(self.conductance, self.slope).solve(right) if failed else nodes


def factors(conductance: Any, slope: np.ndarray) -> Any:
    """LU factors of a network: sparse matrix of its lines [S], and conductances (R C,) [S] of the cells, none negative."""
    if 2 * slope.size <= DENSE:
        return DenseFactors(conductance, slope)
    from scipy.sparse.linalg import splu

    matrix = across(conductance, slope)
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def across(conductance: Any, between: np.ndarray) -> Any:
    """A sparse matrix of the lines with values (R C,) between both nodes of each cell."""
    from scipy.sparse import bmat, diags

    G = diags(between)
    return (conductance + bmat([[G, -G], [-G, G]])).tocsc()


def dense(conductance: Any) -> np.ndarray:
    """A matrix of the lines as a new array."""
    array: np.ndarray = conductance.copy() if isinstance(conductance, np.ndarray) else conductance.toarray()
    return array


class DenseFactors:
    """Factors of a small network, for which those of a sparse matrix take ten times as long."""

    def __init__(self, conductance: Any, slope: np.ndarray):
        from scipy.linalg import lapack

        matrix, n = dense(conductance), slope.size
        at = np.arange(n)
        matrix[at, at] += slope
        matrix[n + at, n + at] += slope
        matrix[at, n + at] -= slope
        matrix[n + at, at] -= slope
        root, failed = lapack.dpotrf(matrix, clean=0)
        if failed:  # a junction whose charge falls as the voltage rises
            *of_matrix, _ = lapack.dgetrf(matrix)
            self.factors, self.solve_factors = of_matrix, lapack.dgetrs
        else:
            self.factors, self.solve_factors = [root], lapack.dpotrs

    def solve(self, right: np.ndarray) -> np.ndarray:
        """Voltages (2 R C,) [V] at which these currents [A] leave the nodes."""
        nodes: np.ndarray = self.solve_factors(*self.factors, right)[0]
        return nodes
