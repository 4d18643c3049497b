"""Arrays of inputs and labels as a data set, whoever brings them: an npz file or a user's function.

The names are ``train_inputs``, ``train_labels``, ``test_inputs``, ``test_labels``; or ``inputs`` and ``labels``, which
are then split.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, near_names, one_of, true_or_false, whole_number
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.scale import standardized
from infoplane.datasets.split import split
from infoplane.datasets.table import TASKS
from infoplane.errors import DatasetError

PARTED = ("train_inputs", "train_labels", "test_inputs", "test_labels")
WHOLE = ("inputs", "labels")


def from_arrays(
    arrays: Mapping[str, Any],
    *,
    name: str,
    description: str,
    task: str | None = None,
    classes: int | None = None,
    vocabulary: int | None = None,
    standardize: bool = False,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return arrays as a data set.

    Parameters
    ----------
    arrays : mapping of str to array_like
        By the names above; further names are not looked at. Inputs have shape ``(n, ...)``; labels ``(n,)`` or, as
        numbers, ``(n, targets)``.
    name, description : str
        Of the data set.
    task : {"classes", "numbers"}, optional
        What labels are. Whole-number and boolean types are classes and floats numbers; floats that are all whole may be
        either, and it must be said.
    classes : int, optional
        Number of classes; the highest label + 1 when left out.
    vocabulary : int, optional
        Inputs are sequences of tokens, from 0 to ``vocabulary - 1``. Without it whole numbers become float32.
    standardize : bool
        Every value of an input less its mean over the training part, divided by its standard deviation there.
    test, fold, split_seed
        See `infoplane.datasets.split.split`; only for ``inputs`` and ``labels``.

    Raises
    ------
    InputError
        An option does not fit the arrays.
    DatasetError
        Names are missing, or arrays cannot be used.
    """
    true_or_false("standardize", standardize)
    if standardize and vocabulary is not None:
        raise InputError("standardize=True and vocabulary= are given; tokens are names and have no mean")
    names = PARTED if any(wanted in arrays for wanted in PARTED) else WHOLE
    for wanted in names:
        if wanted not in arrays:
            there = ", ".join(sorted(map(str, arrays))) or "nothing"
            raise DatasetError(
                f"{description} has no array {wanted!r}; needed are {', '.join(PARTED)}, or {' and '.join(WHOLE)}; "
                f"there is {there}{near_names(wanted, map(str, arrays))}"
            )
    found = {wanted: _array(arrays[wanted], wanted, description) for wanted in names}
    inputs = [_inputs(found[wanted], wanted, vocabulary) for wanted in names[::2]]
    labels, classes = _labels([found[wanted] for wanted in names[1::2]], names[1], task, classes)
    for x, y in zip(inputs, labels, strict=True):
        if len(x) != len(y):
            raise DatasetError(f"{description} has {len(x)} inputs and {len(y)} labels; as many of both are needed")
    if names is PARTED:
        if test is not None or fold is not None:
            raise InputError(f"{description} has a test part of its own; leave out test= and fold=")
        how = "as the source splits them"
        if inputs[0].shape[1:] != inputs[1].shape[1:]:
            shapes = " and test inputs of ".join(str(part.shape[1:]) for part in inputs)
            raise DatasetError(f"{description} has training inputs of shape {shapes}")
    else:
        parts = split(labels[0] if classes else None, len(labels[0]), test=test, fold=fold, seed=split_seed)
        inputs = [inputs[0][parts.train], inputs[0][parts.test]]
        labels = [labels[0][parts.train], labels[0][parts.test]]
        how = parts.said
    if standardize:
        inputs = [part.astype(np.float32) for part in standardized(*(part.astype(np.float64) for part in inputs))]
        how += ", standardised with mean and deviation of the training part"
    train_x, test_x, train_y, test_y = (torch.from_numpy(np.ascontiguousarray(part)) for part in (*inputs, *labels))
    return Dataset(
        name=name,
        train_inputs=train_x,
        train_labels=train_y,
        test_inputs=test_x,
        test_labels=test_y,
        classes=classes,
        description=f"{description}; {len(train_y)} training and {len(test_y)} test inputs, {how}",
        vocabulary=vocabulary,
    )


def _array(given: Any, name: str, description: str) -> NDArray[Any]:
    values = given.detach().cpu().numpy() if isinstance(given, torch.Tensor) else np.asarray(given)
    if values.dtype.kind not in "biuf":
        raise DatasetError(f"{description} has {name} of dtype {values.dtype}; numbers are needed")
    if values.ndim < (2 if name.endswith("inputs") else 1):
        wanted = "(n, ...)" if name.endswith("inputs") else "(n,)"
        raise DatasetError(f"{description} has {name} of shape {values.shape}; {wanted} is needed")
    if not len(values):
        raise DatasetError(f"{description} has 0 {name}")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DatasetError(f"{description} has values in {name} that are not finite")
    return values


def _inputs(values: NDArray[Any], name: str, vocabulary: int | None) -> NDArray[Any]:
    if vocabulary is None:
        # What float32 cannot hold becomes infinite; it is refused with a sentence, not with numpy's warning.
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32)
        if not np.isfinite(numbers).all():
            raise DatasetError(f"{name} has values beyond what float32 can hold")
        return numbers
    whole_number("vocabulary", vocabulary, least=1)
    if values.dtype.kind not in "iu":
        raise InputError(f"vocabulary is {vocabulary}, but {name} are {values.dtype}; tokens are whole numbers")
    if values.size and (values.min() < 0 or values.max() >= vocabulary):
        raise InputError(
            f"vocabulary is {vocabulary}, but {name} go from {values.min()} to {values.max()}; tokens go from 0 to "
            f"{vocabulary - 1}"
        )
    return values.astype(np.int64)


def _labels(
    found: list[NDArray[Any]], name: str, task: str | None, classes: int | None
) -> tuple[list[NDArray[Any]], int | None]:
    if task is not None:
        one_of("task", task, TASKS)
    found = [part[:, 0] if part.ndim == 2 and part.shape[1] == 1 else part for part in found]
    floats = any(part.dtype.kind == "f" for part in found)
    whole = all((part == np.round(part)).all() for part in found)
    if task is None and floats and whole and found[0].ndim == 1 and classes is None:
        raise InputError(f"{name} are floats that are all whole; say task='classes' or task='numbers'")
    if task == "numbers" or (task is None and classes is None and floats):
        if classes is not None:
            raise InputError(f"classes is {classes}, but the task is numbers")
        if any(part.ndim > 2 for part in found):
            raise DatasetError(f"{name} have shape {found[0].shape}; numbers have shape (n,) or (n, targets)")
        return [part.astype(np.float32) for part in found], None
    if any(part.ndim != 1 for part in found):
        raise DatasetError(
            f"{name} have shape {found[0].shape}; classes have shape (n,), each label a whole number from 0"
        )
    if not whole:
        raise InputError(f"{name} are not all whole numbers, so they are no classes; say task='numbers'")
    low, high = min(float(part.min()) for part in found), max(float(part.max()) for part in found)
    count = whole_number("classes", classes, least=2) if classes is not None else max(int(high) + 1, 2)
    if low < 0 or high >= count:
        raise InputError(f"{name} go from {low:g} to {high:g}; with {count} classes they go from 0 to {count - 1}")
    return [part.astype(np.int64) for part in found], count
