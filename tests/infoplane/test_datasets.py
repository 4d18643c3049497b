"""The digits as shipped; MNIST from files real, made up, damaged and absent; a broken torchvision."""

import dataclasses
import importlib.util
import math
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from infoplane import datasets
from infoplane.errors import DatasetError, InputError

FILES = {
    "train-images-idx3-ubyte": 60,
    "train-labels-idx1-ubyte": 60,
    "t10k-images-idx3-ubyte": 20,
    "t10k-labels-idx1-ubyte": 20,
}
needs_torchvision = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="torchvision is not installed"
)


def entropy_bits(labels: torch.Tensor) -> float:
    p = torch.bincount(labels).double() / len(labels)
    return -(p * p.log()).sum().item() / math.log(2)


@pytest.fixture(scope="module")
def digits() -> datasets.Dataset:
    return datasets.load("digits")


# Digits


def test_digits_are_scikit_learns_images_scaled_to_one(digits):
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


def test_digits_are_split_by_class(digits):
    whole = torch.bincount(torch.cat([digits.train_labels, digits.test_labels]))
    test = torch.bincount(digits.test_labels)
    assert (test - whole * 450 / 1797).abs().max().item() < 1


def test_digits_are_the_same_in_every_process(digits):
    assert digits.sha256 == "f669c3e15e54f01d905718e79385fe05b8e8cb843556eac3e4fcef8519c4477b"


def test_sha256_tells_values_and_order_apart(digits):
    other = dataclasses.replace(digits, test_labels=digits.test_labels.flip(0))
    assert other.sha256 != digits.sha256
    assert dataclasses.replace(digits).sha256 == digits.sha256


# Loaders


def test_loaders_give_every_row_once_in_batches(digits):
    loader = digits.train_loader(100, seed=0)
    batches = list(loader)
    assert len(loader) == len(batches) == 14
    assert [len(y) for _, y in batches] == [100] * 13 + [47]
    seen = torch.cat([x for x, _ in batches])
    assert seen.shape == digits.train_inputs.shape
    order = sorted(map(tuple, seen.flatten(1).tolist()))
    assert order == sorted(map(tuple, digits.train_inputs.flatten(1).tolist()))
    test = list(digits.test_loader(450))
    assert torch.equal(test[0][0], digits.test_inputs)
    assert torch.equal(test[0][1], digits.test_labels)


def test_images_stay_with_their_labels(digits):
    rows = [tuple(row) for row in digits.train_inputs.flatten(1).tolist()]
    known = dict(zip(rows, digits.train_labels.tolist(), strict=True))
    for x, y in digits.train_loader(64, seed=5):
        assert [known[tuple(row)] for row in x.flatten(1).tolist()] == y.tolist()


def test_order_is_fixed_by_the_seed_and_differs_between_epochs(digits):
    def epochs(seed: int) -> list[list[int]]:
        loader = digits.train_loader(50, seed=seed)
        return [torch.cat([y for _, y in loader]).tolist() for _ in range(2)]

    assert epochs(1) == epochs(1)
    assert epochs(1)[0] != epochs(1)[1]
    assert epochs(1)[0] != epochs(2)[0]
    unshuffled = digits.train_loader(50, seed=1, shuffle=False)
    assert torch.cat([y for _, y in unshuffled]).tolist() == digits.train_labels.tolist()


def test_loading_and_iterating_leave_the_global_random_states():
    states = torch.get_rng_state(), str(np.random.get_state()), random.getstate()
    data = datasets.load("digits")
    list(data.train_loader(100, seed=0))
    list(data.test_loader(100))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert str(np.random.get_state()) == states[1]
    assert random.getstate() == states[2]


@pytest.mark.parametrize("batch_size", [0, -3, 2.5, True, "10"])
def test_a_bad_batch_size_is_refused(digits, batch_size):
    with pytest.raises(InputError, match="batch_size="):
        digits.test_loader(batch_size)
    with pytest.raises(InputError, match="batch_size="):
        digits.train_loader(batch_size, seed=0)


def test_a_bad_seed_is_refused(digits):
    with pytest.raises(InputError, match="seed=-1"):
        digits.train_loader(10, seed=-1)


# Names


def test_an_unknown_name_gives_the_near_ones():
    text = r"no data set 'mnits'; accepted: digits, mnist, szt12, szt12-mat; did you mean 'mnist'"
    with pytest.raises(DatasetError, match=text):
        datasets.load("mnits")


def test_digits_take_no_folder(tmp_path):
    with pytest.raises(DatasetError, match="leave out root="):
        datasets.load("digits", root=tmp_path)


# MNIST


