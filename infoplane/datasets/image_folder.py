"""Folders of images, a folder per class, as torchvision's ImageFolder knows them; ImageNet among them.

Classes are numbered in the order of their folders' names, as torchvision does. Images are decoded when they are asked
for: see `infoplane.datasets.image_files`.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from infoplane.analysis.errors import InputError, one_of, true_or_false, whole_number
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import data_folder, own_folder, reason, torchvision_datasets
from infoplane.datasets.image_files import IMAGENET_MOMENTS, ImageFiles, size_of
from infoplane.datasets.split import split
from infoplane.errors import DatasetError

_TEST_FOLDERS = ("test", "val", "validation")


def load_image_folder(
    root: str | os.PathLike[str] | None = None,
    *,
    size: int | None = None,
    channels: int = 3,
    normalize: str | None = None,
    augment: bool = False,
    workers: int = 0,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return a folder of images as a data set.

    Parameters
    ----------
    root : path
        Folder with ``train/<class>/`` and ``test/<class>/`` (or ``val``, ``validation``), or with ``<class>/``, which
        is then split.
    size : int, optional
        Side to which images are brought; without it all must have the size of the first.
    channels : {3, 1}
        Colour or grey.
    normalize : {None, "imagenet"}
        ``imagenet``: by channel with torchvision's mean and standard deviation of ImageNet.
    augment : bool
        Cut out and mirror training images at random, as for ImageNet; needs `size`.
    workers : int
        Processes that decode.
    test, fold, split_seed
        See `infoplane.datasets.split.split`; only for ``<class>/``.

    Raises
    ------
    DatasetError
        The folder is absent or holds no images, or its parts have different classes.
    InputError
        An option cannot be used.
    """
    if root is None:
        raise DatasetError("the data set 'image-folder' is read from a folder; give root=, its path")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise DatasetError(
            f"{folder} is not a folder; give root=, a folder with train/<class>/ and test/<class>/ or <class>/"
        )
    return _load(
        folder.resolve().name or "image-folder",
        f"the image folder {folder}",
        folder,
        size=size,
        channels=channels,
        normalize=normalize,
        augment=augment,
        workers=workers,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )


def load_imagenet(
    root: str | os.PathLike[str] | None = None,
    *,
    size: int = 224,
    normalize: str | None = "imagenet",
    augment: bool = False,
    workers: int = 0,
) -> Dataset:
    """Return ImageNet-1k: images of shape (3, 224, 224), 1,000 classes, its validation part as the test part.

    Parameters
    ----------
    root : path, optional
        Folder that holds ``imagenet/train/<class>/`` and ``imagenet/val/<class>/``, or these two themselves, as
        ``torchvision.datasets.ImageNet`` unpacks the published archives.
    size, normalize, augment, workers
        See `load_image_folder`. Hofmann and Mäder (2022) normalise and augment here: ``augment=True``.

    Raises
    ------
    DatasetError
        The folder is absent, or one of its parts.
    InputError
        An option cannot be used.
    """
    folder = own_folder(root, "imagenet", "train")
    if not ((folder / "train").is_dir() and (folder / "val").is_dir()):
        raise DatasetError(
            f"ImageNet is not in {data_folder(root)}; set INFOPLANE_DATA or root= to the folder that holds "
            "imagenet/train and imagenet/val; the archives need an account at image-net.org, and "
            "torchvision.datasets.ImageNet(root, split='train') and split='val' unpack them into such a folder"
        )
    return _load(
        "imagenet",
        "ImageNet-1k",
        folder,
        size=size,
        channels=3,
        normalize=normalize,
        augment=augment,
        workers=workers,
        test=None,
        fold=None,
        split_seed=0,
    )


def _load(
    name: str,
    title: str,
    folder: Path,
    *,
    size: int | None,
    channels: int,
    normalize: str | None,
    augment: bool,
    workers: int,
    test: float | None,
    fold: str | Sequence[int] | None,
    split_seed: int,
) -> Dataset:
    if size is not None:
        whole_number("size", size, least=1, most=2**14)
    if channels not in (1, 3):
        raise InputError(f"channels is {channels!r}, but it is 3 (colour) or 1 (grey)")
    if normalize is not None:
        one_of("normalize", normalize, ("imagenet",))
        if channels != 3:
            raise InputError("normalize='imagenet' has moments of three channels; leave it out, or channels=1")
    if true_or_false("augment", augment) and size is None:
        raise InputError("augment=True cuts out parts and resizes them; give size= as well")
    torchvision_datasets(title)
    held_out = [part for part in _TEST_FOLDERS if (folder / part).is_dir()]
    if (folder / "train").is_dir() and held_out:
        if test is not None or fold is not None:
            raise InputError(f"{folder} has a test part of its own, {held_out[0]}; leave out test= and fold=")
        train_names, train_y, classes = _listed(folder, "train")
        test_names, test_y, others = _listed(folder, held_out[0])
        if classes != others:
            different = sorted(set(classes) ^ set(others))
            raise DatasetError(
                f"train and {held_out[0]} of {folder} have different classes: {', '.join(different[:5])}"
            )
        how = "as the folders split them"
    else:
        names, labels, classes = _listed(folder, ".")
        parts = split(labels, len(labels), test=test, fold=fold, seed=split_seed)
        train_names, test_names = ([names[place] for place in part.tolist()] for part in (parts.train, parts.test))
        train_y, test_y = labels[parts.train], labels[parts.test]
        how = parts.said
    if len(classes) < 2:
        raise DatasetError(f"{folder} has only the class {classes[0]!r}; at least two are needed")
    width, height = (size, size) if size is not None else size_of(folder / train_names[0])
    moments = IMAGENET_MOMENTS if normalize else None
    files = ImageFiles(folder, tuple(train_names), channels, height, width, size is not None, augment, moments)
    said = "neither normalised" if normalize is None else "normalised with ImageNet's moments"
    said += (
        (", augmented" if normalize else " but augmented")
        if augment
        else (", not augmented" if normalize else " nor augmented")
    )
    return Dataset(
        name=name,
        train_inputs=files,
        train_labels=torch.from_numpy(train_y),
        test_inputs=ImageFiles(folder, tuple(test_names), channels, height, width, size is not None, False, moments),
        test_labels=torch.from_numpy(test_y),
        classes=len(classes),
        description=(
            f"{title}, {height} x {width} pixels, {said}; {len(train_y)} training and {len(test_y)} test images, {how}"
            "; sha256 covers names and sizes of the files, not their content"
        ),
        workers=workers,
    )


def _listed(folder: Path, part: str) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]], list[str]]:
    """Return names, labels and classes below a folder, as torchvision's ImageFolder lists them."""
    from torchvision.datasets.folder import IMG_EXTENSIONS, find_classes, make_dataset

    where = folder / part
    try:
        classes, numbers = find_classes(str(where))
        found = make_dataset(str(where), numbers, extensions=IMG_EXTENSIONS)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{where} is no folder with a folder of images per class ({reason(error)})") from error
    names = [os.path.relpath(path, folder) for path, _ in found]
    return names, np.array([label for _, label in found], dtype=np.int64), classes
