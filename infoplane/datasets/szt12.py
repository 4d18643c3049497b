"""The 12-bit binary input task of Shwartz-Ziv and Tishby (2017): rebuilt, or read from a file of one's own.

``load("szt12")`` is rebuilt from the published rule, as `infoplane.analysis.known.szt12` says: no file is needed.
``load("szt12-mat", root=...)`` reads the authors' file ``var_u.mat``: array F of shape (4096, 12), the patterns, and
array y of 4096 labels. Nothing is ever downloaded here. A fifth of the patterns, drawn class by class, is the test
part.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infoplane.datasets.dataset import Dataset
from infoplane.errors import DatasetError

_FILE = "var_u.mat"
_BITS = 12
_PATTERNS = 2**_BITS
_TEST_PATTERNS = 820


def load_szt12() -> Dataset:
    """Return the rebuilt task: 3,276 training and 820 test patterns of shape (12,), 0 or 1, 2 classes.

    A pattern's label is the one without noise, 1 where f(x) is above theta.
    """
    from infoplane.analysis.known.szt12 import rotation_task

    task = rotation_task()
    said = f"rebuilt from the rule of Shwartz-Ziv and Tishby 2017; I(X;Y) = {task.mutual_information():.4g} bit"
    return _split("szt12", task.inputs, task.labels, said)


def load_szt12_mat(root: str | os.PathLike[str] | None) -> Dataset:
    """Return the task as a file holds it.

    Parameters
    ----------
    root : path
        The file, or the folder in which ``var_u.mat`` lies.

    Raises
    ------
    DatasetError
        No path is given, the file is absent or no MATLAB file, or its arrays are not F (4096, 12) of 0 and 1 (or -1 and
        1) and y of 4096 labels 0 and 1.
    """
    if root is None:
        raise DatasetError(
            f"the data set 'szt12-mat' is read from a file; give root=, the path of {_FILE} or its folder"
        )
    given = Path(root).expanduser()
    path = given / _FILE if given.is_dir() else given
    if not path.is_file():
        raise DatasetError(
            f"{path} is not a file; give root=, the path of {_FILE} or its folder, or load 'szt12', which needs no file"
        )
    arrays = _arrays(path)
    patterns, labels = arrays["F"], arrays["y"]
    if patterns.shape != (_PATTERNS, _BITS) or labels.size != _PATTERNS:
        raise DatasetError(
            f"{path} has F of shape {patterns.shape} and y of shape {labels.shape}; F ({_PATTERNS}, {_BITS}) and "
            f"{_PATTERNS} labels y are needed"
        )
    inputs = _binary(path, "F", patterns)
    if len(np.unique(inputs, axis=0)) < _PATTERNS:
        raise DatasetError(f"{path} has patterns twice in F; all {_PATTERNS} patterns of {_BITS} bits are needed")
    return _split("szt12-mat", inputs, _binary(path, "y", labels).ravel(), f"read from {path.name}")


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    try:
        # A file of another kind fails in as many ways as there are kinds.
        found = loadmat(path, variable_names=["F", "y"])
    except Exception as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise DatasetError(f"{path} cannot be read as a MATLAB file ({type(error).__name__}: {reason})") from error
    missing = [name for name in ("F", "y") if name not in found]
    if missing:
        raise DatasetError(
            f"{path} has no array {' and no array '.join(missing)}; F ({_PATTERNS}, {_BITS}) and y are needed"
        )
    return {name: np.asarray(found[name]) for name in ("F", "y")}


def _binary(path: Path, name: str, array: NDArray[Any]) -> NDArray[np.int64]:
    """Return an array of 0 and 1, or of -1 and 1, as 0 and 1."""
    if array.dtype.kind in "biuf":
        values = set(np.unique(array).tolist())
        if values <= {0, 1} or values <= {-1, 1}:
            bits: NDArray[np.int64] = (array > 0).astype(np.int64)
            return bits
    raise DatasetError(f"{path} has entries in {name} that are neither 0 and 1 nor -1 and 1")


def _split(name: str, inputs: NDArray[np.int64], labels: NDArray[np.int64], said: str) -> Dataset:
    from sklearn.model_selection import train_test_split

    if np.bincount(labels, minlength=2).min() < 2:
        raise DatasetError(f"the data set {name!r} has fewer than two patterns of a label; both 0 and 1 are needed")
    parts = train_test_split(
        inputs.astype(np.float32), labels, test_size=_TEST_PATTERNS, random_state=0, stratify=labels
    )
    train_x, test_x, train_y, test_y = map(torch.from_numpy, parts)
    return Dataset(
        name=name,
        train_inputs=train_x,
        train_labels=train_y,
        test_inputs=test_x,
        test_labels=test_y,
        classes=2,
        description=(
            f"12-bit binary input task, {said}; {len(train_y)} training and {len(test_y)} test patterns, split by "
            "class with seed 0"
        ),
    )
