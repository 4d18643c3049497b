"""``infoplane plane``: which picture or movie it writes, and what it refuses before it draws."""

import pytest
from PIL import Image

from infoplane.cli import run as cli


@pytest.fixture
def runs(tmp_path, write_run):
    return [str(write_run(tmp_path / f"{name}.h5", shift=(k, 0.0), seed=k)) for k, name in enumerate("abc")]


@pytest.fixture
def called(monkeypatch):
    """Names of the plots that were called, in order."""
    import infoplane as ip

    names = []
    for name in ("plane", "planes", "overlay", "mean_plane", "movie"):
        real = getattr(ip.plots, name)

        def record(*args, _name=name, _real=real, **options):
            names.append(_name)
            return _real(*args, **options)

        monkeypatch.setattr(ip.plots, name, record)
    return names


@pytest.mark.parametrize(
    ("count", "options", "plot"),
    [
        (1, [], "plane"),
        (1, ["--style", "trajectories", "--window", "2"], "plane"),
        (2, [], "planes"),
        (2, ["--arrange", "overlay"], "overlay"),
        (3, ["--arrange", "mean", "--no-control"], "mean_plane"),
    ],
)
def test_runs_and_arrangement_say_which_picture(tmp_path, runs, called, count, options, plot):
    out = tmp_path / "out.svg"
    assert cli(["plane", *runs[:count], "-o", str(out), *options]) == 0
    assert called == [plot]
    assert "<text" in out.read_text()


def test_a_gif_is_a_movie(tmp_path, runs, called, capfd):
    out = tmp_path / "plane.gif"
    assert cli(["plane", runs[0], "-o", str(out), "--fps", "4"]) == 0
    assert called == ["movie"]
    with Image.open(out) as gif:
        assert gif.n_frames == 6
        assert gif.info["duration"] == 250
    assert str(out) in capfd.readouterr().err
    assert cli(["plane", runs[0], "-o", str(out)]) == 2
    assert "--force replaces it" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "x.avi"], "does not end in .png, .pdf, .svg for a picture, or .gif or .mp4 for a movie"),
        (["-o", "none/x.gif"], "there is no folder none"),
        (["-o", "x.gif", "--arrange", "overlay"], "--arrange and --style do not fit"),
        (["-o", "x.png", "--arrange", "over"], "--arrange is 'over', but it must be one of beside, overlay, mean"),
        (["-o", "x.png", "--style", "lines"], "style is 'lines'"),
        (["-o", "x.gif", "--fps", "0"], "fps is 0.0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(tmp_path, monkeypatch, runs, capfd, options, said):
    monkeypatch.chdir(tmp_path)
    assert cli(["plane", runs[0], *options]) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert said in line
    assert not list(tmp_path.glob("x.*"))


def test_what_cannot_be_drawn_as_asked_is_refused_in_one_sentence(tmp_path, runs, capsys):
    assert cli(["plane", runs[0], "--window", "50", "-o", str(tmp_path / "plane.png")]) == 2
    assert "window is 50, but a has 6 rows: at most 6 can be averaged" in capsys.readouterr().err
    assert cli(["plane", *runs, *runs, "-o", str(tmp_path / "plane.gif")]) == 2
    assert "a movie has room for 4 planes" in capsys.readouterr().err
    assert not list(tmp_path.glob("plane.*"))


def test_a_run_of_thirty_layers_is_a_picture_of_a_page_s_height_at_most(tmp_path, write_run):
    sites = [f"encoder.layer{i // 3}.{i % 3}.conv2.relu" for i in range(30)]
    out = tmp_path / "plane.png"
    assert cli(["plane", str(write_run(tmp_path / "run.h5", sites=sites)), "-o", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.height < 2 * picture.width


def test_an_overlay_of_too_many_layers_names_an_arrangement_that_shows_them(tmp_path, write_run, capsys):
    path = write_run(tmp_path / "run.h5", sites=[f"fc{i}" for i in range(8)])
    other = write_run(tmp_path / "other.h5", sites=[f"fc{i}" for i in range(8)])
    out = tmp_path / "plane.png"
    assert cli(["plane", str(path), str(other), "--arrange", "overlay", "-o", str(out)]) == 2
    assert "there are 8 sites" in (said := capsys.readouterr().err)
    assert "planes beside each other show any number" in said
    assert not out.exists()
    assert cli(["plane", str(path), str(other), "--arrange", "beside", "-o", str(out)]) == 0
