"""The 12-bit task as a data set: rebuilt, and from files made up, damaged and absent."""

import numpy as np
import pytest
import torch
from scipy.io import savemat

from infoplane import datasets
from infoplane.analysis.known import rotation_task
from infoplane.errors import DatasetError

NUMBERS = np.arange(4096)
PATTERNS = (NUMBERS[::-1, None] >> np.arange(12)) & 1
PARITY = PATTERNS.sum(axis=1) % 2


def whole(data):
    """Return all patterns as their numbers, and their labels, in the order of the numbers."""
    inputs = torch.cat([data.train_inputs, data.test_inputs]).numpy()
    labels = torch.cat([data.train_labels, data.test_labels]).numpy()
    numbers = (inputs @ 2.0 ** np.arange(12)).astype(int)
    order = np.argsort(numbers)
    return numbers[order], labels[order]


def test_rebuilt_task_holds_every_pattern_with_its_label():
    data = datasets.load("szt12")
    numbers, labels = whole(data)
    assert np.array_equal(numbers, NUMBERS)
    assert np.array_equal(labels, rotation_task().labels)
    assert (data.name, data.classes, data.shape) == ("szt12", 2, (12,))
    assert (data.train_inputs.dtype, data.train_labels.dtype) == (torch.float32, torch.int64)
    assert "I(X;Y) = 0.99 bit" in data.description


def test_a_fifth_is_the_test_part_split_by_class_and_always_the_same():
    data = datasets.load("szt12")
    assert (len(data.train_labels), len(data.test_labels)) == (3276, 820)
    assert data.test_labels.sum().item() == pytest.approx(2118 / 4096 * 820, abs=1)
    assert data.sha256 == datasets.load("szt12").sha256


@pytest.mark.parametrize("where", ["file", "folder", "text"])
def test_a_file_is_read(tmp_path, where):
    path = tmp_path / "var_u.mat"
    savemat(path, {"F": PATTERNS, "y": PARITY[None, :]})
    data = datasets.load("szt12-mat", root={"file": path, "folder": tmp_path, "text": str(path)}[where])
    numbers, labels = whole(data)
    assert np.array_equal(numbers, NUMBERS)
    assert np.array_equal(labels, PARITY[::-1])
    assert (len(data.train_labels), len(data.test_labels), data.name) == (3276, 820, "szt12-mat")


def test_signs_are_read_as_bits(tmp_path):
    path = tmp_path / "signs.mat"
    savemat(path, {"F": 2.0 * PATTERNS - 1, "y": PARITY[:, None].astype(float)})
    assert np.array_equal(whole(datasets.load("szt12-mat", root=path))[1], PARITY[::-1])


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"F": PATTERNS[:, :11], "y": PARITY}, r"F of shape \(4096, 11\)"),
        ({"F": PATTERNS, "y": PARITY[:-1]}, r"y of shape \(1, 4095\)"),
        ({"F": PATTERNS}, "has no array y"),
        ({"x": PATTERNS}, "has no array F and no array y"),
        ({"F": PATTERNS + 1, "y": PARITY}, "entries in F that are neither 0 and 1"),
        ({"F": PATTERNS, "y": PARITY * 0.5}, "entries in y that are neither 0 and 1"),
        ({"F": PATTERNS, "y": PARITY * 0}, "fewer than two patterns of a label"),
        ({"F": PATTERNS, "y": NUMBERS == 7}, "fewer than two patterns of a label"),
        ({"F": PATTERNS * 0, "y": PARITY}, "patterns twice"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path, arrays, text):
    path = tmp_path / "var_u.mat"
    savemat(path, arrays)
    with pytest.raises(DatasetError, match=text):
        datasets.load("szt12-mat", root=path)


@pytest.mark.parametrize("content", [b"", b"no matlab file at all, only some text", bytes(200)])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "var_u.mat"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="cannot be read as a MATLAB file"):
        datasets.load("szt12-mat", root=path)


def test_an_absent_file_is_said(tmp_path):
    with pytest.raises(DatasetError, match=r"var_u.mat is not a file.*load 'szt12', which needs no file"):
        datasets.load("szt12-mat", root=tmp_path)
    with pytest.raises(DatasetError, match="give root="):
        datasets.load("szt12-mat")


def test_the_rebuilt_task_has_no_folder(tmp_path):
    with pytest.raises(DatasetError, match="'szt12' is computed and has no folder"):
        datasets.load("szt12", root=tmp_path)
