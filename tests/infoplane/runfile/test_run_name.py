"""A run file is called as HDF5 and NeXus files are; what is read may be called anything."""

import shutil

import pytest
import torch
from torch import nn

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.run_name import check_run_name
from infoplane.training import read_settings, train


def recorded(path):
    model, x, y = nn.Sequential(nn.Linear(2, 2)), torch.randn(8, 2), torch.arange(8) % 2
    with ip.record(model, path, sites="0", classes=2, latent=2) as rec:
        (model(x).sum() + rec.loss(y)).backward()
        rec.measure([(x, y)])


@pytest.mark.parametrize("name", ["run.h5", "RUN.H5", "a.b.hdf5", "run.nxs", "lr=0.1,seed=0.h5"])
def test_endings_of_hdf5_and_nexus_are_taken(tmp_path, name):
    check_run_name(tmp_path / name)


@pytest.mark.parametrize(("name", "other"), [("x.txt", "x.txt.h5"), ("x", "x.h5"), ("x.ckpt", "x.ckpt.h5")])
def test_every_way_to_write_a_run_file_refuses_another_ending(tmp_path, name, other):
    path = tmp_path / name
    recorded(tmp_path / "run.h5")
    text = rf"{name} does not end in \.h5, \.hdf5 or \.nxs, as a run file does; call it .*/{other}$"
    with pytest.raises(InputError, match=text):
        ip.record(nn.Linear(2, 2), path, classes=2)
    with pytest.raises(InputError, match=text):
        train(read_settings(None, {}), path)
    with pytest.raises(InputError, match=text):
        ip.recover(tmp_path / "run.h5", path)
    assert [one.name for one in tmp_path.iterdir()] == ["run.h5"]


def test_what_is_read_is_told_by_its_content(tmp_path):
    recorded(tmp_path / "run.h5")
    shutil.move(tmp_path / "run.h5", tmp_path / "run.txt")
    with ip.open_run(tmp_path / "run.txt") as run:
        assert run.status == "finished"


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("a" * 300 + ".h5", RunFileError, r"a\.h5: cannot be created \("),
        ("text.h5/x.h5", RunFileError, r"text\.h5/x\.h5: cannot be created, because .*text\.h5 is no folder$"),
        ("text.h5/deep/x.h5", RunFileError, r"because .*text\.h5 is no folder$"),
        ("none/x.h5", RunFileError, r"none/x\.h5: cannot be created, because its folder does not exist$"),
        ("", InputError, "the path is empty or '.', which names no file"),
        ("folder", InputError, r"folder is a folder, not the name of a run file; one in it is folder/run\.h5$"),
        ("folder.h5", RunFileError, r"folder\.h5: cannot be written, because it exists and is no file"),
    ],
)
def test_what_can_be_no_run_file_is_refused_in_a_true_sentence(tmp_path, monkeypatch, name, error, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.h5").write_text("a file")
    for folder in ("folder", "folder.h5"):
        (tmp_path / folder).mkdir()
    with pytest.raises(error, match=text):
        recorded(name)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "folder.h5", "text.h5"]
