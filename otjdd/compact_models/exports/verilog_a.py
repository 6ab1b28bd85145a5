"""The compact model as Verilog-A, for compilers without tables and arrays (openvaf-r)."""

import numpy as np

from otjdd.compact_models.axes import TEMPERATURE, ModelAxis, powers, scale
from otjdd.compact_models.exports import noise_text
from otjdd.compact_models.exports.functions import (
    SETTLING_LETTERS,
    Functions,
    Pieces,
    by_u,
    coefficient,
    edge_capacitance,
    exact,
    fillings,
    functions,
    header,
    horner,
    nodes,
    number,
    own_speed,
    tree,
)
from otjdd.compact_models.model import CompactModel

WARM = "1.0"  # K within which a temperature is not outside: circuits begin at 27 degC, which is 300.15 K
TELL = "1e14"  # 1/s, rate at which the node `warned` is charged
MEMORY = "1e-19"  # F, of that node: so small a charge that ngspice need not resolve its jump
CHARGED = "1e-7"  # V of that node once it is charged: so low that VACASK, which controls errors of voltages, need not
HALF = "5e-8"  # V, half of it
ROUNDED = 1e-5  # of the range of a parameter: ngspice reads 0.6 as a number above 0.6
STEP, OF_STEP = "1e3", "1e-11"  # 1/V, steps of voltage that the node `before` counts; V of that node for a step
FINE = "1e-9"  # V, steps of that node in DC
CLOSE = "2e-3"  # of the voltage, within which the last try is; reltol is below
SETTLED = "2.5"  # steps between two iterates of the junction voltage, below which the later one is a solution
TURN, RINGS = (
    "5e-21",
    "12.0",
)  # C, charge of the node `turn`; least current times time, over it, of the trapezoidal rule
FADES, FADED = "10.0", "1e-9"  # rate times time at which the displacement current ends; share of it that has
LATE = 1e-3  # of the shortest time of the model: time constant in which a conductance follows its voltage in an array

TRIED = [  # lines of the header
    "circuits: models of li2019 with one and five columns, of 3.2 nm, from 270 K to 340 K and with noise, and of "
    "nb-sto-trains were tried with largest time steps of 1 us to 100 ms and with none. In ngspice set reltol=1e-5 "
    "abstol=1e-10 method=gear: pulses with ramps of 1 ns to 1 ms on li2019 were within 0.02 decades of the model in Python",
    'integration: set method=gear in ngspice, tran_method="gear2" in VACASK. By the trapezoidal rule, the default '
    "of both, the current of any charge rings; this module then warns and goes on without its charge",
    "small signals: both parts of the admittance of li2019 after a set in part are within 3 % of the solver from -1.5 V "
    "to 0.5 V, above 1.3 V within 20 %; in the high state G within 8 %; the capacitance of a film as made is 26 % "
    "too small",
]


