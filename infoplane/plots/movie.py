"""The information plane as a movie: a frame per time, the points of the last rows as a trail that darkens to the head.

Axes, lines at H(Y) and log2 n, legend and caption are those of `infoplane.plots.plane` and stand still.
"""

import math
import os
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from infoplane.analysis.errors import whole_number
from infoplane.errors import InputError
from infoplane.plots.caption import head_as_is, shortened
from infoplane.plots.gif_writer import GifWriter
from infoplane.plots.path import Clock, ProbePath, RunPaths
from infoplane.plots.plane import ROWS
from infoplane.plots.plane_legend import ring
from infoplane.plots.planes import columns_of, height_beside, panels
from infoplane.plots.read_paths import read_paths
from infoplane.plots.theme import SLIDE, pt, shades, site_styles, theme
from infoplane.printable import printable
from infoplane.reports.decimals import time_text
from infoplane.runfile.reader import Run

MOVIES = (".gif", ".mp4")
DPI = 100
LAST_SECONDS = 2.0
MOST = 4
"""Panels that can be followed at once."""
_HIGHEST = 1.5 * SLIDE
_PANEL = 0.32 * SLIDE  # height of the axes where there are several rows of panels


def movie(
    runs: Run | str | PathLike[str] | Sequence[Run | str | PathLike[str]],
    path: str | PathLike[str],
    *,
    fps: float = 10.0,
    trail: int = 20,
    control: bool = True,
    rows: int | None = ROWS,
    window: int = 1,
    titles: Sequence[str] | None = None,
    caption: bool = True,
) -> None:
    """Write the information plane of one run, or of several side by side, as a movie.

    Parameters
    ----------
    runs : Run, path-like, or sequence of them
        Runs, which stay open, or run files. Several, at most 4, share axes and time.
    path : path-like
        Where to write; its ending says the format: ``.gif``, or ``.mp4`` (H.264), for which ffmpeg must be installed.
        A file that is there is replaced, and only when the movie is whole.
    fps : float
        Frames per second, from 0.1 to 50. The last frame stays for 2 seconds.
    trail : int
        Points of every path that are seen at once, from 1 on.
    control, rows, window, caption
        As in `infoplane.plots.plane`; there is a frame per row drawn.
    titles : sequence of str, optional
        One per run; the names of the files if left out.

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When a run has not measured yet, the ending is another one, ffmpeg is needed and absent, the folder is not
        there, there are more than 4 runs or their legend leaves no room for them, or an option cannot be used.

    Notes
    -----
    A run that has no row at a time shows its last one before. Drawn for a slide (`theme("slide")`), 1,000 pixels
    wide and 700 high, or higher as legend, captions and a second row of planes ask for it.
    """
    target = Path(path)
    check_movie(target)
    whole_number("trail", trail, least=1)
    if isinstance(fps, bool) or not 0.1 <= fps <= 50:
        raise InputError(f"fps is {fps!r}, but it must be a number from 0.1 to 50")
    given = [runs] if isinstance(runs, Run | str | PathLike) else list(runs)
    if not given:
        raise InputError("runs is empty, but a movie shows at least one run")
    if titles is not None and len(titles) != len(given):
        raise InputError(f"there are {len(titles)} titles for {len(given)} runs, but each run needs one")
    if len(given) > MOST:
        raise InputError(
            f"there are {len(given)} runs, but a movie has room for {MOST} planes beside each other: choose {MOST} of "
            "them, or draw a picture, which grows with its runs"
        )
    read = [read_paths(run, rows=rows, window=window) for run in given]
    names = [head_as_is(run.name) for run in read] if titles is None else list(titles)
    with theme("slide"), mpl.rc_context({"savefig.dpi": DPI}):
        figure = Figure(figsize=(SLIDE, 0.7 * SLIDE), layout="constrained", dpi=DPI)
        show, times = scene(figure, read, names, trail=trail, control=control, caption=caption)
        _write(figure, target, fps, show, times)


