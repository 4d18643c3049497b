"""Arrays of one's own in an npz file, as `numpy.savez` writes it.

``allow_pickle`` is off: an array of Python objects, which could run code, is refused.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import reason
from infoplane.errors import DatasetError


def load_npz(
    root: str | os.PathLike[str] | None,
    *,
    task: str | None = None,
    classes: int | None = None,
    vocabulary: int | None = None,
    standardize: bool = False,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return an npz file as a data set.

    Parameters
    ----------
    root : path
        The file, with the arrays that `infoplane.datasets.arrays.from_arrays` names.
    task, classes, vocabulary, standardize, test, fold, split_seed
        See there.

    Raises
    ------
    InputError
        An option does not fit the arrays.
    DatasetError
        The file is absent, cannot be read, or its arrays cannot be used.
    """
    from infoplane.datasets.arrays import PARTED, WHOLE, from_arrays

    if root is None:
        raise DatasetError("the data set 'npz' is read from a file; give root=, its path")
    path = Path(root).expanduser()
    if not path.is_file():
        raise DatasetError(f"{path} is not a file; give root=, the path of an npz file")
    try:
        with np.load(path, allow_pickle=False) as file:
            # An npy file gives an array here, which has no names.
            arrays = {name: file[name] if name in (*PARTED, *WHOLE) else None for name in file.files}
    except Exception as error:
        raise DatasetError(f"{path} cannot be read as an npz file ({reason(error)})") from error
    return from_arrays(
        arrays,
        name=path.stem,
        description=f"the file {path.name}",
        task=task,
        classes=classes,
        vocabulary=vocabulary,
        standardize=standardize,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )
