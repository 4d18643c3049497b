"""The plane as a movie."""

import shutil
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import animation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from infoplane.errors import InputError
from infoplane.plots import movie
from infoplane.plots.gif_writer import GifWriter


def test_a_gif_has_a_picture_per_row_and_stays_at_the_end(tmp_path, run_path):
    movie(run_path, tmp_path / "plane.gif", fps=5, trail=2)
    with Image.open(tmp_path / "plane.gif") as gif:
        assert gif.n_frames == 6
        pictures, durations = [], []
        for k in range(6):
            gif.seek(k)
            durations.append(gif.info["duration"])
            pictures.append(np.asarray(gif.convert("RGB")))
        assert gif.size == (1000, 700)
    assert all((a != b).any() for a, b in pairwise(pictures))
    assert durations[:-1] == [200] * 5
    assert durations[-1] >= 2000
    assert [path.name for path in tmp_path.glob("*.gif")] == ["plane.gif"]
    assert not list(tmp_path.glob(".*"))


def test_a_gif_keeps_no_frame_but_the_last_and_shows_what_was_drawn(tmp_path):
    figure, given = Figure(figsize=(1, 0.8), dpi=100, facecolor="white"), []
    canvas = FigureCanvasAgg(figure)
    writer, path = GifWriter(fps=4), tmp_path / "a.gif"
    writer.setup(figure, path, 100)
    square = figure.add_artist(Rectangle((0.1, 0.1), 0.2, 0.2, color="#D55E00"))
    sizes = []
    for k in (0, 1, 1, 2, 3):
        square.set_x(0.1 + 0.2 * k)
        writer.grab_frame()
        canvas.draw()
        given.append(np.array(canvas.buffer_rgba())[..., :3].astype(int))
        held = [v for v in vars(writer).values() if isinstance(v, Image.Image | list | tuple)]
        sizes.append(sum(np.asarray(v if isinstance(v, Image.Image) else v[0]).size for v in held))
    writer.finish()
    assert max(sizes) <= 4 * 100 * 80  # one frame in colour, and a rectangle of palette indices
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.info["loop"]) == (4, 0)
        for k, (drawn, duration) in enumerate(zip((given[0], *given[2:]), (250, 500, 250, 250), strict=True)):
            gif.seek(k)
            assert gif.info["duration"] == duration
            assert np.abs(np.asarray(gif.convert("RGB")).astype(int) - drawn).max() < 24


def test_legend_and_axes_stand_still(tmp_path, run_path):
    movie(run_path, tmp_path / "plane.gif")
    with Image.open(tmp_path / "plane.gif") as gif:
        gif.seek(1)
        early = np.asarray(gif.convert("L")).astype(int)
        gif.seek(gif.n_frames - 1)
        late = np.asarray(gif.convert("L")).astype(int)
    different = np.abs(early - late) > 60
    rows = np.flatnonzero(different.any(axis=1))
    assert different.any()
    assert not different[:40].any()  # the legend
    assert rows.max() < 0.85 * len(early)  # axes' labels and caption


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_an_mp4_is_written_by_ffmpeg(tmp_path, run_path, write_run):
    other = write_run(tmp_path / "other.h5", rows=3)
    movie([run_path, other], tmp_path / "plane.mp4", rows=3, fps=2)
    assert (tmp_path / "plane.mp4").read_bytes()[4:8] == b"ftyp"
    assert not list(tmp_path.glob(".*"))


def test_without_ffmpeg_one_sentence_says_what_to_do(tmp_path, run_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"plane\.mp4 needs ffmpeg, which is not installed here.*plane\.gif"):
        movie(run_path, tmp_path / "plane.mp4")


@pytest.mark.parametrize("frames", [0, 2])
@pytest.mark.parametrize("ending", [".gif", ".mp4"])
def test_a_movie_that_breaks_off_leaves_what_was_there(tmp_path, run_path, monkeypatch, ending, frames):
    if ending == ".mp4" and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    writer = GifWriter if ending == ".gif" else animation.FFMpegWriter
    target, grab, taken = tmp_path / f"plane{ending}", writer.grab_frame, []

    def break_off(*args, **options):
        if len(taken) == frames:
            raise KeyboardInterrupt
        taken.append(grab(*args, **options))

    target.write_bytes(b"before")
    monkeypatch.setattr(writer, "grab_frame", break_off)
    with pytest.raises(KeyboardInterrupt):
        movie(run_path, target)
    assert target.read_bytes() == b"before"
    assert not list(tmp_path.glob(".*"))


