"""Data sets by name: ``load("digits")`` needs no file, ``load("mnist")`` reads files of torchvision."""

import os

from infoplane.analysis.errors import near_names
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.digits import load_digits
from infoplane.datasets.mnist import load_mnist
from infoplane.errors import DatasetError

__all__ = ["DATASETS", "Dataset", "load"]

DATASETS = ("digits", "mnist")


def load(name: str, *, root: str | os.PathLike[str] | None = None) -> Dataset:
    """Return the data set called `name`.

    Parameters
    ----------
    name : {"digits", "mnist"}
        Which one.
    root : path, optional
        Where a data set that lies in files is looked for; see `infoplane.datasets.mnist.load_mnist`.

    Raises
    ------
    DatasetError
        The name is unknown, the files are absent or damaged, a library does not import, or `root` is given
        for a data set that has no files.
    """
    if name == "mnist":
        return load_mnist(root)
    if name == "digits":
        if root is not None:
            raise DatasetError(
                f"the data set 'digits' comes with scikit-learn and has no folder; leave out root={root!r}"
            )
        return load_digits()
    raise DatasetError(f"no data set {name!r}; accepted: {', '.join(DATASETS)}{near_names(str(name), DATASETS)}")
