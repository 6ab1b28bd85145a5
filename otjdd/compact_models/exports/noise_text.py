"""The noise of a compact model as text: random steps of the states, devices that differ, and the noise of currents.

A circuit simulator chooses its own time steps, and evaluates the equations of a model several times in each of them.
Therefore each normal number z is constant for a time `frame`. Under this number the state q of a column changes at the rate

    dq/dt = F + r sqrt[v coth(r frame/2)] z

with its mean rate F, the rate r [1/s] at which it approaches q_rest, and its variance v at rest. With constant r and F this
equation is exact at the end of each frame, however long a frame is: each frame adds the variance v [1 - exp(-2 r frame)].
The frame should be a fraction of the shortest pulse, and no time step should be longer than a frame. v is evaluated at a
position between q and q_rest, which is the closer to q_rest, the further q moves in a frame. So v is zero where q_rest is
an end of the range, also while z keeps q away from that end.

A normal number that is constant for a frame shifts the mean by r v'/2 (Wong & Zakai); the drift subtracts this shift. A
second normal number in each frame scatters the current as the ions within the wells do.

Free Verilog-A compilers have neither `$rdist_normal` nor `$random`. The model computes z from the seed, the number of the
frame and that of the column, by squares and products modulo a prime. With OTJ_RDIST defined, the numbers that are drawn at
the start come from `$rdist_normal`.

The analysis `.noise` is linear about the operating point. There the states wander, a noise of the current in 1/f^2 by
`flicker_noise`. The noise of the ions within the wells is white noise behind a node with their time constant. See
`noise_spectrum`. The shot noise of the junction and the thermal noise of its resistance are there in every module.
"""

import numpy as np

from otjdd.compact_models.exports.functions import Functions, coefficient, number
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.noise import TURN
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE

PRIME = 67108859.0  # below 2^26: a square and a product are exact in a real number
FIRST, SECOND = 5077069.0, 21412583.0  # added to the two words of a normal number
ROUND = "1.000000000001"  # a frame begins at its first time, whatever the round-off
LEAST, MOST = "-7.0", "3.5"  # between which ln phi is clipped
WHITE, CORNER = ("-75.0", "0.0"), ("-10.0", "40.0")  # between which ln of the white level and of the corner are clipped
VARIABLES = ["bare", "share", "slope", "own", "scale", "dlow", "dhigh", "dabove", "dbelow", "drate"]
LASTS = [
    '  (* desc = "Hz, in .noise: below it a state has moved on, and scatters less than stated", units = "Hz" *) real lasts;'
]
SCATTERS = "    if (seed > 0 && frame > 0.0 && $abstime > 0.0)"
LEAST_VARIANCE = "1e-12"  # of a state: keeps the slope of a root finite
SHORT = ("dlow", "dhigh", "dabove", "dbelow")  # names of ln of the FACTORS
NUMBERS = [f"z{i}" for i in range(len(SHORT))]  # normal numbers of a device


def root(model: CompactModel) -> np.ndarray:
    """Square root (4, 4) of the covariance of the factors of devices, lower triangular; zero where devices are alike."""
    if model.noise is None or model.noise.spread is None:
        return np.zeros((len(SHORT), len(SHORT)))
    values, vectors = np.linalg.eigh(model.noise.spread.covariance)
    upper = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T)[1]
    return upper.T * np.sign(np.where(np.diag(upper) == 0.0, 1.0, np.diag(upper)))


def random_functions() -> list[str]:
    """Analog functions: `mixed`, a pseudorandom whole number below PRIME, and `normal`, a normal number by its place."""
    p = number(PRIME)
    turn = [
        f"      y = y * y + 12345701.0; y = y - {p} * floor(y / {p});",
        f"      y = 48271.0 * y + 11.0; y = y - {p} * floor(y / {p});",
    ]
    return [
        "  analog function real mixed;",
        "    input a; real a, y;",
        "    begin",
        f"      y = a - {p} * floor(a / {p});",
        *3 * turn,
        "      mixed = y;",
        "    end",
        "  endfunction",
        "  analog function real normal;",
        "    input s, i, k; real s, i, k, w;",
        "    begin",
        f"      w = mixed(mixed(mixed(s) + i - {p} * floor(i / {p})) + floor(i / {p}) + 65537.0 * k);",
        f"      normal = sqrt(-2.0 * ln((mixed(w + {number(FIRST)}) + 0.5) / {p}))",
        f"        * cos(6.283185307179586 * mixed(w + {number(SECOND)}) / {p});",
        "    end",
        "  endfunction",
    ]


def parameters() -> list[str]:
    """Declarations of the parameters of noise."""
    return [
        '  (* type = "instance" *) parameter integer seed = 0 from [0:67108858];  // 0: no device drawn, no random steps',
        '  (* type = "instance" *) parameter real frame = 0 from [0:inf);  // s, of a random number; 0: no random steps',
        '  (* type = "instance" *) parameter real spread = 1 from [0:inf);  // times the spread of devices; 0: none',
        "  integer word;",
    ]


def drawn_device(model: CompactModel) -> list[str]:
    """Statements that set ln of the factors of the device, and `lasts` to its least value."""
    lower, lasts = root(model), "    lasts = 0.0;"
    if not lower.any():
        return ["    " + " ".join(f"{name} = 0.0;" for name in SHORT), lasts]
    lines = [lasts, "    " + " ".join(f"{z} = 0.0;" for z in NUMBERS) + " word = seed;", "    if (seed > 0) begin"]
    lines += ["`ifdef OTJ_RDIST"]
    lines += [f"      {z} = $rdist_normal(word, 0.0, 1.0);" for z in NUMBERS]
    lines += ["`else", *(f"      {z} = normal(seed, {i}.0, 0.0);" for i, z in enumerate(NUMBERS)), "`endif", "    end"]
    for row, name in zip(lower, SHORT, strict=True):
        summed = " + ".join(f"{number(a)} * {z}" for a, z in zip(row, NUMBERS, strict=True))
        lines.append(f"    {name} = spread * ({summed});")
    return lines


