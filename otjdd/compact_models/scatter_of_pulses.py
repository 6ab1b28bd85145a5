"""Equal pulses on devices whose ions hop one by one, run by the solver: cycles, and written levels over a day; and their
standard deviations by device, cycle and pulse, and of levels over time.

Each device is a run of its own: cycles of pulses down and up, as those of the exports for networks, with a read of 1 us
after each pulse; then levels. A level is written by all pulses of one sign and some of the other, is read READS times, and
rests at 0 V for a day. The number of ions of a device is drawn, as in any run. Cycles of the mean concentrations, and then
SETTLING cycles of single ions, precede the measured cycles.
"""

import logging
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from otjdd.analysis.current_noise import electron_noise, scatter
from otjdd.case.case import Case
from otjdd.case.device import FromResult
from otjdd.compact_models import noise_error
from otjdd.compact_models.error import DriveTable
from otjdd.compact_models.exports.pulses import READ, Devices, Pulsed, PulseTrain, VoltagePulse
from otjdd.errors import NotAsExpected, SolverError
from otjdd.solver import initial, model
from otjdd.solver.integrate import Run
from otjdd.solver.simulate import begun, in_steps, run_along
from otjdd.solver.start import Start
from otjdd.system.late import xr
from otjdd.system.pool import Spread
from otjdd.system.steps import Progress, finished

log = logging.getLogger(__name__)

DEVICES, CYCLES = 12, 4  # default number of devices, and number of measured cycles of each device
MOST_ROUNDS, SETTLING = 5, 2  # cycles of the mean, and then of single ions, before those that are measured
CELLS = 50  # at most: twice as many change the conductances of li2019 by 5 %, and take three times as long
LEVELS = 5  # written levels, evenly spaced in ln G as far as the pulses have them
FEWEST = 3  # devices of a standard deviation
READS, SHORT = 64, 1e-6  # reads of a level one after the other; s, duration of a read
TIMES = (1e-3, 1.0, 60.0, 3600.0, 86400.0)  # s after its last pulse, at which a level is read


class Level(NamedTuple):
    """A conductance level: that after all pulses of one sign, and then `count` pulses of the other, up or down."""

    up: bool
    count: int  # type: ignore[assignment]  # a tuple has a method of the name


def single_ions(case: Case, number: int = 0) -> Case:
    """The case of device `number`, whose ions hop one by one. Raises CaseError where they cannot."""
    shot = {"ions.noise": "shot", "ions.seed": case.ions.seed + number, "numerics.error": "none"}
    if not isinstance(case.ions.initial, FromResult):
        shot["device.film.cells"] = min(case.device.film.cells, CELLS)
    return case.without_study().replace(shot | {"drive": rest_with_reads(), "record": {"every": "none"}})


def cases_of_devices(case: Case, devices: int) -> list[Case]:
    """Cases of `devices` that differ as `otjdd compact --devices` draws them; DEVICES alike ones for 0.

    Raises CaseError, NotAsExpected.
    """
    drawn = noise_error.drawn_cases(case, devices) if devices else DEVICES * [case]
    return [single_ions(device_case, number) for number, device_case in enumerate(drawn)]


def even_levels(pulses: Pulsed) -> list[Level]:
    """Levels of a cycle whose conductances are about evenly spaced in their logarithm, ascending."""
    low, high = pulses.ends
    curves = {True: np.log(pulses.up), False: np.log(pulses.down)}
    chosen = []
    for target in np.linspace(np.log(low), np.log(high), LEVELS):
        up = min(curves, key=lambda direction: np.abs(curves[direction] - target).min())
        level = Level(up, int(np.abs(curves[up] - target).argmin()))
        chosen += [level] if level not in chosen else []
    return chosen


def rest_with_reads() -> DriveTable:
    """Drive that rests at 0 V, with reads at TIMES."""
    return {
        "kind": "hold",
        "voltage": 0.0,
        "duration": TIMES[-1],
        "reads_at": list(TIMES),
        "read": read_of_drives(),
    }


def read_of_drives() -> DriveTable:
    """The read of all drives, at READ for SHORT."""
    return {"voltage": READ, "duration": SHORT}


def equal_pulses(pulse: VoltagePulse, count: int) -> DriveTable:
    """Drive of `count` pulses with a read after each."""
    period = pulse.width + SHORT
    shape = {"voltage": pulse.voltage, "width": pulse.width, "count": count, "period": period}
    return {"kind": "train", "read_each": True, "read": read_of_drives()} | shape


