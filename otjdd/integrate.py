"""The ions along a waveform: kernels called segment by segment, with room between for reads, snapshots and signals."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from otjdd import model
from otjdd.waveform import Waveform

CHUNK = 4096  # steps between two looks at signals and progress
ROWS = 4096  # recorded steps between two visits of Python
PANELS = 64
RELAXING = 1e-9  # m2/s, diffusivity on the way to equilibrium: steps stay far above the smallest that is allowed

REASONS = {
    "STEP_TOO_SMALL": "no time step is small enough for the error control",
    "NOT_CLOSED": "Poisson's equation has no solution within the tables of the electrodes",
    "CIRCUIT_NOT_SOLVED": "the voltage over junction and series resistance was not found",
    "SPECTRUM_NOT_CONVERGED": "the integral of the current over energy did not converge",
    "NOT_FINITE": "a number ceased to be finite",
    "TOO_MANY_STEPS": "the run needs more steps than numerics.max_steps",
}
ADVICE = {
    "STEP_TOO_SMALL": "loosen numerics.rtol to 1e-3, or refine device.film.cells",
    "NOT_CLOSED": "reduce the voltage or ions.density, or check doping and permittivity of the electrodes",
    "CIRCUIT_NOT_SOLVED": "set circuit.series_resistance to 0 ohm to see the bare junction, or reduce the voltage",
    "SPECTRUM_NOT_CONVERGED": 'loosen numerics.current_tolerance, or use device.transmission = "wkb"',
    "NOT_FINITE": "check activation_energy and prefactor, and reduce the voltage",
    "TOO_MANY_STEPS": "raise numerics.max_steps, or shorten the drive",
}


class SolverError(Exception):
    """The integration cannot go on. `partial` is the Dataset of what was computed until then, when there is one.

    reason : key of REASONS   time [s], voltage [V], step [s], residual (error norm, 1 is the limit), place [m]
    """

    def __init__(self, reason: str, time: float, voltage: float, step: float, residual: float, place: float):
        self.reason, self.time, self.voltage = reason, time, voltage
        self.step, self.residual, self.place = step, residual, place
        self.partial = None
        super().__init__(
            f"{REASONS[reason]}: at t = {time:.6g} s, V = {voltage:.4g} V, x = {place * 1e9:.3g} nm, "
            f"step {step:.3g} s, last error norm {residual:.3g}. Try: {ADVICE[reason]}"
        )


class Counts(NamedTuple):
    """Solver statistics."""

    accepted: int = 0
    rejected: int = 0
    unphysical: int = 0  # of the rejected, those with a concentration below zero or above the site density


@dataclass
class Run:
    """A junction on its way: what the kernels work on. `state` and the work arrays change in place."""

    junction: object
    control: object
    state: object
    total: np.ndarray  # (K,) vacancies per area [1/m2], constant
    panels: np.ndarray
    tangent: object  # of the current
    max_steps: int
    time: float = 0.0
    step: float = 0.0  # s, next time step; 0 after an edge of the waveform, where the kernel chooses
    counts: Counts = field(default_factory=Counts)
    lost: dict = field(default_factory=dict)  # source voltage -> voltage lost in the circuit after the last jump to it
    rows: list = field(default_factory=list)  # recorded blocks (n, RECORD)


def begin(junction, c: np.ndarray, *, rtol: float, atol: float, max_steps: int = 10**9) -> Run:
    """A run from concentrations c (K, N) [1/m3]; atol in units of their mean."""
    from otjdd.physics import stepper

    K, N = c.shape
    state = stepper.new_state(K, N)
    state.c[:] = c
    control = stepper.Control(float(rtol), float(atol * c.mean()), min(CHUNK, max_steps))
    total = (c * junction.columns.width).sum(axis=1)
    panels = np.full((K, PANELS), np.nan)
    return Run(junction, control, state, total, panels, stepper.new_tangent(K, N), max_steps)


def jump(run: Run, voltage: float) -> None:
    """Settle fields and circuit at a source voltage, the ions where they are. Raises SolverError."""
    from otjdd.physics import stepper

    near = min(run.lost, key=lambda known: abs(known - voltage), default=0.0)
    guess = voltage - run.lost.get(near, 0.0)
    status = stepper.settle(run.junction, run.state, voltage, guess, run.panels, run.tangent, 0.0)
    check(run, status, run.time, voltage, 0.0, 0.0)
    run.lost[voltage], run.step = voltage - float(run.state.V[0]), 0.0


def advance(run: Run, duration: float, start: float, end: float, record: bool) -> None:
    """Integrate over a straight piece of the source voltage; the state is settled at its start. Raises SolverError."""
    from otjdd.physics import stepper

    rows = np.empty((ROWS if record else 1, stepper.RECORD))
    tau, step, ramp = 0.0, run.step, (end - start) / duration
    while True:
        status, tau, step, used, counts, norm = stepper.advance(
            run.junction, run.control, run.state, run.total, run.time, tau, duration, start, ramp, step,
            run.panels, run.tangent, rows, record,
        )  # fmt: skip
        run.counts = Counts(*(a + int(b) for a, b in zip(run.counts, counts, strict=True)))
        if used:
            run.rows.append(rows[:used].copy())
        check(run, status, run.time + tau, start + ramp * tau, step, norm)
        if status == stepper.DONE:
            break
        if run.counts.accepted + run.counts.rejected >= run.max_steps:
            fail(run, "TOO_MANY_STEPS", run.time + tau, start + ramp * tau, step, norm)
    run.time += duration
    run.step = step


def check(run: Run, status: int, time: float, voltage: float, step: float, norm: float) -> None:
    """Raise SolverError for a status of the kernels that is a failure."""
    from otjdd.physics import stepper

    for reason in REASONS:
        if status == getattr(stepper, reason, None):
            fail(run, reason, time, voltage, step, norm)


def fail(run: Run, reason: str, time: float, voltage: float, step: float, norm: float):
    """Raise SolverError; the place is the face with the strongest field in any column."""
    E = np.abs(run.state.E)
    k, f = np.unravel_index(np.argmax(np.where(np.isfinite(E), E, np.inf)), E.shape)
    place = float(run.junction.columns.width[k, :f].sum())
    raise SolverError(reason, time, voltage, step, norm, place)


def observe(run: Run, voltage: float) -> None:
    """Record the state, its current evaluated here and not followed from a step before."""
    from otjdd.physics import stepper

    jump(run, voltage)
    status = stepper.ensure_current(run.junction, run.state, run.panels, run.tangent)
    check(run, status, run.time, voltage, 0.0, 0.0)
    row = np.empty((1, stepper.RECORD))
    stepper.observe(run.junction, run.state, run.time, voltage, run.total, row[0])
    run.rows.append(row)


def drive(run: Run, waveform: Waveform, *, every="none", stops=(), at_stop=None, at_read=None, progress=None) -> None:
    """Take a run along a waveform.

    every : "all" records each time step, else none   stops : sorted times [s] at which at_stop(run, voltage) is called
    at_read(run, voltage, write_voltage) is called at each read mark, progress(fraction) now and then.
    Raises SolverError.
    """
    origin = run.time
    stops, reads = list(stops), list(waveform.reads)
    last = None
    pieces = list(zip(*waveform.segments(), strict=True))
    for i, (t0, t1, v0, v1) in enumerate(pieces):
        run.time = origin + t0
        run.step = 0.0
        if v0 != last:
            jump(run, v0)
        cuts = []
        while stops and stops[0] < t1:
            cuts.append(max(stops.pop(0), t0))
        begin_at, v_begin = t0, v0
        for cut in [*cuts, t1]:
            v_end = v1 if cut == t1 else v0 + (v1 - v0) * (cut - t0) / (t1 - t0)
            if cut > begin_at:
                advance(run, cut - begin_at, v_begin, v_end, every == "all")
            if cut < t1 and at_stop:
                at_stop(run, v_end)
            begin_at, v_begin = cut, v_end
        run.time, last = origin + t1, v1
        while reads and reads[0][0] <= t1:
            mark = reads.pop(0)
            if at_read:
                at_read(run, v1, mark[1])
        while (
            stops and stops[0] <= t1 and (i + 1 == len(pieces) or stops[0] < pieces[i + 1][0] or v1 != pieces[i + 1][2])
        ):
            stops.pop(0)
            if at_stop:
                at_stop(run, v1)
        if progress:
            progress((i + 1) / len(pieces))


def relax(junction, c: np.ndarray) -> np.ndarray:
    """Equilibrium concentrations (K, N) at 0 V with the same number of vacancies as c.

    Equilibrium does not depend on the law of motion, so the ions go there by linear diffusion, equally fast in every
    column, until long after the deepest well has filled.
    """
    from otjdd.physics import ions

    columns = junction.columns._replace(diffusivity=np.full(c.shape[0], RELAXING))
    fast = junction._replace(
        columns=columns, ions=junction.ions._replace(law=ions.LINEAR), resistance=0.0, compliance=np.inf
    )
    run = begin(fast, c, rtol=1e-6, atol=1e-10)
    jump(run, 0.0)
    thickness = float(junction.columns.width.sum(axis=1).max())
    depth = np.abs(np.cumsum(junction.columns.site, axis=1)).max() / junction.kT
    advance(run, thickness**2 / RELAXING * np.exp(min(depth, 300.0)) * 1e12, 0.0, 0.0, False)
    return run.state.c.copy()


def start(case, junction, parts) -> np.ndarray:
    """Concentrations (K, N) [1/m3] that a case starts from. Raises SolverError, ValueError."""
    initial = case.ions.initial
    c = model.uniform(parts, case.device.film.cells)
    if initial == "uniform":
        return c
    if initial == "equilibrium":
        return relax(junction, c)
    if hasattr(initial, "result"):
        return from_result(initial.result, c)
    run = begin(junction, c, rtol=case.numerics.rtol, atol=case.numerics.atol, max_steps=case.numerics.max_steps)
    for hold in initial.history:
        jump(run, hold.voltage)
        advance(run, hold.duration, hold.voltage, hold.voltage, False)
    return run.state.c.copy()


def from_result(path: str, like: np.ndarray) -> np.ndarray:
    """Last concentrations of a result file. Raises ResultError, ValueError when its columns or cells differ."""
    from otjdd import results

    c = results.read(path)["vacancy_concentration_columns"].values[-1]
    if c.shape != like.shape:
        raise ValueError(f"ions.initial.result: {c.shape} columns and cells, the case has {like.shape}")
    return c