def verilog_a(model: CompactModel, paced: bool = False) -> str:
    """Text of the module `otj(p, n)`, where p is the metal. Area, series resistance and initial states are parameters.

    Initial states are `ic1` and so on. Where the film of the case was never written, `unsettled` is 1 for that film, 0 for
    one at rest. At time 0 the states have these values: operating points and DC sweeps are those of the frozen
    junction, and a transient starts from it, with and without `uic`.

    The variable `outside` is 1 while the model is out of its range. A transient warns once, which the voltage of the node
    `warned` records, and once more where a step is tried again. An operating point and each point of a DC sweep warn once
    or twice.

    The charge of the junction follows its voltage and its state, so `.ac` and fast edges see its capacitance. `charging=0`
    leaves it out, and so does a transient by the trapezoidal rule once that shows, with a warning, see `ringing`.

    A model with axes (see `otjdd.compact_models.axes`) follows `$temperature` and a parameter for each other axis by `u1`,
    `u2`, `u3`. With self-heating the node `warm` is the rise in K, with the parameters `rth` (0 for none) and `tau`.

    paced : make `otj(p, n, pace)`, whose states move faster by a factor, the voltage of `pace`. Its conductance follows the
        voltage within LATE, at the node `late`. The tables contain ions that have moved within their wells, so the current
        may fall as the voltage rises. Beside such a fold a network without charges has no solution if conductances follow
        at once.
    """
    columns = range(1, model.kind.size + 1)
    kinds = [functions(model, number_) for number_ in range(len(model.kinds))]
    ports = "p, n" + (", pace" if paced else "")
    lines = [f"// {line}" for line in [*header(model), *TRIED]]
    lines += [
        '`include "disciplines.vams"',
        "",
        f"module otj({ports});",
        f"  inout {ports};",
        f"  electrical {ports}, j;",
    ]
    lines.append(f"  electrical {inner_nodes(model, paced)};")
    noisy = scatters(model, paced)
    lines += parameters(model) + noise_text.parameters() * noisy + variables(model, kinds)
    lines += noise_text.random_functions() * noisy + ["", "  analog begin"]
    lines += noise_text.drawn_device(model) if noisy else []
    lines += [f"    v = min(max({'V(late)' if paced else 'V(j, n)'}, low), high);", *scaled(model)]
    lines += [f"    I(late) <+ V(late) - V(j, n) + {LATE * model.limits.shortest:.9g} * ddt(V(late));"] if paced else []
    lines += [f"    drate = {noise_text.own_rate('v')};"] if noisy else []
    for kind in kinds:
        lines += [indented(by_voltage(*group), 4) for group in kind.groups]
    for k in columns:
        lines += column_block(model, kinds, k, paced)
    shot, thermal = noise_text.electron_noise()
    lines += [
        *warning(model),
        *ringing(),
        f"    sigma = sigma + (V(j, n) - v) * {number(edge_capacitance(model))};",
        "    I(j, n) <+ g * V(j, n) * area / reference_area;",
        f"    I(j, n) <+ charging * max(1.0 - V(rings) / {CHARGED}, 0.0) * ddt(area * sigma);",
        *heat(model),
        shot,
        f"    if (rs > 0.0) I(p, j) <+ V(p, j) / rs{thermal}; else V(p, j) <+ 0.0;",
        "  end",
        "endmodule",
        "",
    ]
    return "\n".join(lines)


def inner_nodes(model: CompactModel, paced: bool) -> str:
    """Names of the nodes within the module, without that between junction and series resistance."""
    names = []
    for k in range(1, model.kind.size + 1):
        names += [f"x{k}", f"f{k}", *[f"s{k}"] * settles(model, k), *[f"well{k}"] * scatters(model, paced)]
    return ", ".join([*names, "before", "warned", "turn", "rings", *["late"] * paced, *["warm"] * heated(model)])


def scatters(model: CompactModel, paced: bool) -> bool:
    """True for a module with the noise of its model."""
    return model.noise is not None and not paced


def settles(model: CompactModel, k: int) -> bool:
    """True for a column, counted from 1, with an unsettled share."""
    return bool(model.kinds[model.kind[k - 1]].share.size > 1)


def heated(model: CompactModel) -> bool:
    """True if the model has self-heating."""
    return model.heat is not None


def scaled(model: CompactModel) -> list[str]:
    """Statements that set u1, u2, ...; [] for a model without axes."""
    lines = []
    for n, axis in enumerate(model.axes, 1):
        value = axis.name
        if axis.key == TEMPERATURE:
            lines.append(f"    kelvin = $temperature{' + V(warm)' if heated(model) else ''};")
            value = "1.0 / min(max(kelvin, coldest), warmest)"
        middle, half = scale(axis)
        lines.append(f"    u{n} = ({value} - {number(middle)}) * {number(1.0 / half)};")
    return lines