def cycles_of_pulses(train: PulseTrain, count: int) -> DriveTable:
    """Drive of `count` cycles: all pulses down, then all pulses up."""
    once = [equal_pulses(train.down, train.count), equal_pulses(train.up, train.count)]
    return {"kind": "sequence", "parts": once, "repeat": count}


def course(train: PulseTrain, levels: list[Level]) -> tuple[DriveTable, list[int]]:
    """The drive of a device, and the reads in each of its parts: the cycles, then for each level writes, reads and rest."""
    parts, counts = [cycles_of_pulses(train, SETTLING + CYCLES)], [2 * train.count * (SETTLING + CYCLES)]
    for level in levels:
        this, other = (train.up, train.down) if level.up else (train.down, train.up)
        writes = [equal_pulses(other, train.count)] + ([equal_pulses(this, level.count)] if level.count else [])
        reads = {"kind": "steps", "voltages": [READ], "width": SHORT, "cycles": READS, "read_each": True}
        parts += [{"kind": "sequence", "parts": writes}, reads, rest_with_reads()]
        counts += [train.count + level.count, READS, len(TIMES)]
    return {"kind": "sequence", "parts": parts}, counts


def settled(case: Case, train: PulseTrain, rounds: int) -> Start:
    """Mean concentrations of a device after cycles of pulses, as the start of a run. Raises SolverError."""
    parts = model.members(case)
    first = initial.start(case, model.junction(case, parts=parts), parts)
    smooth = case.without_noise().replace("drive", cycles_of_pulses(train, rounds))
    run: Run
    run, failure = begun(smooth, {"c": first["smooth"]} if "smooth" in first else first)
    failure = failure or run_along(smooth, run, smooth.waveform(), None, None)
    if failure:
        raise failure
    return {"c": run.state.c.copy()}


def reads_of_device(case: Case, train: PulseTrain, rounds: int, levels: list[Level]) -> list[np.ndarray] | None:
    """Conductances [S] of one device, an array for each part of its `course`, nan for reads that the solver did not reach.

    None where the solver gives up before the end of the cycles.
    """
    drive, counts = course(train, levels)
    try:
        start = settled(case, train, rounds)
        ran = finished(in_steps(case.replace("drive", drive), None, only={"read_current"}, start=start))
        G = np.asarray(ran.arrays["read_current"]) / READ
        if ran.failure and (len(G) < counts[0] or not isinstance(ran.failure, SolverError)):
            raise ran.failure
    except SolverError as error:
        log.warning("a device is left out, with ions.seed = %d: %s", case.ions.seed, error)
        return None
    if ran.failure:
        log.warning("levels of a device are left out, with ions.seed = %d: %s", case.ions.seed, ran.failure)
    return np.split(np.pad(G, (0, sum(counts) - len(G)), constant_values=np.nan), np.cumsum(counts)[:-1])


def measured_scatter(
    case: Case, pulses: Pulsed, spread: Spread, devices: int = 0, progress: Progress = None
) -> "xr.Dataset":
    """Conductances of devices whose ions hop one by one, under the pulses of an export.

    pulses : the cycle of the mean device   spread : what `pool.team` yields
    devices : number of devices, drawn as by `otjdd compact --devices`; 0 for DEVICES alike ones

    Returns an xarray.Dataset with
        conductance (device, cycle, pulse) [S] : after each pulse, all down and then all up; `before` (device) before them
        level_conductance (device, level, time) [S] : at `time` [s] after the last pulse
        level_read (device, level, read) [S] : of reads of 1 us, one after the other, before the rest
        level_pulses (level), level_up (level) : how a level is written
    Where the solver gives up, a device is left out, or its later levels are nan. `left_out`, `cut_short` count both.
    Raises CaseError for ions that cannot hop one by one, NotAsExpected for fewer than FEWEST devices.
    """
    device_cases, levels_of_cycle = cases_of_devices(case, devices), even_levels(pulses)
    rounds, total = min(pulses.rounds, MOST_ROUNDS), len(device_cases)
    reads_by_device: dict[int, list[np.ndarray] | None] = {}
    for number, reads in spread(
        reads_of_device, [(device_case, pulses.train, rounds, levels_of_cycle) for device_case in device_cases]
    ):
        reads_by_device[number] = reads
        if progress:
            progress(len(reads_by_device) / total)
    ran = [reads for _, reads in sorted(reads_by_device.items()) if reads is not None]
    if len(ran) < FEWEST:
        raise NotAsExpected(f"{FEWEST} devices or more whose runs with single ions end", f"{len(ran)} of {total}")
    ds = dataset_of_reads(ran, pulses.train, levels_of_cycle)
    whole = ds.level_conductance.notnull().all("time")
    enough = whole.sum("device").values >= FEWEST
    if enough.sum() < 2:
        raise NotAsExpected(f"two levels that {FEWEST} devices or more keep for a day", f"{enough.sum()}")
    about = {"left_out": total - len(ran), "cut_short": int((~whole).any("level").sum())}
    ds = ds.assign(level_conductance=ds.level_conductance.where(whole), level_read=ds.level_read.where(whole))
    return ds.isel(level=enough).assign_attrs(about, cells=device_cases[0].device.film.cells)


