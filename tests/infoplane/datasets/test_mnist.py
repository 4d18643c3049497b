"""MNIST, Fashion-MNIST and sequential MNIST, from files real, made up, damaged and absent; a broken torchvision."""

import importlib.util
import math
import os
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
has_mnist = pytest.mark.skipif(
    not (Path(os.environ.get("INFOPLANE_DATA") or "absent") / "MNIST" / "raw").is_dir(),
    reason="the variable INFOPLANE_DATA names no folder with MNIST",
)


def entropy_bits(labels: torch.Tensor) -> float:
    p = torch.bincount(labels).double() / len(labels)
    return -(p * p.log()).sum().item() / math.log(2)


def write_mnist(root: Path, kind: str = "MNIST") -> Path:
    """A made-up set in MNIST's layout: image i is filled with grey value i, its label is i % 10."""
    raw = root / kind / "raw"
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
@has_mnist
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
    assert torch.bincount(data.train_labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert torch.bincount(data.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.sha256 == "f9d22c85ce68f56cd5f2eda37434cedcf73f1d44ecb50765054606e012f19bbf"


# Fashion-MNIST, sequences, normalisation, download


@needs_torchvision
def test_fashion_mnist_lies_in_a_folder_of_its_own(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(DatasetError, match=r"Fashion-MNIST is not in .*FashionMNIST.raw"):
        datasets.load("fashion-mnist", root=tmp_path)
    write_mnist(tmp_path, "FashionMNIST")
    data = datasets.load("fashion-mnist", root=tmp_path)
    assert (data.name, data.shape, data.classes, len(data.test_labels)) == ("fashion-mnist", (1, 28, 28), 10, 20)
    assert "articles of clothing" in data.description


@needs_torchvision
def test_normalised_images_have_mean_0_and_deviation_1_over_the_training_part(tmp_path):
    write_mnist(tmp_path)
    plain = datasets.load("mnist", root=tmp_path)
    data = datasets.load("mnist", root=tmp_path, normalize="training")
    assert data.train_inputs.mean().item() == pytest.approx(0, abs=1e-5)
    assert data.train_inputs.std(correction=0).item() == pytest.approx(1, abs=1e-5)
    mean, deviation = np.arange(60).mean() / 255, np.arange(60).std() / 255
    assert torch.allclose(data.test_inputs, (plain.test_inputs - mean) / deviation, atol=1e-5)
    assert f"({mean:.4f} and {deviation:.4f})" in data.description
    with pytest.raises(InputError, match=r"normalize is 'test', but it is one of 'training'"):
        datasets.load("mnist", root=tmp_path, normalize="test")


@needs_torchvision
@has_mnist
def test_sequences_are_the_images_row_by_row():
    images = datasets.load("mnist")
    pixels, rows = datasets.load("sequential-mnist"), datasets.load("sequential-mnist", by="row")
    assert (pixels.shape, rows.shape) == ((784, 1), (28, 28))
    for place in (0, 59_999):
        assert pixels.train_inputs[place, 28 * 13 + 5, 0] == images.train_inputs[place, 0, 13, 5]
        assert torch.equal(rows.train_inputs[place, 13], images.train_inputs[place, 0, 13])
    assert torch.equal(pixels.test_labels, images.test_labels)
    assert "pixel by pixel" in pixels.description
    with pytest.raises(InputError, match="by is 'column'"):
        datasets.load("sequential-mnist", by="column")


@needs_torchvision
def test_nothing_is_downloaded_unless_asked_and_a_failure_is_one_sentence(tmp_path, monkeypatch):
    import torchvision.datasets as vision

    asked = []

    def no_network(self):
        asked.append(self.root)
        raise RuntimeError("no network\nhere")

    monkeypatch.setattr(vision.MNIST, "download", no_network)
    with pytest.raises(DatasetError, match="download=True"):
        datasets.load("mnist", root=tmp_path)
    assert not asked
    with pytest.raises(DatasetError, match=r"MNIST cannot be fetched to .*\(RuntimeError: no network here\)"):
        datasets.load("mnist", root=tmp_path, download=True)
    assert asked == [str(tmp_path)]


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
