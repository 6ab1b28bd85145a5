"""How far a number is from its limit of small cells, by its values on two or three grids.

The scheme is of second order in the size of the cells. So x on N and on M < N cells gives the limit of small cells:

    x = x_N + (x_N - x_M)/((N/M)^2 - 1)        (Richardson; Roache, J. Fluids Eng. 116, 405 (1994))

Three grids also give the order p of convergence, and (N/M)^p takes the place of the square: steep bands on few cells come
closer to the first order. The order is at most 2.

An order outside of 1 to 3 means that two of the grids agree by chance, or that all are too coarse. A stated error is then
at least the range of the three values (as in Eca & Hoekstra, J. Comput. Phys. 262, 104 (2014)).
"""

from collections.abc import Sequence

import numpy as np

ORDERS = 1.0, 3.0  # order of convergence that three grids may show
SECOND_ORDER = 2.0  # that of the scheme
SAFETY = 1.25  # factor of the distance to the limit, Roache's; without it and the order, 26 % of reads err by more


def extrapolated(fine: np.ndarray, coarse: np.ndarray, ratio: float) -> np.ndarray:
    """Limit of small cells from values on two grids, for second order. ratio : of the sizes of coarse and fine cells"""
    return fine + (fine - coarse) / (ratio * ratio - 1.0)


def error_of_finest(grids: Sequence[int], values: Sequence[np.ndarray]) -> np.ndarray:
    """Error of values on the finest of two or three grids. grids : numbers of cells   values : of grids, finest first"""
    orders = orders_of_convergence(grids, values) if len(grids) == 3 else SECOND_ORDER
    ratio = (grids[0] / grids[1]) ** orders
    return np.asarray(SAFETY * np.abs(values[0] - values[1]) / (ratio - 1.0))


def at_least_range(
    grids: Sequence[int], values: Sequence[np.ndarray], error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Errors that are at least the range of the values where these do not converge, and where that is so.

    grids, values : three of each, finest first
    """
    converged, extent = converges(grids, values), np.max(values, axis=0) - np.min(values, axis=0)
    return np.where(converged, error, np.maximum(error, extent)), ~converged & (extent > 0.0)


def converges(grids: Sequence[int], values: Sequence[np.ndarray]) -> np.ndarray:
    """True for each value that converges with an order within ORDERS. values : on three grids, finest first"""
    ratio = ratio_of_changes(values)
    most, least = (ratio_by_order(grids, order) for order in ORDERS)
    return (ratio >= least) & (ratio <= most)


def ratio_of_changes(values: Sequence[np.ndarray]) -> np.ndarray:
    """Change between the two finer grids over that between the two coarser ones. values : on three grids, finest first"""
    fine, middle, coarse = values
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((fine - middle) / (middle - coarse))


def ratio_by_order(grids: Sequence[int], order: float) -> float:
    """`ratio_of_changes` of values that converge with an order. It falls with the order."""
    fine, middle, coarse = (cells**-order for cells in grids)
    return (middle - fine) / (coarse - middle)


def orders_of_convergence(grids: Sequence[int], values: Sequence[np.ndarray]) -> np.ndarray:
    """Order with which each value converges, between ORDERS[0] and SECOND_ORDER. values : on three grids, finest first

    The order is SECOND_ORDER where the two coarser grids agree, so that the three values do not determine it.
    """
    ratio, orders = ratio_of_changes(values), np.linspace(SECOND_ORDER, ORDERS[0], 101)
    of_orders = [ratio_by_order(grids, order) for order in orders]
    return np.where(np.isfinite(ratio), np.interp(ratio, of_orders, orders), SECOND_ORDER)