def test_what_cannot_be_written_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match=r"does not end in \.gif or \.mp4"):
        movie("none.h5", tmp_path / "plane.avi")
    with pytest.raises(InputError, match="there is no folder"):
        movie("none.h5", tmp_path / "no" / "plane.gif")
    with pytest.raises(InputError, match="fps is 0"):
        movie("none.h5", tmp_path / "plane.gif", fps=0)
    with pytest.raises(InputError, match="trail"):
        movie("none.h5", tmp_path / "plane.gif", trail=0)
    with pytest.raises(InputError, match="at least one run"):
        movie([], tmp_path / "plane.gif")


def test_the_trail_is_of_fixed_length_and_darkens_to_the_head(run_path):
    from infoplane.plots.movie import scene
    from infoplane.plots.read_paths import read_paths

    figure = Figure(figsize=(6, 5), layout="constrained")
    show, times = scene(figure, [read_paths(run_path)], ["run"], trail=3, control=True, caption=False)
    np.testing.assert_array_equal(times, np.arange(1, 7))
    (points,) = [c for c in figure.axes[0].collections if c.get_gid() == "hidden1"]
    for time in times:
        show(time)
        first = max(0, int(time) - 3)
        rows = np.arange(first, int(time))
        np.testing.assert_allclose(points.get_offsets(), np.column_stack([390 - 50 * rows, 0.5 + 0.4 * rows]))
    brightness = points.get_facecolors()[:, :3].sum(axis=1)
    assert np.all(np.diff(brightness) < 0)
    assert figure.axes[0].get_title() == "run, epoch 6, step 120"
    assert not [text for text in figure.axes[0].texts if text.get_visible()]


def test_the_time_stands_above_the_axes_and_a_long_name_leaves_it_whole(tmp_path, write_run):
    from infoplane.plots.movie import scene
    from infoplane.plots.read_paths import read_paths

    figure = Figure(figsize=(10, 7), layout="constrained", dpi=100)
    run = read_paths(write_run(tmp_path / "run.h5"))
    show, times = scene(figure, [run] * 2, ["verylongname_" * 15] * 2, trail=3, control=True, caption=False)
    show(times[-1])
    titles = [ax.title for ax in figure.axes]
    figure.canvas.draw()
    boxes = [title.get_window_extent() for title in titles]
    assert all(title.get_text().endswith(", epoch 6, step 120") for title in titles)
    assert all(box.y0 >= ax.bbox.y1 for box, ax in zip(boxes, figure.axes, strict=True))
    assert boxes[0].x1 < boxes[1].x0


def test_more_runs_than_can_be_followed_are_refused_in_one_sentence(tmp_path, run_path):
    with pytest.raises(InputError, match="there are 9 runs, but a movie has room for 4 planes"):
        movie([run_path] * 9, tmp_path / "plane.gif")
    assert not list(tmp_path.glob("*.gif"))


def test_four_runs_stand_in_a_higher_frame_and_no_label_is_longer_than_its_axes(tmp_path, write_run):
    from infoplane.plots.movie import scene
    from infoplane.plots.read_paths import read_paths
    from infoplane.plots.theme import theme

    runs = [read_paths(write_run(tmp_path / f"{k}.h5", sites=[f"fc{i}" for i in range(12)])) for k in range(4)]
    with theme("slide"):
        figure = Figure(figsize=(10, 7), layout="constrained", dpi=100)
        scene(figure, runs, list("abcd"), trail=3, control=True, caption=True)
    assert figure.get_figheight() > 9
    for ax in figure.axes:
        assert ax.yaxis.label.get_window_extent().height < ax.bbox.height


def test_a_legend_that_leaves_no_room_is_refused_in_one_sentence(tmp_path, write_run):
    path = write_run(tmp_path / "run.h5", sites=[f"encoder.layers.{i}.attention.self.query" for i in range(90)])
    with pytest.raises(InputError, match="legend and captions leave no room for the plane in a movie"):
        movie(path, tmp_path / "plane.gif")
