"""Tables of the UCI repository that Hofmann and Mäder (2022) studied, Table IV, fetched once by the package ucimlrepo.

The table lies in ``ROOT/uci/NAME.csv`` with its SHA-256 beside it, and is compared with that whenever it is read. The
repository publishes no checksum of its own. Thyroid is not among what ucimlrepo can fetch: see
`infoplane.datasets.paper_files`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infoplane.analysis.importing import importing
from infoplane.datasets.checked_file import is_intact, write_checked
from infoplane.datasets.csv_file import read_csv
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, reason
from infoplane.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Table:
    """One table of the repository: its number there, what is predicted, and which rows and columns are used."""

    number: int
    description: str
    task: str
    targets: tuple[str, ...]
    missing: str = "refuse"
    drop: tuple[str, ...] = ()
    where: tuple[str, str] | None = None


_WINE = "wine quality (quality from 0 to 10 as a number)"
_PARKINSON_DROP = ("age", "test_time", "sex")
TABLES = {
    "uci-abalone": Table(
        1, "abalone (rings as a number; sex is a name, so eight variables are ten inputs)", "numbers", ("Rings",)
    ),
    "uci-breast-cancer": Table(
        14,
        "breast cancer, Ljubljana: recurrence or not; a missing name is a name of its own",
        "classes",
        ("Class",),
        "fill",
    ),
    "uci-breast-cancer-wisconsin": Table(
        15, "breast cancer Wisconsin (Original), without the number of the sample", "classes", ("Class",), "fill"
    ),
    "uci-parkinson": Table(
        189,
        "Parkinson telemonitoring: motor and total UPDRS from the 16 voice measures; recordings of one patient may be "
        "in both parts",
        "numbers",
        ("motor_UPDRS", "total_UPDRS"),
        "refuse",
        _PARKINSON_DROP,
    ),
    "uci-red-wine": Table(186, f"red {_WINE}", "numbers", ("quality",), where=("color", "red")),
    "uci-white-wine": Table(186, f"white {_WINE}", "numbers", ("quality",), where=("color", "white")),
}


def load_uci(
    root: str | os.PathLike[str] | None = None,
    *,
    name: str,
    download: bool = False,
    missing: str | None = None,
    standardize: bool = True,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return a table of the UCI repository.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``uci``; see `infoplane.datasets.folders.data_folder`.
    name : str
        One of `TABLES`.
    download : bool
        Let ucimlrepo (the extra ``uci``) fetch it where it is absent.
    missing : {"refuse", "drop", "fill"}, optional
        The table's own way when left out.
    standardize, test, fold, split_seed
        See `infoplane.datasets.table.tabulate`.

    Raises
    ------
    DatasetError
        The table is absent, damaged, or cannot be fetched.
    MissingLibraryError
        It is to be fetched, and ucimlrepo does not import.
    InputError
        An option cannot be used.
    """
    from infoplane.datasets.table import tabulate

    table = TABLES[name]
    path = data_folder(root) / "uci" / f"{name}.csv"
    if not path.is_file():
        if not download:
            raise DatasetError(
                f"{name!r} is not in {path.parent}; fetch it with download=True (--download), which needs ucimlrepo "
                "(pip install 'infoplane[uci]'), or set INFOPLANE_DATA or root= to the folder that holds uci"
            )
        _fetch(name, table, path)
    elif not is_intact(path):
        raise DatasetError(
            f"{path} does not agree with {path.name}.sha256; remove it and fetch it again with download=True"
        )
    frame = read_csv(path)
    return tabulate(
        frame,
        name=name,
        description=f"UCI {table.description}",
        target=table.targets,
        task=table.task,
        drop=[column for column in table.drop if column in frame.columns],
        missing=missing if missing is not None else table.missing,
        standardize=standardize,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )


def _fetch(name: str, table: Table, path: Path) -> None:
    with importing(f"fetching {name!r}", extra="uci"):
        fetch_ucirepo = import_module("ucimlrepo").fetch_ucirepo
    try:
        # Whatever the network does, it is one thing to the user.
        fetched = fetch_ucirepo(id=table.number)
    except Exception as error:
        raise DatasetError(f"{name!r} cannot be fetched from the UCI repository ({reason(error)})") from error
    text = _chosen(name, table, fetched.data).to_csv(index=False)
    try:
        write_checked(path, lambda file: file.write(text.encode()))
    except OSError as error:
        raise DatasetError(f"{path} cannot be written ({reason(error)}); give root=, a folder of your own") from error


def _chosen(name: str, table: Table, data: Any) -> "pd.DataFrame":
    """Return features and targets of the rows that are used."""
    features: pd.DataFrame | None = data.features
    targets: pd.DataFrame | None = data.targets
    original: pd.DataFrame = data.original
    wanted = [*table.targets, *([table.where[0]] if table.where else [])]
    if features is None or targets is None or any(column not in original for column in wanted):
        raise DatasetError(
            f"what the UCI repository gave as number {table.number} is not {name!r}: {wanted} are not in it"
        )
    frame = features.assign(**{column: targets[column] for column in table.targets})
    if table.where is not None:
        column, value = table.where
        frame = frame[original[column] == value]
    if frame.empty:
        raise DatasetError(f"what the UCI repository gave as number {table.number} has no rows of {name!r}")
    return frame