def check_movie(path: Path) -> None:
    """Raise `InputError` where no movie of this name can be written on this machine."""
    ending = path.suffix.lower()
    if ending not in MOVIES:
        raise InputError(f"{path} does not end in {' or '.join(MOVIES)}, the movies that can be written")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {path.parent}")
    if ending == ".mp4" and shutil.which(mpl.rcParams["animation.ffmpeg_path"]) is None:
        raise InputError(
            f"{path} needs ffmpeg, which is not installed here (Debian: apt-get install ffmpeg; conda: conda install "
            f"ffmpeg); {path.with_suffix('.gif').name} needs nothing more"
        )


def scene(
    figure: Figure, runs: list[RunPaths], names: list[str], *, trail: int, control: bool, caption: bool
) -> tuple[Callable[[float], None], NDArray[np.float64]]:
    """Draw all that stands still; return a function that shows a time, and the times that there are."""
    clock, styles = Clock.of(runs), site_styles(list(dict.fromkeys(site for run in runs for site in run.sites)))
    axes = panels(figure, runs, names, style="none", control=control, errors=False, caption=caption)
    _grow(figure, axes)
    _freeze(figure, axes)
    heads = [_head(ax, name, run, clock) for ax, name, run in zip(axes, names, runs, strict=True)]
    drawn = [
        (run, _Trail(ax, path, styles[path.site]))
        for ax, run in zip(axes, runs, strict=True)
        for path in run.drawn(control=control)
    ]

    def show(time: float) -> None:
        for run, marks in drawn:
            marks.show(np.flatnonzero(getattr(run, clock.name) <= time)[-trail:])
        for ax, head, run in zip(axes, heads, runs, strict=True):
            ax.set_title(f"{head}, {_time(run, clock, time)}")

    return show, np.unique(np.concatenate([getattr(run, clock.name) for run in runs]))


def _freeze(figure: Figure, axes: NDArray[np.object_]) -> None:
    """Replace all but the titles by a picture of it: laying out and setting its text anew takes a second per frame."""
    canvas: Any = FigureCanvasAgg(figure)
    for ax in axes:
        ax.title.set_alpha(0)  # which keeps its room
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="constrained_layout not applied")
            canvas.draw()
    except UserWarning:
        raise InputError(_no_room(axes)) from None
    figure.set_layout_engine("none")
    background = np.array(canvas.buffer_rgba())
    for ax in figure.axes:
        limits = ax.axis()
        ax.set_axis_off()
        for artist in [*ax.lines, *ax.texts, *ax.patches, *ax.collections]:
            artist.set_visible(False)
        if legend := ax.get_legend():
            legend.set_visible(False)
        ax.axis(limits)
        ax.title.set_alpha(1)
    for artist in [*figure.legends, *figure.texts]:
        artist.set_visible(False)
    figure.figimage(background, zorder=-1, resize=False)


