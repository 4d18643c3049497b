"""MNIST, read by torchvision from its own layout, ``ROOT/MNIST/raw/train-images-idx3-ubyte`` and so on.

Grey values are divided by 255 and neither normalised nor augmented, as in Hofmann and Mäder (2022). Nothing
is ever downloaded here.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoplane.datasets.dataset import Dataset
from infoplane.errors import DatasetError

_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_SIDE = 28


def load_mnist(root: str | os.PathLike[str] | None = None) -> Dataset:
    """Return MNIST: images of shape (1, 28, 28) in [0, 1], 10 classes.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``MNIST/raw``. Without it, the folder in the environment variable INFOPLANE_DATA,
        and without that ``infoplane`` in the user's cache (XDG_CACHE_HOME, or ``~/.cache``).

    Raises
    ------
    DatasetError
        torchvision does not import, the files are absent, or one of them is damaged.
    """
    folder = _folder(root)
    vision = _torchvision_datasets()
    train_x, train_y = _read(vision, folder, train=True)
    test_x, test_y = _read(vision, folder, train=False)
    return Dataset(
        name="mnist",
        train_inputs=train_x,
        train_labels=train_y,
        test_inputs=test_x,
        test_labels=test_y,
        classes=10,
        description=(
            "MNIST handwritten digits of 28 x 28 pixels, grey values / 255, neither normalised nor "
            f"augmented; {len(train_y)} training and {len(test_y)} test images"
        ),
    )


def _folder(root: str | os.PathLike[str] | None) -> Path:
    chosen = root or os.environ.get("INFOPLANE_DATA")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "infoplane"


def _torchvision_datasets() -> Any:
    # A torchvision built for another torch fails in many ways (OSError, RuntimeError, AttributeError): all
    # mean one thing to the user.
    try:
        return import_module("torchvision.datasets")
    except Exception as error:
        reason = " ".join(str(error).split()) or "no reason given"
        raise DatasetError(
            f"MNIST is read with torchvision, which does not import here ({type(error).__name__}: "
            f"{reason}); install the torchvision release that belongs to your torch; everything else works "
            "without it, the data set 'digits' too"
        ) from error


def _read(vision: Any, folder: Path, *, train: bool) -> tuple[Tensor, Tensor]:
    try:
        source = vision.MNIST(root=str(folder), train=train, download=False)
        images, labels = source.data, source.targets
    except Exception as error:
        raise _explained(error, folder) from error
    part = "training" if train else "test"
    if images.ndim != 3 or images.shape[1:] != (_SIDE, _SIDE) or labels.ndim != 1:
        found = f"images of shape {tuple(images.shape)} and labels of shape {tuple(labels.shape)}"
    elif len(images) != len(labels) or len(labels) == 0:
        found = f"{len(images)} images and {len(labels)} labels"
    elif int(labels.min()) < 0 or int(labels.max()) > 9:
        found = f"labels from {int(labels.min())} to {int(labels.max())}"
    else:
        return images[:, None].to(torch.float32) / 255, labels.to(torch.int64)
    raise DatasetError(f"the {part} part of MNIST in {folder / 'MNIST' / 'raw'} is damaged: it has {found}")


def _explained(error: Exception, folder: Path) -> DatasetError:
    raw = folder / "MNIST" / "raw"
    missing = [name for name in _FILES if not (raw / name).is_file()]
    if missing:
        return DatasetError(
            f"MNIST is not in {raw} ({', '.join(missing)} missing); set INFOPLANE_DATA or root= to the "
            f"folder that holds MNIST/raw, or fetch it with torchvision.datasets.MNIST({str(folder)!r}, "
            "download=True)"
        )
    reason = " ".join(str(error).split()) or "no reason given"
    return DatasetError(f"a file of MNIST in {raw} is damaged ({type(error).__name__}: {reason}); fetch it again")
