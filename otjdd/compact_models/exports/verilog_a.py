"""The compact model as Verilog-A, for compilers without tables and arrays (openvaf-r): the numbers of `junction.va`.

`otj(p, n)`, where p is the metal, has area, series resistance and initial states as parameters. Initial states are
`ic1` and so on. Where the film of the case was never written, `unsettled` is 1 for that film, 0 for one at rest. At
time 0 the states have these values: operating points and DC sweeps are those of the frozen junction, and a transient
starts from it, with and without `uic`. No time step moves a state by more than MOVE or a filling by ten times that, at
any tolerance of a simulator.

The variable `outside` is 1 while the model is out of its range. A transient warns once, in ngspice up to four times: it
has four sets of states in turn. An operating point and each point of a DC sweep warn once or twice. Newton's method of a
simulator tries voltages that are no solution, so only a try close to the last one warns; a point of a sweep in ngspice has
but one try, which is close if the point before is within a tenth. No variable of openvaf-r lasts
from one evaluation to the next, its grammar has no events but the first and the last step, whose statements it runs in
every evaluation, and a node would stand in the matrix. What lasts is the value of a function in `$limit`: simulators store
it to limit a voltage. Here it only tells; a limited voltage would be wrong in ngspice, which takes a point as converged
whose voltage is limited.

The charge of the junction follows its voltage and its state, so `.ac` and fast edges see its capacitance. `charging=0`
leaves it out, and so does a transient by the trapezoidal rule once that shows. By this rule the derivative of a charge
that has come to its end goes on with alternating signs, 2/h of its last change, with h the step of that change. Any
capacitor behind a resistor does so: ngspice with its defaults has 6 nA in 31 pF behind 50 ohm long after a ramp of 1
ns, where the high state draws 1 nA at 0.1 V. No form of the charge is free of it: the error that Newton's method
leaves in the voltage is enough. A compiled model hands its charges to the simulator, which forms their derivatives: only
the voltage of a node shows by which rule. And only a charge that jumps rings, which no smooth function of the time does.
So the node `turn` has a charge of 0 or TURN, which turns where the time passes exp(2
k) s. Its current times the time since is below 5 TURN by backward Euler and Gear if no step is more than twice as long
as the one before; by the trapezoidal rule it grows with the time. From RINGS TURN on the displacement current ends
within a tenth of the time that has passed. With 12 VACASK misses the first read of 0.3 nA of li2019 by 16 %, with 30 by
2 %; with 100 ngspice has the wrong sign in a read 1 us after a pulse of 0.1 s. A small rest of the current would not
do: the less charge, the faster and the higher the current by which it rings.

A model with axes (see `otjdd.compact_models.axes`) follows `$temperature` and a parameter for each other axis by `u1`,
`u2`, `u3`. With self-heating the node `warm` is the rise in K, with the parameters `rth` (0 for none) and `tau`.

A circuit simulator chooses its own time steps, and evaluates the equations of a model several times in each of them.
Therefore each normal number z of the noise is constant for a time `frame`. Under it the state q of a column changes at

    dq/dt = F + r sqrt[v coth(r frame/2)] z

with its mean rate F, the rate r [1/s] at which it approaches q_rest, and its variance v at rest. With constant r and F
this equation is exact at the end of each frame, however long a frame is: each frame adds the variance v [1 - exp(-2 r
frame)]. The frame should be a fraction of the shortest pulse, and no time step should be longer than a frame. v is
evaluated at a position between q and q_rest, which is the closer to q_rest, the further q moves in a frame. So v is
zero where q_rest is an end of the range, also while z keeps q away from that end. A normal number that is constant for
a frame shifts the mean by r v'/2 (Wong & Zakai); the drift subtracts this shift. A second normal number in each frame
scatters the current as the ions within the wells do. Free Verilog-A compilers have neither `$rdist_normal` nor
`$random`. The model computes z from the seed, the number of the frame and that of the column, by squares and products
modulo a prime. With OTJ_RDIST defined, the numbers that are drawn at the start come from `$rdist_normal`.

The analysis `.noise` is linear about the operating point. There the states wander, a noise of the current in 1/f^2 by
`flicker_noise`. The noise of the ions within the wells is white noise behind a node with their time constant. See
`hop_noise`. The shot noise of the junction and the thermal noise of its resistance are there in every module.
"""

import textwrap
from typing import Any

import numpy as np