def heat(model: CompactModel) -> list[str]:
    """The statement of the thermal node, whose voltage is the rise of the temperature in K; [] without self-heating."""
    if not heated(model):
        return []
    return ["    I(warm) <+ tau * ddt(V(warm)) + V(warm) - rth * V(j, n) * V(j, n) * g * area / reference_area;"]


def warning(model: CompactModel) -> list[str]:
    """Statements that warn when the model is out of its range; for temperatures once in each analysis.

    Newton's method of a simulator tries voltages that are no solution. The node `before` has the voltage of the last try,
    rounded to steps, which have no slope; only a try close to the last one warns. In operating points and DC sweeps the
    node has the full voltage, so that no simulator ends before two tries are close. In a transient the voltage of the node
    is scaled down until it does not count.
    """
    message = '"outside of the range of this model: %g V at the junction, %g s", V(j, n), $abstime'
    cold, hot, outside = "temperature", "temperature", "V(j, n) < low || V(j, n) > high || $abstime > longest"
    warm = '"this model holds at %g K only, the simulator is set to %g K", temperature, $temperature'
    if len(model.temperatures) > 1:
        cold, hot = "coldest", "warmest"
        warm = '"this model holds from %g K to %g K, the simulator is set to %g K", coldest, warmest, $temperature'
    if heated(model):
        outside += " || kelvin > warmest + 1.0"
        message = '"outside of the range of this model: %g V at the junction, %g s, %g K", V(j, n), $abstime, kelvin'
    return [
        f"    @(initial_step) if ($temperature < {cold} - {WARM} || $temperature > {hot} + {WARM}) $warning({warm});",
        f"    outside = ({outside}) ? 1.0 : 0.0;",
        '    if (analysis("dc")) begin',
        f"      y = {FINE} * floor(V(j, n) / {FINE});",
        f"      e = abs(V(before) - V(j, n)) < {CLOSE} * abs(V(j, n)) ? outside : 0.0;",
        "    end else begin",
        f"      y = {OF_STEP} * floor({STEP} * V(j, n));",
        f"      e = ($abstime > 0.0 && abs(V(before) / {OF_STEP} - {STEP} * V(j, n)) < {SETTLED}) ? outside : 0.0;",
        "    end",
        "    I(before) <+ 1e-6 * (V(before) - y);",
        f"    y = (e > 0.5 || ($abstime > 0.0 && V(warned) > {HALF})) ? {CHARGED} : 0.0;",
        f"    I(warned) <+ {MEMORY} * (ddt(V(warned)) + (V(warned) - y) * {TELL});",
        f"    if (e > 0.5 && V(warned) < {HALF}) $warning({message});",
    ]


def ringing() -> list[str]:
    """Statements that find the trapezoidal rule, warn of it, and charge `rings`, which ends the displacement current.

    By this rule the derivative of a charge that has come to its end goes on with alternating signs, 2/h of its last change,
    with h the step of that change. Any capacitor behind a resistor does so: ngspice with its defaults has 6 nA in 31 pF
    behind 50 ohm long after a ramp of 1 ns, where the high state draws 1 nA at 0.1 V. No form of the charge is free of it:
    the error that Newton's method leaves in the voltage is enough.

    So the node `turn` has a charge of 0 or TURN, which turns where the time passes exp(2 k) s. Its current times the time
    since is below 5 TURN by backward Euler and Gear if no step is more than twice as long as the one before; by the
    trapezoidal rule it grows with the time. The displacement current then ends within a tenth of the time that has passed.
    A small rest of it would not do: the less charge, the faster and the higher the current by which it rings.
    """
    advice = (
        '"the trapezoidal rule rings: this transient goes on without the charge of this junction; '
        'with it, set method=gear in ngspice, tran_method=\\"gear2\\" in VACASK"'
    )
    return [
        "    y = floor(0.5 * ln(max($abstime, 1e-30)));",
        f"    I(turn) <+ V(turn) + ddt({TURN} * (y - 2.0 * floor(0.5 * y)));",
        f"    e = ($abstime > 0.0 && abs(V(turn)) * ($abstime - exp(2.0 * y)) > {RINGS} * {TURN}) ? charging : 0.0;",
        f"    if (e > 0.5 && V(rings) < {FADED} * {CHARGED}) $warning({advice});",
        f"    y = {FADES} * ({CHARGED} - V(rings)) / max($abstime, 1e-30);",
        f"    if (e < 0.5 && V(rings) < {FADED} * {CHARGED}) y = 0.0;",
        "    if ($abstime <= 0.0) y = -V(rings);",
        f"    I(rings) <+ {MEMORY} * (ddt(V(rings)) - y);",
    ]


