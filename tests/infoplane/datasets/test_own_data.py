"""A user's npz files and functions."""

import sys
import textwrap

import numpy as np
import pytest
import torch

from infoplane import datasets
from infoplane.errors import DatasetError, InputError

X = np.arange(40, dtype=np.float32).reshape(10, 2, 2)
Y = np.arange(10) % 2


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        return path

    return write


def parts(x=X, y=Y, n=7):
    return {"train_inputs": x[:n], "train_labels": y[:n], "test_inputs": x[n:], "test_labels": y[n:]}


def test_both_parts_are_read_as_they_are(npz):
    data = datasets.load("npz", root=npz(**parts(), note=np.array(["not looked at"])))
    assert (data.name, data.shape, data.classes, data.targets) == ("mine", (2, 2), 2, None)
    assert torch.equal(data.train_inputs, torch.from_numpy(X[:7]))
    assert data.test_labels.tolist() == Y[7:].tolist()
    assert "7 training and 3 test inputs, as the source splits them" in data.description


def test_inputs_and_labels_are_split_by_class(npz):
    data = datasets.load("npz", root=npz(inputs=X, labels=Y), test=0.4)
    assert data.train_labels.bincount().tolist() == [3, 3]
    assert data.test_labels.bincount().tolist() == [2, 2]
    assert torch.equal(data.test_inputs[:, 0, 0].long() // 4 % 2, data.test_labels)
    assert "fold 2 of 5" in datasets.load("npz", root=npz(inputs=X, labels=Y), fold="2/5").description


@pytest.mark.parametrize(
    ("labels", "options", "classes", "targets"),
    [
        (Y.astype(np.uint8), {}, 2, None),
        (Y.astype(bool), {}, 2, None),
        (Y, {"classes": 5}, 5, None),
        (Y[:, None], {}, 2, None),
        (Y.astype(float), {"task": "classes"}, 2, None),
        (Y.astype(float), {"classes": 3}, 3, None),
        (Y.astype(float), {"task": "numbers"}, None, 1),
        (Y, {"task": "numbers"}, None, 1),
        (Y + 0.5, {}, None, 1),
        (np.stack([Y + 0.5, Y], 1), {}, None, 2),
    ],
)
def test_labels_are_classes_or_numbers(npz, labels, options, classes, targets):
    data = datasets.load("npz", root=npz(**parts(y=labels)), **options)
    assert (data.classes, data.targets) == (classes, targets)
    expected = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    assert np.array_equal(data.train_labels.numpy(), expected[:7].astype(np.int64 if classes else np.float32))


def test_whole_numbers_are_tokens_only_where_a_vocabulary_is_given(npz):
    tokens = np.arange(30).reshape(10, 3) % 11
    plain = datasets.load("npz", root=npz(**parts(x=tokens)))
    assert (plain.vocabulary, plain.train_inputs.dtype) == (None, torch.float32)
    data = datasets.load("npz", root=npz(**parts(x=tokens)), vocabulary=11)
    assert (data.vocabulary, data.train_inputs.dtype, data.shape) == (11, torch.int64, (3,))
    assert next(iter(data.train_loader(2, seed=0)))[0].dtype == torch.int64


def test_standardisation_uses_the_training_part(npz):
    data = datasets.load("npz", root=npz(**parts()), standardize=True)
    mean, deviation = X[:7].mean(0), X[:7].std(0)
    assert np.allclose(data.train_inputs.numpy(), (X[:7] - mean) / deviation, atol=1e-6)
    assert np.allclose(data.test_inputs.numpy(), (X[7:] - mean) / deviation, atol=1e-6)


@pytest.mark.parametrize(
    ("arrays", "options", "error", "text"),
    [
        ({"inputs": X}, {}, DatasetError, r"no array 'labels'; needed are .*there is inputs"),
        ({"inputs": X, "label": Y}, {}, DatasetError, r"did you mean 'label'"),
        ({"train_inputs": X, "train_labels": Y}, {}, DatasetError, "no array 'test_inputs'"),
        ({"inputs": X[:5], "labels": Y}, {}, DatasetError, "5 inputs and 10 labels"),
        ({"inputs": X[:0], "labels": Y[:0]}, {}, DatasetError, "0 inputs"),
        ({"inputs": X[:, 0, 0], "labels": Y}, {}, DatasetError, r"inputs of shape \(10,\)"),
        ({"inputs": X * 1j, "labels": Y}, {}, DatasetError, "dtype complex"),
        ({"inputs": X.astype(str), "labels": Y}, {}, DatasetError, "inputs of dtype <U"),
        ({"inputs": np.where(X > 38, np.nan, X), "labels": Y}, {}, DatasetError, "inputs that are not finite"),
        ({"inputs": X.astype(float) * 1e38 * 10, "labels": Y}, {}, DatasetError, "beyond what float32"),
        ({"inputs": X, "labels": Y.astype(float)}, {}, InputError, "floats that are all whole; say task="),
        ({"inputs": X, "labels": Y - 1}, {}, InputError, "from -1 to 0; with 2 classes"),
        ({"inputs": X, "labels": Y * 9}, {"classes": 3}, InputError, "from 0 to 9; with 3 classes"),
        ({"inputs": X, "labels": Y + 0.5}, {"task": "classes"}, InputError, "not all whole"),
        ({"inputs": X, "labels": np.eye(2, dtype=int)[Y]}, {}, DatasetError, r"shape \(10, 2\); classes have shape"),
        ({"inputs": X, "labels": Y}, {"task": "numbers", "classes": 2}, InputError, "the task is numbers"),
        ({"inputs": X, "labels": Y}, {"vocabulary": 99}, InputError, "are float32; tokens are whole numbers"),
        (
            {"inputs": X.astype(int), "labels": Y},
            {"vocabulary": 30},
            InputError,
            "from 0 to 39; tokens go from 0 to 29",
        ),
        ({"inputs": X.astype(int), "labels": Y}, {"vocabulary": 40, "standardize": True}, InputError, "no mean"),
        (parts(), {"fold": (1, 2)}, InputError, "test part of its own"),
        ({**parts(), "test_inputs": X[7:, :1]}, {}, DatasetError, "training inputs of shape .* test inputs of"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(npz, arrays, options, error, text):
    with pytest.raises(error, match=text) as caught:
        datasets.load("npz", root=npz(**arrays), **options)
    assert "\n" not in str(caught.value)


class _Runs:
    def __reduce__(self):
        return (exec, ("import sys; sys.was_run = True",))


def test_nothing_in_an_npz_file_is_run(npz):
    with pytest.raises(DatasetError, match="cannot be read as an npz file"):
        datasets.load("npz", root=npz(inputs=np.array([_Runs()], dtype=object), labels=Y))
    assert not hasattr(sys, "was_run")


def test_files_of_another_kind_are_refused(tmp_path):
    np.save(tmp_path / "one.npy", X)
    (tmp_path / "text.npz").write_text("no arrays")
    (tmp_path / "empty.npz").write_bytes(b"")
    for name in ("one.npy", "text.npz", "empty.npz"):
        with pytest.raises(DatasetError, match="cannot be read as an npz file"):
            datasets.load("npz", root=tmp_path / name)


# Functions


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    def write(text, name="own_data_of_a_test"):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        monkeypatch.chdir(tmp_path)
        monkeypatch.delitem(sys.modules, name, raising=False)

    before = list(sys.path)
    yield write
    assert sys.path == before
    sys.modules.pop("own_data_of_a_test", None)


def test_a_function_of_the_current_folder_makes_a_data_set(own_module):
    own_module(
        """
        import numpy as np
        def blobs(count=20, shift=1.0):
            labels = np.arange(count) % 2
            return {"inputs": labels[:, None] * shift, "labels": labels}
        class Holder:
            @staticmethod
            def made():
                from infoplane import datasets
                return datasets.load("iris")
        """
    )
    data = datasets.load("own_data_of_a_test:blobs", shift=3.0)
    assert (data.name, data.classes, len(data.train_labels)) == ("blobs", 2, 16)
    assert torch.equal(data.train_inputs[:, 0], data.train_labels * 3.0)
    assert "what own_data_of_a_test:blobs returns" in data.description
    assert datasets.load("own_data_of_a_test:Holder.made").sha256 == datasets.load("iris").sha256


def test_the_folder_is_passed_on(own_module, tmp_path):
    own_module("def where(root): return {'inputs': [[len(str(root))]] * 4, 'labels': [0, 1, 0, 1]}")
    assert datasets.load("own_data_of_a_test:where", root=tmp_path).train_inputs[0, 0] == len(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("absent_module_of_a_test:f", {}, "there is no module 'absent_module_of_a_test'"),
        ("own_data_of_a_test:absent", {}, "has no 'absent'"),
        ("own_data_of_a_test:number", {}, "is no function, but of the type int"),
        ("own_data_of_a_test:fails", {}, r"own_data_of_a_test:fails failed \(ZeroDivisionError: division by zero\)"),
        ("own_data_of_a_test:fails", {"speed": 1}, "unexpected keyword argument 'speed'"),
        ("own_data_of_a_test:nothing", {}, "returned NoneType; a Dataset is needed, or a mapping"),
        ("own_data_of_a_test:half", {}, "no array 'labels'"),
        ("own_data_of_a_test:own", {}, "my own sentence"),
        ("own_data_of_a_test:", {}, "names no function"),
        ("a b:c", {}, "names no function"),
    ],
)
def test_functions_that_cannot_be_used_are_refused(own_module, name, options, text):
    own_module(
        """
        from infoplane.errors import DatasetError
        number = 3
        def fails(): return 1 / 0
        def nothing(): return None
        def half(): return {"inputs": [[1.0]]}
        def own(): raise DatasetError("my own sentence")
        """
    )
    with pytest.raises(DatasetError, match=text):
        datasets.load(name, **options)


def test_a_function_fetches_for_itself():
    with pytest.raises(DatasetError, match="leave out download"):
        datasets.load("some_module:function", download=True)