def _grow(figure: Figure, axes: NDArray[np.object_]) -> None:
    """Make the frame as high as its panels, legend and captions ask for, in an even number of pixels."""
    columns = columns_of(figure.get_figwidth(), len(axes))
    rows = -(-len(axes) // columns)
    needed = rows * _PANEL / SLIDE * figure.get_figwidth() + height_beside(figure, axes, columns)
    if needed > _HIGHEST:
        raise InputError(_no_room(axes))
    if needed > figure.get_figheight():
        figure.set_figheight(2 * math.ceil(needed * figure.dpi / 2) / figure.dpi)


def _no_room(axes: NDArray[np.object_]) -> str:
    planes = f"the {len(axes)} planes" if len(axes) > 1 else "the plane"
    return (
        f"legend and captions leave no room for {planes} in a movie, which is at most {_HIGHEST * DPI:,.0f} pixels "
        "high: draw a picture, which grows with them"
    )


def _head(ax: Axes, name: str, run: RunPaths, clock: Clock) -> str:
    """Return the name as far as the title has room for it, beside the longest time of the run."""
    size = float(ax.title.get_fontsize())
    longest = max((_time(run, clock, time) for time in getattr(run, clock.name)), key=len)
    return shortened(name, ax.bbox.width / ax.figure.dpi * 72 - 0.62 * size * (len(longest) + 2), size)


def _time(run: RunPaths, clock: Clock, time: float) -> str:
    times = getattr(run, clock.name)
    before = np.flatnonzero(times <= time)
    if not before.size:
        return "not measured yet"
    row = before[-1]
    step = f"step {run.step[row]:,.0f}"
    return step if clock.name == "step" else f"epoch {time_text(run.epoch[row])}, {step}"


class _Trail:
    """The last points of one path: a line that ends at the head, dots that darken towards it, and rings."""

    def __init__(self, ax: Axes, path: ProbePath, style: tuple[str, str]) -> None:
        color, marker = style
        self.path = path
        self.trained = path.host == "trained"
        self.shades = shades(color)
        gid = printable(path.probe)
        self.line: Line2D = ax.plot([], [], color=color, linewidth=pt(0.7), alpha=0.6, zorder=2.5, gid=f"{gid} path")[0]
        self.dots: PathCollection = ax.scatter(
            [],
            [],
            marker=marker,
            edgecolors=color,
            facecolors="white",
            linewidths=pt(0.5),
            zorder=3 if self.trained else 2.8,
            gid=gid,
        )
        self.rings: Line2D = ax.plot([], [], zorder=5, gid=f"{gid} findings", **ring())[0]
        self.color = color

    def show(self, rows: NDArray[np.intp]) -> None:
        """Show these rows, the last as the head."""
        rows = rows[self.path.finite[rows]]
        points = np.column_stack([self.path.i_zx, self.path.i_zy])[rows]
        self.line.set_data(*points.T)
        self.dots.set_offsets(points if rows.size else np.empty((0, 2)))
        age = np.linspace(0, 1, rows.size) if rows.size > 1 else np.ones(rows.size)
        head = np.arange(rows.size) == rows.size - 1
        if self.trained:
            self.dots.set_facecolor(list(map(tuple, self.shades(age))))
        self.dots.set_edgecolor(["black" if last else self.color for last in head])
        self.dots.set_sizes(np.where(head, 26, 11) * pt(1) ** 2)
        ringed = points[self.path.doubtful[rows]]
        self.rings.set_data(*(ringed.T if ringed.size else ([], [])))


def _write(figure: Figure, target: Path, fps: float, show: Callable[[float], None], times: NDArray[np.float64]) -> None:
    rate: Any = fps
    writer: AbstractMovieWriter = GifWriter(fps=rate)
    if target.suffix.lower() == ".mp4":
        # Even numbers of pixels: H.264 as most programs play it takes no others.
        extra = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2:color=white", "-pix_fmt", "yuv420p", "-loglevel", "error"]
        writer = FFMpegWriter(fps=rate, codec="libx264", extra_args=extra)
    frames = [*times, *[times[-1]] * round(LAST_SECONDS * fps)]
    with _whole(target) as unfinished, _saving(writer, figure, unfinished):
        from tqdm.auto import tqdm  # which warns when it is imported in a notebook without widgets

        for time in tqdm(frames, desc=target.name, unit="frame", disable=None, leave=False):
            show(float(time))
            writer.grab_frame()


@contextmanager
def _saving(writer: AbstractMovieWriter, figure: Figure, path: Path) -> Iterator[None]:
    """Set the writer up and finish it; of a movie that breaks off, only end ffmpeg and close the file."""
    writer.setup(figure, str(path), DPI)
    try:
        yield
    except BaseException:
        with suppress(Exception):
            writer.finish()
        raise
    writer.finish()


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """Yield a name beside `target` that takes its place at the end, or is removed."""
    unfinished = target.with_name(f".{target.stem}.{uuid.uuid4().hex}{target.suffix}")
    try:
        yield unfinished
        os.replace(unfinished, target)
    except (OSError, CalledProcessError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{target} cannot be written ({reason})") from error
    finally:
        unfinished.unlink(missing_ok=True)
