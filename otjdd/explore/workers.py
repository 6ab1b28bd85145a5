"""The processes that simulate and draw for all tabs, so that the server stays free to answer; the turns of a tab with them.

A tab has one job at a time; a newer move ends the one that still runs. The jobs of a worker are to simulate runs, draw
them, film them. A failure becomes a reason in words.
"""

import asyncio
import importlib
import io
import pkgutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from multiprocessing.sharedctypes import RawArray, RawValue
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from otjdd import physics, stepping
from otjdd.case.case import Case
from otjdd.compiler import kernel_cache
from otjdd.errors import LimitError, OtjddError
from otjdd.explore.experiments import Synapse, after_pulse, reads_dataset
from otjdd.results import store, summary
from otjdd.runs.run import simulate
from otjdd.solver.model_limits import ATTRIBUTE
from otjdd.system import pool
from otjdd.system.late import PIL, plot
from otjdd.system.pool import SHARED, Arguments, Worker, context, cores, make_ready
from otjdd.waveform.waveform import Waveform

PRELOAD = "otjdd.explore.preload"  # module that prepares the process from which workers are copied
PATIENCE = 0.25  # s in which a job is not ended by a newer one, so that a moving slider is answered too
LOADED = 5.0  # s within which kernels are loaded if they are compiled already
LOST = "{} Another has taken its place: try again"
DEAD = "the processes that compute end before they begin: is memory short? The terminal of otjdd explore may say more"


# Modules of kernels that are compiled when a run first needs them -> what has them, in words for the page.
FIRST_NEEDED_BY = {
    "channels": "leaks, traps and wells between barriers",
    "electrons_search": "electrons in the film", "electrons_stack": "layers", "electrons_step": "electrons in the film",
    "exchange": "electrodes that exchange vacancies", "heat": "heat", "ion_fluxes": "vacancies that hold electrons",
    "junction": "barriers between layers", "quasistatic": "charged traps", "single_ions_step": "single ions",
    "traps_charge": "charged traps", "traps_kinetic": "traps", "trial_step": "single ions",
}  # fmt: skip
NAME_BYTES = 80  # of the name of a kernel in shared memory


class Shared(NamedTuple):
    """Memory that a worker shares with the server: the fraction that is done, and the kernel that it compiles."""

    fraction: Any
    kernel: Any

    @classmethod
    def new(cls) -> "Shared":
        return cls(RawValue("d"), RawArray("c", NAME_BYTES))


Idle = asyncio.Queue[tuple[Worker, Shared]]


class Workers:
    """Processes whose jobs can be ended at once: the process of an ended job is replaced by a copy of a prepared one.

    There is one worker more than processors, so that a job need not wait until an ended process is replaced.
    """

    def __init__(self) -> None:
        memories = [Shared.new() for _ in range(cores() + 1)]
        self._all = [(Worker(context(PRELOAD), tuple(shared), DEAD), shared) for shared in memories]
        self._idle: Idle = asyncio.Queue()  # a worker whose job was ended comes last
        self._began = time.monotonic()
        self.ready = asyncio.Event()

    async def start(self) -> None:
        """Wait until kernels are loaded or compiled and a first worker answers; then start the others."""
        await asyncio.to_thread(make_ready, PRELOAD)
        for worker, shared in self._all:
            if not self.ready.is_set():
                await done_by(worker, worker_answers)  # the first job reports a process that has died
            else:
                await aside(worker.give, worker_answers, (), None)
            self._idle.put_nowait((worker, shared))
            self.ready.set()

    async def compiled(self) -> float | None:
        """Fraction of the kernels that are compiled; None when workers are ready, or may just be loading the kernels."""
        if self.ready.is_set() or time.monotonic() < self._began + LOADED:
            return None
        return await asyncio.to_thread(kept_fraction)

    def submit(self, function: Callable[..., Any], *args: Any) -> "RunningJob":
        """Start function(*args, progress), which calls progress(fraction). Cancelling its task ends the process."""
        return RunningJob(self._idle, function, args)

    def stop(self) -> None:
        """End all processes and wait for that. While kernels are compiled, they end with this process instead."""
        if self.ready.is_set():
            pool.stop(worker for worker, _ in self._all)


