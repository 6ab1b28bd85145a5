"""A tab of the page: its messages, its device, its last run, the pulses by hand after it, and what led there.

Tabs share only the workers.
"""

import asyncio
import base64
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from otjdd.case.case import Case
from otjdd.case.kinds import column_count
from otjdd.errors import CaseError
from otjdd.explore import experiments as drives
from otjdd.explore import sliders
from otjdd.explore.experiments import OWN, REFERENCE, case_of_experiment, experiments
from otjdd.explore.sliders import OutsideError, described_sliders, drive_sliders, moved, slider_values, sliders_of
from otjdd.explore.workers import (
    FilmOfResult,
    PanelJob,
    PanelResult,
    Turns,
    Workers,
    applied,
    computed,
    encoded_frames,
    filmed,
    movie,
    picture_file,
    results_file,
)
from otjdd.system.late import plot

OF_DRIVES = {
    "write-read-loop": "loop",
    "iv": "iv",
    "steps": "iv",
    "triangle": "iv",
}  # kind of the case's own drive -> kind of panel
SUPERSEDED = {"superseded": True}
NEWER = "a newer move came between"
SNAPSHOTS, DRAWING = "computing the run once more, with snapshots for the film", "drawing the film"
VOLTAGE, WIDTHS = 10.0, (1e-10, 100.0)  # limits of a pulse by hand: V of either sign; s, shortest and longest
MOST_STATES = 20  # of a tab, to which "Undo" returns
MOST_BYTES = 1 << 29  # of results of these states: 20 long runs with every profile would fill the memory of a laptop
MOST_FRAMES = 64  # of one message


# Messages of the page, checked before they are used: each raises ValueError for one that the page would not send.


class Settings(NamedTuple):
    """A state of the page: experiment, name -> value of each slider, and True if the slider was released."""

    experiment: str
    values: Mapping[str, float]
    final: bool


def settings_in(data: Any) -> Settings:
    """Settings of a message."""
    name = data.get("experiment") if isinstance(data, dict) else None
    if not isinstance(name, str) or name not in experiments():
        raise ValueError("expected an experiment that there is")
    return Settings(name, values_of(data), bool(data.get("final")))


def values_of(data: Any) -> dict[str, float]:
    """Name -> value of each slider of a message."""
    values = data.get("values") if isinstance(data, dict) else None
    if not isinstance(values, dict) or len(values) > 100:
        raise ValueError("expected a number for each slider")
    return {str(name): checked_number(value) for name, value in values.items()}


def checked_number(value: Any) -> float:
    """A finite number."""
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer of hundreds of digits
        pass
    raise ValueError("expected a number")


def pulse_by_hand(data: Any) -> tuple[float, float]:
    """Voltage [V] and width [s] of a pulse by hand."""
    if not isinstance(data, dict):
        raise ValueError("expected a pulse")
    voltage, width = checked_number(data.get("voltage")), checked_number(data.get("width"))
    if abs(voltage) > VOLTAGE or not WIDTHS[0] <= width <= WIDTHS[1]:
        raise ValueError(f"a pulse has up to {VOLTAGE:g} V of either sign, and takes {WIDTHS[0]:g} to {WIDTHS[1]:g} s")
    return voltage, width


def layer_change_of(data: Any) -> sliders.LayerChange:
    """A layer to add or to remove."""
    place, material = (data.get(name) for name in ("place", "material")) if isinstance(data, dict) else (None, None)
    if not isinstance(place, int) or isinstance(place, bool) or place < 0 or material not in ("", *sliders.MATERIALS):
        raise ValueError("expected a layer to add or to remove")
    return sliders.LayerChange(place, material)


def presence_of(data: Any) -> bool:
    """True for a message that adds traps, False for one that removes them."""
    present = data.get("present") if isinstance(data, dict) else None
    if not isinstance(present, bool):
        raise ValueError("expected traps to add or to remove")
    return present


def first_frame_of(data: Any) -> tuple[int, int]:
    """Number of the first frame of a film that is asked for, and how many of them."""
    first, count = (
        (checked_number(data.get(name)) for name in ("first", "count")) if isinstance(data, dict) else (-1, -1)
    )
    if first < 0 or not 0 <= count <= MOST_FRAMES:
        raise ValueError("expected numbers of frames")
    return int(first), int(count)


# The tab


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