from otjdd.compact_models.axes import TEMPERATURE, monomials, powers, scale
from otjdd.compact_models.exports.functions import (
    SETTLING_LETTERS,
    Functions,
    Pieces,
    charge_rises,
    coefficient,
    edge_capacitance,
    exact,
    export_header,
    filled_template,
    filling_texts,
    functions,
    horner,
    names_of,
    nodes,
    number,
    one_line,
    own_speed,
    tree,
)
from otjdd.compact_models.exports.testbench import OPTIONS
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import TURN as TURN_OF_RATES
from otjdd.constants import BOLTZMANN_EV, ELEMENTARY_CHARGE

WIDTH = 118  # characters of a line
LICENCE = "BSD-3-Clause"
WORDS = {
    "WARM": "1.0",  # K within which a temperature is not outside: circuits begin at 27 degC, which is 300.15 K
    "MEMORY": "1e-19",  # F, of the node `rings`: so small a charge that ngspice need not resolve its jump
    "CHARGED": "1e-7",  # V of that node once it is charged: so low that VACASK, which controls errors of voltages, need not
    "PER_CHARGE": "10.0", "PER_SHIFT": "1e9",  # m2/C, 1/s: units of charge and displacement current in an array
    "WARNED": "1e6",  # V, above all voltages of a junction
    "SETTLED": "2.5e-3",  # V, within which the last try in a transient is
    "SAME": "2e-3", "NEXT": "0.1",  # of a DC voltage, up to which it is that of the last try; within which the last try is
    "TURN": "5e-21", "RINGS": "30.0",  # C, charge of `turn`; least current times time, over it, of the trapezoidal rule
    "FADES": "10.0", "FADED": "1e-9",  # rate times time at which the displacement current ends; share of it that has
    "OVER": "0.02",  # V beyond the range within which the current comes to its end
    "OVER_STATE": "1e-4", "OVER_KELVIN": "0.1", "OVER_LN": "0.1",  # the same, of a state, of K, of a logarithm
    "MOVE": "0.003", "FILLED": "0.1",  # of a state, by one time step: ngspice allows 0.007; weight of the filling in it
    "SCATTERS": "    if (seed > 0 && frame > 0.0 && $abstime > 0.0)",
    "FIRST": "5077069", "SECOND": "21412583",  # added to the two words of a normal number
    "LEAST": "-7.0", "MOST": "3.5",  # between which ln phi is clipped
    "LEAST_VARIANCE": "1e-12",  # of a state: keeps the slope of a root finite
    "WHITE": ("-75.0", "0.0"), "CORNER": ("-10.0", "40.0"),  # between which ln of the white level, of the corner are
}  # fmt: skip
ROUNDED = 1e-5  # of the range of a parameter, by which it is wider: ngspice reads 0.6 as a number above 0.6
LATE = 1e-3  # of the shortest time of the model: time constant in which a conductance follows its voltage in an array
PRIME = 67108859  # below 2^26: a square and a product are exact in a real number
ROUND = "1.000000000001"  # a frame begins at its first time, whatever the round-off
FACTORS = ("dlow", "dhigh", "dabove", "dbelow")  # names of ln of the FACTORS of `noise`
ADVICE = f'"the trapezoidal rule rings: no charge now; set {OPTIONS}, VACASK gear2"'
TRIED = [  # lines of the header
    "circuits: models of li2019 with one and five columns, of 3.2 nm, from 270 K to 340 K and with noise, and of "
    "nb-sto-trains were tried with largest time steps of 1 us to 100 ms and with none. Pulses with ramps of 1 ns to 1 ms "
    "on li2019 were within 0.02 decades of the model in Python",
    f"integration: set {OPTIONS} in ngspice (with method=gear alone reads of 0.3 nA have the "
    'wrong sign), tran_method="gear2" in VACASK. By the trapezoidal rule, the default '
    "of both, the current of any charge rings; this module then warns and continues without its charge",
    "small signals: both parts of the admittance of li2019 after a set in part are within 3 % of the solver from -1.5 V "
    "to 0.5 V, above 1.3 V within 20 %; in the high state G within 8 %; the capacitance of a film as made is 26 % "
    "too small",
]


OPERATING_POINT = [  # variables: name, words, unit; the last one of noisy modules alone
    ("voltage", "junction voltage", "V"), ("current", "conduction current of the junction", "A"),
    ("conductance", "current over voltage of the junction", "S"), ("heat", "power of the junction", "W"),
    ("state", "mean position at which the vacancies rest, 0 at p, 1 at n", ""),
    ("kelvin", "temperature of the junction", "K"),
    ("outside", "1 where the junction voltage or the time is outside of the range of the model", ""),
    ("warned", "1 where this instance has warned of its range", ""),
    ("lasts", "in .noise, below it a state has moved on and scatters less than stated", "Hz"),
]  # fmt: skip