class RunningJob:
    """A running job: the task with its result, and the fraction that is done."""

    def __init__(self, idle: Idle, function: Callable[..., Any], args: Arguments) -> None:
        self._idle = idle
        self._shared: Shared | None = None
        self.task = asyncio.ensure_future(self._computed(function, args))

    @property
    def fraction(self) -> float:
        return float(self._shared.fraction.value) if self._shared else 0.0

    @property
    def compiling(self) -> str:
        """What the kernels that the job compiles are for, in words; "" while it compiles none."""
        name = self._shared.kernel.value.decode() if self._shared else ""
        module = name.partition(".")[0]
        return FIRST_NEEDED_BY.get(module, module.replace("_", " "))

    async def _computed(self, function: Callable[..., Any], args: Arguments) -> Any:
        """Result of the job. Raises the exceptions of the job, LimitError when its process is ended from outside."""
        worker, shared = await self._idle.get()
        self._shared = shared
        shared.fraction.value, shared.kernel.value = 0.0, b""
        return await done_by(worker, reporting, function, args, free=lambda: self._idle.put_nowait((worker, shared)))


class Turns:
    """The jobs of one tab."""

    def __init__(self, workers: Workers):
        self._workers = workers
        self._running: RunningJob | None = None
        self._began = 0.0
        self._newest = 0
        self.doing = ""

    async def take(
        self, function: Callable[..., Any], *args: Any, waits: bool = False, doing: str = "computing"
    ) -> Any:
        """Result of function(*args, progress) in a worker; None when a newer job has taken its place.

        waits : wait for the end of the running job; otherwise end it once it is older than PATIENCE
        doing : what the job does, in words for the page
        """
        self._newest += 1
        mine = self._newest
        await self._workers.ready.wait()
        if mine != self._newest and not waits:
            return None
        while self._running is not None and not self._running.task.done():
            left = None if waits else max(0.0, self._began + PATIENCE - time.monotonic())
            await asyncio.wait([self._running.task], timeout=left)
            if mine != self._newest:
                return None
            if not waits:
                self._running.task.cancel()
        self._running = self._workers.submit(function, *args)
        self._began, self.doing = time.monotonic(), doing
        try:
            return await self._running.task
        except asyncio.CancelledError:
            return None

    def stop(self) -> None:
        """End the running job."""
        self._newest += 1
        if self._running is not None:
            self._running.task.cancel()

    @property
    def fraction(self) -> float | None:
        """Fraction of the running job that is done; None without one."""
        running = self._running
        return running.fraction if running is not None and not running.task.done() else None

    @property
    def compiling(self) -> str:
        """What the kernels that the running job compiles are for, in words; "" while it compiles none."""
        running = self._running
        return running.compiling if running is not None and not running.task.done() else ""


async def aside(function: Callable[..., Any], *args: Any) -> Any:
    """Result of function(*args) in a thread for which the end of the program does not wait.

    The start of a worker cannot be interrupted: it waits until kernels are compiled in the process that it copies.
    """
    done: Future[Any] = Future()

    def work() -> None:
        done.set_running_or_notify_cancel()
        try:
            done.set_result(function(*args))
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(done)


