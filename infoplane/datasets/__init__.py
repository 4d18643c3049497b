"""Data sets by name, from the shipped digits to a user's own files; `docs/data.md` has the table.

Every one is split into a training and a test part and has the same face: `Dataset`. Files are read from `root`, else
from the folder in the environment variable INFOPLANE_DATA, else from ``infoplane`` in the user's cache. Nothing is
downloaded unless asked, and nothing in a data file is run.
"""

import os

from infoplane.analysis.errors import InputError, near_names, true_or_false
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.fingerprint import fingerprint
from infoplane.datasets.sources import SOURCES
from infoplane.datasets.user_function import load_user_function
from infoplane.errors import DatasetError

__all__ = ["DATASETS", "Dataset", "fingerprint", "load"]

DATASETS = tuple(SOURCES)


def load(
    name: str, *, root: str | os.PathLike[str] | None = None, download: bool = False, **options: object
) -> Dataset:
    """Return the data set called `name`.

    Parameters
    ----------
    name : str
        One of `DATASETS`, or ``package.module:function`` (see `infoplane.datasets.user_function`).
    root : path, optional
        Where a data set that lies in files is looked for: a folder, or for ``csv``, ``npz`` and some others the file.
    download : bool
        Fetch what is absent, where the data set can be fetched.
    **options
        Of the data set, by name: what its function under `infoplane.datasets` takes.

    Raises
    ------
    DatasetError
        The name is unknown, the files are absent or damaged, a library does not import, or `root` is given
        for a data set that has no files.
    InputError
        An option is unknown or has a value that cannot be used.

    Examples
    --------
    >>> import infoplane as ip
    >>> ip.datasets.load("iris", fold=(1, 10))
    <Dataset 'iris': 135 training and 15 test inputs of shape (4,), 3 classes>
    """
    true_or_false("download", download)
    if isinstance(name, str) and ":" in name:
        if download:
            raise DatasetError(
                f"{name!r} is a function of your own; what it fetches is its own affair: leave out download"
            )
        given = options if root is None else {"root": root, **options}
        return load_user_function(name, given)
    if name not in SOURCES:
        own = "" if not _is_file(name) else f"; a file of your own is 'csv' or 'npz' with root={name!r}"
        raise DatasetError(
            f"no data set {name!r}; accepted: {', '.join(DATASETS)}, and package.module:function"
            f"{own or near_names(str(name), DATASETS)}"
        )
    source = SOURCES[name]
    for option in options:
        if option not in source.options:
            accepted = (", ".join(source.options) or "none") + near_names(option, source.options)
            raise InputError(f"the data set {name!r} has no option {option!r}; accepted: {accepted}")
    if source.has_files:
        options["root"] = root
    elif root is not None:
        raise DatasetError(f"the data set {name!r} {source.origin} and has no folder; leave out root={root!r}")
    if source.can_fetch:
        options["download"] = download
    elif download and source.has_files:
        raise DatasetError(f"the data set {name!r} {source.origin} and cannot be fetched from here; leave out download")
    return source.read(**options)


def _is_file(name: object) -> bool:
    return isinstance(name, str) and name.endswith((".csv", ".npz")) and os.path.isfile(name)