def verilog_a(model: CompactModel, paced: bool = False) -> str:
    """Text of the module `otj`.

    paced : make `otj(p, n, pace)`, whose states move faster by a factor, the voltage of `pace`. Its conductance follows the
        voltage within LATE, at the node `late`. The tables contain ions that have moved within their wells, so the current
        may fall as the voltage rises. Beside such a fold a network without charges has no solution if conductances follow
        at once. Its displacement current is a node in units of its own, `shift`: the tolerances of the states, which are
        charges to a simulator, would not resolve fC.
    """
    kinds = [functions(model, t) for t in range(len(model.kinds))]
    noisy, power = model.noise is not None and not paced, 2.0 * ELEMENTARY_CHARGE
    about = [
        line
        for text in [*export_header(model), f"licence: {LICENCE}, as otjdd", *TRIED]
        for line in textwrap.wrap(text, WIDTH - 3, subsequent_indent="  ", break_on_hyphens=False)
    ]
    text = filled_template(
        "junction.va", **WORDS, LICENCE=LICENCE, about=about, paced=paced, noisy=noisy,
        # within quotes, which no quote or backslash of a model file may end
        version=one_line(str(model.about.get("otjdd_version", ""))).replace("\\", "/").replace('"', "'"),
        ports="p, n" + ", pace" * paced, parameters=module_parameters(model, noisy), area=number(model.area),
        limits=model.limits, temperatures=model.temperatures, several=len(model.temperatures) > 1,
        operating_point=OPERATING_POINT[: None if noisy else -1],
        variables=variables(kinds, model, noisy), prime=PRIME, checked=checked_parameters(model), differs=differing(model),
        scales=scales(model), late=number(LATE * model.limits.shortest), turn=number(TURN_OF_RATES),
        tables=[indented(by_voltage(*group), 4) for kind in kinds for group in kind.groups],
        columns=[column_texts(model, kinds, k, noisy) for k in range(1, model.kind.size + 1)],
        per_turn=number(0.5 / np.pi), per_pi=number(np.pi**-2), edge=number(edge_capacitance(model)), two_q=number(power),
        four_k=number(2.0 * power * BOLTZMANN_EV), heated=model.heat is not None, advice=ADVICE,
    )  # fmt: skip
    return "\n".join(line for whole in text.split("\n") for line in folded(whole))


def folded(line: str) -> list[str]:
    """A line of the module as lines below WIDTH, broken behind an operator and outside of a text in quotes."""
    lines, start = [], len(line) - len(line.lstrip())
    while len(line) > WIDTH and not line.lstrip().startswith("//"):
        breaks = [
            i + 1 for i in range(start + 20, WIDTH)
            if line[i] in "+*,:(" and line[i - 1] not in "eE(" and line[:i].count('"') % 2 == line[:i].count('\\"') % 2
        ]  # fmt: skip
        if not breaks:
            break
        lines.append(line[: breaks[-1]].rstrip())
        line = " " * (start + 2) + line[breaks[-1] :].lstrip()
    return [*lines, line]


def module_parameters(model: CompactModel, noisy: bool) -> list[dict[str, str]]:
    """Parameters of the module: type, name, value, bounds, words and unit."""
    rows = [
        ("rs", number(model.resistance), "[0:inf)", "resistance in series", "ohm"),
        ("area", number(model.area), "(0:inf)", "area of the junction", "m^2"),
        ("charging", str(int(charge_rises(model))), "[0:1]", "fraction of the displacement current, 0 for none", ""),
    ]
    if model.heat is not None:
        resistance, time = map(number, model.heat)
        rows += [
            ("rth", resistance, "[0:inf)", "thermal resistance, 0 for no heat", "K/W"),
            ("tau", time, "(0:inf)", "time constant of the heat", "s"),
        ]
    for axis, own in zip(model.axes, model.point, strict=True):
        if axis.key != TEMPERATURE:
            rows.append((axis.name, number(own), "", f"{axis.key} of the case", axis.unit or ""))
    for k in range(1, model.kind.size + 1):
        states = [node.kinds[node.kind[k - 1]].state for node in nodes(model)]
        low, high = min(q[0] for q in states), max(q[-1] for q in states)
        ends = f"[{number(low - ROUNDED * (high - low))}:{number(high + ROUNDED * (high - low))}]"
        rows.append((f"ic{k}", start_position(model, k), ends, f"position of column {k} at time 0, 0 at p, 1 at n", ""))
    if model.settles:
        rows.append(
            ("unsettled", "1", "[0:1]", "1 for the film of the case, which was never written, 0 for one at rest", "")
        )
    for k in range(1, model.kind.size + 1):
        rows.append((f"faster{k}", "1", "(0:inf)", f"factor of the rates of column {k}", ""))
    if noisy:
        rows += [
            ("seed", "0", f"[0:{PRIME - 1}]", "seed of device and of random steps, 0 for the mean", ""),
            ("frame", "0", "[0:inf)", "time of a random number, 0 for no random steps", "s"),
            ("spread", "1", "[0:inf)", "factor of the spread of devices, 0 for none", ""),
        ]
    names = "name", "value", "bounds", "words", "unit"
    return [dict(zip(names, row, strict=True)) | {"type": "integer" if row[0] == "seed" else "real"} for row in rows]


