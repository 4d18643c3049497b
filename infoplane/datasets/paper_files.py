"""Tables of Hofmann and Mäder (2022), Table IV, that a user fetches by hand: thyroid, life expectancy, mesothelioma."""

import os
from collections.abc import Sequence
from pathlib import Path

from infoplane.datasets.csv_file import read_csv
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, reason
from infoplane.errors import DatasetError

_THYROID_COLUMNS = 22
_LIFE = "Life Expectancy Data.csv"
_MESOTHELIOMA = "mesothelioma.csv"


def load_thyroid(
    root: str | os.PathLike[str] | None = None,
    *,
    standardize: bool = True,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return UCI's thyroid disease, three classes from 21 variables: 3,772 training and 3,428 test rows.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``ann-train.data`` and ``ann-test.data``, or a folder ``thyroid`` with them.
    standardize, fold, split_seed
        See `infoplane.datasets.table.tabulate`; with `fold` both files are put together first.

    Raises
    ------
    DatasetError
        A file is absent or no such table.
    """
    import pandas as pd

    from infoplane.datasets.table import tabulate

    folder = data_folder(root)
    folder = folder / "thyroid" if (folder / "thyroid").is_dir() else folder
    frames = []
    for part in ("train", "test"):
        path = folder / f"ann-{part}.data"
        if not path.is_file():
            raise DatasetError(
                f"thyroid is not in {folder} (ann-{part}.data missing); its files are on the page 'Thyroid Disease' of "
                "the UCI repository, archive.ics.uci.edu/dataset/102; set INFOPLANE_DATA or root= to the folder that "
                "holds them"
            )
        try:
            frame = pd.read_csv(path, sep=r"\s+", header=None, dtype="float64")
        except Exception as error:
            raise DatasetError(f"{path} cannot be read as a table of numbers ({reason(error)})") from error
        if frame.shape[1] != _THYROID_COLUMNS:
            raise DatasetError(f"{path} has {frame.shape[1]} columns; {_THYROID_COLUMNS} are needed, the class last")
        frames.append(frame.set_axis([*(f"x{i}" for i in range(1, _THYROID_COLUMNS)), "class"], axis=1))
    train, held_out = frames
    return tabulate(
        train if fold is None else pd.concat(frames, ignore_index=True),
        held_out=held_out if fold is None else None,
        name="thyroid",
        description="UCI thyroid disease (ann-train and ann-test)",
        target="class",
        task="classes",
        standardize=standardize,
        fold=fold,
        split_seed=split_seed,
    )


def load_life_expectancy(
    root: str | os.PathLike[str] | None = None,
    *,
    missing: str = "fill",
    standardize: bool = True,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return Kaggle's life expectancy: years, as a number, from the 19 scalar variables (not country and status).

    Parameters
    ----------
    root : path, optional
        The file ``Life Expectancy Data.csv`` or its folder.
    missing, standardize, test, fold, split_seed
        See `infoplane.datasets.table.tabulate`. Of 2,938 rows ten have no life expectancy and are left out.

    Raises
    ------
    DatasetError
        The file is absent or no such table.
    """
    from infoplane.datasets.table import tabulate

    path = _file(root, _LIFE, "life-expectancy", "kaggle.com/datasets/kumarajarshi/life-expectancy-who")
    frame = read_csv(path)
    frame = frame.set_axis([" ".join(str(column).split()) for column in frame.columns], axis=1)
    _needs(path, list(frame.columns), ("Country", "Status", "Life expectancy"))
    return tabulate(
        frame,
        name="life-expectancy",
        description="life expectancy by country and year (WHO, from Kaggle), without country and status",
        target="Life expectancy",
        task="numbers",
        drop=("Country", "Status"),
        missing=missing,
        standardize=standardize,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )


def load_mesothelioma(
    root: str | os.PathLike[str] | None = None,
    *,
    drop: str | Sequence[str] = (),
    standardize: bool = True,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return UCI's mesothelioma, 324 patients: two classes from 34 variables, all taken as numbers.

    Some of the variables, ``diagnosis method`` above all, are known only with the diagnosis: an accuracy of 100 % is no
    feat on this table. ``drop`` leaves them out.

    Parameters
    ----------
    root : path, optional
        The file ``mesothelioma.csv`` (the published sheet, saved as csv) or its folder.
    drop, standardize, test, fold, split_seed
        See `infoplane.datasets.table.tabulate`.

    Raises
    ------
    DatasetError
        The file is absent or no such table.
    """
    from infoplane.datasets.table import listed, tabulate

    path = _file(root, _MESOTHELIOMA, "mesothelioma", "archive.ics.uci.edu/dataset/351, as a sheet to be saved as csv")
    frame = read_csv(path)
    _needs(path, [str(column).strip() for column in frame.columns], ("class of diagnosis",))
    dropped = f" without {', '.join(listed(drop))}" if drop else ""
    return tabulate(
        frame,
        name="mesothelioma",
        description=f"UCI mesothelioma{dropped}",
        target="class of diagnosis",
        task="classes",
        drop=drop,
        standardize=standardize,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )


def _file(root: str | os.PathLike[str] | None, name: str, title: str, page: str) -> Path:
    given = data_folder(root)
    path = given / name if given.is_dir() else given
    if not path.is_file():
        raise DatasetError(
            f"{title!r} is not there ({path} is not a file); it is on the page {page}; set INFOPLANE_DATA or root= to "
            f"the folder that holds {name}, or root= to the file"
        )
    return path


def _needs(path: Path, columns: Sequence[str], wanted: Sequence[str]) -> None:
    if missing := [column for column in wanted if column not in columns]:
        raise DatasetError(f"{path} has no column {' and no column '.join(map(repr, missing))}")