def parameters(model: CompactModel) -> list[str]:
    """Declarations of the parameters and of named constants."""
    lines = [
        f'  (* type = "instance" *) parameter real rs = {number(model.resistance)} from [0:inf);  // ohm, in series',
        f'  (* type = "instance" *) parameter real area = {number(model.area)} from (0:inf);  // m2 of the junction',
        '  (* type = "instance" *) parameter real charging = 1 from [0:1];  // 0: no displacement current',
    ]
    if model.heat is not None:
        resistance, time = map(number, model.heat)
        lines += [
            f'  (* type = "instance" *) parameter real rth = {resistance} from [0:inf);  // K/W, 0: no heat',
            f'  (* type = "instance" *) parameter real tau = {time} from (0:inf);  // s, of its heat',
        ]
    lines += [
        f'  (* type = "instance" *) parameter real {axis.name} = {number(own)} from {bounds(axis)};'
        f"  // {axis.unit or '1'}, {axis.key}"
        for axis, own in zip(model.axes, model.point, strict=True)
        if axis.key != TEMPERATURE
    ]
    for k in range(1, model.kind.size + 1):
        states = [node.kinds[node.kind[k - 1]].state for node in nodes(model)]
        ends = f"[{number(min(q[0] for q in states))}:{number(max(q[-1] for q in states))}]"
        lines.append(
            f'  (* type = "instance" *) parameter real ic{k} = {start(model, k)} from {ends};  // position at time 0'
        )
    if model.settles:
        meaning = "1: the film of the case, 0: one at rest"
        lines.append(f'  (* type = "instance" *) parameter real unsettled = 1 from [0:1];  // {meaning}')
    lines += [
        f'  (* type = "instance" *) parameter real faster{k} = 1 from (0:inf);  // times the rates of the column'
        for k in range(1, model.kind.size + 1)
    ]
    return [
        *lines,
        f"  localparam real reference_area = {number(model.area)};  // m2",
        *temperatures(model),
        f"  localparam real low = {number(model.limits.low)};  // V, beyond: the conductance of the edge",
        f"  localparam real high = {number(model.limits.high)};  // V",
        f"  localparam real longest = {number(model.limits.longest)};  // s",
    ]


def bounds(axis: ModelAxis) -> str:
    """Range of the parameter of an axis, wider than its nodes by what simulators lose as they read a number."""
    more = ROUNDED * (axis.values[-1] - axis.values[0])
    return f"[{number(axis.values[0] - more)}:{number(axis.values[-1] + more)}]"


def start(model: CompactModel, k: int) -> str:
    """Text of the position at which column k, counted from 1, begins: that of the case at the parameters of the module."""
    axes = [axis for axis in model.axes if axis.key != TEMPERATURE]
    if not axes:
        return number(model.start[k - 1])
    starts = by_u(model, np.array([node.start[k - 1] for node in model.nodes]))
    if len(axes) < len(model.axes):
        starts = np.tensordot(powers(model.axes[0], [model.temperature])[0], starts, axes=1)
    scales = [scale(axis) for axis in axes]
    names = [
        f"(({axis.name} - {number(middle)}) * {number(1.0 / half)})"
        for axis, (middle, half) in zip(axes, scales, strict=True)
    ]
    return coefficient(starts, names)


