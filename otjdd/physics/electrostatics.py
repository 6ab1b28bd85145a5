"""Electrostatics of the stack, with the displacement D as the unknown.

    dD/dx = rho        D = eps0 [eps_r E + b asinh(E/sqrt(a))]        dE_C/dx = E   (E_C in eV, E = -dphi/dx)

The film holds ions and fixed charge only, so D at every face is an explicit sum of charges. E follows from D. The one
electrostatic unknown of a column is D(L), found from the closure (`junction.closure`)

    -V_j + edge_left(D(0)) + int_0^L E dx = edge_right(-D(L)),

where edge(Q) is the conduction band of the film at an electrode, above that electrode's own Fermi level, when the
electrode carries the areal charge Q. A Newton iteration for the potential oscillates with the sigmoidal D(E) of
SrTiO3; in D the closure is a monotone scalar equation.
"""

import math
from typing import NamedTuple

import numpy as np

from otjdd.compiler.decorators import apart, bare, detached_fused, fused, inlined, kernel
from otjdd.compiler.pointer_tuples import by_pointer
from otjdd.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from otjdd.physics.fermi_dirac import fermi_dirac_half, fermi_dirac_minus_half, fermi_dirac_three_half
from otjdd.physics.numerics import LONGEST_MOVE, hermite, sinh_cosh, sinh_cosh_moved

METAL, SEMICONDUCTOR = 0, 1
MOST_CHARGE = 100.0  # C/m2 on an electrode: thirty times the charge at which the best dielectrics break down

FAR = 8.0  # y = asinh(E/sqrt(a)) beyond which a linear guess of y is poor
CUBIC = 1e-5  # relative move that ends a cubic iteration: its cube over twelve is below round-off
CUBIC_IN_STAGES = 1e-3  # the same in stages of a step


@by_pointer
class Permittivity(NamedTuple):
    """D = eps0 [eps_r E + b asinh(E/sqrt_a)]; b = 0 is the linear dielectric."""

    eps_r: float  # 1
    b: float  # V/m
    sqrt_a: float  # V/m


@by_pointer
class Electrode(NamedTuple):
    """One electrode as numbers; band edges are counted from its own Fermi level [eV]."""

    kind: int  # METAL or SEMICONDUCTOR
    edge: float  # E_C of the film at the uncharged interface
    bottom: float  # conduction-band bottom in the bulk
    mass: float  # m0
    screening: float  # metal: d edge/dQ = lambda/(eps0 eps_m) [V m2/C]
    charge_scale: float  # semiconductor: Q0 [C/m2]; its bending is tabulated on a uniform grid of x = asinh(Q/Q0),
    grid_start: float  # which is fine near flat bands, where Q0 bends by kT, and wide for large charges
    grid_step: float
    bending: np.ndarray  # (M,) u, eV
    bending_slope: np.ndarray  # (M,) du/dx, eV
    depletion: np.ndarray  # (3, P) universal profile of the bent region: u [eV], depth [m] from the bulk, |E| [V/m]
    accumulation: np.ndarray  # (3, R) the same for u < 0


@bare
def displacement(E: float, eps: Permittivity):
    """Displacement D [C/m2] of the field E [V/m], and the differential permittivity dD/dE [F/m]."""
    if eps.b == 0.0:
        return VACUUM_PERMITTIVITY * eps.eps_r * E, VACUUM_PERMITTIVITY * eps.eps_r
    D = VACUUM_PERMITTIVITY * (eps.eps_r * E + eps.b * math.asinh(E / eps.sqrt_a))
    return D, VACUUM_PERMITTIVITY * (eps.eps_r + eps.b / math.sqrt(eps.sqrt_a**2 + E * E))


@fused
def halley_move(y: float, s: float, c: float, d: float, p: float, b: float):
    """Halley's move for p sinh(y) + b y = d at y, from s = sinh(y) and c = cosh(y)."""
    f = p * s + b * y - d
    slope = p * c + b
    return f * slope / (slope * slope - 0.5 * f * p * s)


@bare
def field(D: float, eps: Permittivity):
    """Field E [V/m] of the displacement D [C/m2], and dD/dE [F/m]: the inverse of `displacement`.

    With E = sqrt(a) sinh(y) the law reads p sinh(y) + b y = D/eps0, p = eps_r sqrt(a): convex for y > 0. Halley's
    iteration from the upper bound min(d/(p + b), asinh(d/p)) falls monotonically and cubically onto the root.
    """
    if eps.b == 0.0:
        return D / (VACUUM_PERMITTIVITY * eps.eps_r), VACUUM_PERMITTIVITY * eps.eps_r
    d = abs(D) / VACUUM_PERMITTIVITY
    p = eps.eps_r * eps.sqrt_a
    y = d / (p + eps.b)
    if d > FAR * (p + eps.b) and p > 0.0:
        y = min(y, math.asinh(d / p))
    s, c = sinh_cosh(y)
    if p > 0.0:
        for _ in range(50):
            move = halley_move(y, s, c, d, p, eps.b)
            y -= move
            s, c = sinh_cosh(y)
            if abs(move) <= CUBIC * y:
                break
    return math.copysign(eps.sqrt_a * s, D), VACUUM_PERMITTIVITY * (eps.eps_r + eps.b / (eps.sqrt_a * c))


