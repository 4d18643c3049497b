"""The table of data sets: for each name the function that reads it, and where it comes from."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from infoplane.datasets.cifar import load_cifar
from infoplane.datasets.cifar10_jpeg import load_cifar10_jpeg
from infoplane.datasets.csv_file import load_csv
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.digits import load_digits
from infoplane.datasets.image_folder import load_image_folder, load_imagenet
from infoplane.datasets.imdb import load_imdb
from infoplane.datasets.mnist import load_mnist, load_sequential_mnist
from infoplane.datasets.npz_file import load_npz
from infoplane.datasets.paper_files import load_life_expectancy, load_mesothelioma, load_thyroid
from infoplane.datasets.seizure import load_seizure
from infoplane.datasets.shipped import load_shipped
from infoplane.datasets.szt12 import load_szt12, load_szt12_mat
from infoplane.datasets.uci import TABLES, load_uci


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes
    ----------
    read : callable
        Returns the data set; its keywords are its options, `root` and `download` where there are files.
    origin : str
        Why there is no folder, or why nothing can be fetched: the end of a sentence about the data set.
    """

    read: Callable[..., Dataset]
    origin: str

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options, `root` and `download` left out."""
        return tuple(name for name in self._keywords if name not in ("root", "download"))

    @property
    def has_files(self) -> bool:
        """Whether it is read from files."""
        return "root" in self._keywords

    @property
    def can_fetch(self) -> bool:
        """Whether its files can be fetched when asked."""
        return "download" in self._keywords

    @property
    def _keywords(self) -> tuple[str, ...]:
        # What `partial` has set is no option any more.
        taken = self.read.keywords if isinstance(self.read, partial) else {}
        return tuple(name for name in inspect.signature(self.read).parameters if name not in taken)


_SHIPPED = "comes with scikit-learn"
_BY_HAND = "must be fetched by hand"
_OWN = "is read from your own files"
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "digits": Source(load_digits, _SHIPPED),
        "iris": Source(partial(load_shipped, name="iris"), _SHIPPED),
        "wine": Source(partial(load_shipped, name="wine"), _SHIPPED),
        "breast-cancer": Source(partial(load_shipped, name="breast-cancer"), _SHIPPED),
        "diabetes": Source(partial(load_shipped, name="diabetes"), _SHIPPED),
        "mnist": Source(partial(load_mnist, name="mnist"), ""),
        "fashion-mnist": Source(partial(load_mnist, name="fashion-mnist"), ""),
        "sequential-mnist": Source(load_sequential_mnist, ""),
        "cifar10": Source(partial(load_cifar, classes=10), ""),
        "cifar100": Source(partial(load_cifar, classes=100), ""),
        "cifar10-jpeg": Source(load_cifar10_jpeg, _BY_HAND),
        "imagenet": Source(load_imagenet, _BY_HAND),
        "image-folder": Source(load_image_folder, _OWN),
        "szt12": Source(load_szt12, "is computed"),
        "szt12-mat": Source(load_szt12_mat, _BY_HAND),
        **{name: Source(partial(load_uci, name=name), "") for name in TABLES},
        "thyroid": Source(load_thyroid, _BY_HAND),
        "life-expectancy": Source(load_life_expectancy, _BY_HAND),
        "mesothelioma": Source(load_mesothelioma, _BY_HAND),
        "epileptic-seizure": Source(load_seizure, _BY_HAND),
        "imdb": Source(load_imdb, _BY_HAND),
        "npz": Source(load_npz, _OWN),
        "csv": Source(load_csv, _OWN),
    }
)
