"""The linear system of `solver.linear_response` in extended precision."""

import mpmath as mp
import numpy as np


def dense(rows):
    """The matrix (n, n) of rows (n, 2 b + 1) about its diagonal."""
    (n, width), middle = rows.shape, rows.shape[1] // 2
    matrix = np.zeros((n, n))
    for i in range(n):
        for j in range(max(0, i - middle), min(n, i + width - middle)):
            matrix[i, j] = rows[i, middle + j - i]
    return matrix


def exactly_solved(response, rate, right):
    """Unknowns of a response for a right-hand side (n + m,), what moves changing at a rate [1/s]."""
    whole = np.block([[dense(response.rows), response.to_shared], [response.to_local, response.shared]])
    matrix = mp.matrix(whole.tolist())
    for i, moves in enumerate(response.moves):
        matrix[i, i] += rate * moves
    return mp.lu_solve(matrix, mp.matrix(right.tolist()))
