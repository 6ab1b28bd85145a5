"""The compact model as Verilog-A, for compilers that know neither tables nor arrays (openvaf-r)."""

from otjdd.compact_models.exports.functions import (
    Functions,
    Pieces,
    coefficient,
    edge_capacitance,
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
from otjdd.compact_models.temperatures import scale

WARM = "1.0"  # K: circuits begin at 27 degC, which is 0.15 K from 300 K
TELL = "1e12"  # 1/s, rate at which a warning is remembered


def verilog_a(model: CompactModel, paced: bool = False) -> str:
    """Text of the module `otj(p, n)`, p the metal. Area, series resistance and the states to start from are parameters.

    The states start at `ic1`...: at time 0 they are held there, so an operating point or a DC sweep is that of the
    frozen junction, and a transient begins with it, with and without `uic`. The variable `outside` is 1 where the model
    is out of its range; in a transient a warning says so when that first happens, for the node `told` remembers it, in a
    DC sweep at each such point. The charge of the junction follows its voltage and its state: `.ac` and fast edges see its
    capacitance. `charging=0` leaves that out. A model of several temperatures follows `$temperature`, as `u`, which is 1/T
    from 1 to -1; where its current warms the junction the node `warm` is the rise in K, by `rth` (0: none) and `tau`. The
    charge is then that at `$temperature`, as `around`: if it followed the rise, round-off of that would be a current.
    paced : for `otj(p, n, pace)`, whose states move faster by the factor that is the voltage of `pace`
    """
    columns = range(1, model.kind.size + 1)
    kinds = [functions(model, number_) for number_ in range(len(model.kinds))]
    ports = "p, n" + ", pace" * paced
    lines = [f"// {line}" for line in header(model)]
    lines += [
        '`include "disciplines.vams"',
        "",
        f"module otj({ports});",
        f"  inout {ports};",
        f"  electrical {ports}, j;",
    ]
    lines += ["  electrical " + ", ".join(f"x{k}, f{k}" for k in columns) + ", told" + ", warm" * heated(model) + ";"]
    lines += parameters(model) + variables(model, kinds) + ["", "  analog begin"]
    lines += ["    v = min(max(V(j, n), low), high);", *inverse_temperature(model)]
    for kind in kinds:
        lines += [indented(by_voltage(*group, charge_u(model)), 4) for group in kind.groups]
    for k in columns:
        lines += column_block(model, kinds, k, paced)
    lines += [
        *warning(model),
        f"    sigma = sigma + (V(j, n) - v) * {number(edge_capacitance(model))};",
        "    I(j, n) <+ g * V(j, n) * area / reference_area;",
        "    I(j, n) <+ ddt(charging * area * sigma);",
        *heat(model),
        "    if (rs > 0.0) I(p, j) <+ V(p, j) / rs; else V(p, j) <+ 0.0;",
        "  end",
        "endmodule",
        "",
    ]
    return "\n".join(lines)


def heated(model: CompactModel) -> bool:
    """Whether the current warms the junction."""
    return model.heat is not None


def inverse_temperature(model: CompactModel) -> list[str]:
    """Statements that set u; none for a model of one temperature."""
    if len(model.temperatures) == 1:
        return []
    middle, half = scale(model.temperatures)
    around = [
        f"    around = (1.0 / min(max($temperature, coldest), warmest) - {number(middle)}) * {number(1.0 / half)};",
    ]
    return [
        f"    kelvin = $temperature{' + V(warm)' * heated(model)};",
        f"    u = (1.0 / min(max(kelvin, coldest), warmest) - {number(middle)}) * {number(1.0 / half)};",
        *around * heated(model),
    ]


def charge_u(model: CompactModel) -> str:
    """Name of the u that the charge follows."""
    return "around" if heated(model) else "u"


def heat(model: CompactModel) -> list[str]:
    """The statement of the thermal node, whose voltage is the rise of the temperature in K; none without heat."""
    if not heated(model):
        return []
    return ["    I(warm) <+ tau * ddt(V(warm)) + V(warm) - rth * V(j, n) * V(j, n) * g * area / reference_area;"]


def warning(model: CompactModel) -> list[str]:
    """Statements that tell when the model is out of its range, of its temperatures once for each analysis."""
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
        f"    y = outside * (1.0 - V(told)) * {TELL};",
        "    if ($abstime <= 0.0) y = -V(told);",
        "    I(told) <+ ddt(V(told)) - y;",
        f'    if (analysis("dc") && outside > 0.5) $warning({message});',
        f"    if ($abstime > 0.0 && outside > 0.5 && V(told) < 0.5) $warning({message});",
    ]


def parameters(model: CompactModel) -> list[str]:
    """Declarations of the parameters that may be set, and of named constants."""
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
    for k, start in enumerate(model.start, 1):
        states = [one.kinds[one.kind[k - 1]].state for one in nodes(model)]
        bounds = f"[{number(min(each[0] for each in states))}:{number(max(each[-1] for each in states))}]"
        lines.append(
            f'  (* type = "instance" *) parameter real ic{k} = {number(start)} from {bounds};  // position at time 0'
        )
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


