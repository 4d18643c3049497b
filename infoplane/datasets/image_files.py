"""Images that stay in their files and are decoded a batch at a time.

Without `size` every image must have the size of the first. With it, an image is brought to ``size x size``: for
evaluation the shorter side is resized to ``size * 256 / 224`` and the centre is cut out; with `augment` a random part
of 8 to 100 % of the area and of side ratio 3/4 to 4/3 is resized, and half of the images are mirrored (the values of
torchvision's transforms). What is random is drawn by torchvision from a state that is fixed by seed, epoch and place,
in whichever process: the global random state is put back.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.datasets.folders import reason
from infoplane.datasets.rows import Draw, chosen
from infoplane.errors import DatasetError

IMAGENET_MOMENTS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True, eq=False, repr=False)
class ImageFiles:
    """Image files in a fixed order.

    Attributes
    ----------
    folder : Path
        Where they lie.
    names : tuple of str
        Their paths in it.
    channels, height, width : int
        Of a decoded image; 3 channels are red, green and blue, 1 is grey.
    resize : bool
        Bring images to that height and width; False refuses others.
    augment : bool
        Cut out and mirror at random.
    moments : tuple, optional
        Mean and standard deviation per channel: values in [0, 1] less the one, divided by the other.
    """

    folder: Path
    names: tuple[str, ...]
    channels: int
    height: int
    width: int
    resize: bool = False
    augment: bool = False
    moments: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of images, channels, height, width."""
        return (len(self.names), self.channels, self.height, self.width)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int | slice) -> Tensor:
        images = replace(self, augment=False).gather(chosen(index, len(self)), (0, 0))
        return images if isinstance(index, slice) else images[0]

    def gather(self, index: NDArray[np.int64], draw: Draw) -> Tensor:
        """Return the images at `index`, float32, augmented as `draw`, (seed, epoch), and the place fix it."""
        images = torch.empty((len(index), *self.shape[1:]))
        for row, place in enumerate(index.tolist()):
            images[row] = self._decoded(place, draw)
        if self.moments is not None:
            mean, deviation = (torch.tensor(part)[:, None, None] for part in self.moments)
            images.sub_(mean).div_(deviation)
        return images

    def take(self, index: NDArray[np.int64]) -> "ImageFiles":
        """Return only the images at `index`."""
        return replace(self, names=tuple(self.names[place] for place in index.tolist()))

    def fingerprint(self) -> str:
        """Return the SHA-256 over names and sizes of the files and over how they are read, not over their content."""
        how = (self.shape, self.resize, self.augment, self.moments)
        digest = hashlib.sha256(f"{how}\n".encode())
        for name in self.names:
            digest.update(f"{Path(name).as_posix()} {(self.folder / name).stat().st_size}\n".encode())
        return digest.hexdigest()

    def _decoded(self, place: int, draw: Draw) -> Tensor:
        from PIL import Image
        from torchvision.transforms import CenterCrop, RandomHorizontalFlip, RandomResizedCrop, Resize

        path = self.folder / self.names[place]
        try:
            with Image.open(path) as file:
                image = file.convert("RGB" if self.channels == 3 else "L")
        except Exception as error:
            raise DatasetError(f"{path} cannot be read as an image ({reason(error)})") from error
        if self.augment:
            state = torch.get_rng_state()
            try:
                number = int(np.random.SeedSequence((*draw, place)).generate_state(1, np.uint64)[0] >> 1)
                # Not torch.manual_seed, which would seed every accelerator as well.
                torch.default_generator.manual_seed(number)
                image = RandomHorizontalFlip()(RandomResizedCrop(self.height)(image))
            finally:
                torch.set_rng_state(state)
        elif self.resize:
            image = CenterCrop(self.height)(Resize(round(self.height * 256 / 224))(image))
        if image.size != (self.width, self.height):
            raise DatasetError(
                f"{path} has {image.size[0]} x {image.size[1]} pixels, the first image {self.width} x {self.height}; "
                "give size=, to which all are brought"
            )
        values = torch.from_numpy(np.array(image)).to(torch.float32).div_(255)
        return values.permute(2, 0, 1) if self.channels == 3 else values[None]


def size_of(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return width and height of an image; DatasetError when it is none."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return image.width, image.height
    except Exception as error:
        raise DatasetError(f"{path} cannot be read as an image ({reason(error)})") from error
