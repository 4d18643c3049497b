"""A table of one's own in a csv file, or a folder with ``train.csv`` and ``test.csv``.

Read by pandas; an empty field, ``NA``, ``NaN`` and ``?`` are missing values. Nothing in the file is run.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infoplane.analysis.errors import InputError
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import reason
from infoplane.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd


def load_csv(
    root: str | os.PathLike[str] | None,
    *,
    target: str | Sequence[str] | None = None,
    task: str | None = None,
    categorical: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
    missing: str = "refuse",
    standardize: bool = True,
    separator: str = ",",
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return a csv file as a data set.

    Parameters
    ----------
    root : path
        The file, with the names of the columns in its first line; or a folder with ``train.csv`` and ``test.csv``.
    target : str or sequence of str
        Column, or columns, to be predicted.
    separator : str
        Between two fields.
    task, categorical, drop, missing, standardize, test, fold, split_seed
        See `infoplane.datasets.table.tabulate`.

    Raises
    ------
    InputError
        An option does not fit the table.
    DatasetError
        The file is absent, cannot be read, or has values that cannot be used.
    """
    from infoplane.datasets.table import tabulate

    if root is None:
        raise DatasetError("the data set 'csv' is read from a file; give root=, its path")
    if target is None:
        raise InputError("the data set 'csv' needs target=, the column to be predicted")
    path = Path(root).expanduser()
    held_out = None
    if path.is_dir():
        frame, held_out = (read_csv(path / f"{part}.csv", separator=separator) for part in ("train", "test"))
    else:
        frame = read_csv(path, separator=separator)
    return tabulate(
        frame,
        held_out=held_out,
        name=path.stem,
        description=f"the table {path.name}",
        target=target,
        task=task,
        categorical=categorical,
        drop=drop,
        missing=missing,
        standardize=standardize,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )


def read_csv(path: Path, *, separator: str = ",") -> "pd.DataFrame":
    """Return the table in a file; DatasetError when there is none."""
    import pandas as pd

    if not isinstance(separator, str) or len(separator) != 1:
        raise InputError(f"separator is {separator!r}, but it is one character, such as ',' or ';'")
    if not path.is_file():
        raise DatasetError(f"{path} is not a file; give root=, the path of a csv file")
    try:
        # Whatever is wrong with a file, pandas has an exception of its own for it.
        frame = pd.read_csv(path, sep=separator, skipinitialspace=True, na_values=["?"], index_col=False)
    except Exception as error:
        raise DatasetError(f"{path} cannot be read as a table ({reason(error)})") from error
    if frame.empty:
        raise DatasetError(f"{path} has no rows")
    if frame.shape[1] == 1:
        raise DatasetError(
            f"{path} has only one column, {str(frame.columns[0])[:60]!r}; is {separator!r} its separator=?"
        )
    return frame
