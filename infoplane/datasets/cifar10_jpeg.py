"""CIFAR-10 as JPEG files, ``{train,test}/<class>/NNNN.jpg``, in a zip file or a folder.

JPEG loses detail, so these are not the pixels of CIFAR-10: name and description say "(JPEG)". All images are decoded
once, into an array of bytes in the user's cache that is named after what it was decoded from: the SHA-256 of the zip
file, or of the names, sizes and times of the files in the folder. The array's own SHA-256 lies beside it and is
compared each time. Where no cache can be written, every process decodes anew (seconds).
"""

import hashlib
import io
import logging
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm.auto import tqdm

from infoplane.datasets.checked_file import is_intact, write_checked
from infoplane.datasets.dataset import Dataset
from infoplane.datasets.folders import cache_folder, data_folder, reason
from infoplane.datasets.pixels import Pixels
from infoplane.datasets.scale import images_normalized
from infoplane.errors import DatasetError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SIDE = 32
_LARGEST = 2**20
_logger = logging.getLogger("infoplane.datasets")

# Names in order, and what gives the bytes of one.
_Listing = tuple[list[str], Callable[[str], bytes]]


def load_cifar10_jpeg(root: str | os.PathLike[str] | None = None, *, normalize: str | None = None) -> Dataset:
    """Return CIFAR-10 (JPEG): images of shape (3, 32, 32) in [0, 1], 10 classes, in the order of class and file name.

    Parameters
    ----------
    root : path, optional
        The zip file; or the folder that holds ``train`` and ``test``; or one that holds ``cifar10-jpeg.zip`` or a
        folder ``cifar10-jpeg``. Without it, see `infoplane.datasets.folders.data_folder`.
    normalize : {None, "training"}
        See `infoplane.datasets.cifar.load_cifar`.

    Raises
    ------
    DatasetError
        Nothing of the kind is there, or a file is no such image.
    InputError
        `normalize` is something else.
    """
    source = _source(data_folder(root))
    pixels, labels = _cached(source)
    parts = [(Pixels(pixels, np.flatnonzero(labels[:, 0] == part)), labels[labels[:, 0] == part, 1]) for part in (0, 1)]
    (train_x, train_y), (test_x, test_y) = parts
    first, second, said = images_normalized(train_x, test_x, normalize)
    return Dataset(
        name="cifar10-jpeg",
        train_inputs=first,
        train_labels=torch.from_numpy(train_y),
        test_inputs=second,
        test_labels=torch.from_numpy(test_y),
        classes=len(CLASSES),
        description=(
            f"CIFAR-10 (JPEG): the images of CIFAR-10 after JPEG compression, 32 x 32 pixels, {said}; {len(train_y)} "
            f"training and {len(test_y)} test images"
        ),
    )


def _source(folder: Path) -> Path:
    if folder.is_file():
        return folder
    for path in (folder / "cifar10-jpeg", folder):
        if (path / "train").is_dir() and (path / "test").is_dir():
            return path
    if (folder / "cifar10-jpeg.zip").is_file():
        return folder / "cifar10-jpeg.zip"
    raise DatasetError(
        f"CIFAR-10 (JPEG) is not in {folder}; set INFOPLANE_DATA or root= to the folder that holds cifar10-jpeg.zip or "
        "train/<class>/*.jpg and test/<class>/*.jpg, or to the zip file; it cannot be fetched from here, 'cifar10' can"
    )


def _cached(source: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return all images and (part, class) of each, from the cache where it is whole, else decoded into it."""
    stem = cache_folder() / f"cifar10-jpeg-{_identity(source)}"
    images, marks = stem.with_suffix(".npy"), stem.with_suffix(".labels.npy")
    if not (is_intact(images) and is_intact(marks)):
        pixels, labels = _decoded(source)
        try:
            write_checked(marks, lambda file: np.save(file, labels, allow_pickle=False))
            write_checked(images, lambda file: np.save(file, pixels, allow_pickle=False))
        except OSError as error:
            _logger.warning("the decoded images of %s are not kept: %s", source, reason(error))
            return pixels, labels
    # Mapped and not read: processes on one machine share it.
    return np.load(images, mmap_mode="r", allow_pickle=False), np.load(marks, allow_pickle=False)


def _identity(source: Path) -> str:
    if source.is_file():
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    digest = hashlib.sha256()
    for path in _files(source):
        said = path.stat()
        digest.update(f"{path.relative_to(source).as_posix()} {said.st_size} {said.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


def _files(folder: Path) -> list[Path]:
    return sorted(path for part in ("train", "test") for path in (folder / part).glob("*/*") if path.is_file())


def _decoded(source: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    with _listing(source) as (names, read):
        marks = [_mark(name, source) for name in names]
        # Training images first, then by class, then by name.
        order = sorted(range(len(names)), key=lambda i: (*marks[i], names[i]))
        labels = np.array([marks[i] for i in order], dtype=np.int64).reshape(-1, 2)
        for part, what in ((0, "train"), (1, "test")):
            found = set(labels[labels[:, 0] == part, 1].tolist())
            if missing := [name for index, name in enumerate(CLASSES) if index not in found]:
                raise DatasetError(f"{source} is not CIFAR-10 (JPEG): {what} has no image of {', '.join(missing)}")
        pixels = np.empty((len(order), 3, _SIDE, _SIDE), dtype=np.uint8)
        bar = tqdm(order, desc="decoding CIFAR-10 (JPEG), once", unit="image", leave=False, disable=None)
        for row, index in enumerate(bar):
            pixels[row] = _image(names[index], read, source)
    return pixels, labels


@contextmanager
def _listing(source: Path) -> Iterator[_Listing]:
    if source.is_dir():
        yield (
            [path.relative_to(source).as_posix() for path in _files(source)],
            lambda name: (source / name).read_bytes(),
        )
        return
    try:
        archive = zipfile.ZipFile(source)
    except (OSError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{source} is no zip file that can be read ({reason(error)})") from error

    def read(name: str) -> bytes:
        if archive.getinfo(name).file_size > _LARGEST:
            raise DatasetError(
                f"{name} in {source} has more than {_LARGEST} bytes, so it is no image of 32 x 32 pixels"
            )
        return archive.read(name)

    with closing(archive):
        yield [entry.filename for entry in archive.infolist() if not entry.is_dir()], read


def _mark(name: str, source: Path) -> tuple[int, int]:
    steps = PurePosixPath(name).parts
    if len(steps) != 3 or steps[0] not in ("train", "test") or steps[1] not in CLASSES:
        raise DatasetError(
            f"{source} is not CIFAR-10 (JPEG): {name!r} is not train/<class>/<file> or test/<class>/<file> with a "
            f"class of {', '.join(CLASSES)}"
        )
    return int(steps[0] == "test"), CLASSES.index(steps[1])


def _image(name: str, read: Callable[[str], bytes], source: Path) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(read(name)), formats=["JPEG", "PNG"]) as image:
            if image.size == (_SIDE, _SIDE):
                return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
            found = f"it has {image.width} x {image.height} pixels"
    except DatasetError:
        raise
    except Exception as error:
        # A damaged image or archive fails in as many ways as there are damages.
        found = reason(error)
    raise DatasetError(f"{name} in {source} is no image of 32 x 32 pixels ({found})")