@bare
def slope_at(c: float, eps: Permittivity) -> float:
    """dD/dE [F/m] where cosh(y) of the field is c."""
    return VACUUM_PERMITTIVITY * (eps.eps_r + (eps.b / (eps.sqrt_a * c) if eps.b > 0.0 else 0.0))


@inlined
def follow(D: np.ndarray, eps: Permittivity, y: np.ndarray, s: np.ndarray, c: np.ndarray, last: float, afresh: bool):
    """Move the guess y, s, c (n,) of `fields` to displacements D (n,) [C/m2] of a permittivity that depends on the field.

    last : relative move that ends the iteration; the error left is its cube
    afresh : sinh(y) and cosh(y) are computed anew at the end, so that round-off of one move after another does not add up
    """
    p, per_D = eps.eps_r * eps.sqrt_a, 1.0 / VACUUM_PERMITTIVITY
    if p == 0.0:
        for i in range(D.size):
            y[i] = abs(D[i]) * per_D / eps.b
            s[i], c[i] = sinh_cosh(y[i])
        return
    for _ in range(50):
        moving, far, wide = 0, 0, 0  # counts: the compiler vectorises a sum of integers, but not a maximum of floats
        for i in range(D.size):
            move = halley_move(y[i], s[i], c[i], abs(D[i]) * per_D, p, eps.b)
            y[i] -= move
            s[i], c[i] = sinh_cosh_moved(s[i], c[i], -move)
            moving += abs(move) > last * y[i]
            far += y[i] > FAR
            wide += abs(move) > LONGEST_MOVE
        if wide > 0:
            for i in range(D.size):
                s[i], c[i] = sinh_cosh(y[i])
        if far > 0:  # from below, the first move overshoots: fall back to the upper bound of `field`
            for i in range(D.size):
                if y[i] > FAR:
                    y[i] = min(y[i], math.asinh(abs(D[i]) * per_D / p))
                    s[i], c[i] = sinh_cosh(y[i])
        if moving == 0:
            break
    if afresh:
        for i in range(D.size):
            s[i], c[i] = sinh_cosh(y[i])


@detached_fused
def fields(
    D: np.ndarray, eps: Permittivity, E: np.ndarray, slope: np.ndarray, guess: np.ndarray, part: tuple[int, int],
    in_stage: bool,
):  # fmt: skip
    """`field` for a part of an array: fill E [V/m] and slope = dD/dE [F/m] for displacements D [C/m2], all (n,).

    guess : (3, n) y = asinh(|E|/sqrt(a)), sinh(y) and cosh(y) at a displacement nearby, updated; of y = 0 to begin with
    part : first element of the part, and the first one behind it
    in_stage : of a stage of a step, which needs no dD/dE: slope is left as it is, and E is right to 1e-10
    """
    first, behind = part
    D, E, slope = D[first:behind], E[first:behind], slope[first:behind]
    y, s, c = guess[0, first:behind], guess[1, first:behind], guess[2, first:behind]
    if eps.b == 0.0:
        per_D = 1.0 / (VACUUM_PERMITTIVITY * eps.eps_r)
        for i in range(D.size):
            E[i] = D[i] * per_D
            slope[i] = VACUUM_PERMITTIVITY * eps.eps_r
        return
    follow(D, eps, y, s, c, CUBIC_IN_STAGES if in_stage else CUBIC, not in_stage)
    for i in range(D.size):
        E[i] = math.copysign(eps.sqrt_a * s[i], D[i])
    if not in_stage:
        for i in range(D.size):
            slope[i] = VACUUM_PERMITTIVITY * (eps.eps_r + eps.b / (eps.sqrt_a * c[i]))


@kernel
def field_energy(E: float, eps: Permittivity):
    """Work int_0^E E' dD [J/m3] of raising the field to E [V/m]."""
    work = 0.5 * eps.eps_r * E * E
    if eps.b > 0.0:
        work += eps.b * E * E / (math.sqrt(eps.sqrt_a**2 + E * E) + eps.sqrt_a)
    return VACUUM_PERMITTIVITY * work


@kernel
def field_of_energy(work: float, eps: Permittivity):
    """Field |E| [V/m] at which `field_energy` is work [J/m3]; Newton on the convex energy from above."""
    w = work / VACUUM_PERMITTIVITY
    if eps.b == 0.0:
        return math.sqrt(2.0 * w / eps.eps_r)
    E = math.sqrt(w / eps.b * (w / eps.b + 2.0 * eps.sqrt_a))
    if eps.eps_r > 0.0 and E > 0.0:
        E = min(E, math.sqrt(2.0 * w / eps.eps_r))
        for _ in range(60):
            slope = displacement(E, eps)[1] * E
            move = (field_energy(E, eps) - work) / slope
            E -= move
            if abs(move) <= 1e-14 * E:
                break
    return E


LAST_MOVE = 3e-8  # of Newton's, relative: its error after that is the square of it, times a logarithmic slope below 50
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(8)


