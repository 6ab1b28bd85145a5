"""Extract a compact model from a case: kinds of columns, their tables, the initial states, and the error of the model.

Progress of an extraction through its stages: a stage has a share of the whole, which grows as its jobs end.
"""

import logging
import os
import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np

from otjdd.case.case import Case, changed_case
from otjdd.case.keys import value_in_case
from otjdd.case.kinds import column_area, covered_by, kinds_of
from otjdd.case.rules import refuse
from otjdd.compact_models import error, extraction, hop_noise, noise_error
from otjdd.compact_models.axes import NODES, TEMPERATURE, ModelAxis, axes_of, on_common_knots, points
from otjdd.compact_models.bench import SETTLED, bench_of, is_uniform, position, state_of
from otjdd.compact_models.extraction import Extraction
from otjdd.compact_models.model import CompactModel
from otjdd.compact_models.tables import ModelNoise, Range, SelfHeating, Tables, stays
from otjdd.constants import BOLTZMANN_EV
from otjdd.errors import NotAsExpected
from otjdd.results.store import provenance
from otjdd.solver import initial, model, self_check
from otjdd.solver.model import Member
from otjdd.system import pool
from otjdd.system.pool import Spread
from otjdd.system.steps import Progress

SHARES = {"extraction": 1.0, "noise": 3.0, "error": 1.0, "scatter": 10.0, "devices": 10.0}  # of the time, roughly


def stages(progress: Progress, names: Sequence[str]) -> dict[str, Callable[[float], None]]:
    """Name of a stage (of SHARES) -> function that takes the fraction of this stage. The reported progress never falls."""
    whole, before, largest = sum(SHARES[name] for name in names), 0.0, [0.0]
    of_stages: dict[str, Callable[[float], None]] = {}
    for name in names:

        def report(fraction: float, start: float = before, share: float = SHARES[name]) -> None:
            largest[0] = max(largest[0], (start + share * fraction) / whole)
            if progress:
                progress(largest[0])

        of_stages[name] = report
        before += SHARES[name]
    return of_stages


log = logging.getLogger(__name__)

APART = 7.0  # kT by which representative columns are slower and faster than all others: 1100 in the rate
WORST = 0.3  # decades: largest allowed root mean square error under a drive; beyond, one state per column is not enough


def compact(
    case: Case | str | os.PathLike[str],
    changes: Mapping[str, Any] | None = None,
    *,
    voltage: tuple[float, float] = (-4.5, 4.5),
    time: tuple[float, float] = (20e-9, 1e4),
    workers: int = 1,
    progress: Progress = None,
    measure: bool = True,
    exclude: Sequence[str] = (),
    temperatures: tuple[float, float] | None = None,
    nodes: int = NODES,
    vary: Mapping[str, Sequence[Any]] | None = None,
    noise: bool = False,
    devices: int = noise_error.DRAWN,
) -> CompactModel:
    """Extract a compact model from a case: a record, the path of a case file, or the name of a shipped case.

    changes : dotted key -> value with unit   voltage : lowest and highest [V] at the junction
    time : shortest and longest [s]   measure : compare the model with runs of the solver that were not used to extract it
    exclude : names of drives, or their beginnings, whose errors are measured and do not reject the model
    temperatures : lowest and highest [K], between which the model interpolates in 1/T; None for the temperature of the case
    nodes : number of temperatures to extract at
    vary : one or two numbers of the case that become parameters of the model, by dotted key: lowest and highest value (SI,
        or text with a unit), and the number of nodes if not NODES. {"device.film.thickness": ("2.6 nm", "3 nm")}
    noise : add the scatter of the states by the random hops of single ions, see `noise`
    devices : number of devices to draw for a model with noise of a case that says how devices differ
    Raises CaseError, OSError, NotAsExpected for a case or a range that gives no model, and ExtractionError for a model
    whose error is larger than WORST; its `partial` is that model. Once the tables are extracted, a KeyboardInterrupt has
    the unfinished model as its `partial`.
    """
    case = changed_case(case, changes, {})
    refuse(case, "a compact model", "compact model")
    if temperatures is None and TEMPERATURE not in (vary or {}):
        refuse(case, "a compact model without --temperatures", "one temperature")
    limits = checked_range(Range(*map(float, (*voltage, *time))))
    axes = axes_of(case, ({TEMPERATURE: (*temperatures, nodes)} if temperatures else {}) | dict(vary or {}))
    left_out = excluded_drives(exclude, limits, axes)
    if noise:
        noise_error.with_hop_noise(case)  # raises at once where the case allows none
    if case.ions.noise != "none":
        if not noise:
            log.warning("the model describes the mean: it leaves out ions.noise and ions.seed; --noise keeps the noise")
        case = case.without_noise()
    heat, cold = heat_of(case), case.isothermal()
    self_check.verify_kernels()
    names = ["extraction", *["noise"] * noise, *["error"] * measure, *["scatter", "devices"] * (measure and noise)]
    within = stages(progress, names)
    with pool.team(workers) as spread:
        spreads = {name: pool.counted_jobs(spread, within[name]) for name in names[1:]}
        compact_model = over_axes(cold, axes, Extraction(limits, spread, within["extraction"]))
        return completed(compact_model, cold, spreads, left_out, devices, heat)