def write_mnist(root: Path) -> Path:
    """A made-up set in MNIST's layout: image i is filled with grey value i, its label is i % 10."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in FILES.items():
        if "images" in name:
            pixels = np.repeat(np.arange(count, dtype=np.uint8), 28 * 28)
            content = struct.pack(">IIII", 0x803, count, 28, 28) + pixels.tobytes()
        else:
            content = struct.pack(">II", 0x801, count) + bytes(i % 10 for i in range(count))
        (raw / name).write_bytes(content)
    return raw


@needs_torchvision
def test_mnist_is_read_from_torchvisions_layout(tmp_path, monkeypatch):
    write_mnist(tmp_path)
    monkeypatch.setenv("INFOPLANE_DATA", str(tmp_path))
    data = datasets.load("mnist")
    assert data.shape == (1, 28, 28)
    assert data.train_inputs[:, 0, 3, 4].tolist() == pytest.approx([i / 255 for i in range(60)])
    assert data.test_labels.tolist() == [i % 10 for i in range(20)]
    assert "60 training and 20 test images" in data.description
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("INFOPLANE_DATA", str(elsewhere))
    assert datasets.load("mnist", root=tmp_path).sha256 == data.sha256


@needs_torchvision
def test_without_argument_and_variable_the_cache_is_looked_in(tmp_path, monkeypatch):
    monkeypatch.delenv("INFOPLANE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DatasetError) as caught:
        datasets.load("mnist")
    assert str(tmp_path / "infoplane" / "MNIST" / "raw") in str(caught.value)
    write_mnist(tmp_path / "infoplane")
    assert len(datasets.load("mnist").train_labels) == 60


@needs_torchvision
def test_absent_mnist_says_where_it_looked_and_how_to_get_it(tmp_path):
    raw = write_mnist(tmp_path)
    (raw / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DatasetError) as caught:
        datasets.load("mnist", root=tmp_path)
    text = str(caught.value)
    assert str(raw) in text
    assert "t10k-labels-idx1-ubyte missing" in text
    assert "INFOPLANE_DATA" in text
    assert "download=True" in text
    assert "\n" not in text


@needs_torchvision
@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("damage", ["cut", "empty", "header", "noise", "longer"])
def test_damaged_mnist_is_refused_in_one_sentence(tmp_path, name, damage):
    raw = write_mnist(tmp_path)
    content = (raw / name).read_bytes()
    changed = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "header": content[:6],
        "noise": bytes(range(256)) * 4,
        "longer": content + b"\0" * 100,
    }[damage]
    (raw / name).write_bytes(changed)
    with pytest.raises(DatasetError) as caught:
        datasets.load("mnist", root=tmp_path)
    assert str(raw) in str(caught.value)
    assert "damaged" in str(caught.value)
    assert "\n" not in str(caught.value)


@needs_torchvision
def test_labels_that_do_not_fit_the_images_are_refused(tmp_path):
    raw = write_mnist(tmp_path)
    (raw / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 59) + b"\1" * 59)
    with pytest.raises(DatasetError, match=r"training part.*damaged.*60 images and 59 labels"):
        datasets.load("mnist", root=tmp_path)
    (raw / "train-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 60) + b"\x0b" * 60)
    with pytest.raises(DatasetError, match="labels from 11 to 11"):
        datasets.load("mnist", root=tmp_path)


@needs_torchvision
@pytest.mark.skipif(
    not (Path(os.environ.get("INFOPLANE_DATA") or "absent") / "MNIST" / "raw").is_dir(),
    reason="the variable INFOPLANE_DATA names no folder with MNIST",
)
def test_the_real_mnist():
    data = datasets.load("mnist")
    assert data.train_inputs.shape == (60000, 1, 28, 28)
    assert data.test_inputs.shape == (10000, 1, 28, 28)
    assert entropy_bits(data.train_labels) == pytest.approx(3.31987, abs=5e-6)
    assert entropy_bits(data.test_labels) == pytest.approx(3.31942, abs=5e-6)
    for inputs in (data.train_inputs, data.test_inputs):
        assert (inputs.min().item(), inputs.max().item()) == (0.0, 1.0)
    assert data.train_inputs.mean().item() == pytest.approx(0.1307, abs=5e-5)
    assert sum(len(y) for _, y in data.train_loader(100, seed=0)) == 60000


# torchvision that does not import


BROKEN = {
    "raise RuntimeError('operator torchvision::nms does not exist')": "operator torchvision::nms does not",
    "raise OSError('libcudart.so.12: cannot open shared object file')": "libcudart.so.12: cannot open",
    "raise AttributeError('torchvision has no attribute extension')": "has no attribute extension",
    "import package_that_is_not_there": "No module named 'package_that_is_not_there'",
}


@pytest.mark.parametrize("line", sorted(BROKEN))
def test_a_torchvision_that_does_not_import_refuses_only_mnist(tmp_path, line):
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(line + "\n")
    script = """
import sys
import infoplane
from infoplane import datasets
from infoplane.errors import DatasetError
assert "torchvision" not in sys.modules
assert len(datasets.load("digits").test_labels) == 450
try:
    datasets.load("mnist")
except DatasetError as error:
    print(error)
"""
    paths = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )
    assert done.returncode == 0, done.stderr
    (text,) = done.stdout.splitlines()
    assert BROKEN[line] in text
    assert "torchvision, which does not import here" in text
    assert "everything else works" in text


@pytest.mark.skipif(importlib.util.find_spec("torchvision") is not None, reason="torchvision is installed")
def test_an_absent_torchvision_refuses_mnist():
    with pytest.raises(DatasetError, match=r"does not import here.*No module named 'torchvision'.*digits"):
        datasets.load("mnist")


def test_importing_the_data_sets_imports_neither_library():
    script = (
        "import sys, infoplane.datasets; "
        "print([name for name in ('torchvision', 'sklearn', 'pandas', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
