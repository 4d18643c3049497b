"""Data sets by name.

``load("digits")`` and ``load("szt12")`` need no file; ``load("mnist")`` reads files of torchvision, and
``load("szt12-mat", root=...)`` a MATLAB file.
"""

import os

from infoplane.analysis.errors import near_names
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.digits import load_digits
from infoplane.datasets.fingerprint import fingerprint
from infoplane.datasets.mnist import load_mnist
from infoplane.datasets.szt12 import load_szt12, load_szt12_mat
from infoplane.errors import DatasetError

__all__ = ["DATASETS", "Dataset", "fingerprint", "load"]

DATASETS = ("digits", "mnist", "szt12", "szt12-mat")


def load(name: str, *, root: str | os.PathLike[str] | None = None) -> Dataset:
    """Return the data set called `name`.

    Parameters
    ----------
    name : {"digits", "mnist", "szt12", "szt12-mat"}
        Which one.
    root : path, optional
        Where a data set that lies in files is looked for; see `infoplane.datasets.mnist.load_mnist` and
        `infoplane.datasets.szt12.load_szt12_mat`.

    Raises
    ------
    DatasetError
        The name is unknown, the files are absent or damaged, a library does not import, or `root` is given
        for a data set that has no files.
    """
    if name == "mnist":
        return load_mnist(root)
    if name == "szt12-mat":
        return load_szt12_mat(root)
    if name not in DATASETS:
        raise DatasetError(f"no data set {name!r}; accepted: {', '.join(DATASETS)}{near_names(str(name), DATASETS)}")
    if root is not None:
        source = "comes with scikit-learn" if name == "digits" else "is computed"
        raise DatasetError(f"the data set {name!r} {source} and has no folder; leave out root={root!r}")
    return load_digits() if name == "digits" else load_szt12()