def completed(
    tables: CompactModel, case: Case, spreads: Mapping[str, Spread], left_out: tuple[str, ...], devices: int,
    heat: SelfHeating | None,
) -> CompactModel:  # fmt: skip
    """The model of `tables` with noise, measured error, measured scatter, spread of devices, and self-heating.

    spreads : by the name of each stage to do   left_out : drives whose error does not reject the model
    Raises ExtractionError; the `partial` of a KeyboardInterrupt is the model so far.
    """
    whole = tables
    try:
        if "noise" in spreads:
            at = points(whole.axes)
            noisy = [
                replace(node, noise=model_noise(node, at_node(case, whole.axes, point), spreads["noise"]))
                for node, point in zip(whole.nodes or (whole,), at, strict=True)
            ]
            nodes = tuple(noisy) if whole.nodes else ()
            whole = replace(whole, nodes=nodes, noise=noisy[at.index(whole.point)].noise)
        if "error" in spreads:
            whole = error.with_measured_error(whole, case, spreads["error"], WORST, left_out)
        if "scatter" in spreads:
            whole = noise_error.with_scatter(whole, case.without_study(), spreads["scatter"])
            whole = noise_error.with_devices(whole, case, devices, spreads["devices"])
    except KeyboardInterrupt as interrupt:
        interrupt.partial = replace(whole, heat=heat)  # type: ignore[attr-defined]  # it takes any attribute
        raise
    return replace(whole, heat=heat)


def model_noise(noiseless: CompactModel, case: Case, spread: Spread, parts: list[Member] | None = None) -> ModelNoise:
    """The noise of a model of a case. parts : columns of the model, by default those of the case"""
    parts, kinds, of_kinds = model.members(case) if parts is None else parts, kinds_of(case), []
    with extraction.reachable(noiseless.limits):
        for number, group in enumerate(columns_alike(case, parts)):
            part, speeds = parts[group[0]], noiseless.speed[group]
            shared, _ = stand_in(case, [parts[k] for k in group])
            ions = hop_noise.ions_per_area(shared.bench) * column_area(kinds[part.kind].device, covered_by(kinds))
            limits = extraction.widened(noiseless.limits, (float(speeds.min()), float(speeds.max())))
            of_kinds.append(hop_noise.noise_tables(shared.bench, noiseless.kinds[number], limits, ions, spread))
    return ModelNoise(tuple(of_kinds))


def heat_of(case: Case) -> SelfHeating | None:
    """Self-heating of the junction of a case, None without it. Raises CaseError for heat.of = "columns"."""
    heat = case.device.heat
    if heat is None:
        return None
    if heat.of == "columns":
        refuse(case, 'a compact model, unless heat.of is "junction", all of', "one temperature")
    radius = case.device.disc_radius
    return SelfHeating(heat.share * heat.kelvin_per_watt(radius), heat.seconds(radius))


def excluded_drives(exclude: Sequence[str], limits: Range, axes: Sequence[ModelAxis]) -> tuple[str, ...]:
    """Names of drives of `error` that begin with a text of `exclude`. Raises NotAsExpected for a text that begins none."""
    names = [*error.drives(limits), *error.drives_at(limits, axes)]
    for words in exclude:
        if not any(name.startswith(words) for name in names) or not words:
            raise NotAsExpected(f"drives that the error is measured under ({', '.join(names)})", repr(words))
    return tuple(name for name in names if name.startswith(tuple(exclude)))


def checked_range(limits: Range) -> Range:
    """The range `limits`. Raises NotAsExpected for voltages not around 0 V, times within three decades or above 1e9 s."""
    if not limits.low < 0.0 < limits.high:
        raise NotAsExpected("a range of voltages around 0 V", f"{limits.low:g} V to {limits.high:g} V")
    if not (0.0 < limits.shortest < 1e-3 * limits.longest and limits.longest <= 1e9):
        raise NotAsExpected(
            "a longest time of a thousand shortest ones or more, and at most 1e9 s",
            f"{limits.shortest:g} s to {limits.longest:g} s",
        )
    return limits


def columns_alike(case: Case, parts: Sequence[Member]) -> list[list[int]]:
    """Groups of columns (by index) that share tables: they differ in their activation energy only.

    With the law genreith-schriever the field lowers a high barrier by more than a low one, so no tables are shared.
    """
    groups: dict[Member, list[int]] = {}
    for number, part in enumerate(parts):
        law = kinds_of(case)[part.kind].ions.law
        bound = part.activation_energy if law == "genreith-schriever" else 0.0
        groups.setdefault(part._replace(weight=0.0, activation_energy=bound), []).append(number)
    return list(groups.values())


