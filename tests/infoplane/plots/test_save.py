"""Writing a picture to a file."""

import pytest
from matplotlib.figure import Figure

from infoplane.errors import InputError
from infoplane.plots import save


@pytest.mark.parametrize("name", ["x.xyz", "x", "x.mp4"])
def test_an_ending_of_no_picture_is_refused_in_one_sentence(tmp_path, name):
    with pytest.raises(InputError, match=r"does not end in \.png, \.pdf or \.svg, as a picture does$"):
        save(Figure().subplots(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_told_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"x\.png cannot be written \(No such file or directory\)"):
        save(Figure().subplots(), tmp_path / "none" / "x.png")


@pytest.mark.parametrize(("ending", "start"), [("PNG", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_a_picture_is_written_as_its_ending_says(tmp_path, ending, start):
    save(Figure().subplots(), tmp_path / f"x.{ending}")
    assert (tmp_path / f"x.{ending}").read_bytes().startswith(start)
