"""Names, folders, downloads and options, and the digits: what `load` accepts and how it refuses the rest."""

import inspect

import pytest
import torch

from infoplane import datasets
from infoplane.datasets.sources import SOURCES
from infoplane.errors import DatasetError, InputError


def test_digits_are_scikit_learns_images_scaled_to_one():
    digits = datasets.load("digits")
    assert digits.train_inputs.shape == (1347, 1, 8, 8)
    assert digits.test_inputs.shape == (450, 1, 8, 8)
    assert (digits.name, digits.classes, digits.shape) == ("digits", 10, (1, 8, 8))
    assert digits.train_inputs.dtype == digits.test_inputs.dtype == torch.float32
    assert digits.train_labels.dtype == digits.test_labels.dtype == torch.int64
    from sklearn.datasets import load_digits

    source = load_digits()
    expected = sorted((*row, label) for row, label in zip(source.data.tolist(), source.target, strict=True))
    images = torch.cat([digits.train_inputs, digits.test_inputs]).flatten(1) * 16
    labels = torch.cat([digits.train_labels, digits.test_labels])
    assert sorted((*row, label.item()) for row, label in zip(images.tolist(), labels, strict=True)) == expected


def test_digits_are_split_by_class_and_the_same_in_every_process():
    digits = datasets.load("digits")
    whole = torch.bincount(torch.cat([digits.train_labels, digits.test_labels]))
    test = torch.bincount(digits.test_labels)
    assert (test - whole * 450 / 1797).abs().max().item() < 1
    assert digits.sha256 == "f669c3e15e54f01d905718e79385fe05b8e8cb843556eac3e4fcef8519c4477b"


def test_an_unknown_name_gives_the_near_ones():
    with pytest.raises(DatasetError, match=r"no data set 'mnits'; accepted: digits, iris, .*; did you mean 'mnist'"):
        datasets.load("mnits")


def test_the_name_of_a_file_says_how_files_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DatasetError, match=r"a file of your own is 'csv' or 'npz' with root='mine.csv'"):
        datasets.load("mine.csv")


@pytest.mark.parametrize("name", ["digits", "iris", "diabetes", "szt12"])
def test_what_needs_no_file_takes_no_folder_and_needs_no_download(tmp_path, name):
    with pytest.raises(DatasetError, match="leave out root="):
        datasets.load(name, root=tmp_path)
    assert datasets.load(name, download=True).sha256 == datasets.load(name).sha256


@pytest.mark.parametrize("name", sorted(name for name, it in SOURCES.items() if it.has_files and not it.can_fetch))
def test_what_cannot_be_fetched_refuses_to(tmp_path, name):
    with pytest.raises(DatasetError, match="cannot be fetched from here; leave out download"):
        datasets.load(name, root=tmp_path, download=True)


@pytest.mark.parametrize("name", sorted(name for name, it in SOURCES.items() if it.has_files))
def test_what_is_absent_is_said_in_one_sentence(tmp_path, name):
    options = {"target": "y"} if name == "csv" else {}
    with pytest.raises(DatasetError) as caught:
        datasets.load(name, root=tmp_path / "absent", **options)
    assert str(tmp_path) in str(caught.value)
    assert "root=" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_an_unknown_option_gives_the_near_ones(name):
    options = SOURCES[name].options
    wrong = f"{options[0]}s" if options else "size"
    with pytest.raises(InputError, match=f"data set '{name}' has no option '{wrong}'; accepted: ") as caught:
        datasets.load(name, **{wrong: 1})
    if options:
        assert f"did you mean '{options[0]}'" in str(caught.value)


def test_options_are_the_keywords_of_the_reader():
    assert SOURCES["cifar10"].options == ("normalize",)
    assert SOURCES["imdb"].options == ("vocabulary", "length", "fold", "split_seed")
    for source in SOURCES.values():
        kinds = {p.kind for name, p in inspect.signature(source.read).parameters.items() if name in source.options}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY}


def test_a_download_that_is_no_truth_value_is_refused():
    with pytest.raises(InputError, match="download is 'no'"):
        datasets.load("digits", download="no")