def stand_in(case: Case, members: Sequence[Member]) -> tuple[extraction.KindOfColumn, float]:
    """The column that represents a group of columns in an extraction, and its activation energy [eV].

    With the law mott-gurney the rates of two columns are not proportional to each other. Two columns then represent the
    group, one far slower and one far faster than all of its columns, see `extraction`.
    """
    kT = BOLTZMANN_EV * case.temperature
    energies = [part.activation_energy for part in members]
    apart = kinds_of(case)[members[0].kind].ions.law == "mott-gurney" and max(energies) > min(energies)
    energy = max(energies) + (APART * kT if apart else 0.0)
    speeds = float(np.exp((energy - max(energies)) / kT)), float(np.exp((energy - min(energies)) / kT))
    bench = bench_of(case, members[0]._replace(activation_energy=energy))
    if not apart:
        return extraction.KindOfColumn(bench, speeds), energy
    low = min(energies) - APART * kT
    fast = bench_of(case, members[0]._replace(activation_energy=low))
    return extraction.KindOfColumn(bench, speeds, fast, float(np.exp((energy - low) / kT))), energy


def over_axes(case: Case, axes: tuple[ModelAxis, ...], order: Extraction) -> CompactModel:
    """Model of a case, with the models at all nodes of the axes. The values of the case are one of the nodes."""
    if not axes:
        return extracted_model(case, order)
    at = points(axes)
    at_nodes = [extracted_model(at_node(case, axes, point), order.part(n, len(at))) for n, point in enumerate(at)]
    point = tuple(value_in_case(case, axis.key)[0] for axis in axes)
    own = at_nodes[at.index(point)]
    check_alike(at_nodes)
    kinds = []
    for t in range(len(own.kinds)):
        speeds = own.speed[own.kind == t]
        use = extraction.use_of((float(speeds.min()), float(speeds.max())), order.limits)
        tolerances = extraction.RATE_TOLERANCE / 2.0, extraction.TOLERANCE / 2.0
        kinds.append(on_common_knots([node.kinds[t] for node in at_nodes], use, *tolerances))
    nodes = tuple(
        replace(node, kinds=row, about={}) for node, row in zip(at_nodes, zip(*kinds, strict=True), strict=True)
    )
    return replace(nodes[at.index(point)], nodes=nodes, axes=axes, point=point, about=own.about)


def at_node(case: Case, axes: Sequence[ModelAxis], point: Sequence[float]) -> Case:
    """A case at a value of each axis."""
    return case.replace(dict(zip([axis.key for axis in axes], point, strict=True)))


def check_alike(models: Sequence[CompactModel]) -> None:
    """Raise NotAsExpected for models that cannot be interpolated: other columns or circuits, ions that move at some nodes
    only, films at rest at some nodes only.
    """
    if len({tuple(map(stays, model.kinds)) for model in models}) > 1:
        raise NotAsExpected("columns whose ions move at all nodes, or at none", "some that move at a few nodes only")
    if len({tuple(kind.share.size for kind in model.kinds) for model in models}) > 1:
        raise NotAsExpected(
            "a case that begins at rest at all nodes, or at none",
            "one that does at some (ions.initial = { history = [...] } begins with writes)",
        )
    for name in ("kind", "weight", "resistance", "area"):
        if any(not np.array_equal(getattr(model, name), getattr(models[0], name)) for model in models):
            raise NotAsExpected(f"columns and a circuit of the same {name} at all nodes", "others")


def extracted_model(case: Case, order: Extraction, parts: list[Member] | None = None) -> CompactModel:
    """Model of a case at its temperature, without a measured error. parts : its columns, by default those of the case"""
    limits = order.limits
    began = clock.perf_counter()
    parts = model.members(case) if parts is None else parts
    kT = BOLTZMANN_EV * case.temperature
    kinds, statistics = [], []
    kind, speed, settling = np.zeros(len(parts), np.int64), np.ones(len(parts)), np.ones(len(parts))
    groups = columns_alike(case, parts)
    for number, group in enumerate(groups):
        shared, energy = stand_in(case, [parts[k] for k in group])
        speed[group] = [np.exp((energy - parts[k].activation_energy) / kT) for k in group]
        kind[group] = number
        tables, counts = extraction.extract(shared, order.part(number, len(groups)))
        settling[group] = counts["settling"] / speed[group]
        kinds.append(tables)
        statistics.append(counts)
    if all(map(stays, kinds)):
        raise NotAsExpected(
            "ions that the voltage moves, in one kind of columns at least",
            f"none that moves within {limits.longest:g} s",
        )
    start, shares, moved = starting_states(case, parts, settling, [kinds[number] for number in kind])
    for number, group in enumerate(groups):
        if shares[group].any():
            shared, _ = stand_in(case, [parts[k] for k in group])
            kinds[number], runs = extraction.with_settling(shared, kinds[number], order)
            statistics[number]["runs"] += runs
    weight = np.array([part.weight for part in parts])
    summary = {"runs": sum(counts["runs"] for counts in statistics)}
    for name, of_kinds in (
        ("settling_time", "settling"), ("rate_deviation", "rate"), ("conductance_deviation", "conductance"),
    ):  # fmt: skip
        summary[name] = max(counts[of_kinds] for counts in statistics)
    summary["start_shift"] = moved
    wall_time = clock.perf_counter() - began
    about = provenance(case.source, case.resolved(), title=case.title, statistics=summary, wall_time=wall_time)
    return CompactModel(
        tuple(kinds), kind, speed, weight, start, shares, float(case.circuit.series_resistance), limits, case.temperature,
        case.device.film.thickness, case.device.junction_area, about,
    )  # fmt: skip


