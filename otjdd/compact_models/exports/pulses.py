"""Equal pulses on a compact model, from which the models for network simulators are made, and notes on their validity.

Drift and scatter of written levels in the files for networks: tables over conductance and time.

G -> G exp[m(G, t) + s(G, t) x]      x normal, at programming (t = 1 us) and as drift after a time

s is the scatter of levels that equal pulses have written; for levels that are written and verified, that of ln[G(t)/G(0)].
Both files, of aihwkit and of CrossSim, interpolate in ln G and ln t, with constant values beyond the ends.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from otjdd.compact_models.error import set_and_resets
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import Range
from otjdd.system.late import xr

TABLES = {
    "SHIFT": "level_shift",
    "SIGMA": "level_sigma",
    "SIGMA_VERIFIED": "level_moved",
}  # name in a file -> of a Dataset
DRAWS = 4000


def by_conductance(noise: "xr.Dataset") -> "xr.Dataset":
    """The Dataset with its levels in ascending order of their conductance."""
    return noise.isel(level=np.argsort(noise.level_mean.values))


def read_sigma(noise: "xr.Dataset") -> np.ndarray:
    """Standard deviation (level,) of ln I of a read, by hops and by electrons."""
    return np.hypot(noise.read_sigma.values, noise.electron_sigma.values)


def level_tables(noise: "xr.Dataset") -> dict[str, np.ndarray]:
    """Values of `level_tables.py`: levels (level,) [S], times (time,) [s], tables (level, time) and read_sigma (level,)."""
    ordered = by_conductance(noise)
    tables = {name: ordered[variable].values for name, variable in TABLES.items()}
    return {"mean": ordered.level_mean.values, "time": ordered.time.values, "read": read_sigma(ordered), **tables}


def drawn_levels(noise: "xr.Dataset", seed: int) -> np.ndarray:
    """Standard deviation (level, time) of ln G of draws at the levels, by the rule of the files."""
    x = np.random.default_rng(seed).standard_normal((DRAWS, 1, 1))
    ln_G: np.ndarray = noise.level_shift.values + noise.level_sigma.values * x
    return ln_G.std(axis=0, ddof=1)


PULSES, WIDTH, READ = 20, 50e-9, 0.1  # pulses of either sign; s; V
ROUNDS = (5, 10, 20, 40, 80, 160, 320, 640)  # rounds of pulses up and down after which conductances are compared
CLOSED = 0.01  # of the range of conductances: a cycle that changes by less between two comparisons is stationary
EARLY, WITHIN = 1e-3, 40  # of a pulse, first time at which its current is taken for its energy; and the number of times
NARROW, NOTHING = 1.5, 1.001  # largest over smallest conductance, below which a warning is given, no export is made


class VoltagePulse(NamedTuple):
    """A pulse at the source."""

    voltage: float  # V
    width: float  # s


class PulseTrain(NamedTuple):
    """Equal pulses that raise the conductance, and as many that lower it, without pauses."""

    up: VoltagePulse
    down: VoltagePulse
    count: int  # type: ignore[assignment]  # pulses of either sign; a tuple has a method of the name


class Pulsed(NamedTuple):
    """A cycle of equal pulses of both signs: the last of several rounds."""

    up: np.ndarray  # (n + 1,) S, before the first pulse and after each
    down: np.ndarray  # (n + 1,) S
    train: PulseTrain
    read_voltage: float  # V
    states: np.ndarray  # (2 n, ...) after each pulse down and then each pulse up
    rounds: int
    moved: float  # change of the conductances since the comparison before, relative to their range

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest conductance [S]."""
        return min(self.up.min(), self.down.min()), max(self.up.max(), self.down.max())

    @property
    def window(self) -> float:
        """Largest over smallest conductance."""
        low, high = self.ends
        return float(high / low)


