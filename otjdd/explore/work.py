"""The jobs of a worker: simulate runs, draw them, film them. A failure becomes a reason in words."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from otjdd.case.case import Case
from otjdd.errors import OtjddError
from otjdd.explore.experiments import Synapse, after_pulse, reads_dataset
from otjdd.results import store, summary
from otjdd.runs.run import simulate
from otjdd.solver.model_limits import ATTRIBUTE
from otjdd.waveform.waveform import Waveform

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
    from otjdd.plot.figure import shows

    try:
        results = simulated_all(job.cases, job.results, progress)
        answer = answer_of(results, drawn_pictures(results, results, job.kind, job.before, job.measured))
        return answer._replace(points=job.measured is not None and shows(results, job.kind, job.measured))
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
    from otjdd.plot.figure import comparison
    from otjdd.plot.junction import junction
    from otjdd.plot.style import encoded_picture

    figures = {"curve": comparison(curve, kind, before, measured)}
    if results[-1].sizes.get("snapshot"):
        figures["junction"] = junction(results[-1])
    return {name: encoded_picture(figure, "svg").decode() for name, figure in figures.items()}


def picture_file(results: Sequence[Any], kind: str, suffix: str, progress: Progress) -> bytes | str:
    """The figure of `otjdd plot` of results, as "png", "pdf" or "svg"; or, as text, why there is none."""
    from otjdd.plot.figure import KINDS, figure
    from otjdd.plot.runs import named_results
    from otjdd.plot.style import encoded_picture

    runs = named_results(results)
    kinds = [kind] if kind in KINDS and KINDS[kind].fits(runs) else []
    kinds += ["bands", "spectrum"] if kinds and len(results) == 1 and KINDS["bands"].fits(runs) else []
    try:
        return encoded_picture(figure(results, kinds), suffix)
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
    from otjdd.plot.junction import instants

    try:
        recorded = with_snapshots(case)
        by_reads = case.record.profiles_at_reads and recorded.plain()["drive"] == case.plain()["drive"]
        if there is None or not by_reads:
            there = simulate(recorded, progress, start=start)
        return FilmOfResult(there, [float(t) for t in instants(there)])
    except FAULTS as error:
        return FilmOfResult(problem=str(error))


def with_snapshots(case: Case) -> Case:
    """The case with snapshots for a film: log-spaced after each jump, or at each read of a drive with many jumps.

    Raises ValueError for a drive without a waveform.
    """
    from otjdd.plot.over_time import PARTS, turning_times

    if not hasattr(case.drive, "waveform"):
        raise ValueError("the ions are frozen in this drive: there is nothing to play")
    waveform = case.drive.waveform()
    if not isinstance(waveform, Waveform) or len(edges := turning_times(waveform)) - 1 > PARTS:
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
    from PIL import Image

    from otjdd.plot.junction import Scene
    from otjdd.plot.junction import frames as images_of
    from otjdd.plot.style import style

    pictures = []
    with style():
        for image in images_of(Scene(film.ds, SHARP), np.array(film.times[first : first + count])):
            data = io.BytesIO()
            image.quantize(64, method=Image.Quantize.FASTOCTREE).save(data, "PNG")  # a fifth of the time of the default
            pictures.append(data.getvalue())
    return pictures


def movie(film: FilmOfResult, suffix: str, progress: Progress) -> bytes | str:
    """Bytes of a film, ".gif" or ".mp4"; or, as text, why there is none."""
    from otjdd.plot.junction import encoded_film

    try:
        return encoded_film(film.ds, suffix)
    except FAULTS as error:
        return str(error)