def checked_parameters(model: CompactModel) -> list[dict[str, str]]:
    """Parameters whose range the module itself checks and names: simulators say only that one is out of bounds."""
    rows = []
    for axis in model.axes:
        if axis.key != TEMPERATURE:
            more = ROUNDED * (axis.values[-1] - axis.values[0])
            unit = f" {axis.unit}" if axis.unit else ""
            words = f"{axis.values[0]:g}{unit} to {axis.values[-1]:g}{unit}"
            low, high = number(axis.values[0] - more), number(axis.values[-1] + more)
            rows.append({"name": axis.name, "low": low, "high": high, "unit": unit, "words": words})
    return rows


def start_position(model: CompactModel, k: int) -> str:
    """Text of the position at which column k, counted from 1, begins: that of the case at the parameters of the module."""
    axes = [axis for axis in model.axes if axis.key != TEMPERATURE]
    if not axes:
        return number(model.start[k - 1])
    starts = monomials(np.array([node.start[k - 1] for node in model.nodes]), model.axes)
    if len(axes) < len(model.axes):
        starts = np.tensordot(powers(model.axes[0], [model.temperature])[0], starts, axes=1)
    ends = zip(axes, map(scale, axes), strict=True)
    names = [f"(({axis.name} - {number(middle)}) * {number(1.0 / half)})" for axis, (middle, half) in ends]
    return coefficient(starts, names)


def scales(model: CompactModel) -> list[str]:
    """Statements that set u1, u2, ...; [] for a model without axes."""
    lines = []
    for n, axis in enumerate(model.axes, 1):
        value, (middle, half) = axis.name, scale(axis)
        if axis.key == TEMPERATURE:
            value = f"1.0 / limited(kelvin, coldest, warmest, {WORDS['OVER_KELVIN']})"
        lines.append(f"u{n} = ({value} - {number(middle)}) * {number(1.0 / half)};")
    return lines


def variables(kinds: list[Functions], model: CompactModel, noisy: bool) -> list[str]:
    """Declarations of the other variables."""
    most = max(max(kind.count, kind.shares) for kind in kinds)
    names = ["volt", "past", "position", "x", *(f"t{j}" for j in range(2, most))]
    names += "ln_rate ln_own own rate limit away filling delay drift sigma target beyond".split()
    names += ["left", "share", "decay", "move", "excess"] if model.settles else []
    names += [f"u{n}" for n in range(1, len(model.axes) + 1)]
    if noisy:
        names += ["still", "scale", "variance", "slope", "power", "corner", *FACTORS, "drate", "z0", "z1", "z2", "z3"]
    names += [name for kind in kinds for group, _ in kind.groups for name in group]
    return [
        *(["integer word;"] if noisy else []),
        *(f"real {', '.join(names[i : i + 8])};" for i in range(0, len(names), 8)),
    ]


def differing(model: CompactModel) -> list[tuple[str, str]]:
    """Name of ln of each factor of a device and its text by the normal numbers z0 to z3; [] where devices are alike.

    The text is a row of the root of the covariance, lower triangular.
    """
    if model.noise is None or model.noise.spread is None or not model.noise.spread.covariance.any():
        return []
    values, vectors = np.linalg.eigh(model.noise.spread.covariance)
    upper = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T)[1]
    lower = upper.T * np.sign(np.where(np.diag(upper) == 0.0, 1.0, np.diag(upper)))
    return [
        (name, " + ".join(f"{number(a)} * z{i}" for i, a in enumerate(row)))
        for row, name in zip(lower, FACTORS, strict=True)
    ]


