"""A tab of the page: its settings, its last run, and the synapse that is pulsed by hand. Tabs share only the workers."""

import asyncio
import base64
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from otjdd.case.case import Case
from otjdd.case.kinds import column_count
from otjdd.errors import CaseError
from otjdd.explore import film, layers, synapse, traps, work
from otjdd.explore.experiments import (
    OWN,
    REFERENCE,
    case_of_experiment,
    command_after_pulses,
    command_line,
    experiments,
    preview,
    runs_of_experiment,
)
from otjdd.explore.settings import Settings
from otjdd.explore.sliders import OutsideError, described_sliders, drive_sliders, moved, slider_values, sliders_of
from otjdd.explore.turns import Turns
from otjdd.explore.workers import Workers

if TYPE_CHECKING:
    import xarray as xr

OF_DRIVES = {
    "write-read-loop": "loop",
    "iv": "iv",
    "steps": "iv",
    "triangle": "iv",
}  # kind of the case's own drive -> kind of panel
ChangesOf = Callable[[dict[str, Any], Case], dict[str, Any]]
SUPERSEDED = {"superseded": True}
NEWER = "a newer move came between"


class Opened(NamedTuple):
    """What the page is opened with: a case, its name or path as given, a result of it, measured points."""

    case: Case
    name: str
    result: Any = None
    measured: Any = None


class LastRun(NamedTuple):
    """The last run of a tab: its settings, its case (a study for several runs), the case of each run, the Datasets."""

    settings: Settings
    case: Case
    runs: Sequence[Case]
    results: Sequence[Any]
    changes: Mapping[str, Any]  # of the case that the page was opened with