def dataset_of_reads(devices: list[list[np.ndarray]], train: PulseTrain, levels: list[Level]) -> "xr.Dataset":
    """Dataset of the reads of all devices, see `measured_scatter`."""
    D, n = len(devices), 2 * train.count
    left_out = SETTLING * n
    series = np.array([parts[0] for parts in devices])
    written, reads, rests = (np.array([parts[1 + k :: 3] for parts in devices], dtype=object) for k in range(3))
    first = np.array([[reads_of_level[-1] for reads_of_level in row] for row in written], dtype=float)
    left = np.concatenate((first[..., None], rests.astype(float)), axis=-1)
    S = {"units": "S"}
    return xr.Dataset(
        {
            "before": ("device", series[:, left_out - 1], S | {"long_name": "conductance before the first cycle"}),
            "conductance": (
                ("device", "cycle", "pulse"), series[:, left_out:].reshape(D, CYCLES, n), S | {"long_name": "conductance"},
            ),
            "level_conductance": (
                ("device", "level", "time"), left, S | {"long_name": "conductance of a written level"},
            ),
            "level_read": (("device", "level", "read"), reads.astype(float), S | {"long_name": "read conductance"}),
            "level_pulses": ("level", [level.count for level in levels], {"units": "1", "long_name": "pulses of a level"}),
            "level_up": ("level", [int(level.up) for level in levels], {"units": "1", "long_name": "1 for pulses up"}),
        },
        {"time": ("time", [SHORT, *TIMES], {"units": "s", "long_name": "time after the last pulse"})},
    )  # fmt: skip


class Cycles(NamedTuple):
    """Equal pulses on D devices: conductances [S], or weights, after each of the pulses of C cycles, down and then up."""

    before: np.ndarray  # (D,) before the first pulse
    after: np.ndarray  # (D, C, 2 n)

    @classmethod
    def drawn(cls, after: Sequence[np.ndarray], count: int) -> "Cycles":
        """Cycles of draws (D,) after each of `count` pulses down and as many up, again and again; the first is left out."""
        values, n = np.array(after).T, 2 * count
        return cls(values[:, n - 1], values[:, n:].reshape(len(values), -1, n))

    @property
    def steps(self) -> np.ndarray:
        """Change (D, C, 2 n) by each pulse."""
        flat = self.after.reshape(len(self.before), -1)
        return np.diff(flat, axis=1, prepend=self.before[:, None]).reshape(self.after.shape)


class Sigmas(NamedTuple):
    """Standard deviations, root mean squares over the pulses of a cycle, in the unit of the cycles."""

    step: float  # of the change by one pulse, from cycle to cycle
    written: float  # of the conductance after a pulse, from cycle to cycle
    device: float  # of the conductance after a pulse, from device to device, corrected for the few cycles


def by_pulse(cycles: Cycles) -> np.ndarray:
    """Standard deviations (3, 2 n) after each pulse, in the order of `Sigmas`."""
    sigmas_after = []
    for k in range(cycles.after.shape[-1]):
        step, written = scatter(cycles.steps[..., k]), scatter(cycles.after[..., k])
        sigmas_after.append((step.c2c, written.c2c, written.d2d))
    return np.array(sigmas_after).T


def sigmas(cycles: Cycles) -> Sigmas:
    """Standard deviations of cycles."""
    return Sigmas(*map(float, np.sqrt((by_pulse(cycles) ** 2).mean(axis=1))))


def cycles_of(ds: "xr.Dataset") -> Cycles:
    """The cycles of a Dataset of `measured_scatter`."""
    return Cycles(ds.before.values, ds.conductance.values)


def mean_cycles(ds: "xr.Dataset", source: str) -> Devices:
    """The mean cycle of each device, moved towards that of all devices until they scatter by `Sigmas.device`."""
    cycles = cycles_of(ds)
    mean, n = cycles.after.mean(axis=1), cycles.after.shape[-1] // 2
    middle, spread = mean.mean(axis=0), float((mean.std(axis=0, ddof=1) ** 2).mean())
    share = sigmas(cycles).device / math.sqrt(spread) if spread else 1.0
    closer = middle + min(share, 1.0) * (mean - middle)
    down = np.concatenate((closer[:, -1:], closer[:, :n]), axis=1)
    up = np.concatenate((closer[:, n - 1 : n], closer[:, n:]), axis=1)
    return Devices(up, down, source)


