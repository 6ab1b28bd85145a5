"""Linear equations of a crossbar on driven lines, by conjugate gradients.

Each line with the conductances of its cells is a ladder, whose matrix has three diagonals. The ladders alone are close to
the network where cells conduct less than lines, so their inverse is the preconditioner. It costs a tenth of an LU
factorisation of the network.
"""

from typing import Any

import numpy as np

ACCURATE = 1e-5  # residual over right side
MOST_TURNS = 200


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
    from scipy.sparse import bmat, diags
    from scipy.sparse.linalg import splu

    G = diags(slope)
    matrix = (conductance + bmat([[G, -G], [-G, G]])).tocsc()
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