class Session:
    """One tab. Methods that compute return the message to the page, SUPERSEDED when a newer move has ended their job."""

    def __init__(self, opened: Opened, workers: Workers):
        self.opened = opened
        self.turns = Turns(workers)
        self.run: LastRun | None = None
        self.original = opened.case  # before tables were added or taken away
        self.stacked: dict[str, Any] = {}  # changes of `original` that led to the case of `opened`
        self.synapse: synapse.Synapse | None = None
        self.latest: dict[str, Any] = {}  # the last answer, for a page that is loaded again
        self.pulsing = asyncio.Lock()  # a pulse begins in the state at the end of the pulse before

    def start(self) -> dict[str, Any]:
        """Message to a page that loads: sliders, experiments, and the last answer of this tab."""
        opened, drives = self.opened, self.sliders_of_drives()
        experiment = first(opened)
        return {
            "title": opened.case.title,
            "sliders": described_sliders(opened.case, sliders_of(opened.case)),
            "experiments": [[name, experiments()[name].title, rows] for name, rows in drives.items()],
            "layers": layers.names_of(opened.case),
            "materials": layers.MATERIALS,
            "traps": opened.case.device.traps is not None if self.original.device.traps is None else None,
            "columns": column_count(opened.case),
            "settings": {
                "experiment": experiment if experiment in drives else OWN,
                "values": slider_values(opened.case, sliders_of(opened.case)),
            },
            "shown": self.latest,
        }

    def sliders_of_drives(self) -> dict[str, list[dict[str, Any]]]:
        """Sliders of the drive of each experiment, by name; without experiments that are invalid for the device."""
        rows = {}
        for name in experiments():
            with suppress(CaseError):
                rows[name] = described_sliders(self.driven(name), drive_sliders(name))
        return rows

    def driven(self, experiment: str) -> Case:
        """The case that the page was opened with, under the drive of an experiment."""
        return case_of_experiment(experiment, self.opened.case, {}).without_study()

    def change_layers(self, change: layers.Change, values: Mapping[str, float]) -> dict[str, Any]:
        """Add a layer to the film or take one away, with these values of sliders; message as of `start`."""
        return self.change_device(values, lambda changes, case: layers.changes_with_layers(changes, case, change))

    def change_traps(self, present: bool, values: Mapping[str, float]) -> dict[str, Any]:
        """Add traps to the film or take them away, with these values of sliders; message as of `start`."""
        return self.change_device(values, lambda changes, case: traps.changes_with_traps(changes, case, present))

    def change_device(self, values: Mapping[str, float], changed: ChangesOf) -> dict[str, Any]:
        """Add tables to the device or take tables away, with these values of sliders; message as of `start`.

        changed : function of the changes of `original` so far and the case that they led to, which returns the new changes
        """
        case = self.opened.case
        try:
            device = [slider for slider in sliders_of(case) if slider.name in values]
            moves = moved(case, device, values)
            case = case.replace(moves)
            changes = changed(self.since_opened(moves, case), case)
            case = self.original.replace(changes)
        except CaseError as error:
            return refused(str(error.problems[0]))
        except OutsideError as error:
            return refused(str(error), error.slider)
        except ValueError as error:
            return refused(str(error))
        self.turns.stop()
        self.opened, self.stacked = self.opened._replace(case=case, result=None), changes
        self.synapse, self.latest = None, {}
        return self.start()

    async def move(self, settings: Settings) -> dict[str, Any]:
        """Run the experiment with these values of sliders, with one column of each kind while a slider still moves."""
        try:
            device = sliders_of(self.opened.case)
            names = {slider.name for slider in (*device, *drive_sliders(settings.experiment))}
            if unknown := set(settings.values) - names:
                return refused(f"this page has no slider {min(unknown)!r}")
            changes = moved(self.opened.case, device, settings.values)
            changes |= moved(self.driven(settings.experiment), drive_sliders(settings.experiment), settings.values)
            case = case_of_experiment(settings.experiment, self.opened.case, changes)
        except CaseError as error:
            return self.refused(str(error.problems[0]), error.problems[0].key, settings.experiment)
        except OutsideError as error:
            return refused(str(error), error.slider)
        used = case if settings.final else preview(case)
        runs = runs_of_experiment(settings.experiment, used)
        last = self.run if self.run and self.run.settings.experiment == settings.experiment else None
        before = [without_profiles(ds) for ds in last.results] if last else []
        untouched = settings.experiment == OWN and not changes and self.opened.result is not None
        there = [self.opened.result] if untouched else []
        job = work.PanelJob(runs, experiments()[settings.experiment].kind, before, self.opened.measured, there)
        answer = await self.turns.take(work.computed, job)
        if answer is None:
            return SUPERSEDED
        if answer.problem:
            return refused(answer.problem)
        news = {
            "settings": {"experiment": settings.experiment, "values": settings.values},
            "final": settings.final,
            "columns": column_count(used),
            "before": bool(before),
            "points": self.points(answer),
            "command": command_line(settings.experiment, self.opened.name, self.since_opened(changes, case)),
        }
        if settings.final:
            self.run = LastRun(settings, case, runs, answer.results, self.since_opened(changes, case))
            self.synapse = synapse.after(runs[-1], answer.results[-1])
        return self.message_of(answer, news)

    def since_opened(self, changes: Mapping[str, Any], case: Case) -> dict[str, Any]:
        """Changes of `original` that lead to `case`: `stacked`, and `changes`, those of the sliders."""
        changes = self.stacked | dict(changes)
        if layers.KEY in self.stacked:
            changes = layers.beside_layers(changes) | {layers.KEY: layers.tables_of(case)}
        if traps.KEY in self.stacked:
            changes = traps.beside_traps(changes) | {traps.KEY: traps.tables_of(case)}
        return changes

    async def pulse(self, voltage: float, width: float) -> dict[str, Any]:
        """Apply a pulse [V], [s] to the present state."""
        async with self.pulsing:
            return await self.next_pulse(voltage, width)

    async def next_pulse(self, voltage: float, width: float) -> dict[str, Any]:
        """As `pulse`, while no other pulse is on its way."""
        if self.synapse is None:
            return refused("there is no state to pulse: choose an experiment that moves the ions")
        try:
            case = synapse.pulse_case(self.synapse, voltage, width)
        except CaseError as error:
            return self.refused(str(error.problems[0]), error.problems[0].key)
        except ValueError as error:
            return refused(str(error))
        outcome = await self.turns.take(work.applied, self.synapse, case, waits=True)
        if outcome is None:
            return SUPERSEDED
        answer, self.synapse = outcome
        if answer.problem:
            return refused(answer.problem)
        assert self.run is not None  # its last state is the first that is pulsed
        experiment, changes = self.run.settings.experiment, self.run.changes
        news = {
            "before": False,
            "points": "",
            "pulses": len(self.synapse.pulses),
            "resistance": self.synapse.resistances[-1],
            "command": command_after_pulses(experiment, self.opened.name, changes, self.case()),
        }
        return self.message_of(answer, self.latest | news)

    def points(self, answer: work.PanelResult) -> str:
        """A line on the measured points in a picture; "" if no data are opened."""
        if self.opened.measured is None:
            return ""
        name = Path(self.opened.measured.attrs.get("file", "data")).name
        return (
            f"black circles: {name}"
            if answer.points
            else f"{name} has nothing for this picture: try another experiment"
        )

    def message_of(self, answer: work.PanelResult, more: Mapping[str, Any]) -> dict[str, Any]:
        """Message with an answer; kept for a page that is loaded again."""
        limits = answer.limits.splitlines()
        self.latest = dict(more) | {"pictures": dict(answer.pictures), "summary": answer.summary, "limits": limits}
        return self.latest

    def refused(self, text: str, key: str, experiment: str = OWN) -> dict[str, Any]:
        """As the function `refused`, with the slider that a key belongs to."""
        sliders = (*sliders_of(self.opened.case), *drive_sliders(experiment))
        return refused(text, next((slider.name for slider in sliders if key in slider.keys), ""))

    async def film(self) -> dict[str, Any]:
        """Message with the frames of the last pulse by hand, else of the first run of the experiment."""
        if self.run is None:
            return refused("there is nothing to play yet")
        played = await self.turns.take(film.played, *self.playable(self.run), waits=True)
        if played is None:
            return SUPERSEDED
        if played.problem:
            return refused(played.problem)
        return {"frames": [base64.b64encode(frame).decode() for frame in played.frames], "times": played.times}

    async def movie(self, suffix: str) -> bytes | str:
        """The film of `film` as a file, or why there is none."""
        if self.run is None:
            return "there is nothing to play yet"
        return await self.turns.take(film.movie, *self.playable(self.run), suffix, waits=True) or NEWER

    def playable(self, run: LastRun) -> tuple[Case, Any]:
        """The case of a film, and the state it starts from."""
        if self.synapse is not None and self.synapse.pulses:
            last = {"drive": self.synapse.pulses[-1], "record": {"every": "all"}}
            return self.synapse.case.replace(last), self.synapse.before
        return run.runs[0], None

    async def picture(self, suffix: str) -> bytes | str:
        """The figure of the reads after pulses by hand, else of the runs, as a file; or why there is none."""
        if self.run is None:
            return "there is nothing to draw yet"
        results, kind = self.run.results, experiments()[self.run.settings.experiment].kind
        if self.synapse is not None and self.synapse.pulses:
            results, kind = [synapse.reads(self.synapse)], "conductance"
        return await self.turns.take(work.picture_file, results, kind, suffix, waits=True) or NEWER

    async def result(self) -> bytes | str:
        """All results of the case of this tab as a file, or why there is none."""
        if self.run is None:
            return "there is no result yet"
        pulsed = self.synapse is not None and self.synapse.pulses
        what = ([self.case()], []) if pulsed else (self.run.runs, self.run.results)
        return await self.turns.take(work.stored, *what, waits=True) or NEWER

    def case(self) -> Case:
        """The case of one run with all pulses by hand; without pulses that of the last experiment, or the opened case."""
        if self.synapse is not None and self.synapse.pulses:
            return synapse.whole(self.synapse)
        return self.run.case if self.run else self.opened.case


def first(opened: Opened) -> str:
    """Name of the first experiment: one that shows the measured points; without points "loop" for REFERENCE, else OWN."""
    if opened.measured is not None:
        from otjdd.plot.compared import measured_points

        kinds = {OWN: OF_DRIVES.get(opened.case.drive.kind, "")} | {
            e.name: e.kind for e in experiments().values() if e.kind
        }
        return next((name for name, kind in kinds.items() if measured_points(kind, opened.measured)), OWN)
    return "loop" if opened.result is None and opened.name == REFERENCE else OWN


def refused(text: str, slider: str = "") -> dict[str, Any]:
    """Message to the page that there is no answer: why, and which slider is the cause."""
    return {"problem": text, "slider": slider}


def without_profiles(ds: "xr.Dataset") -> "xr.Dataset":
    """A result without its profiles, which curves do not need."""
    return ds.drop_dims([dim for dim in ("snapshot", "x", "column") if dim in ds.dims])
