"""Standard deviations of network pulses by device, cycle and pulse, and of written levels over time."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from otjdd.analysis.current_noise import electron_noise, scatter
from otjdd.case.case import Case
from otjdd.compact_models.exports.pulses import READ, Devices
from otjdd.compact_models.scatter.runs import SHORT

if TYPE_CHECKING:
    import xarray as xr


class Cycles(NamedTuple):
    """Equal pulses on D devices: conductances [S], or weights, after each of the pulses of C cycles, down and then up."""

    before: np.ndarray  # (D,) before the first pulse
    after: np.ndarray  # (D, C, 2 n)

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
    """The cycles of a Dataset of `runs.measured`."""
    return Cycles(ds.before.values, ds.conductance.values)


def devices_of(ds: "xr.Dataset", source: str) -> Devices:
    """The mean cycle of each device, moved towards that of all devices until they scatter by `Sigmas.device`."""
    cycles = cycles_of(ds)
    mean, n = cycles.after.mean(axis=1), cycles.after.shape[-1] // 2
    middle, spread = mean.mean(axis=0), float((mean.std(axis=0, ddof=1) ** 2).mean())
    share = sigmas(cycles).device / math.sqrt(spread) if spread else 1.0
    closer = middle + min(share, 1.0) * (mean - middle)
    down = np.concatenate((closer[:, -1:], closer[:, :n]), axis=1)
    up = np.concatenate((closer[:, n - 1 : n], closer[:, n:]), axis=1)
    return Devices(up, down, source)


def numbers(case: "Case", ds: "xr.Dataset") -> "xr.Dataset":
    """A Dataset of `runs.measured` with the standard deviations of its pulses and levels.

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
    import xarray as xr

    source, sigma = xr.Dataset(attrs={"case_resolved": case.resolved()}), []
    for current in G * READ:
        shot, thermal, bandwidth = electron_noise(source, float(current), READ)
        bandwidth = 0.5 / SHORT if math.isnan(bandwidth) else bandwidth
        sigma.append(math.sqrt((shot + thermal) * bandwidth) / current)
    return np.array(sigma)