class TabState(NamedTuple):
    """What a tab shows, and to which "Undo" returns.

    opened : with the tables that were added   added : changes of the original case that led to its case
    synapse : after the run and pulses by hand   moves : of the drive, experiment -> name of slider -> value
    latest : the last answer, also for a page that is loaded again
    """

    opened: Opened
    added: Mapping[str, Any]
    run: LastRun | None = None
    synapse: drives.Synapse | None = None
    moves: Mapping[str, Mapping[str, float]] = {}
    latest: Mapping[str, Any] = {}


def bytes_of(states: Sequence[TabState]) -> int:
    """Memory of the results of states (bytes); a result of several states counts once."""
    results = {id(ds): ds for state in states if state.run for ds in state.run.results}
    return sum(ds.nbytes for ds in results.values())


class Tab:
    """One tab. Methods that compute return the message to the page, SUPERSEDED when a newer move has ended their job."""

    def __init__(self, opened: Opened, workers: Workers):
        self.original = opened.case  # before tables were added or removed
        self.state = TabState(opened, {})
        self.past: list[TabState] = []
        self.buttons = drives.first_buttons(opened.case)
        self.turns = Turns(workers)
        self.film: tuple[LastRun, int, FilmOfResult] | None = None  # of a run and a number of pulses after it
        self.pulsing = asyncio.Lock()  # a pulse begins in the state at the end of the pulse before

    def start(self) -> dict[str, Any]:
        """Message to a page that loads: sliders, experiments, and the last answer of this tab."""
        case, latest, rows = self.state.opened.case, self.state.latest, {}
        for name in experiments():
            with suppress(CaseError):  # of an experiment that the device refuses
                driven, moves = self.driven(name), self.state.moves.get(name, {})
                rows[name] = described_sliders(driven, drive_sliders(name, driven), moves)
        opened = self.state.opened
        if opened.measured is None:
            experiment = "loop" if opened.result is None and opened.name == REFERENCE else OWN
        else:  # the first that shows the measured points
            kinds = {OWN: OF_DRIVES.get(case.drive.kind, "")} | {
                e.name: e.kind for e in experiments().values() if e.kind
            }
            drawn = (name for name, kind in kinds.items() if plot.figure.measured_points(kind, opened.measured))
            experiment = next(drawn, OWN)
        return {
            "title": case.title,
            "sliders": described_sliders(case, sliders_of(case)),
            "experiments": [[name, experiments()[name].title, of_drive] for name, of_drive in rows.items()],
            "layers": [layer.get("material") or f"layer {i + 1}" for i, layer in enumerate(sliders.layers_of(case))],
            "materials": sliders.MATERIALS,
            "traps": case.device.traps is not None if self.original.device.traps is None else None,
            "columns": column_count(case),
            "buttons": self.buttons,
            "undo": bool(self.past),
            "settings": {
                "experiment": experiment if experiment in rows else OWN,
                "values": slider_values(case, sliders_of(case)),
            },
            "shown": {**latest, "undo": bool(self.past), "buttons": self.buttons} if latest else {},
        }

    def driven(self, experiment: str) -> Case:
        """The case of this tab under the drive of an experiment."""
        return case_of_experiment(experiment, self.state.opened.case, {}).without_study()

    def proceed(self, state: TabState) -> None:
        """Go on to a state; that before it, if it had an answer, is one to return to."""
        if self.state.latest:
            past = [*self.past, self.state][-MOST_STATES:]
            while len(past) > 1 and bytes_of(past) > MOST_BYTES:
                past = past[1:]
            self.past = past
        self.state = state

    def undo(self) -> dict[str, Any]:
        """Return to the state before the last move, pulse, layer or traps; message as of `start`."""
        if not self.past:
            return refusal("there is nothing to undo")
        self.turns.stop()
        self.state = self.past.pop()
        return self.start()

    def change_layers(self, change: sliders.LayerChange, values: Mapping[str, float]) -> dict[str, Any]:
        """Add a layer to the film or remove one, with these values of sliders; message as of `start`."""
        return self.change_device(values, sliders.LAYERS, lambda case: sliders.changed_layers(case, change))

    def change_traps(self, present: bool, values: Mapping[str, float]) -> dict[str, Any]:
        """Add traps to the film or remove them, with these values of sliders; message as of `start`."""
        return self.change_device(values, sliders.TRAPS, lambda case: sliders.new_traps(case) if present else [])

    def change_device(self, values: Mapping[str, float], key: str, new_tables: Any) -> dict[str, Any]:
        """Add tables to the device or remove tables, with these values of sliders; message as of `start`.

        key : LAYERS or TRAPS   new_tables : function of the present case that returns the tables of this key
        """
        case = self.state.opened.case
        try:
            moves = moved(case, [slider for slider in sliders_of(case) if slider.name in values], values)
            case = case.replace(moves)
            added = sliders.with_tables(self.since_opened(moves, case), key, new_tables(case))
            opened = self.state.opened._replace(case=self.original.replace(added), result=None)
        except CaseError as error:
            return refusal(str(error.problems[0]))
        except ValueError as error:
            return refusal(str(error), error.slider if isinstance(error, OutsideError) else "")
        self.turns.stop()
        self.proceed(TabState(opened, added, moves=self.state.moves))
        return self.start()

    def since_opened(self, changes: Mapping[str, Any], case: Case) -> dict[str, Any]:
        """Changes of `original` that lead to `case`: changes of added tables, and `changes`, made by the sliders."""
        added = self.state.added
        all_changes = dict(added) | dict(changes)
        for key, of_case in ((sliders.LAYERS, sliders.layers_of), (sliders.TRAPS, sliders.traps_of)):
            if key in added:
                all_changes = sliders.with_tables(all_changes, key, of_case(case))
        return all_changes

    async def move(self, settings: Settings) -> dict[str, Any]:
        """Run the experiment with these values of sliders, with one column of each kind while a slider still moves."""
        experiment, opened = settings.experiment, self.state.opened
        try:
            driven = self.driven(experiment)
            device, drive = sliders_of(opened.case), drive_sliders(experiment, driven)
            if unknown := set(settings.values) - {slider.name for slider in (*device, *drive)}:
                return refusal(f"this page has no slider {min(unknown)!r}")
            changes = moved(opened.case, device, settings.values)
            changes |= moved(driven, drive, settings.values, bounded=False)
            case = case_of_experiment(experiment, opened.case, changes)
        except CaseError as error:
            return self.refusal_of_key(str(error.problems[0]), error.problems[0].key, experiment)
        except OutsideError as error:
            return refusal(str(error), error.slider)
        used = case if settings.final else drives.preview(case)
        runs = drives.runs_of_experiment(experiment, used)
        last = self.state.run if self.state.run and self.state.run.settings.experiment == experiment else None
        before = [ds.drop_dims({"snapshot", "x", "column"} & set(ds.dims)) for ds in last.results] if last else []
        untouched = experiment == OWN and not changes and opened.result is not None
        there = [opened.result] if untouched else []
        job = PanelJob(runs, experiments()[experiment].kind, before, opened.measured, there)
        answer = await self.turns.take(computed, job)
        if answer is None:
            return SUPERSEDED
        if answer.problem:
            return refusal(answer.problem)
        all_changes = self.since_opened(changes, case)
        news = {
            "settings": {"experiment": experiment, "values": settings.values},
            "final": settings.final,
            "columns": column_count(used),
            "before": bool(before),
            "points": self.points_line(answer),
            "command": drives.command_line(experiment, opened.name, all_changes, opened.case),
        }
        if not settings.final:
            return self.message_of(answer, news)
        own = {slider.name for slider in drive}
        moves = {name: value for name, value in settings.values.items() if name in own}
        state = TabState(
            opened, self.state.added, LastRun(settings, case, runs, answer.results, all_changes),
            drives.after(runs[-1], answer.results[-1]), {**self.state.moves, experiment: moves},
        )  # fmt: skip
        return self.answered(state, answer, news)

    async def pulse(self, voltage: float, width: float) -> dict[str, Any]:
        """Apply a pulse [V], [s] to the present state, once no other pulse is on its way."""
        async with self.pulsing:
            opened, run = self.state.opened, self.state.run
            if self.state.synapse is None or run is None:
                return refusal("there is no state to pulse: choose an experiment that moves the ions")
            try:
                read = drives.writes_of(self.original).read
                case = drives.pulse_case(self.state.synapse, voltage, width, read)
            except CaseError as error:
                return self.refusal_of_key(str(error.problems[0]), error.problems[0].key)
            except ValueError as error:
                return refusal(str(error))
            outcome = await self.turns.take(applied, self.state.synapse, case, waits=True)
            if outcome is None:
                return SUPERSEDED
            answer, synapse = outcome
            if answer.problem:
                return refusal(answer.problem)
            if (voltage, width) not in self.buttons:
                self.buttons = [*self.buttons, (voltage, width)][-drives.MOST_BUTTONS :]
            news = {
                "before": False,
                "points": "",
                "pulses": len(synapse.pulses),
                "resistance": synapse.resistances[-1],
                "buttons": self.buttons,
                "command": drives.command_after_pulses(
                    run.settings.experiment, opened.name, run.changes, opened.case, drives.with_pulses(synapse)
                ),
            }
            return self.answered(self.state._replace(synapse=synapse), answer, {**self.state.latest, **news})

    def forget(self, voltage: float, width: float) -> dict[str, Any]:
        """Remove the button of a pulse [V], [s]; message with those that are left."""
        self.buttons = [button for button in self.buttons if button != (voltage, width)]
        return {"buttons": self.buttons}

    def points_line(self, answer: PanelResult) -> str:
        """A line on the measured points in a picture; "" if no data are opened."""
        data = self.state.opened.measured
        if data is None:
            return ""
        name = Path(data.attrs.get("file", "data")).name
        return (
            f"black circles: {name}" if answer.points else f"{name} has nothing for this figure: try another experiment"
        )

    def answered(self, state: TabState, answer: PanelResult, more: Mapping[str, Any]) -> dict[str, Any]:
        """Go on to a state that an answer led to; message with the answer."""
        self.proceed(state)
        message = self.message_of(answer, more)
        self.state = state._replace(latest=message)
        return message

    def message_of(self, answer: PanelResult, more: Mapping[str, Any]) -> dict[str, Any]:
        """Message with an answer."""
        limits = answer.limits.splitlines()
        news = {"pictures": dict(answer.pictures), "summary": answer.summary, "limits": limits}
        return dict(more) | news | {"undo": bool(self.past)}

    def refusal_of_key(self, text: str, key: str, experiment: str = OWN) -> dict[str, Any]:
        """As the function `refusal`, with the slider that a key belongs to."""
        both = (*sliders_of(self.state.opened.case), *drive_sliders(experiment, self.driven(experiment)))
        return refusal(text, next((slider.name for slider in both if key in slider.keys), ""))

    async def playable(self) -> FilmOfResult:
        """The film of the last pulse by hand, else of the first run of the experiment."""
        run, synapse = self.state.run, self.state.synapse
        if run is None:
            return FilmOfResult(problem="there is nothing to play yet")
        pulses = synapse.pulses if synapse else ()
        if self.film is None or self.film[0] is not run or self.film[1] != len(pulses):
            case, start, there = run.runs[0], None, run.results[0]
            if synapse is not None and pulses:
                case, start, there = (
                    synapse.case.replace({"drive": pulses[-1], "record": {"every": "all"}}),
                    synapse.before,
                    None,
                )
            film = await self.turns.take(filmed, case, start, there, waits=True, doing=SNAPSHOTS)
            if film is None or film.problem:
                return film or FilmOfResult(problem=NEWER)
            self.film = run, len(pulses), film
        return self.film[2]

    async def frames(self, first: int, count: int) -> dict[str, Any]:
        """Message with some frames of the film, and the times [s] of all."""
        film = await self.playable()
        if film.problem:
            return SUPERSEDED if film.problem == NEWER else refusal(film.problem)
        images = await self.turns.take(encoded_frames, film, first, count, waits=True, doing=DRAWING)
        if images is None:
            return SUPERSEDED
        return {"frames": [base64.b64encode(image).decode() for image in images], "times": film.times}

    async def movie(self, suffix: str) -> bytes | str:
        """The film as a file, or why there is none."""
        film = await self.playable()
        return film.problem or await self.turns.take(movie, film, suffix, waits=True, doing=DRAWING) or NEWER

    async def picture(self, suffix: str) -> bytes | str:
        """The figure of the reads after pulses by hand, else of the runs, as a file; or why there is none."""
        run, synapse = self.state.run, self.state.synapse
        if run is None:
            return "there is nothing to draw yet"
        results, kind = run.results, experiments()[run.settings.experiment].kind
        if synapse is not None and synapse.pulses:
            results, kind = [drives.reads_dataset(synapse)], "conductance"
        return await self.turns.take(picture_file, results, kind, suffix, waits=True) or NEWER

    async def result(self) -> bytes | str:
        """All results of the case of this tab as a file, or why there is none."""
        run, synapse = self.state.run, self.state.synapse
        if run is None:
            return "there is no result yet"
        pulsed = synapse is not None and synapse.pulses
        what = ([self.case()], []) if pulsed else (run.runs, run.results)
        return await self.turns.take(results_file, *what, waits=True) or NEWER

    def case(self) -> Case:
        """The case of one run with all pulses by hand; without pulses the last experiment's, or the opened case."""
        run, synapse = self.state.run, self.state.synapse
        if synapse is not None and synapse.pulses:
            return drives.with_pulses(synapse)
        return run.case if run else self.state.opened.case


def refusal(text: str, slider: str = "") -> dict[str, Any]:
    """Message to the page that there is no answer: why, and which slider is the cause."""
    return {"problem": text, "slider": slider}