def own_rate(V: str) -> str:
    """Text of ln of the factor of the rates of a device, see `kernels.own_rate`. V : text of V_j"""
    return f"0.5*(dabove+dbelow)+0.5*(dabove-dbelow)*tanh({V}/{number(TURN)})"


def random_step(model: CompactModel, kind: Functions, k: int, sums: str) -> list[str]:
    """Statements that add the random part of dq/dt of column k to `r`.

    They read the variables `bare`, the rate of the column in 1/s, and `share`. Afterwards `bare` is the rate at which the
    state moves, and `y` the variance of the state at rest.
    sums : text of ln phi
    """
    low, high, rest = coefficient(kind.low), coefficient(kind.high), f"rest{model.kind[k - 1]}"
    return [
        "    bare = bare * share;",
        "    e = ($abstime > 0.0 ? bare * frame : 0.0);",
        "    e = exp(-e * e);",
        f"    scale = {number(0.5 / model.ions[k - 1])} * reference_area / area * exp(min(max({sums}, {LEAST}), {MOST}));",
        f"    y = {rest} + (q - {rest}) * e;",
        f"    y = scale * max(({rest} - {low}) * ({high} - y) + ({high} - {rest}) * (y - {low}), 0.0);",
        SCATTERS,
        f"      r = r + bare * (sqrt((y + {LEAST_VARIANCE}) / tanh(max(0.5 * bare * frame, 1e-15))) * {frame_normal(k)}",
        f"        - 0.5 * scale * e * ({low} + {high} - 2.0 * {rest}));",
    ]


def frame_normal(place: int) -> str:
    """Text of a normal number that is constant within a frame. place : of the number among those of a frame"""
    return f"normal(seed, floor($abstime / frame * {ROUND}), {place}.0)"


def random_reads(model: CompactModel, kind: Functions, k: int) -> list[str]:
    """Statements that add the scatter by ions within the wells of column k to y, ln of its conductance."""
    ln_variance = "+".join(
        f"{coefficient(factor)}{term}" for factor, term in zip(kind.reads, powers_of_x(kind.count), strict=True)
    ).replace("+-", "-")
    ions = f"({number(model.ions[k - 1])} * area / reference_area)"
    return [SCATTERS, f"      y = y + sqrt(exp({ln_variance}) / {ions}) * {frame_normal(model.kind.size + k)};"]


def powers_of_x(count: int) -> list[str]:
    """Factors of Verilog-A behind the coefficients of a table: Chebyshev polynomials of x."""
    return ["", "*x", *(f"*t{j}" for j in range(2, count))][:count]


def slope_of(letter: str, t: int, count: int) -> str:
    """Text of d/dx of the polynomial of a table of kind t, from the variables x and t2, t3, ..."""
    names = ["1.0", "x", *(f"t{j}" for j in range(2, count))]
    terms = []
    for j in range(1, count):
        lower = [f"2.0*{names[i]}" if i else "1.0" for i in range(j - 1, -1, -2)]
        terms.append(f"{j}.0*{letter}{t}_{j}*({'+'.join(lower)})")
    return "+".join(terms) or "0.0"


def ion_noise(model: CompactModel, kind: Functions, k: int, sums: dict[str, str], speed: str) -> list[str]:
    """Statements of the noise of the current of column k, by its state and by the ions within its wells.

    They follow those of `random_step`. sums : text of the tables by their letters   speed : of the column
    """
    low, high = coefficient(kind.low), coefficient(kind.high)
    line = " + dhigh - dlow" if kind.count > 1 else ""
    return [
        "    own = own * V(j, n) * area / reference_area;",
        f"    slope = (2.0 * slope{line}) / ({high} - {low});" if kind.count > 1 else "    slope = 0.0;",
        f"    lasts = max(lasts, bare * {number(0.5 / np.pi)});",
        f"    y = bare * y * slope * slope * {number(np.pi**-2)};",
        f'    I(j, n) <+ flicker_noise(own * own * y, 2.0, "state{k}");',
        f"    e = exp({bounded(sums['i'], WHITE)}) / ({number(model.ions[k - 1])} * {speed}) * reference_area / area;",
        f"    y = 6.28318531 * {speed} * exp({bounded(sums['o'], CORNER)});",
        f'    I(well{k}) <+ V(well{k}) + ddt(V(well{k}) / y) + white_noise(own * own * e, "wells{k}");',
        f"    I(j, n) <+ V(well{k});",
    ]


def bounded(text: str, between: tuple[str, str]) -> str:
    """Text of a number that is clipped between two others."""
    return f"min(max({text}, {between[0]}), {between[1]})"


def electron_noise() -> tuple[str, str]:
    """Contributions of the shot noise 2qI of the junction and of 4kT/R of the series resistance."""
    power = f"{number(2.0 * ELEMENTARY_CHARGE)} * abs(g * V(j, n)) * area / reference_area"
    shot = f'    I(j, n) <+ white_noise({power}, "shot");'
    thermal = f' + white_noise({number(4.0 * BOLTZMANN_EV * ELEMENTARY_CHARGE)} * $temperature / rs, "thermal")'
    return shot, thermal