class CancellableSlot:
    """A worker for one job, which may be cancelled before the worker has it: the process that it starts comes first."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._cancelled = False
        self.look_after, self.result, self.stop = worker.look_after, worker.result, worker.stop

    def give(self, function: Callable[..., Any], arguments: Arguments, limit: float | None) -> Future[bytes]:
        future = self._worker.give(function, arguments, limit)
        if self._cancelled:
            future.cancel()
        return future

    def cancel(self) -> None:
        """End the job, or never begin it."""
        self._cancelled = True
        self._worker.future.cancel()


async def done_by(
    worker: Worker, function: Callable[..., Any], *args: Any, free: Callable[[], object] | None = None
) -> Any:
    """Result of function(*args) in a worker. Cancelling this coroutine ends the process.

    free : called when the worker can take another job
    """
    slot = CancellableSlot(worker)
    job = asyncio.ensure_future(aside(list, pool.results([slot], function, [args], lost=refuse_lost_job)))
    if free is not None:
        job.add_done_callback(lambda _: free())
    try:
        ((_, result),) = await asyncio.shield(job)
    except asyncio.CancelledError:
        slot.cancel()
        raise
    return result


def refuse_lost_job(arguments: Arguments, error: Exception) -> Any:
    """Raise LimitError for a job whose process has died."""
    raise LimitError(LOST.format(error)) from None


def reporting(function: Callable[..., Any], args: Arguments) -> Any:
    """Result of function(*args, progress) in a worker, which tells its progress and the kernel that it compiles."""
    shared = Shared(*SHARED)

    def progress(fraction: float) -> None:
        shared.fraction.value = fraction

    def note(name: str) -> None:
        shared.kernel.value = name.encode()[: NAME_BYTES - 1]

    kernel_cache.ON_COMPILING[:] = [note]
    return function(*args, progress)


def worker_answers() -> bool:
    """A job that shows that a worker answers."""
    return True


def kept_fraction() -> float:
    """Fraction of the separately compiled kernels that are on disk. It may end below 1, as not every run needs all."""
    for package in (physics, stepping):
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    folder = kernel_cache.folder()
    names = {path.name.rpartition("-")[0] for path in folder.iterdir()} if folder else set()
    apart = {name for name, kernel in kernel_cache.KERNELS.items() if kernel.apart}
    return len(names & apart) / max(1, len(apart))


FAULTS = (OtjddError, ValueError, ArithmeticError)  # exceptions whose text the page shows

FIRST = 1e-12  # s, first snapshot of a film after a jump of the voltage
SPLIT = 1e-6  # s after a jump, where its piece is divided: the solver merges times within 1e-9 of the length of a piece
FRAMES = 64  # approximate number of frames of a film
SHARP = 200  # dots per inch of a frame, more than the page shows on a screen of 1400 points

Progress = Callable[[float], None]  # called with the fraction that is done


class PanelJob(NamedTuple):
    """Runs to simulate, and how to show them.

    kind : of the panel   before : Datasets whose curve is drawn in grey   measured : Dataset of points, or None
    results : Datasets of the first cases, if these were simulated before
    """

    cases: Sequence[Case]
    kind: str = ""
    before: Sequence[Any] = ()
    measured: Any = None
    results: Sequence[Any] = ()


class PanelResult(NamedTuple):
    """Results of a job.

    pictures : name -> SVG   limits : lines on the limits of the model that the runs exceed, or ""
    problem : why there is no result, else ""   points : True if the curve shows measured points
    """

    results: Sequence[Any] = ()
    pictures: Mapping[str, str] = {}  # which goes from process to process, as no MappingProxyType does
    summary: str = ""
    limits: str = ""
    problem: str = ""
    points: bool = False


def computed(job: PanelJob, progress: Progress) -> PanelResult:
    """Simulate the runs of a job and draw them."""
    try:
        results = simulated_all(job.cases, job.results, progress)
        answer = answer_of(results, drawn_pictures(results, results, job.kind, job.before, job.measured))
        return answer._replace(points=job.measured is not None and plot.figure.shows(results, job.kind, job.measured))
    except FAULTS as error:
        return PanelResult(problem=str(error))


def simulated_all(cases: Sequence[Case], results: Sequence[Any], progress: Progress) -> list[Any]:
    """Datasets of cases. results : of the first cases, which are not run again. Raises SolverError, ValueError."""
    new = enumerate(cases[len(results) :])
    return [*results, *(simulate(case, noting(progress, i, len(cases))) for i, case in new)]


def applied(synapse: Synapse, case: Case, progress: Progress) -> tuple[PanelResult, Synapse]:
    """Simulate a pulse on the present state, and draw all reads; a first one, after a run without reads, over time.

    If that fails, the synapse is returned unchanged.
    """
    try:
        ds = simulate(case, noting(progress, 0, 1), start=synapse.state)
        new = after_pulse(synapse, case, ds)
        curve, kind = (reads_dataset(new), "conductance") if len(new.resistances) > 1 else (ds, "current")
        return answer_of([ds], drawn_pictures([ds], [curve], kind)), new
    except FAULTS as error:
        return PanelResult(problem=str(error)), synapse


def answer_of(results: Sequence[Any], pictures: Mapping[str, str]) -> PanelResult:
    """The answer with these results and pictures, and each line on limits of the model that they exceed once."""
    lines = dict.fromkeys(line for ds in results for line in str(ds.attrs.get(ATTRIBUTE, "")).splitlines())
    return PanelResult(results, pictures, summary.of_result(results[-1]), "\n".join(lines))


def noting(progress: Progress, number: int, count: int) -> Progress:
    """Progress of run `number` of `count`, as a function that reports the fraction of all runs to `progress`."""
    return lambda fraction: progress((number + fraction) / count)


def drawn_pictures(
    results: Sequence[Any], curve: Sequence[Any], kind: str = "", before: Sequence[Any] = (), measured: Any = None
) -> dict[str, str]:
    """Pictures as SVG: the curve of an experiment, and the junction in the last of its results.

    curve : Datasets of the curve   kind, before, measured : as in `PanelJob`
    """
    figures = {"curve": plot.figure.comparison(curve, kind, before, measured)}
    if results[-1].sizes.get("snapshot"):
        figures["junction"] = plot.junction.junction(results[-1])
    return {name: plot.style.encoded_picture(figure, "svg").decode() for name, figure in figures.items()}


def picture_file(results: Sequence[Any], kind: str, suffix: str, progress: Progress) -> bytes | str:
    """The figure of `otjdd plot` of results, as "png", "pdf" or "svg"; or, as text, why there is none."""
    runs, KINDS = plot.runs.named_results(results), plot.figure.KINDS
    kinds = [kind] if kind in KINDS and KINDS[kind].fits(runs) else []
    kinds += ["bands", "spectrum"] if kinds and len(results) == 1 and KINDS["bands"].fits(runs) else []
    try:
        return plot.style.encoded_picture(plot.figure.figure(results, kinds), suffix)
    except ValueError as error:
        return str(error)


def results_file(cases: Sequence[Case], results: Sequence[Any], progress: Progress) -> bytes | str:
    """Results as a NetCDF file, several of them as a zip archive. Cases without a result are simulated."""
    try:
        results = simulated_all(cases, results, progress)
    except FAULTS as error:
        return str(error)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"run-{i + 1:02d}.nc" for i in range(len(results))]
        for ds, file in zip(results, files, strict=True):
            store.write(ds, file)
        if len(files) == 1:
            return files[0].read_bytes()
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for file in files:
                archive.write(file, file.name)
        return data.getvalue()


class FilmOfResult(NamedTuple):
    """A result with snapshots, and the times [s] of its frames. problem : why there is none, else "" """

    ds: Any = None
    times: Sequence[float] = ()
    problem: str = ""


def filmed(case: Case, start: Any, there: Any, progress: Progress) -> FilmOfResult:
    """The film of a case, which is simulated with snapshots.

    start : state to start from, None for that of the case   there : its result, which serves if it has the snapshots
    """
    try:
        recorded = with_snapshots(case)
        by_reads = case.record.profiles_at_reads and recorded.plain()["drive"] == case.plain()["drive"]
        if there is None or not by_reads:
            there = simulate(recorded, progress, start=start)
        return FilmOfResult(there, [float(t) for t in plot.junction.instants(there)])
    except FAULTS as error:
        return FilmOfResult(problem=str(error))


def with_snapshots(case: Case) -> Case:
    """The case with snapshots for a film: log-spaced after each jump, or at each read of a drive with many jumps.

    Raises ValueError for a drive without a waveform.
    """
    if not hasattr(case.drive, "waveform"):
        raise ValueError("the ions are frozen in this drive: there is nothing to play")
    waveform, over_time = case.drive.waveform(), plot.over_time
    if not isinstance(waveform, Waveform) or len(edges := over_time.turning_times(waveform)) - 1 > over_time.PARTS:
        record = {"profiles_at_reads": True} if waveform.read_count else {"profiles": FRAMES}
        return case.replace("record", {"every": "all"} | record)
    count = -(-FRAMES // (len(edges) - 1))
    times = [edge + np.geomspace(FIRST, width, count) for edge, width in zip(edges, np.diff(edges), strict=False)]
    points, splits = [], edges + SPLIT
    for begin, end, first, last in zip(*waveform.segments(), strict=True):
        inside = splits[(splits > begin) & (splits < end)]
        points += [[t, first + (last - first) * (t - begin) / (end - begin)] for t in (begin, *inside)] + [[end, last]]
    record = {"every": "all", "profiles_at": np.unique(np.concatenate(times).clip(0, edges[-1])).tolist()}
    drive = {"kind": "table", "points": [[float(t), float(voltage)] for t, voltage in points]}
    return case.replace({"record": record, "drive": drive})


def encoded_frames(film: FilmOfResult, first: int, count: int, progress: Progress) -> list[bytes]:
    """Frames `first` to `first + count` of a film, as PNG of 64 colours, which takes a third of the bytes."""
    pictures = []
    with plot.style.style():
        scene = plot.junction.Scene(film.ds, SHARP)
        for image in plot.junction.frames(scene, np.array(film.times[first : first + count])):
            data = io.BytesIO()
            few = image.quantize(64, method=PIL.Image.Quantize.FASTOCTREE)  # a fifth of the time of the default
            few.save(data, "PNG")
            pictures.append(data.getvalue())
    return pictures


def movie(film: FilmOfResult, suffix: str, progress: Progress) -> bytes | str:
    """Bytes of a film, ".gif" or ".mp4"; or, as text, why there is none."""
    try:
        return plot.junction.encoded_film(film.ds, suffix)
    except FAULTS as error:
        return str(error)
