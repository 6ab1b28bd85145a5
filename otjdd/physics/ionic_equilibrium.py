"""Rest of the ions at a constant voltage in a film that holds electrons; at 0 V it is equilibrium.

No flux passes a face where c/(c_max - c) = K exp[(z U - W)/kT], U being the band E_C: the vacancies hang on the band as the
electrons do, and the static Newton of `electron_stack` takes their slope into its diagonal. Its border is the number of
vacancies, by which ln K is found.
"""

import math

from otjdd.constants import ELEMENTARY_CHARGE
from otjdd.physics.electron_stack import farther, lay_bands, solve_stack, static_rows, straight_band
from otjdd.physics.jit import bare, detached
from otjdd.physics.numerics import factor_tridiagonal, solve_tridiagonal

MOST_STEPS = 1000
DONE = 1e-11  # last step of z U/kT and ln K: the error is its square
LONGEST = 3.0  # of a step in these: further the exponentials are not those that the step was made for


@bare
def follow(junction, k, log_K, stack, c, response):
    """Set c (N,) [1/m3] to what the band asks for, response (N,) to d(z c)/dU [1/(m3 eV)]; return vacancies per area."""
    ions, W, amount = junction.ions, 0.0, 0.0
    for i in range(c.size):
        W += junction.columns.site[k, i]
        e = math.exp(-abs(log_K + (ions.z * stack.U[i + 1] - W) / junction.kT))
        positive = log_K + (ions.z * stack.U[i + 1] - W) / junction.kT > 0.0
        c[i] = ions.c_max * (1.0 if positive else e) / (1.0 + e)
        response[i] = ions.z * ions.z / junction.kT * ions.c_max * e / (1.0 + e) ** 2
        amount += junction.columns.width[k, i] * c[i]
    return amount


@bare
def first_log(junction, k, total, stack, c, response):
    """ln K at which the band as it is holds the vacancies total [1/m2], roughly: bisection."""
    low, high = -1.0, 1.0
    while follow(junction, k, low, stack, c, response) > total:
        low *= 2.0
    while follow(junction, k, high, stack, c, response) < total:
        high *= 2.0
    while high - low > 0.1:
        middle = 0.5 * (low + high)
        if follow(junction, k, middle, stack, c, response) > total:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@bare
def equilibrium_step(junction, k, missing, response, along, stack):
    """One step of Newton's iteration for D, U and ln K; moves the stack. Returns the step of ln K, and the largest one.

    missing : vacancies [1/m2] that c lacks   along : (2N+1,) work space, the answer of the stack to ln K
    """
    lower, diagonal, upper, x = stack.lower, stack.diagonal, stack.upper, stack.rest
    z, per_z, n = junction.ions.z, junction.kT / junction.ions.z, x.size
    if not factor_tridiagonal(lower, diagonal, upper, n):
        return math.inf, math.inf
    for j in range(n):
        along[j] = 0.0
    for i in range(response.size):
        along[2 * i + 1] = ELEMENTARY_CHARGE * junction.columns.width[k, i] * response[i] * per_z
    solve_tridiagonal(lower, diagonal, upper, x, n)
    solve_tridiagonal(lower, diagonal, upper, along, n)
    slope = 0.0
    for i in range(response.size):
        by_U = junction.columns.width[k, i] * response[i] / z
        missing -= by_U * x[2 * i + 1]
        slope += by_U * (per_z + along[2 * i + 1])
    by_log, largest = missing / slope, abs(missing / slope)
    for j in range(n):
        x[j] += by_log * along[j]
        if j % 2 == 1:
            largest = farther(largest, x[j] / per_z)
    share = min(1.0, LONGEST / largest) if largest > 0.0 else 1.0
    for j in range(n):
        if j % 2 == 0:
            stack.D[j // 2] += share * x[j]
        else:
            stack.U[j // 2 + 1] += share * x[j]
    return share * by_log, largest


@detached
def equilibrate(junction, k, stack, c, V, room):
    """Rest of column k at V [V] with as many vacancies as c (N,) [1/m3] holds; c and the stack are filled.

    room : (2, 2N+1) work space. Returns the number of iterations, or 0 when no rest was found.
    """
    total, response, along = 0.0, room[0, : c.size], room[1]
    for i in range(c.size):
        total += junction.columns.width[k, i] * c[i]
    straight_band(junction, k, V, stack)
    if solve_stack(junction, k, c, V, stack) == 0:
        return 0
    log_K = first_log(junction, k, total, stack, c, response)
    for step in range(MOST_STEPS):
        lay_bands(junction, k, V, stack)
        amount = follow(junction, k, log_K, stack, c, response)
        static_rows(junction, k, c, response, stack)
        move, largest = equilibrium_step(junction, k, total - amount, response, along, stack)
        if not largest < math.inf:
            return 0
        log_K += move
        if largest <= DONE:
            follow(junction, k, log_K, stack, c, response)
            lay_bands(junction, k, V, stack)
            return step + 1
    return 0