def temperatures(model: CompactModel) -> list[str]:
    """Declarations of the temperatures that the model holds for."""
    extracted = model.temperatures
    if len(extracted) == 1:
        return [f"  localparam real temperature = {number(extracted[0])};  // K, the only one"]
    return [f"  localparam real coldest = {number(extracted[0])}, warmest = {number(extracted[-1])};  // K"]


def variables(model: CompactModel, kinds: list[Functions]) -> list[str]:
    """Declarations of the variables, with the flag `outside`."""
    names = ["v", "t", "q", "x", "y", "e", "r", "g", "h", "sigma"] + [
        name for kind in kinds for group, _ in kind.groups for name in group
    ]
    names += [f"t{j}" for j in range(2, max(max(kind.count, kind.shares) for kind in kinds))]
    names += ["w", "l", "m", "z"] if model.settles else []
    names += [f"u{n}" for n in range(1, len(model.axes) + 1)] + ["kelvin"] * (len(model.temperatures) > 1)
    names += (noise_text.VARIABLES + noise_text.NUMBERS) * (model.noise is not None)
    lines = ["  real " + ", ".join(names[i : i + 16]) + ";" for i in range(0, len(names), 16)]
    flag = (
        '  (* desc = "1 where the junction voltage or the time is outside of the range of the model" *) real outside;'
    )
    lasts = noise_text.LASTS if model.noise is not None else []
    return [*lines, flag, *lasts]


def by_voltage(names: list[str], part: Pieces) -> str:
    """Statements that set functions of the voltage by the piece that v is in."""

    def leaf(i: int) -> str:
        sets = [f"{name} = {horner(part.factors[i, r], 't')};" for r, name in enumerate(names)]
        return "\n".join(["begin", f"  t = v - ({exact(part.knots[i])});", *("  " + text for text in sets), "end"])

    def branch(knot: float, below: str, above: str) -> str:
        return f"if (v < {exact(knot)})\n{indented(below, 1)}\nelse\n{indented(above, 1)}"

    return tree(part.knots, leaf, branch)


def column_block(model: CompactModel, kinds: list[Functions], k: int, paced: bool) -> list[str]:
    """Statements of column k, counted from 1: its states, its share of the conductance and of the charge, its rates.

    ngspice resolves a charge relative to its magnitude. The charge of the filling of the way is therefore its node plus 1:
    a filling that has decayed to round-off would force steps of picoseconds.
    """
    t = int(model.kind[k - 1])
    kind = kinds[t]
    sums = {letter: chebyshev_sum(letter, t, kind.count) for letter in kind.letters}
    settled = settles(model, k)
    limit = [f"    h = r * exp(-({sums['c']}));", "    r = r / sqrt(1.0 + h * h);"] if "c" in sums else []
    weight = number(model.weight[k - 1])
    speed = own_speed(model, k)
    up, down = fillings(model, k)
    paces = [f"{name} = V(pace) * {name};" for name in ["r", "y", *(["l"] if settled else [])]]
    faster, line, random, wanders, reads = f"faster{k}", "", [], [], []
    if scatters(model, paced):
        faster = f"faster{k} * exp(drate)"
        line = " + dlow" + (" + (dhigh - dlow) * 0.5 * (x + 1.0)" if kind.count > 1 else "")
        random = noise_text.random_step(model, kind, k, sums["s"])
        random += noise_text.ion_noise(model, kind, k, sums, f"{faster} * {speed}")
        reads = noise_text.random_reads(model, kind, k)
        wanders = [f"    own = {weight} * exp(y);", f"    slope = {noise_text.slope_of('b', t, kind.count)};"]
    emptying = f"faster{k} * {own_speed(model, k, divided=True)}"
    return [
        *(settling(model, kind, k, f"{faster} * {speed}") if settled else []),
        f"    q = min(max(ic{k} + V(x{k}), {coefficient(kind.low)}), {coefficient(kind.high)});",
        *by_state(kind),
        f"    e = {sums['a']};",
        f"    y = {'z + ' if settled else ''}{sums['b']}{line};",
        *reads,
        f"    g = {'g + ' if k > 1 else ''}{weight} * exp(y);",
        *wanders,
        f"    sigma = {'sigma + ' if k > 1 else ''}{weight} * ({sums['d']});",
        f"    r = {faster} * {speed} * exp(e);",
        *limit,
        *(["    bare = r;"] if random else []),
        f"    r = r * (rest{t} - ic{k} - V(x{k}));",
        f"    h = (r > 0.0 ? {up} : {down}) * abs(r);",
        f"    y = h / (h + {emptying});",
        *([f"    share = V(f{k}) + 1.0 - y;"] if random else []),
        f"    r = r * (V(f{k}) + 1.0 - y);",
        *random,
        f"    y = h - V(f{k}) * (h + {emptying});",
        *(["    r = r + m * l;"] if settled else []),
        *(["    " + " ".join(paces)] if paced else []),
        f"    if ($abstime <= 0.0) begin r = -V(x{k}); y = -V(f{k}); {f'l = V(s{k}); ' if settled else ''}end",
        *([f"    I(s{k}) <+ ddt(V(s{k})) + l;"] if settled else []),
        f"    I(x{k}) <+ ddt(V(x{k})) - r;",
        f"    I(f{k}) <+ ddt(V(f{k}) + 1.0) - y;",
    ]


