"""``infoplane surface``: which picture it writes, and what it refuses before it draws."""

import pytest

from infoplane.cli import run as cli


@pytest.fixture
def drawn(monkeypatch):
    """Names of the axes of the pictures that were written, in order."""
    import infoplane as ip

    names, real = [], ip.plots.save

    def record(ax, path):
        names.append(ax.name)
        real(ax, path)

    monkeypatch.setattr(ip.plots, "save", record)
    return names


def test_the_style_says_whether_it_is_a_map_or_in_perspective(tmp_path, drawn, capsys):
    for style in ([], ["--style", "map"], ["--style", "3d"]):
        assert cli(["surface", "--points", "20", "-o", str(tmp_path / f"{len(drawn)}.svg"), *style]) == 0
    assert drawn == ["rectilinear", "rectilinear", "3d"]
    assert {path.name for path in tmp_path.iterdir()} == {"0.svg", "1.svg", "2.svg"}
    assert capsys.readouterr().out.count("min ") == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--style", "3D"], "--style is '3D', but it must be one of map, 3d"),
        (["--style", "3d", "--as-printed"], "--as-printed is for --style map alone"),
    ],
)
def test_styles_that_cannot_be_drawn_are_refused_in_one_line(tmp_path, capfd, options, said):
    assert cli(["surface", "-o", str(tmp_path / "x.png"), *options]) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())
