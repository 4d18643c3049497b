"""Text beside the axes, and files."""

from pathlib import Path

import matplotlib as mpl

import infoplane as ip
from infoplane.plots import planes, surface
from infoplane.plots.caption import wrapped


def test_wrapped_breaks_at_the_width_and_keeps_protected_spaces():
    assert wrapped("one two three", 1e6) == "one two three"
    assert wrapped("one two three", 1) == "one\ntwo\nthree"
    assert wrapped("n = 3 rest", 1) == wrapped("n\u00a0=\u00a03 rest", 1) == "n\u00a0=\u00a03\nrest"


def test_the_library_chooses_no_backend():
    for path in Path(ip.plots.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "matplotlib.use(" not in source
        assert "mpl.use(" not in source
        assert ".show()" not in source.replace("plt.show()`", "")


def test_save_writes_the_whole_figure_and_closes_it(tmp_path, write_run):
    import matplotlib.pyplot as plt

    from infoplane.plots import save

    before, settings = plt.get_fignums(), dict(mpl.rcParams)
    save(surface(), tmp_path / "surface.svg")
    save(planes([write_run(tmp_path / "first.h5")]), tmp_path / "planes.png")
    assert plt.get_fignums() == before
    assert dict(mpl.rcParams) == settings
    assert "<text" in (tmp_path / "surface.svg").read_text()
    assert (tmp_path / "planes.png").read_bytes().startswith(b"\x89PNG")
