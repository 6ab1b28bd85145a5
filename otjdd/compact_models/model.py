"""The compact model of a device: tables, columns and circuit, the range that the model holds for, and its measured error.

model = otjdd.compact("cases/rv-loop.toml")
ds = model.run(waveform)
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from otjdd import compact_models
from otjdd.case.drive import Drive
from otjdd.compact_models import model_file
from otjdd.compact_models.axes import TEMPERATURE, ModelAxis, chosen_point, node_weights, tables_between_nodes
from otjdd.compact_models.tables import (
    EDGE,
    FACTORS,
    LN10,
    NO_STREAMS,
    SETTLING,
    ModelNoise,
    Range,
    ReadNoise,
    SelfHeating,
    Tables,
    chebyshev_factors,
    checked_seed,
    evaluated,
    ln_scatter,
    monotone,
    noise_between_nodes,
    polynomials,
    spline,
    stays,
    times_outside,
)
from otjdd.errors import NotAsExpected
from otjdd.results import outputs, store
from otjdd.solver.time_series import mean_rate, rates, simultaneous
from otjdd.system.late import xr
from otjdd.waveform.waveform import Chain, Waveform

Applied = Waveform | Chain
Rows = list[tuple[np.ndarray, np.ndarray, np.ndarray]]

log = logging.getLogger(__name__)


VOLTAGES, STATES, SHARES = 1201, 257, 65  # nodes of the dense tables of the kernels
READ_STREAM, DEVICE_STREAM = 1, 2  # beside a seed: random numbers of reads, of the draw of a device
OUTSIDE = "outside_range"  # attribute of a Dataset of `run`: times of its waveform outside of the range


@dataclass(frozen=True, eq=False)
class CompactModel:
    """K columns in parallel, each with two states, see `otjdd.compact_models.kernels`: the position at which its vacancies
    come to rest at 0 V, as a fraction of the thickness, and the filling of the way between its wells, from 0 to 1. Where
    the case begins with a film that was never written, a column has a third state: its unsettled share, from 1 to 0.

    kinds : Tables of each kind of column
    kind, speed, weight : (K,) index of the kind, factor of the rate, and share of the area of each column
    start, unsettled : (K,) initial positions and unsettled shares of the case; the fillings are 0
    resistance : [ohm] in series
    limits : range of voltages and times of the extraction   thickness, area : [m], [m2]
    about : provenance   measured : error against the solver, see `error.measured_error`; None if not measured
    nodes : models of the same junction at all combinations of the values of the axes, this model among them; their
        tables share their knots. () without an axis
    axes : temperature and other quantities of the case over which the model interpolates
    point : value of this model on each axis
    heat : self-heating, used by circuits only; None without it
    noise : how the states scatter, see `otjdd.compact_models.tables`; None for a model of the mean
    gain : added to ln G of a drawn device at the lower and at the upper end of the state; 0 for the model itself
    faster : added to ln of the rates of a drawn device above and below 0 V
    """

    kinds: tuple[Tables, ...]
    kind: np.ndarray
    speed: np.ndarray
    weight: np.ndarray
    start: np.ndarray
    unsettled: np.ndarray
    resistance: float
    limits: Range
    temperature: float
    thickness: float
    area: float
    about: dict[str, Any] = field(default_factory=dict)
    measured: "xr.Dataset | None" = None
    nodes: "tuple[CompactModel, ...]" = ()
    axes: tuple[ModelAxis, ...] = ()
    point: tuple[float, ...] = ()
    heat: SelfHeating | None = None
    noise: ModelNoise | None = None
    gain: tuple[float, float] = (0.0, 0.0)
    faster: tuple[float, float] = (0.0, 0.0)

    @property
    def temperatures(self) -> tuple[float, ...]:
        """Temperatures [K] of the extraction, ascending."""
        return next((axis.values for axis in self.axes if axis.key == TEMPERATURE), (self.temperature,))

    def at(self, temperature: float | None = None, **values: float | str) -> "CompactModel":
        """The model at a temperature [K] and values of its other parameters, interpolated between its nodes, see `axes`.

        values : by the name of the parameter, SI or text with a unit: at(thickness="2.7 nm"); other parameters stay
        The result has the measured error of this model. Raises NotAsExpected for unknown names or values out of range.
        """
        if temperature == self.temperature and len(self.temperatures) == 1:
            temperature = None
        if temperature is not None and len(self.temperatures) == 1:
            raise NotAsExpected(
                f"a temperature of {self.temperature:g} K only, for which the model was extracted", f"{temperature:g} K"
            )
        return self.at_point(
            chosen_point(self.axes, self.point, values if temperature is None else {TEMPERATURE: temperature} | values)
        )

    def at_point(self, point: tuple[float, ...]) -> "CompactModel":
        """The model at a value of each axis within its nodes; without axes, unless `point` is that of this model."""
        if point == self.point:
            return self
        share = node_weights(point, self.axes)
        kinds = tuple(
            tables_between_nodes([node.kinds[t] for node in self.nodes], share) for t in range(len(self.kinds))
        )
        low, high = np.array([(kind.state[0], kind.state[-1]) for kind in kinds])[self.kind].T
        temperature = dict(zip([axis.key for axis in self.axes], point, strict=True)).get(TEMPERATURE, self.temperature)
        return replace(
            self, kinds=kinds, nodes=(), axes=(), point=(), temperature=temperature,
            noise=noise_between_nodes(self.noise, [node.noise for node in self.nodes], share),
            thickness=float(share @ [node.thickness for node in self.nodes]),
            speed=np.exp(share @ np.log([node.speed for node in self.nodes])),
            start=np.clip(share @ np.array([node.start for node in self.nodes]), low, high),
        )  # fmt: skip

    @cached_property
    def lookup(self) -> "compact_models.kernels.Lookup":
        """Dense tables of the kernels."""
        voltage = np.linspace(self.limits.low, self.limits.high, VOLTAGES)
        states = [np.linspace(kind.state[0], kind.state[-1], STATES) for kind in self.kinds]
        rate, limit, G = (
            LN10 * np.array([evaluated(k, table, voltage, q) for k, q in zip(self.kinds, states, strict=True)])
            for table in ("log_rate", "log_limit", "log_conductance")
        )
        share = np.linspace(0.0, 1.0, SHARES)
        settling, move, excess = (
            np.array([evaluated(k, table, voltage, share) for k in self.kinds]) for table in SETTLING
        )
        rest = np.array([monotone(kind.voltage, kind.rest)(voltage) for kind in self.kinds])
        first = np.array([positions[0] for positions in states])
        per_state = np.array([0.0 if stays(kind) else (STATES - 1) / np.ptp(kind.state) for kind in self.kinds])
        return compact_models.kernels.Lookup(
            float(self.limits.low), (VOLTAGES - 1) / (self.limits.high - self.limits.low), first, per_state,
            rest, rate, limit, G, LN10 * settling, move, LN10 * excess, self.kind.astype(np.int64),
            self.speed.astype(float), np.array([kind.way for kind in self.kinds]),
            np.array([kind.emptying for kind in self.kinds]), self.weight.astype(float), float(self.resistance),
        )._replace(**self.differences, **self.scatter(voltage, states))  # fmt: skip

    @property
    def charging_time(self) -> float:
        """Time constant [s] of series resistance and charge, mean over voltages and states; in circuits alone."""
        return self.resistance * self.area * max(float(slope.mean()) for _, slope in self.charges)

    @cached_property
    def charges(self) -> list[np.ndarray]:
        """Charge [C/m2] from the lowest voltage on, and dQ/dV_j [F/m2], (2, F, S) of each kind of column.

        On the voltages and states of `lookup`; the charge is the integral of a dQ/dV_j that is linear between voltages.
        """
        voltage = np.linspace(self.limits.low, self.limits.high, VOLTAGES)
        tables = []
        for kind in self.kinds:
            charge = evaluated(kind, "charge", voltage, np.linspace(kind.state[0], kind.state[-1], STATES))
            slope = np.gradient(charge, voltage, axis=0)
            steps = 0.5 * (slope[1:] + slope[:-1]) * np.diff(voltage)[:, None]
            tables.append(np.array((np.vstack((np.zeros(STATES), np.cumsum(steps, axis=0))), slope)))
        return tables

    @property
    def differences(self) -> dict[str, Any]:
        """Fields of `Lookup` by which a drawn device differs: name -> ln of a factor."""
        names = "gain_low", "gain_high", "faster_above", "faster_below"
        return dict(zip(names, (*self.gain, *self.faster), strict=True))

    def scatter(self, voltage: np.ndarray, states: Sequence[np.ndarray]) -> dict[str, Any]:
        """Fields of `Lookup` for the noise, on voltages (F,) [V] and the states (S,) of each kind; {} without noise."""
        if self.noise is None:
            return {}
        tables = [ln_scatter(of_kind, voltage, q) for of_kind, q in zip(self.noise.kinds, states, strict=True)]
        span = np.array([float(np.ptp(kind.state)) for kind in self.kinds])
        return {"ln_scatter": np.array(tables), "state_span": span, "ions": self.ions}

    @property
    def ions(self) -> np.ndarray:
        """Numbers (K,) of ions of the columns. Raises NotAsExpected for a model without noise."""
        if self.noise is None:
            raise NotAsExpected("a model with noise (`otjdd compact --noise`)", "a model of the mean")
        return np.array([self.noise.kinds[t].ions for t in self.kind]) * self.weight

    def with_factors(self, logs: Sequence[float] | np.ndarray) -> "CompactModel":
        """The model of a device whose current and rates differ by factors.

        logs : (4,) ln of the factors: of the current at the lower and at the upper end of the state (linear in the state
            between them), of the rates above and below 0 V
        """
        low, high, above, below = (
            own + float(more) for own, more in zip((*self.gain, *self.faster), logs, strict=True)
        )
        device = replace(self, gain=(low, high), faster=(above, below))
        device.__dict__["lookup"] = self.lookup._replace(**device.differences)  # the tables are those of this model
        return device

    def device(self, seed: int) -> "CompactModel":
        """A device drawn from the spread of a noisy model. Raises NotAsExpected without a spread, or for a wrong seed."""
        if self.noise is None or self.noise.spread is None:
            raise NotAsExpected("a model that knows how devices differ (`otjdd compact --noise`)", "one device")
        rng = np.random.default_rng([checked_seed(seed), DEVICE_STREAM])
        return self.with_factors(
            rng.multivariate_normal(np.zeros(len(FACTORS)), self.noise.spread.covariance, method="eigh")
        )

    def read_sigma(self, voltage: np.ndarray, position: np.ndarray) -> np.ndarray:
        """Standard deviation (n,) of ln G of reads at junction voltages (n,) [V] and positions (n, K): see `noise`."""
        lookup, ions, total, variance = self.lookup, self.ions, 0.0, 0.0
        V = np.clip((voltage - lookup.low) * lookup.per_volt, 0.0, VOLTAGES - 1.0)
        for k, t in enumerate(self.kind):
            at = np.clip((position[:, k] - lookup.first[t]) * lookup.per_state[t], 0.0, STATES - 1.0)
            nearest = lookup.ln_conductance[t][np.rint(V).astype(int), np.rint(at).astype(int)]
            G = self.weight[k] * np.exp(nearest)
            assert self.noise is not None
            tables = self.noise.kinds[t]
            per_ion = 10.0 ** np.interp(position[:, k], tables.state, tables.log_read) / ions[k]
            total, variance = total + G, variance + G**2 * per_ion
        return np.sqrt(variance) / total

    def noise_spectrum(self, frequency: ArrayLike, voltage: float, states: ArrayLike | None = None) -> "xr.Dataset":
        """Spectrum of the current at a source voltage [V] and frequencies (F,) [Hz], see `hop_noise.current_spectrum`.

        states : a row of `states`, by default those of the case
        Raises NotAsExpected for a model without noise, and for voltages or states outside of the range.
        """
        if self.noise is None:
            raise NotAsExpected("a model with noise (`otjdd compact --noise`)", "a model of the mean")
        self.check_isothermal()
        self.check_voltages(np.array([voltage]))
        q = self.checked_states(self.states(1)[0] if states is None else states)
        f = np.asarray(frequency, dtype=float)
        return compact_models.hop_noise.current_spectrum(self, f, voltage, np.ascontiguousarray(q))

    def streams(self, count: int, seed: int | None) -> np.ndarray:
        """Streams (count, 3) of random numbers, a row for each junction, which `hold` changes in place; (0, 3) for no seed.

        Raises NotAsExpected for a seed that is no whole number, and for a seed beside a model without noise.
        """
        if seed is None:
            return NO_STREAMS
        if self.noise is None:
            raise NotAsExpected("a model with noise (`otjdd compact --noise`) for a seed", "a model of the mean")
        return compact_models.kernels.streams(count, seed)

    @property
    def settles(self) -> bool:
        """True if the case begins with a film that was never written: each column has a third state then."""
        return bool((self.unsettled > 0.0).any())

    def states(self, count: int, start: ArrayLike | None = None) -> np.ndarray:
        """States (count, 2 K) of junctions, or (count, 3 K) if the model `settles`: positions, fillings, unsettled shares.

        start : positions (K,) or (count, K) of junctions at rest, by default the initial states of the case
        """
        unsettled = self.unsettled if start is None else np.zeros(self.kind.size)
        start = np.broadcast_to(self.start if start is None else start, (count, self.kind.size))
        parts = [np.ascontiguousarray(start), np.zeros(start.shape)]
        return np.hstack(parts + ([np.broadcast_to(unsettled, start.shape)] if self.settles else []))

    @property
    def error(self) -> dict[str, tuple[float, float]]:
        """Protocol -> (root mean square, largest) error against the solver [decades]; {} if not measured."""
        if self.measured is None or "error_rms" not in self.measured:
            return {}
        ds = self.measured
        rows = zip(ds.protocol.values, ds.error_rms.values, ds.error_worst.values, strict=True)
        return {str(name): (float(rms), float(worst)) for name, rms, worst in rows}

    def run(
        self,
        waveform: "Applied | Drive",
        states: ArrayLike | None = None,
        *,
        seed: int | None = None,
        **values: float | str,
    ) -> "xr.Dataset":
        """Dataset of one junction under a waveform or the drive of a case, with the outputs of `otjdd.run`.

        states : to start from, a row of `states`, by default those of the case
        seed : of random steps of a model with noise, the same bits for the same seed; None for the mean
        values : of the parameters of the model, run(waveform, thickness="2.7 nm"), see `at`
        The charge follows voltage and state at once; only in circuits the series resistance delays it. Times outside of the
        range of the model, and pulses that the delay would change, are reported in a warning, and in the attribute
        `outside_range`.
        Raises NotAsExpected for voltages or states outside of the range, for a model with self-heating, and for a seed that
        is no whole number or belongs to a model without noise.
        """
        ds = self.at_point(chosen_point(self.axes, self.point, values)).predicted(waveform, states, seed=seed)
        if outside := ds.attrs.get(OUTSIDE):
            log.warning("the compact model does not hold for %s", outside)
        return ds

    def predicted(
        self, drive: "Applied | Drive", states: ArrayLike | None = None, *, seed: int | None = None
    ) -> "xr.Dataset":
        """As `run`, without the warning."""
        self.check_isothermal()
        waveform: Any = drive.waveform() if hasattr(drive, "waveform") else drive
        q = self.checked_states(self.states(1)[0] if states is None else states).copy()
        stream = self.streams(1, seed).ravel()
        drawn = None
        if seed is not None:
            rng = np.random.default_rng([seed, READ_STREAM])
            drawn = ReadNoise(self.read_sigma, self.kind.size, rng)
        rows: Rows = []
        reads, outside = [], ""
        for block in waveform.blocks():
            pieces = np.column_stack(block.waveform.segments())
            self.check_voltages(pieces[:, 2:])
            outside = outside or times_outside(self.limits, pieces, self.charging_time)
            out = np.empty((len(pieces), 2, 2 + q.size))
            compact_models.kernels.move_over_pieces(self.lookup, q, pieces, out, stream)
            times = block.waveform.read_times  # at the ends of pieces, or at 0 s
            at = np.clip(np.searchsorted(pieces[:, 1], times * (1.0 - 1e-12)), 0, len(pieces) - 1)
            end = (times > 0.0).astype(int)
            current = out[at, end, 1]
            if drawn is not None and at.size:
                current = current * drawn.factors(out[at, end])
            reads.append(np.column_stack((block.start + times, pieces[at, 2 + end], current)))
            rows.append((block.start + pieces[:, :2], pieces[:, 2:], out))
        return self.collected(rows, reads, waveform).assign_attrs({OUTSIDE: outside} if outside else {})

    def collected(self, rows: "Rows", reads: list[np.ndarray], waveform: "Applied") -> "xr.Dataset":
        """Dataset of the rows and reads that `predicted` has recorded, block by block."""
        time, voltage, out = (np.concatenate([row[i] for row in rows]) for i in range(3))
        time, voltage, out = simultaneous(time.ravel()), voltage.ravel(), out.reshape(-1, out.shape[-1])
        read_time, read_voltage, current = np.concatenate(reads).T
        with np.errstate(divide="ignore", invalid="ignore"):
            resistance = np.where(current != 0.0, read_voltage / current, np.nan)
        charge = self.charge(out[:, 0], out[:, 2 : 2 + self.kind.size])
        mean, (before, after) = mean_rate(time, self.area * charge), rates(time, self.area * charge, voltage)
        arrays = {
            "voltage": voltage, "junction_voltage": out[:, 0], "conduction_current": out[:, 1],
            "terminal_charge_left": charge, "displacement_current": before, "displacement_current_after": after,
            "mean_displacement_current": mean, "current": out[:, 1] + mean,
            "read_time": read_time, "write_voltage": waveform.write_voltages, "read_voltage": read_voltage,
            "read_current": current, "read_resistance": resistance, "column_weight": self.weight,
            "rest_position": out[:, 2 : 2 + self.kind.size] * self.thickness,
        }  # fmt: skip
        return outputs.dataset(arrays, {"time": time}, {"model": model_file.KIND} | self.about)

    def hold(
        self, states: np.ndarray, voltage: ArrayLike, duration: float, streams: np.ndarray | None = None
    ) -> np.ndarray:
        """Hold M junctions, each at its own source voltage (M,) [V], for a duration [s]. Returns the currents (M,) [A].

        states : (M, ...) of the method `states`, changed in place. A duration of 0 s reads the junctions only.
        streams : (M, 3) of the method `streams`, changed in place; None for no noise
        Raises NotAsExpected for voltages, states or a duration outside of the range of the model.
        """
        self.check_isothermal()
        self.check_duration(duration)
        contiguous = getattr(states, "flags", None) is not None and states.flags.c_contiguous
        if not contiguous or states.dtype != float:
            raise NotAsExpected(
                "states as a contiguous array of floats, for they change in place", type(states).__name__
            )
        self.checked_states(states)
        voltages = np.ascontiguousarray(np.broadcast_to(voltage, len(states)), dtype=float)
        self.check_voltages(voltages)
        current = np.empty(len(states))
        drawn = NO_STREAMS if streams is None else streams
        compact_models.kernels.hold_junctions(self.lookup, states, voltages, float(duration), current, drawn)
        return current

    def checked_states(self, states: ArrayLike) -> np.ndarray:
        """States (..., 2 K) or (..., 3 K) as an array. Raises NotAsExpected for another shape or states out of range."""
        checked, K = np.asarray(states, dtype=float), self.kind.size
        count = (3 if self.settles else 2) * K
        if checked.ndim == 0 or checked.shape[-1] != count:
            raise NotAsExpected(f"{count} states a junction", f"an array of the shape {checked.shape}")
        low = np.array([kind.state[0] for kind in self.kinds])[self.kind]
        high = np.array([kind.state[-1] for kind in self.kinds])[self.kind]
        position, filling = checked[..., :K], checked[..., K:]
        wrong = ~((position >= low - 1e-9) & (position <= high + 1e-9))
        if wrong.any():
            k = int(np.argwhere(wrong)[0, -1])
            raise NotAsExpected(
                f"positions from {low[k]:.4g} to {high[k]:.4g} of the thickness in column {k}",
                f"{position[wrong][0]:.4g}",
            )
        if not ((filling >= -1e-9) & (filling <= 1.0 + 1e-9)).all():
            names = "fillings and unsettled shares" if self.settles else "fillings"
            raise NotAsExpected(f"{names} from 0 to 1", f"{np.min(filling):.4g} to {np.max(filling):.4g}")
        return checked

    def check_isothermal(self) -> None:
        """Raise NotAsExpected for a model with self-heating, which this class does not compute."""
        if self.heat is not None:
            raise NotAsExpected(
                "a junction that its current does not warm (in circuits this one is followed)",
                "a model with self-heating; `dataclasses.replace(model, heat=None)` leaves it out",
            )

    def charge(self, voltage: np.ndarray, position: np.ndarray) -> np.ndarray:
        """Charge (n,) [C/m2] of the left terminal at junction voltages (n,) [V] and positions of rest (n, K)."""
        of_columns = []
        for t, q in zip(self.kind, np.asarray(position).T, strict=True):
            kind = self.kinds[t]
            factors = spline(kind.conductance_voltage, chebyshev_factors(kind, "charge"))(voltage)
            of_columns.append((factors * polynomials(kind, "charge", q)).sum(axis=-1))
        return self.weight @ np.array(of_columns)

    def electron_ratio(self, voltage: np.ndarray) -> np.ndarray:
        """Largest film_electron_ratio of all states and columns at each of the junction voltages [V]."""
        kinds = [np.interp(voltage, of_kind.conductance_voltage, of_kind.electron_ratio) for of_kind in self.kinds]
        return np.max(kinds, axis=0)

    def check_duration(self, duration: float) -> None:
        """Raise NotAsExpected for a duration [s] outside of the range."""
        if not 0.0 <= duration <= self.limits.longest * (1.0 + EDGE):
            raise NotAsExpected(f"a duration from 0 s to {self.limits.longest:g} s", f"{duration:g} s")

    def check_voltages(self, voltage: np.ndarray) -> None:
        """Raise NotAsExpected for source voltages [V] outside of the range."""
        limits, (low, high) = self.limits, (np.min(voltage, initial=0.0), np.max(voltage, initial=0.0))
        if not (limits.low * (1.0 + EDGE) <= low and high <= limits.high * (1.0 + EDGE)):
            raise NotAsExpected(
                f"voltages from {limits.low:g} V to {limits.high:g} V, for which the model was extracted",
                f"{low:.4g} V to {high:.4g} V",
            )

    @property
    def digest(self) -> str:
        """sha256 of its numbers, the data_sha256 of its file."""
        return store.data_sha256(model_file.dataset_of_model(self))

    def save(self, path: str | Path) -> None:
        """Write the model, whole or not at all. Raises ResultError."""
        store.write(model_file.dataset_of_model(self), path)

    @staticmethod
    def load(path: str | Path) -> "CompactModel":
        """Read a model. Raises ResultError if the file is damaged, of another version, or no model."""
        return model_file.model_in_dataset(store.read(path), path, CompactModel)