def starting_states(
    case: Case, parts: list[Member], settling: np.ndarray, kinds: Sequence[Tables]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Initial states (K,) and unsettled shares (K,) of a case; largest shift of a mean position to rest, in thicknesses.

    settling : (K,) settling times [s] at 0 V   kinds : tables of each column
    Raises NotAsExpected for a column whose vacancies do not move and do not begin as a uniform film.
    """
    c = initial.start(case, model.junction(case, parts=parts), parts)["c"]
    benches = [bench_of(case, part) for part in parts]
    for k, (bench, kind) in enumerate(zip(benches, kinds, strict=True)):
        if stays(kind) and not is_uniform(bench, c[k : k + 1]):
            raise NotAsExpected(
                "uniform initial concentrations of ions that do not move within the longest time",
                f"others in column {k}",
            )
    states, shares, moved = np.zeros((3, len(parts)))
    for k, bench in enumerate(benches):
        own = c[k : k + 1]
        states[k] = state_of(bench, own, settling[k])
        shares[k] = 0.0 if stays(kinds[k]) else extraction.unsettled_shares(bench, settling[k], own)[0]
        moved[k] = abs(states[k] - position(bench, own))
    states = np.clip(states, [kind.state[0] for kind in kinds], [kind.state[-1] for kind in kinds])
    return states, np.where(shares < extraction.LEAST_SHARE, 0.0, shares), float(moved.max())


def device_models(case: Case, count: int, order: Extraction, noise: bool = False) -> list[CompactModel]:
    """Compact models of `count` devices, whose errors are not measured.

    noise : add the scatter of the states by single ions that hop at random
    Each device of a study takes an extraction; patches that differ in their activation energy only share one extraction.
    Raises NotAsExpected, CaseError.
    """
    cases = noise_error.drawn_cases(case, count)
    if case.study is not None and case.study.sample is not None:
        return list(extracted_one_by_one(cases, order, noise))
    return extracted_together(cases, case, order, noise)


def extracted_one_by_one(cases: Sequence[Case], order: Extraction, noise: bool) -> Iterator[CompactModel]:
    """Compact models of devices, each from an extraction of its own. Raises NotAsExpected, CaseError."""
    for number, case in enumerate(cases):
        device = extracted_model(case, order.part(number, len(cases)))
        yield replace(device, noise=model_noise(device, case, order.spread)) if noise else device


def extracted_together(cases: Sequence[Case], base: Case, order: Extraction, noise: bool) -> list[CompactModel]:
    """Compact models of devices that differ in the values of their columns only, from one extraction.

    base : the case whose columns are drawn
    """
    parts = [model.members(case) for case in cases]
    members = [part for of_device in parts for part in of_device]
    joined = extracted_model(base, order, members)
    joined = replace(joined, noise=model_noise(joined, base, order.spread, members)) if noise else joined
    ends = list(accumulate(map(len, parts)))
    return [device_of_joined(case, joined, mine, end) for case, mine, end in zip(cases, parts, ends, strict=True)]


def device_of_joined(case: Case, joined: CompactModel, parts: list[Member], end: int) -> CompactModel:
    """The model of one device, out of a model with the columns of all devices.

    case, parts : of the device, and its columns   end : number of the column after its last one
    """
    mine = slice(end - len(parts), end)
    kind, speed = joined.kind[mine], joined.speed[mine]
    tables = [joined.kinds[k] for k in kind]
    settling = np.array([of_kind.emptying * SETTLED for of_kind in tables]) / speed
    start, unsettled, _ = starting_states(case, parts, settling, tables)
    weight = np.array([part.weight for part in parts])
    return replace(joined, kind=kind, speed=speed, weight=weight, start=start, unsettled=unsettled)