class Devices(NamedTuple):
    """The same cycle of pulses on N devices that differ, and the origin of the differences in words."""

    up: np.ndarray  # (N, n + 1) S
    down: np.ndarray  # (N, n + 1) S
    source: str

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest conductance (N,) [S] of each device."""
        both = np.concatenate((self.up, self.down), axis=1)
        return both.min(axis=1), both.max(axis=1)


def default_train(limits: Range) -> PulseTrain:
    """The default pulses of an export."""
    width, (up, _, down) = max(WIDTH, limits.shortest), set_and_resets(limits)
    return PulseTrain(VoltagePulse(up, width), VoltagePulse(down, width), PULSES)


def pulse_cycle(model: CompactModel, train: PulseTrain | None = None) -> Pulsed:
    """Conductances [S] of a junction under a train of pulses, in the last of enough rounds for a stationary cycle.

    Pulses follow each other without pauses, from the initial states of the case. Reads do not change the states.
    Raises NotAsExpected for pulses outside of the range of the model.
    """
    train = default_train(model.limits) if train is None else train
    q, done, before, cycle = model.states(1), 0, None, None
    for rounds in ROUNDS:
        for _ in range(done, rounds - 1):
            for pulse in (train.down, train.up):
                for _ in range(train.count):
                    model.hold(q, *pulse)
        down, up = (conductances_under(model, q, pulse, train.count) for pulse in (train.down, train.up))
        cycle = Pulsed(up[0], down[0], train, READ, np.concatenate((down[1], up[1])), rounds, np.nan)
        low, high = cycle.ends
        apart = np.nan if before is None else max(np.abs(up[0] - before.up).max(), np.abs(down[0] - before.down).max())
        cycle = cycle._replace(moved=float(apart / (high - low)) if high > low else 0.0)
        if cycle.moved <= CLOSED:
            break
        done, before = rounds, cycle
    assert cycle is not None
    return cycle


def conductances_under(
    model: CompactModel, q: np.ndarray, pulse: VoltagePulse, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Conductances (count + 1,) [S] before the first and after each of equal pulses, and states (count, ...) after each.

    q : (1, ...) states, changed in place
    """
    G, states = [model.hold(q.copy(), READ, 1e-6)[0] / READ], []
    for _ in range(count):
        model.hold(q, *pulse)
        states.append(q[0].copy())
        G.append(model.hold(q.copy(), READ, 1e-6)[0] / READ)
    return np.array(G), np.array(states)


def pulse_energies(model: CompactModel, pulses: Pulsed) -> tuple[np.ndarray, np.ndarray]:
    """Energies (count,) [J] that the source gives in each pulse up, and in each pulse down, without displacement."""
    count = pulses.train.count
    energies = []
    for states, pulse in (
        (pulses.states[count - 1 : -1].copy(), pulses.train.up),
        (np.concatenate((pulses.states[-1:], pulses.states[: count - 1])), pulses.train.down),
    ):
        q, energy = states, np.zeros(count)
        times = np.concatenate(([0.0], np.geomspace(EARLY, 1.0, WITHIN))) * pulse.width
        before = model.hold(q.copy(), pulse.voltage, 0.0)
        for step in np.diff(times):
            after = model.hold(q, pulse.voltage, float(step))
            energy += 0.5 * (before + after) * pulse.voltage * step
            before = after
        energies.append(energy)
    return energies[0], energies[1]


def network_warnings(pulses: Pulsed | None) -> list[str]:
    """Warnings on the use of these pulses for networks, in sentences; [] if there are none.

    pulses : None for a junction with self-heating
    """
    if pulses is None:
        return ["the current warms this junction, which the pulses of a network do not know: no files for networks"]
    if pulses.window < NOTHING:
        return [
            f"these pulses move nothing (largest over smallest conductance {pulses.window:.4f}): no files for networks"
        ]
    sentences = []
    if pulses.moved > CLOSED:
        sentences.append(
            f"the cycle of pulses does not close: from round {pulses.rounds // 2} to round {pulses.rounds} conductances "
            f"still move by {pulses.moved:.2g} of their range"
        )
    if pulses.window < NARROW:
        sentences.append(
            f"largest over smallest conductance is {pulses.window:.4g} only: other pulses (--set-pulse, --reset-pulse, "
            "--pulses) may open a wider window"
        )
    elif pulses.up[-1] < pulses.up[0]:
        sentences.append("the pulses of --set-pulse lower the conductance: turn the signs of both")
    return sentences


def pulse_sentences(pulses: Pulsed, devices: Devices | None, scatter: Sequence[str]) -> list[str]:
    """Lines for every export for networks: its pulses, what it leaves out, and the spread between devices.

    scatter : lines on its noise, () for an export without
    """
    up, down, count = pulses.train
    spread = "0, this is one device; `otjdd compact --devices N` draws more"
    if devices is not None:
        spread = f"of {len(devices.up)} devices, {devices.source}; correlations between its numbers are left out"
    return [
        f"holds for pulses of {up.voltage:g} V, {up.width:g} s (up) and {down.voltage:g} V, {down.width:g} s (down) at the "
        f"source, without pauses, and reads at {pulses.read_voltage:g} V: another voltage, width or pause needs another "
        "export",
        f"taken from {count} pulses up and {count} down, the last of {pulses.rounds} such rounds; {pulses.rounds // 2} "
        f"rounds before, no conductance was further away than {pulses.moved:.2g} of their range",
        *(f"warning: {text}" for text in network_warnings(pulses)),
        *(
            scatter
            or [
                "left out: noise from cycle to cycle and of reads (0: not modelled), relaxation between pulses and at rest"
            ]
        ),
        f"spread from device to device: {spread}",
    ]
