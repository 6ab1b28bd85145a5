"""The crossbar of a case: its lines, and its devices from the compact model that it names or from an extraction."""

from dataclasses import replace
from typing import Any

import numpy as np

from otjdd.case.case import Case, located
from otjdd.case.crossbar import draws_of
from otjdd.case.drive_patterns import Patterns, targets_of
from otjdd.case.rules import refuse
from otjdd.compact_models import devices as drawn
from otjdd.compact_models import noise_error
from otjdd.compact_models.crossbars.cells import cells_of, linearise
from otjdd.compact_models.crossbars.network import Crossbar
from otjdd.compact_models.crossbars.one_model import model_named_by, model_of, needed_range, refused
from otjdd.compact_models.draws import rows, source
from otjdd.compact_models.limits import Range
from otjdd.compact_models.model import CompactModel
from otjdd.errors import CaseError, NotAsExpected
from otjdd.solver.model import members
from otjdd.system.pool import one_by_one
from otjdd.system.steps import Progress

SEED, SPEED = "ions.seed", "ions.activation_energy"  # cells ignore SEED; devices that differ in SPEED share tables


def crossbar_of(case: Case, progress: Progress = None, file: str = "case") -> Crossbar:
    """The crossbar of a case. progress, exceptions : as in `model_of`   file : name of the case in messages"""
    section = case.crossbar
    assert section is not None  # `case.crossbar.faults_of_crossbar` has checked it
    count = section.word_lines * section.bit_lines
    scale = 1.0 if section.cells.radius is None else (section.cells.radius / case.device.disc_radius) ** 2
    devices = tuple(of_area(device, device.area * scale) for device in devices_of(case, progress, file))
    dealt = np.resize(np.arange(len(devices)), count)
    if len(devices) > 1:
        np.random.default_rng(section.cells.seed).shuffle(dealt)
    seed = case.ions.seed if case.ions.noise != "none" else None
    unlike = len(devices) > 1 or section.access or seed is not None
    different = cells_of(devices, dealt, section.access, seed) if unlike else None
    array = Crossbar(
        devices[0], section.word_lines, section.bit_lines, section.line_resistance, section.driver_resistance, different,
        section.line_capacitance, np.zeros(2 * count if section.line_capacitance else 0),
    )  # fmt: skip
    check_targets(case, array, file)
    return array


def check_devices(case: Case, file: str) -> None:
    """Raise the errors of `crossbar_of` for a case that need no extraction."""
    assert case.crossbar is not None
    if case.crossbar.model is not None:
        crossbar_of(case, file=file)
    elif draws_of(case) is not None:
        drawn_cases(case, file)
    elif isinstance(count := case.crossbar.cells.devices, int):
        try:
            source(case.without_study(), count)
        except NotAsExpected as error:
            raise refused(case, ("crossbar", "cells", "devices"), error.expected, error.got, file) from error


def check_targets(case: Case, crossbar: Crossbar, file: str) -> None:
    """Raise CaseError for a target of a part that programs beyond what the states of the model conduct."""
    assert isinstance(case.drive, Patterns)
    for i, part in enumerate(case.drive.parts):
        if part.kind == "program":
            target = targets_of(part.targets, (crossbar.word_lines, crossbar.bit_lines))
            low, high = window(crossbar, part.read_voltage)
            if outside := [value for value in (target.min(), target.max()) if not low <= value <= high]:
                expected = (
                    f"conductances from {low:.3g} S to {high:.3g} S, the window of the model at {part.read_voltage:g} V"
                )
                raise refused(case, ("drive", "parts", i, "targets"), expected, f"{outside[0]:.3g} S", file)


def window(crossbar: Crossbar, voltage: float) -> tuple[float, float]:
    """Lowest and highest conductance [S] of a chosen cell at a voltage [V], at both ends of the state of all devices."""
    cells, conductances = crossbar.cells, []
    first_cell, closed = np.zeros(1, np.int64), np.ones(1, bool)
    for number, device in enumerate(cells.devices):
        for end in (0, -1):
            states = device.states(1, np.array([device.kinds[kind].state[end] for kind in device.kind]))
            alone = cells._replace(dealt=np.array([number]))
            conductances.append(
                float(linearise(alone, closed, first_cell, states, np.array([voltage]))[0][0] / voltage)
            )
    return min(conductances), max(conductances)


def of_area(model: CompactModel, area: float) -> CompactModel:
    """The model with another area [m2]."""
    return model if area == model.area else replace(model, area=area, weight=model.weight * (area / model.area))


def devices_of(case: Case, progress: Progress = None, file: str = "case") -> list[CompactModel]:
    """The devices of the cells of a case, at the area of its junction: one, or as many as it draws."""
    assert case.crossbar is not None
    draws = case.crossbar.cells.devices
    if case.crossbar.model is not None:
        devices = [model_of(case, progress, file)] if draws is None else drawn_from_model(case, draws, file)
        return [of_area(device, case.device.junction_area) for device in devices]
    if draws is None:
        return [model_of(case, progress, file)]
    voltage, time = needed_range(case)
    limits, noise, alone = Range(*voltage, *time), case.ions.noise != "none", case.without_study()
    sample = draws_of(case)
    try:
        if isinstance(draws, int):
            return drawn.devices(to_extract(alone), draws, limits, one_by_one, progress, noise)
        assert sample is not None  # `case.crossbar.faults_of_draws` has checked it
        cases = [to_extract(device) for device in drawn_cases(case, file)]
        if set(sample.over) <= {SPEED, SEED}:
            return drawn.together(cases, to_extract(alone), limits, one_by_one, progress, noise)
        return list(drawn.one_by_one(cases, limits, one_by_one, progress, noise))
    except NotAsExpected as error:
        raise refused(case, ("crossbar", "cells", "devices"), error.expected, error.got, file) from error


def to_extract(case: Case) -> Case:
    """The case without noise. Raises CaseError for one that no model is extracted from, or whose noise is not defined."""
    refuse(case, "a compact model", "compact model")
    refuse(case, "the compact models of drawn devices", "one temperature")
    if case.ions.noise != "none":
        noise_error.with_hop_noise(case)
    return case.without_noise()


def drawn_cases(case: Case, file: str = "case") -> list[Case]:
    """The junctions of the devices that a case draws from a sample. Raises CaseError for a draw that makes none."""
    sample = draws_of(case)
    assert sample is not None
    drawn, alone = [], case.without_study()
    for changes in rows(sample):
        changes.pop(SEED, None)  # each cell has random numbers of its own
        try:
            drawn.append(alone.replace(changes))
        except CaseError as error:
            raise CaseError([located(problem, case, changes, file) for problem in error.problems]) from None
    if len(counts := sorted({len(members(device)) for device in drawn})) > 1:
        expected = "draws that leave the number of columns the same"
        raise refused(case, ("crossbar", "cells", "devices"), expected, " and ".join(map(str, counts)), file)
    return drawn


def drawn_from_model(case: Case, count: Any, file: str) -> list[CompactModel]:
    """Devices drawn from the spread of the model that a case names."""
    assert case.crossbar is not None
    model = model_named_by(case, file)
    if model.noise is None or model.noise.spread is None:
        expected = (
            "none beside a crossbar.model that does not know how devices differ (`otjdd compact --noise` finds it)"
        )
        raise refused(case, ("crossbar", "cells", "devices"), expected, str(count), file)
    return [
        model.device(int(seed)) for seed in np.random.default_rng(case.crossbar.cells.seed).integers(2**63, size=count)
    ]