def with_deviations(case: "Case", ds: "xr.Dataset") -> "xr.Dataset":
    """A Dataset of `measured_scatter` with the standard deviations of its pulses and levels.

    mean_conductance, sigma_step, sigma_written, sigma_device (pulse) [S] : see `Sigmas`
    level_mean (level) [S] : geometric mean over the devices, directly after the last pulse
    level_shift, level_sigma, level_moved (level, time) : mean of ln[G(t)/G(0)], standard deviations of ln G(t) and of
        ln[G(t)/G(0)] between devices
    drift, drift_sigma (level) : slope of ln R against ln t, its mean and its standard deviation between devices
    read_sigma (level) : of ln I in reads of 1 us about a straight line, from hops
    electron_sigma (level) : of ln I by shot and Johnson noise, in the bandwidth of the instrument, or of such a read
    """
    cycles = cycles_of(ds)
    pulse = dict(zip(Sigmas._fields, by_pulse(cycles), strict=True))
    ln_G = np.log(ds.level_conductance.values)
    moved = ln_G - ln_G[..., :1]
    ln_t = np.log(ds.time.values)
    slopes = -(moved * (ln_t - ln_t.mean())).sum(axis=-1) / ((ln_t - ln_t.mean()) ** 2).sum()
    level = np.exp(np.nanmean(ln_G[..., 0], axis=0))
    S, ln, of_pulse, of_level = {"units": "S"}, {"units": "1"}, ("pulse",), ("level",)
    several, both = ln_G.shape[0] > 1, ("level", "time")
    ddof = 1 if several else 0
    return ds.assign(
        mean_conductance=(of_pulse, cycles.after.mean(axis=(0, 1)), S | {"long_name": "mean conductance after a pulse"}),
        sigma_step=(of_pulse, pulse["step"], S | {"long_name": "standard deviation of a step from cycle to cycle"}),
        sigma_written=(of_pulse, pulse["written"], S | {"long_name": "standard deviation from cycle to cycle"}),
        sigma_device=(of_pulse, pulse["device"], S | {"long_name": "standard deviation from device to device"}),
        level_mean=(of_level, level, S | {"long_name": "conductance of a level as written"}),
        level_shift=(both, np.nanmean(moved, axis=0), ln | {"long_name": "mean of ln[G(t)/G(0)]"}),
        level_sigma=(both, np.nanstd(ln_G, axis=0, ddof=ddof), ln | {"long_name": "standard deviation of ln G"}),
        level_moved=(both, np.nanstd(moved, axis=0, ddof=ddof), ln | {"long_name": "standard deviation of ln[G(t)/G(0)]"}),
        drift=(of_level, np.nanmean(slopes, axis=0), ln | {"long_name": "slope of ln R against ln t"}),
        drift_sigma=(of_level, np.nanstd(slopes, axis=0, ddof=ddof), ln | {"long_name": "its standard deviation"}),
        read_sigma=(of_level, read_scatter(ds.level_read.values), ln | {"long_name": "scatter of ln I of reads by hops"}),
        electron_sigma=(of_level, electron_scatter(case, level), ln | {"long_name": "scatter of ln I by electrons"}),
    )  # fmt: skip


def read_scatter(G: np.ndarray) -> np.ndarray:
    """Standard deviation (level,) of ln G of reads (device, level, read) about the straight line of each device."""
    ln_G, t = np.log(G), np.arange(G.shape[-1]) - 0.5 * (G.shape[-1] - 1)
    off = ln_G - ln_G.mean(axis=-1, keepdims=True)
    off = off - (off * t).sum(axis=-1, keepdims=True) / (t**2).sum() * t
    return np.sqrt(np.nanmean((off**2).sum(axis=-1), axis=0) / (G.shape[-1] - 2))


def electron_scatter(case: "Case", G: np.ndarray) -> np.ndarray:
    """Standard deviation (n,) of ln I at conductances (n,) [S] by 2 e I and the series resistance.

    Bandwidth: that of [circuit]; without one 1/2T, of the mean over a read of T.
    """
    source, sigma = xr.Dataset(attrs={"case_resolved": case.resolved()}), []
    for current in G * READ:
        shot, thermal, bandwidth = electron_noise(source, float(current), READ)
        bandwidth = 0.5 / SHORT if math.isnan(bandwidth) else bandwidth
        sigma.append(math.sqrt((shot + thermal) * bandwidth) / current)
    return np.array(sigma)