def by_voltage(names: list[str], part: Pieces) -> str:
    """Statements that set functions of the voltage by the piece that it is in."""

    def leaf(i: int) -> str:
        sets = [f" {name} = {horner(part.factors[i, r], 'past')};" for r, name in enumerate(names)]
        place = f" past = (volt - ({exact(part.knots[i])})) * {exact(1.0 / (part.knots[i + 1] - part.knots[i]))};"
        return "\n".join(["begin", place, *sets, "end"])

    def branch(knot: float, below: str, above: str) -> str:
        return f"if (volt < {exact(knot)})\n{indented(below, 1)}\nelse\n{indented(above, 1)}"

    return tree(part.knots, leaf, branch)


def column_texts(model: CompactModel, kinds: list[Functions], k: int, noisy: bool) -> dict[str, Any]:
    """Numbers and texts of column k, counted from 1."""
    t = int(model.kind[k - 1])
    kind, unsettled = kinds[t], model.kinds[t].share.size > 1
    sums = {letter: chebyshev_sum(letter, t, kind.count) for letter in kind.letters}
    up, down = filling_texts(model, k)
    low, high = coefficient(kind.low), coefficient(kind.high)
    across = (
        number(2.0 / (kind.high - kind.low)[0]) if kind.count > 1 and kind.low.size == 1 else f"2.0 / ({high} - {low})"
    )
    speed = f"faster{k}{' * exp(drate)' if noisy else ''} * {own_speed(model, k)}"
    of_column: dict[str, Any] = {
        "k": k, "t": t, "count": kind.count, "shares": kind.shares, "weight": number(model.weight[k - 1]), "speed": speed,
        "low": low, "high": high, "across": across, "rate": sums["a"], "conductance": sums["b"], "charge": sums["d"],
        "limit": sums.get("c"), "fill_up": up, "fill_down": down,
        "emptying": f"faster{k} * {own_speed(model, k, divided=True)}",
        "unsettled": number(model.unsettled[k - 1]) if unsettled else None,
    }  # fmt: skip
    if unsettled:
        shares = (chebyshev_sum(letter, t, kind.shares) for letter in SETTLING_LETTERS)
        of_column |= dict(zip(("settling", "move", "excess"), shares, strict=True))
    if noisy:
        reads = "+".join(
            f"{coefficient(factor)}{term}" for factor, term in zip(kind.reads, powers_of_x(kind.count), strict=True)
        )
        of_column |= {
            "ions": number(model.ions[k - 1]), "scale": number(0.5 / model.ions[k - 1]), "phi": sums["s"],
            "white": sums["i"], "corner": sums["o"], "reads": reads.replace("+-", "-"), "normal": frame_normal(k),
            "read_normal": frame_normal(model.kind.size + k), "slope": slope_of("b", t, kind.count),
        }  # fmt: skip
    return of_column


def frame_normal(place: int) -> str:
    """Text of a normal number that is constant within a frame. place : of the number among those of a frame"""
    return f"normal(seed, floor($abstime / frame * {ROUND}), {place}.0)"


def chebyshev_sum(letter: str, t: int, count: int) -> str:
    """Text of the polynomial of a table of kind t, from the variables x and t2, t3, ..."""
    return "+".join(map("".join, zip(names_of(letter, t, count), powers_of_x(count), strict=True)))


def powers_of_x(count: int) -> list[str]:
    """Factors of Verilog-A behind the coefficients of a table: Chebyshev polynomials of x."""
    return ["", "*x", *(f"*t{j}" for j in range(2, count))][:count]


def slope_of(letter: str, t: int, count: int) -> str:
    """Text of d/dx of the polynomial of a table of kind t, from the variables x and t2, t3, ..."""
    names, terms = ["1.0", "x", *(f"t{j}" for j in range(2, count))], []
    for j, name in list(enumerate(names_of(letter, t, count)))[1:]:
        lower = [f"2.0*{names[i]}" if i else "1.0" for i in range(j - 1, -1, -2)]
        terms.append(f"{j}.0*{name}*({'+'.join(lower)})")
    return "+".join(terms) or "0.0"


def indented(text: str, by: int) -> str:
    """A text with all lines indented by `by` blanks."""
    return "\n".join(" " * by + line for line in text.split("\n"))
