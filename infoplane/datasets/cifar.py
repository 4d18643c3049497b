"""CIFAR-10 and CIFAR-100, read by torchvision from its own layout.

``ROOT/cifar-10-batches-py`` and ``ROOT/cifar-100-python`` hold the published files. They are Python pickles, which can
run code when they are read: torchvision compares each with its published MD5 sum before it reads it, and so only the
published files are ever read. Bytes are divided by 255 and, unless asked otherwise, neither normalised nor augmented,
as in Hofmann and Mäder (2022).
"""

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, reason, torchvision_datasets
from infoplane.datasets.pixels import Pixels
from infoplane.datasets.scale import images_normalized
from infoplane.errors import DatasetError


def load_cifar(
    root: str | os.PathLike[str] | None = None,
    *,
    classes: int = 10,
    download: bool = False,
    normalize: str | None = None,
) -> Dataset:
    """Return CIFAR-10 or CIFAR-100: images of shape (3, 32, 32) in [0, 1], kept in memory as bytes.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``cifar-10-batches-py`` (``cifar-100-python``); see `infoplane.datasets.folders.data_folder`.
    classes : {10, 100}
        Which one.
    download : bool
        Let torchvision fetch what is absent.
    normalize : {None, "training"}
        ``training``: each channel less its mean over the training part, divided by its standard deviation.

    Raises
    ------
    DatasetError
        torchvision does not import, the files are absent, or one of them is not the published one.
    InputError
        `normalize` is something else.
    """
    title = f"CIFAR-{classes}"
    folder = data_folder(root)
    kind = getattr(torchvision_datasets(title), f"CIFAR{classes}")
    where = folder / kind.base_folder
    parts: list[tuple[Pixels, torch.Tensor]] = []
    for train in (True, False):
        try:
            source = kind(root=str(folder), train=train, download=download)
        except Exception as error:
            raise _explained(error, title, where, download=download) from error
        parts.append(_checked(source.data, source.targets, classes, f"{title} in {where}"))
    (train_x, train_y), (test_x, test_y) = parts
    first, second, said = images_normalized(train_x, test_x, normalize)
    return Dataset(
        name=f"cifar{classes}",
        train_inputs=first,
        train_labels=train_y,
        test_inputs=second,
        test_labels=test_y,
        classes=classes,
        description=(
            f"{title}, colour images of 32 x 32 pixels, {said}; {len(train_y)} training and {len(test_y)} test images"
        ),
    )


def _checked(data: NDArray[Any], targets: list[int], classes: int, where: str) -> tuple[Pixels, torch.Tensor]:
    labels = torch.tensor(targets, dtype=torch.int64)
    if data.dtype != np.uint8 or data.shape[1:] != (32, 32, 3) or len(data) != len(labels) or not len(labels):
        raise DatasetError(f"{where} is damaged: it has images of shape {data.shape} and {len(labels)} labels")
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise DatasetError(f"{where} is damaged: it has labels from {int(labels.min())} to {int(labels.max())}")
    return Pixels(np.ascontiguousarray(data.transpose(0, 3, 1, 2)), np.arange(len(data))), labels


def _explained(error: Exception, title: str, where: os.PathLike[str], *, download: bool) -> DatasetError:
    if download:
        return DatasetError(f"{title} cannot be fetched to {where} ({reason(error)})")
    if os.path.isdir(where):
        return DatasetError(
            f"a file of {title} in {where} is absent or not the published one ({reason(error)}); remove the folder and "
            "fetch it again with download=True (--download)"
        )
    return DatasetError(
        f"{title} is not in {where}; set INFOPLANE_DATA or root= to the folder that holds it, or have torchvision "
        "fetch it with download=True (--download)"
    )
