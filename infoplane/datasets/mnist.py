"""MNIST and Fashion-MNIST, read by torchvision from its own layout, ``ROOT/MNIST/raw/train-images-idx3-ubyte`` etc.

Grey values are divided by 255 and, unless asked otherwise, neither normalised nor augmented, as in Hofmann and Mäder
(2022). Nothing is downloaded unless asked; what torchvision downloads, it compares with the published MD5 sums.
"""

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoplane.analysis.errors import one_of
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, reason, torchvision_datasets
from infoplane.datasets.scale import images_normalized
from infoplane.errors import DatasetError

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_SIDE = 28
# Name of the data set: torchvision's class, which is also its folder; what a sentence calls it; what it shows.
_KINDS = {
    "mnist": ("MNIST", "MNIST", "handwritten digits"),
    "fashion-mnist": ("FashionMNIST", "Fashion-MNIST", "articles of clothing"),
}


def load_mnist(
    root: str | os.PathLike[str] | None = None,
    *,
    name: str = "mnist",
    download: bool = False,
    normalize: str | None = None,
) -> Dataset:
    """Return MNIST, or Fashion-MNIST: images of shape (1, 28, 28) in [0, 1], 10 classes.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``MNIST/raw`` (``FashionMNIST/raw``). Without it, the folder in the environment variable
        INFOPLANE_DATA, and without that ``infoplane`` in the user's cache (XDG_CACHE_HOME, or ``~/.cache``).
    name : {"mnist", "fashion-mnist"}
        Which one.
    download : bool
        Let torchvision fetch what is absent.
    normalize : {None, "training"}
        ``training``: less the mean of the training part's grey values, divided by their standard deviation.

    Raises
    ------
    DatasetError
        torchvision does not import, the files are absent, or one of them is damaged.
    InputError
        `normalize` is something else.
    """
    kind, title, shows = _KINDS[name]
    folder = data_folder(root)
    vision = torchvision_datasets(title)
    train_x, train_y = _read(vision, kind, title, folder, train=True, download=download)
    test_x, test_y = _read(vision, kind, title, folder, train=False, download=download)
    first, second, said = images_normalized(train_x, test_x, normalize)
    return Dataset(
        name=name,
        train_inputs=first,
        train_labels=train_y,
        test_inputs=second,
        test_labels=test_y,
        classes=10,
        description=(
            f"{title}, {shows} of 28 x 28 pixels, {said}; {len(train_y)} training and {len(test_y)} test images"
        ),
    )


def load_sequential_mnist(
    root: str | os.PathLike[str] | None = None, *, download: bool = False, by: str = "pixel"
) -> Dataset:
    """Return MNIST as sequences, first row first: 784 steps of one grey value, or 28 steps of a row of 28.

    Parameters
    ----------
    root, download
        As for `load_mnist`.
    by : {"pixel", "row"}
        What a step is. Hofmann and Mäder (2022), Table IV, give pixels: 784 scalars. Rows are 28 times shorter.

    Raises
    ------
    DatasetError, InputError
        As for `load_mnist`; `by` is something else.
    """
    one_of("by", by, ("pixel", "row"))
    images = load_mnist(root, download=download)
    shape = (_SIDE * _SIDE, 1) if by == "pixel" else (_SIDE, _SIDE)
    train_x, test_x = images.train_inputs[:], images.test_inputs[:]
    return Dataset(
        name="sequential-mnist",
        train_inputs=train_x.reshape(-1, *shape),
        train_labels=images.train_labels,
        test_inputs=test_x.reshape(-1, *shape),
        test_labels=images.test_labels,
        classes=10,
        description=f"sequential {images.description}, {by} by {by}",
    )


def _read(vision: Any, kind: str, title: str, folder: Path, *, train: bool, download: bool) -> tuple[Tensor, Tensor]:
    try:
        source = getattr(vision, kind)(root=str(folder), train=train, download=download)
        images, labels = source.data, source.targets
    except Exception as error:
        raise _explained(error, kind, title, folder, download=download) from error
    part = "training" if train else "test"
    if images.ndim != 3 or images.shape[1:] != (_SIDE, _SIDE) or labels.ndim != 1:
        found = f"images of shape {tuple(images.shape)} and labels of shape {tuple(labels.shape)}"
    elif len(images) != len(labels) or len(labels) == 0:
        found = f"{len(images)} images and {len(labels)} labels"
    elif int(labels.min()) < 0 or int(labels.max()) > 9:
        found = f"labels from {int(labels.min())} to {int(labels.max())}"
    else:
        return images[:, None].to(torch.float32) / 255, labels.to(torch.int64)
    raise DatasetError(f"the {part} part of {title} in {folder / kind / 'raw'} is damaged: it has {found}")


def _explained(error: Exception, kind: str, title: str, folder: Path, *, download: bool) -> DatasetError:
    raw = folder / kind / "raw"
    missing = [name for name in _FILES if not (raw / name).is_file()]
    if missing and download:
        return DatasetError(f"{title} cannot be fetched to {raw} ({reason(error)})")
    if missing:
        return DatasetError(
            f"{title} is not in {raw} ({', '.join(missing)} missing); set INFOPLANE_DATA or root= to the folder that "
            f"holds {kind}/raw, or have torchvision fetch it with download=True (--download)"
        )
    return DatasetError(f"a file of {title} in {raw} is damaged ({reason(error)}); fetch it again")