def chebyshev_sum(letter: str, t: int, count: int) -> str:
    """Text of the polynomial of a table of kind t, from the variables x and t2, t3, ..."""
    return "+".join(f"{letter}{t}_{j}{term}" for j, term in enumerate(noise_text.powers_of_x(count)))


def settling(model: CompactModel, kind: Functions, k: int, speed: str) -> list[str]:
    """Statements that set the unsettled share w of column k, its decay l, the move m, and z, added to ln conductance.

    The decay goes on below a share of 0: where it ends there, Newton's method jumps from the start to beyond it and back.
    """
    rate, move, excess = (chebyshev_sum(letter, model.kind[k - 1], kind.shares) for letter in SETTLING_LETTERS)
    return [
        f"    l = {number(model.unsettled[k - 1])} * unsettled + V(s{k});",
        "    w = min(max(l, 0.0), 1.0);",
        *polynomials_of_x("2.0 * w - 1.0", kind.shares),
        f"    e = {rate};",
        f"    l = {speed} * exp(e) * l;",
        f"    m = {move};",
        f"    z = w * ({excess});",
    ]


def polynomials_of_x(x: str, count: int) -> list[str]:
    """Statements that set x and the Chebyshev polynomials t2, t3, ... of it."""
    return [
        f"    x = {x};",
        "    " + " ".join(f"t{j} = 2.0*x*{before} - {last};" for j, before, last in recurrences(count)),
    ]


def by_state(kind: Functions) -> list[str]:
    """Statements that set x, the state scaled to -1 to 1 over its range at u, and the Chebyshev polynomials of x."""
    if kind.count == 1:
        return []
    low, high = coefficient(kind.low), coefficient(kind.high)
    across = number(2.0 / (kind.high - kind.low)[0]) if kind.low.size == 1 else f"2.0 / ({high} - {low})"
    return polynomials_of_x(f"(q - {low}) * {across} - 1.0", kind.count)


def recurrences(count: int) -> list[tuple[int, str, str]]:
    """(degree, name of the polynomial one degree lower, name of that two degrees lower), from degree 2 on."""
    names = ["1.0", "x", *(f"t{j}" for j in range(2, count))]
    return [(j, names[j - 1], names[j - 2]) for j in range(2, count)]


def indented(text: str, by: int) -> str:
    """A text with all lines indented by `by` blanks."""
    return "\n".join(" " * by + line for line in text.split("\n"))