def temperatures(model: CompactModel) -> list[str]:
    """Declarations of the temperatures that the model holds for."""
    found = model.temperatures
    if len(found) == 1:
        return [f"  localparam real temperature = {number(found[0])};  // K, the only one"]
    return [f"  localparam real coldest = {number(found[0])}, warmest = {number(found[-1])};  // K"]


def variables(model: CompactModel, kinds: list[Functions]) -> list[str]:
    """Declarations of the variables, among them the flag of a model outside of its range."""
    names = ["v", "t", "q", "x", "y", "e", "r", "g", "h", "sigma"] + [
        name for kind in kinds for group, _ in kind.groups for name in group
    ]
    names += [f"t{j}" for j in range(2, kinds[0].count)]
    names += ["u", "kelvin"] * (len(model.temperatures) > 1) + ["around"] * heated(model)
    lines = ["  real " + ", ".join(names[i : i + 16]) + ";" for i in range(0, len(names), 16)]
    told = (
        '  (* desc = "1 where the junction voltage or the time is outside of the range of the model" *) real outside;'
    )
    return [*lines, told]


def by_voltage(names: list[str], part: Pieces, around: str) -> str:
    """Statements that set functions of the voltage: those of the piece that v is in. around : the u of the charge"""

    def leaf(i: int) -> str:
        sets = [
            f"{name} = {horner(part.factors[i, r], 't', around if name[0] == 'd' else 'u')};"
            for r, name in enumerate(names)
        ]
        return "\n".join(["begin", f"  t = v - ({number(part.knots[i])});", *("  " + text for text in sets), "end"])

    def branch(knot: float, below: str, above: str) -> str:
        return f"if (v < {number(knot)})\n{indented(below, 1)}\nelse\n{indented(above, 1)}"

    return tree(part.knots, leaf, branch)


def column_block(model: CompactModel, kinds: list[Functions], k: int, paced: bool) -> list[str]:
    """Statements of one column: its state, its share of the conductance, its rate."""
    t = int(model.kind[k - 1])
    kind = kinds[t]
    terms = ["", "*x", *(f"*t{j}" for j in range(2, kind.count))]
    sums = {letter: "+".join(f"{letter}{t}_{j}{term}" for j, term in enumerate(terms)) for letter in kind.letters}
    limit = [f"    h = r * exp(-({sums['c']}));", "    r = r / sqrt(1.0 + h * h);"] if "c" in sums else []
    weight = number(model.weight[k - 1])
    charge = f"    sigma = {'sigma + ' if k > 1 else ''}{weight} * ({sums['d']});"
    emptying, speed = f"faster{k} * {own_speed(model, k, 'u', divided=True)}", own_speed(model, k, "u")
    up, down, pace = *fillings(model, k, "u"), "V(pace) * " * paced
    return [
        f"    q = min(max(ic{k} + V(x{k}), {coefficient(kind.low, 'u')}), {coefficient(kind.high, 'u')});",
        *by_state(kind, charge_u(model)) * heated(model),
        *[charge] * heated(model),
        *by_state(kind, "u"),
        f"    e = {sums['a']};",
        f"    y = {sums['b']};",
        f"    g = {'g + ' if k > 1 else ''}{weight} * exp(y);",
        *[charge] * (not heated(model)),
        f"    r = faster{k} * {speed} * exp(e);",
        *limit,
        f"    r = r * (rest{t} - q);",
        f"    h = (r > 0.0 ? {up} : {down}) * abs(r);",
        f"    y = h / (h + {emptying});",
        f"    r = r * (V(f{k}) + 1.0 - y);",
        f"    y = h - V(f{k}) * (h + {emptying});",
        f"    if ($abstime <= 0.0) begin r = -V(x{k}); y = -V(f{k}); end",
        f"    I(x{k}) <+ ddt(V(x{k})) - {pace}r;",
        f"    I(f{k}) <+ ddt(V(f{k})) - {pace}y;",
    ]


def by_state(kind: Functions, u: str) -> list[str]:
    """Statements that set x, the state from -1 to 1 over the range that it has at u, and the polynomials of it."""
    low, high = coefficient(kind.low, u), coefficient(kind.high, u)
    across = number(2.0 / (kind.high - kind.low)[0]) if kind.low.size == 1 else f"2.0 / ({high} - {low})"
    recurrence = [f"t{j} = 2.0*x*{before} - {last};" for j, before, last in recurrences(kind.count)]
    return [f"    x = (q - {low}) * {across} - 1.0;", "    " + " ".join(recurrence)]


def recurrences(count: int) -> list[tuple[int, str, str]]:
    """Degree, name of the polynomial before and of that before it, from degree 2 on."""
    names = ["1.0", "x", *(f"t{j}" for j in range(2, count))]
    return [(j, names[j - 1], names[j - 2]) for j in range(2, count)]


def indented(text: str, by: int) -> str:
    """Every line of a text moved to the right."""
    return "\n".join(" " * by + line for line in text.split("\n"))
