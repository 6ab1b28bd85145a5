"""The junction in a state, and as a film: band edge and Fermi levels, current by energy, vacancies.

`junction(ds)` shows the states of lowest and highest resistance. Bands and current share the axis of energy, which shows
through which part of the barrier the current flows. `Scene(ds)` draws one instant; `scene.show(t)` moves it to another and
redraws only what changes. All instants are computed snapshots: nothing is interpolated.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib import animation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import LogLocator, NullLocator
from PIL import Image

from otjdd.plot.axes import legend, magnitude, quantity_axis, volts
from otjdd.plot.over_time import clock_of, instant, time_axis
from otjdd.plot.over_x import (
    DECADES,
    FAR,
    band_limits,
    band_line,
    draw_interfaces,
    draw_layers,
    extreme_snapshots,
    thickness,
    voltage_at,
)
from otjdd.plot.runs import KINDS, NamedResult, legend_label, stroke
from otjdd.plot.style import BLUE, GREY, HEIGHT, ORANGE, PAGE_PANEL, SKY, WIDTH, style
from otjdd.system.files import write_whole
from otjdd.system.late import imageio_ffmpeg

BANDS = (0.145, 0.42, 0.535, 0.52)  # left, bottom, width and height of the axes, as fractions of the figure
SPECTRUM = (0.725, 0.42, 0.245, 0.52)
VACANCIES = (0.145, 0.1, 0.825, 0.19)
FORMATS = (".gif", ".mp4")
LEAST, MOST = 5, 120  # frames of a film
SECONDS = 8.0  # of a film
DPI = 120


def junction(ds: xr.Dataset) -> Figure:
    """Figure of the states of lowest and highest resistance of a result, or of its first and last snapshot.

    The places of the axes are fixed, since a layout takes longer than the rest of the figure.
    Raises ValueError for a result without snapshots.
    """
    if not ds.sizes.get("snapshot"):
        raise ValueError("nothing to show: a figure of the junction needs a snapshot")
    shots = extreme_snapshots(ds)
    with style():
        fig = Figure(figsize=PAGE_PANEL, layout="constrained")
        fig.set_layout_engine("none")
        bands, spectrum, vacancies = map(fig.add_axes, (BANDS, SPECTRUM, VACANCIES))
        for j, shot in enumerate(shots):
            line = stroke(0, j, 1, len(shots))
            bands.plot(*band_line(ds, shot.number), label=legend_label(NamedResult(ds), shot.name), **line)
            colour = line["color"]
            film, level = thickness(ds), -voltage_at(ds, shot.number)
            dashed: dict[str, Any] = {"linewidth": 0.8, "linestyle": (0, (4, 3)), "scalex": False}
            bands.plot([film, film + FAR], [0, 0], color=GREY, **dashed)
            bands.plot([-FAR, 0], [level, level], color=colour, **dashed)
            vacancies.plot(ds.x.values * 1e9, ds.vacancy_concentration.values[shot.number], **line)
            E, density = ds.spectrum_energy.values[shot.number], np.abs(ds.spectrum_density.values[shot.number])
            top = np.nanmax(density, initial=0.0)
            share = density / top if top > 0 else density
            spectrum.fill_betweenx(E, 0, share, color=line["color"], alpha=0.18, linewidth=0)
            spectrum.plot(share, E, linewidth=0.9, **line)
        lines = [band_line(ds, shot.number) for shot in shots]
        xlim, ylim = band_limits([ds] * len(lines), lines)
        bands.axvspan(0, thickness(ds), color=SKY, alpha=0.12, linewidth=0)
        bands.set(xlim=xlim, ylim=ylim, xlabel="position (nm)", ylabel="band edge (eV)")
        bands.annotate("$E_F$", (1, 0), (-2, 2), xycoords=("axes fraction", "data"), textcoords="offset points",
                       ha="right", va="bottom", color=GREY)  # fmt: skip
        spectrum.set(xlim=(0, 1.05), ylim=ylim, xticks=[], xlabel="current spectrum")
        spectrum.tick_params(labelleft=False)
        legend(bands)
        draw_layers(bands, [NamedResult(ds)])
        draw_interfaces(vacancies, [NamedResult(ds)])
        c = ds.vacancy_concentration.values[[shot.number for shot in shots]]
        concentration_axis(vacancies, c)
        vacancies.set(xlim=(0, thickness(ds)), xlabel="position in the film (nm)")
        vacancies.yaxis.set_major_locator(LogLocator(numticks=4))
        vacancies.yaxis.set_minor_locator(NullLocator())
        fig.set_layout_engine(None)  # with one, matplotlib would draw twice, first to find the layout
    return fig


def concentration_axis(axes: Axes, c: np.ndarray) -> None:
    """Set the y axis for concentrations of vacancies (any shape) [1/m3], over at most DECADES."""
    least = max(c.min(), c.max() * 10.0**-DECADES) / 2
    axes.set(yscale="log", ylim=(least, c.max() * 3), ylabel="vacancies (m⁻³)")


class Scene:
    """The figure of one instant of a result, which can be moved in time.

    ds : a result with snapshots   dpi : dots per inch of its images
    Attributes: `fig` is the figure, `times` (n,) [s] are of the snapshots, `moving` the artists that change.
    Raises ValueError for a result without snapshots.
    """

    def __init__(self, ds: xr.Dataset, dpi: float = DPI) -> None:
        if not all(KINDS[name].fits([NamedResult(ds)]) for name in ("vacancies", "bands")):
            raise ValueError("nothing to show: a movie needs snapshots (record.profiles, record.profiles_at)")
        self.ds, self.times = ds, ds.snapshot_time.values
        self._marks: list[Artist] = []
        self._clock = clock_of(ds, self.times)
        with style():
            self.fig = Figure(figsize=(2 * WIDTH, 1.6 * HEIGHT), layout="constrained", dpi=dpi)
            left, right = self.fig.subfigures(1, 2, squeeze=False)[0]
            above, below = left.subplots(2, 1)
            x, c = ds.x.values * 1e9, ds.vacancy_concentration.values
            lines = [band_line(ds, i) for i in range(len(self.times))]
            below.axvspan(0, thickness(ds), color=SKY, alpha=0.12, linewidth=0)
            below.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
            for axes, line in ((above, (x, c[0])), (below, lines[0])):
                axes.plot(*line, color=GREY, linewidth=0.6, linestyle=":")
            (self._vacancies,) = above.plot(x, c[0], color=BLUE)
            (self._bands,) = below.plot(*lines[0], color=BLUE)
            concentration_axis(above, c)
            xlim, ylim = band_limits([ds] * len(lines), lines)
            below.set(xlim=xlim, ylim=ylim, ylabel="band edge (eV)")
            for axes in (above, below):
                axes.set_xlabel("position (nm)")
            self._mark = self._draw_course(right)
            self._title = self.fig.suptitle("", fontsize=8)
        self.moving = [self._vacancies, self._bands, self._title, *self._marks]
        self.show(self.times[0])
        self.fig.draw_without_rendering()
        self.fig.set_layout_engine("none")  # keeps the layout, which would take most of the time of a frame

    def show(self, t: float) -> float:
        """Move to the last snapshot at or before a time [s], or to the first. Returns the time of that snapshot [s]."""
        i = int(np.clip(np.searchsorted(self.times, t * (1 + 1e-12), side="right") - 1, 0, len(self.times) - 1))
        self._vacancies.set_ydata(self.ds.vacancy_concentration.values[i])
        self._bands.set_data(*band_line(self.ds, i))
        now = float(self.times[i])
        self._mark(now)
        title, parts = f"t = {instant(now)}", 1 if self._clock is None else len(self._clock.first)
        if self._clock is not None and parts > 1:
            jump = self._clock.edges[min(int(self._clock(now)), parts - 1)]
            title = f"{instant(now - jump)} after the jump at {instant(jump)}"
        self._title.set_text(title)
        return now

    def _draw_course(self, part: SubFigure) -> Callable[[float], None]:
        """Draw current and voltage over time, or resistances read by read. Returns a function that marks a time [s]."""
        if self.ds.sizes.get("time", 0) > 2 and self.ds.sizes["time"] > self.ds.sizes.get("read", 0) + 1:
            t, above = self.ds.time.values, magnitude(self.ds.conduction_current.values)
            voltage, names = self.ds.voltage.values, ("|conduction current|", "A")
            clock = clock_of(self.ds, t)
        elif self.ds.sizes.get("read", 0) > 2:
            t, above = self.ds.read_time.values, self.ds.read_resistance.values
            voltage, names, clock = self.ds.write_voltage.values, ("resistance", "ohm"), None
        else:
            part.text(0.5, 0.5, "no time series recorded", ha="center", color=GREY, fontsize=7)
            return lambda t: None
        top, bottom = part.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        place = clock or np.asarray
        top.plot(place(t), above, color=BLUE, linewidth=0.9)
        bottom.plot(place(t), voltage, color=ORANGE, linewidth=0.9)
        quantity_axis(top, "y", above, *names, log=True)
        time_axis(top, clock, t)
        time_axis(bottom, clock, t)
        top.set_xlabel("")
        top.tick_params(labelbottom=False)
        bottom.set_ylabel("voltage (V)" if names[1] == "A" else "write voltage (V)")
        dots = [axes.plot([], [], "o", color="black", markersize=4)[0] for axes in (top, bottom)]
        caption = bottom.annotate("", (1.0, 1.01), xycoords="axes fraction", ha="right", va="bottom", fontsize=7)

        self._marks = [*dots, caption]

        def mark(now: float) -> None:
            i = int(np.clip(np.searchsorted(t, now * (1 + 1e-12), side="right") - 1, 0, len(t) - 1))
            for dot, row in zip(dots, (above, voltage), strict=True):
                dot.set_data([place(now)], [row[i]])
            caption.set_text(volts(voltage[i]) if np.isfinite(voltage[i]) else "")

        return mark


def instants(ds: xr.Dataset) -> np.ndarray:
    """Times (n,) [s] of the frames: all snapshots, or at most MOST, spread evenly on the clock or by number."""
    t = ds.snapshot_time.values
    if len(t) <= MOST:
        return np.asarray(t)
    clock = clock_of(ds, t)
    u = clock(t) if clock else np.arange(len(t), dtype=float)
    return np.asarray(t[np.unique(np.searchsorted(u, np.linspace(u[0], u[-1], MOST)).clip(0, len(t) - 1))])


def write_movie(ds: xr.Dataset, path: str | Path) -> None:
    """Write the film of a result as GIF or MP4, by the suffix of the path.

    Raises ValueError as `encoded`, and ResultError if the file cannot be written.
    """
    write_whole(path, encoded_film(ds, Path(path).suffix.lower(), str(path)))


def encoded_film(ds: xr.Dataset, suffix: str, name: str = "the movie") -> bytes:
    """Bytes of the film of a result.

    suffix : one of FORMATS   name : of the file, for messages
    Raises ValueError for another suffix, for an MP4 without ffmpeg, and for fewer than LEAST snapshots.
    """
    if suffix not in FORMATS:
        raise ValueError(f"{name}: a movie is written as {' or '.join(FORMATS)}")
    if suffix == ".mp4" and ffmpeg() is None:
        raise ValueError("an MP4 needs ffmpeg, which is not there: pip install 'otjdd[movie]'; a GIF does not")
    scene = Scene(ds)
    if len(scene.times) < LEAST:
        last = max(float(ds.snapshot_time.values[-1]), 1e-9)
        spaced = ", ".join(f'"{instant(t)}"' for t in last * 10.0 ** np.arange(-8.0, 0.1)).replace("µ", "u")
        raise ValueError(
            f"a movie needs {LEAST} snapshots or more, this result has {len(scene.times)}: "
            f"set record.profiles_at = [{spaced}] in its case, or record.profiles_at_reads = true"
        )
    times = instants(ds)
    rate = max(1.0, len(times) / SECONDS)
    with style():
        if suffix == ".mp4":
            return mp4(scene, times, rate)
        data, (first, *others) = io.BytesIO(), frames(scene, times)
        first.save(data, "GIF", save_all=True, append_images=others, duration=round(1000 / rate), loop=0)
        return data.getvalue()


def frames(scene: Scene, times: np.ndarray) -> Iterator[Image.Image]:
    """Images of some instants (n,) [s]. The parts that do not change are drawn once."""
    canvas: Any = FigureCanvasAgg(scene.fig)  # its methods have no types
    for artist in scene.moving:
        artist.set_animated(True)
    canvas.draw()
    still = canvas.copy_from_bbox(scene.fig.bbox)
    for t in times:
        scene.show(t)
        canvas.restore_region(still)
        for artist in scene.moving:
            scene.fig.draw_artist(artist)
        yield Image.fromarray(np.array(canvas.buffer_rgba())).convert("RGB")


def mp4(scene: Scene, times: np.ndarray, rate: float) -> bytes:
    """MP4 of some instants (n,) [s], `rate` frames a second, made by ffmpeg."""
    width, height = 2 * np.round(scene.fig.get_size_inches() * DPI / 2) / DPI
    scene.fig.set_size_inches(width, height)  # even numbers of pixels, which the codec requires
    with tempfile.TemporaryDirectory() as folder, mpl.rc_context({"animation.ffmpeg_path": ffmpeg()}):
        file = Path(folder) / "movie.mp4"
        options: dict[str, Any] = {"fps": rate, "codec": "libx264", "extra_args": ["-pix_fmt", "yuv420p"]}
        writer = animation.FFMpegWriter(**options)  # takes a float for fps, though its types say int
        with writer.saving(scene.fig, file, DPI):
            for t in times:
                scene.show(t)
                writer.grab_frame()
        return file.read_bytes()


def ffmpeg() -> str | None:
    """Path of ffmpeg: of the system, else of the package imageio-ffmpeg; None without either."""
    program = shutil.which("ffmpeg")
    if program:
        return program
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None