@kernel
def space_charge(u: float, xi: float, kT: float, doping: float, density_of_states: float):
    """Space charge rho(u) = e [N_D - N_c F_1/2((xi - u)/kT)] [C/m3] of a semiconductor bent by u [eV], donors ionised."""
    return ELEMENTARY_CHARGE * (doping - density_of_states * fermi_dirac_half((xi - u) / kT))


@kernel
def charge_integral(u: float, xi: float, kT: float, doping: float, density_of_states: float):
    """Integral int_0^u rho du' [J/m3] of the space charge, with N_D = N_c F_1/2(xi/kT).

    The closed form loses digits for small u; there a Gauss rule over rho keeps them.
    """
    eta, v = xi / kT, u / kT
    if abs(v) <= 1.0:
        integral = 0.0
        for node, weight in zip(GAUSS_NODES, GAUSS_WEIGHTS):
            s = 0.5 * v * (1.0 + node)
            integral += 0.5 * v * weight * (doping - density_of_states * fermi_dirac_half(eta - s))
    else:
        integral = doping * v - density_of_states * (fermi_dirac_three_half(eta) - fermi_dirac_three_half(eta - v))
    return ELEMENTARY_CHARGE * kT * integral


@kernel
def bending_of_field(
    E: float, guess: float, xi: float, kT: float, doping: float, density_of_states: float, eps: Permittivity
):
    """Bending u [eV] of the sign of the guess whose surface field is |E| [V/m]: int rho du = int E dD."""
    work = field_energy(E, eps)
    u = guess
    for _ in range(100):
        rho = space_charge(u, xi, kT, doping, density_of_states)
        # |rho| grows with |u|: int rho du < rho u, so u keeps its sign
        move = (charge_integral(u, xi, kT, doping, density_of_states) - work) / rho
        u -= move
        if abs(move) <= LAST_MOVE * abs(u):
            return u
    return u


@apart
def bending_table(
    steps: tuple[int, int], scale: float, step: float, xi: float, kT: float, doping: float, density_of_states: float,
    eps: Permittivity,
):  # fmt: skip
    """Bending u [eV] and du/dx at charges Q = scale sinh(x) [C/m2], x rising by a step: so many below 0, so many above.

    du/dx = |E|/rho dQ/dx. Each bending is guessed by the cubic through the two before it.
    """
    zero, n = steps[0], steps[0] + 1 + steps[1]
    bending, slope = np.zeros(n), np.zeros(n)
    stiffness = doping_stiffness(xi, kT, density_of_states)
    slope[zero] = scale / math.sqrt(displacement(0.0, eps)[1] * stiffness)
    for sign in (1, -1):
        h = sign * step
        i = zero + sign
        while 0 <= i < n:
            near, far = i - sign, i - 2 * sign
            if near == zero:
                guess = h * slope[zero]
            else:
                guess = 5.0 * bending[far] - 4.0 * bending[near] + h * (2.0 * slope[far] + 4.0 * slope[near])
            Q = scale * math.sinh((i - zero) * step)
            E = field(abs(Q), eps)[0]
            bending[i] = bending_of_field(E, guess, xi, kT, doping, density_of_states, eps)
            rho = abs(space_charge(bending[i], xi, kT, doping, density_of_states))
            slope[i] = E / rho * math.sqrt(scale * scale + Q * Q)
            i += sign
    return bending, slope


@kernel
def doping_stiffness(xi: float, kT: float, density_of_states: float):
    """d rho/du [C/(m3 V)] of the unbent semiconductor; eps/stiffness is its screening length squared."""
    return ELEMENTARY_CHARGE * density_of_states * fermi_dirac_minus_half(xi / kT) / kT


@kernel
def field_of_bending(u: float, xi: float, kT: float, doping: float, density_of_states: float, eps: Permittivity):
    """Field |E| [V/m] where the band of a semiconductor is bent by u [eV]: int E dD = int rho du."""
    return field_of_energy(charge_integral(u, xi, kT, doping, density_of_states), eps)


@apart
def bent_fields(bendings: np.ndarray, xi: float, kT: float, doping: float, density_of_states: float, eps: Permittivity):
    """Surface fields |E| [V/m] for an array of bendings [eV]."""
    fields = np.empty(bendings.size)
    for i, u in enumerate(bendings):
        fields[i] = field_of_bending(u, xi, kT, doping, density_of_states, eps)
    return fields


@bare
def edge(electrode: Electrode, Q: float):
    """E_C of the film at the interface above the electrode's Fermi level [eV], its slope d/dQ, and the bending u.

    Q : areal charge of the electrode [C/m2]; > 0 depletes an n-type semiconductor. nan beyond the table.
    """
    if electrode.kind == METAL:
        step = electrode.screening * Q
        return electrode.edge + step, electrode.screening, step
    Q0 = electrode.charge_scale
    x = math.asinh(Q / Q0)
    u, slope = hermite(electrode.bending, electrode.bending_slope, electrode.grid_start, electrode.grid_step, x)
    return electrode.edge + u, slope / math.sqrt(Q0 * Q0 + Q * Q), u
