"""Rosenbrock methods as tables: coefficients of the stages of a step, and which method suits which tolerance.

Both are L-stable, stiffly accurate and made for differential-algebraic systems of index 1. Coefficients are those of the
transformed variables of Hairer & Wanner, Solving Ordinary Differential Equations II, 2nd ed., equation (IV.7.25).
"""

from typing import NamedTuple

import numpy as np

from otjdd.compiler.pointer_tuples import by_pointer


@by_pointer
class Method(NamedTuple):
    """A method of s stages. Each of the last r begins at the state of the stage before it plus the result of that stage."""

    order: int  # of a step; that of its error estimate is one lower
    safety: float  # share of the step whose error would be just allowed that the next step takes
    gamma: float
    alpha: np.ndarray  # (s,) times of the stages, in steps
    gamma_sum: np.ndarray  # (s,) of the derivative of the source voltage
    A: np.ndarray  # (s - r, s - r - 1) the state of a stage from stages before
    C: np.ndarray  # (s, s - 1) the right-hand side of a stage from stages before


def lower(*rows: tuple[float, ...]) -> np.ndarray:
    """A lower triangular array from its rows below the diagonal, of which the first is empty."""
    table = np.zeros((len(rows) + 1, len(rows)))
    for i, row in enumerate(rows, 1):
        table[i, :i] = row
    return table


# Hairer & Wanner, section VI.4
RODAS = Method(
    order=4, safety=0.9, gamma=0.25,
    alpha=np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0]),
    gamma_sum=np.array([0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0]),
    A=lower(
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
    ),
    C=lower(
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
)  # fmt: skip

# Steinebach, BIT Numer. Math. 63, 27 (2023), doi:10.1007/s10543-023-00967-x. With a safety of 0.9 twice as many steps are
# rejected, and 4 % more tried at equal error: validation/peers.
RODAS5P = Method(
    order=5, safety=0.8, gamma=0.21193756319429014,
    alpha=np.array(
        [0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0]
    ),
    gamma_sum=np.array(
        [0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0, 0, 0]
    ),
    A=lower(
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
    ),
    C=lower(
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002,
            -54.66780262877968, -9.48861652309627,
        ),
    ),
)  # fmt: skip

# Where a step may be wrong by a hundredth, the higher order saves less than two more stages cost, and its steps are so long
# that reads jump where their number changes: validation/peers.
LOOSE = 1e-2  # relative tolerance from which on RODAS is used


def method_for(rtol: float) -> Method:
    """The method that costs least at a relative tolerance."""
    return RODAS if rtol >= LOOSE else RODAS5P
