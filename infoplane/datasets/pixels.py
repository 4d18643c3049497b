"""Images kept as the bytes they were stored as, and turned into float32 a batch at a time.

CIFAR-10 takes 184 MB this way instead of 737. Values are byte / 255, in [0, 1]; where a mean and a standard deviation
per channel are given, (value - mean) / sd.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.datasets.fingerprint import fingerprint
from infoplane.datasets.rows import Draw, chosen


@dataclass(frozen=True, eq=False, repr=False)
class Pixels:
    """Some of the images of an array of bytes.

    Attributes
    ----------
    values : numpy.ndarray
        Shape ``(images, channels, height, width)``, uint8; may be a mapped file.
    places : numpy.ndarray
        Which of them, in which order; shape ``(n,)``, int64.
    mean, deviation : tuple of float, optional
        One per channel; both or none.
    """

    values: NDArray[np.uint8]
    places: NDArray[np.int64]
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of images, channels, height, width."""
        return (len(self.places), *self.values.shape[1:])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int | slice) -> Tensor:
        images = self.gather(chosen(index, len(self)), (0, 0))
        return images if isinstance(index, slice) else images[0]

    def gather(self, index: NDArray[np.int64], draw: Draw) -> Tensor:
        """Return the images at `index`, float32; nothing in them is random."""
        # np.array, not asarray: a mapped file gives a subclass that may be read-only, which torch warns of.
        images = torch.from_numpy(np.array(self.values[self.places[index]])).to(torch.float32).div_(255)
        if self.mean is not None and self.deviation is not None:
            images.sub_(torch.tensor(self.mean)[:, None, None]).div_(torch.tensor(self.deviation)[:, None, None])
        return images

    def take(self, index: NDArray[np.int64]) -> "Pixels":
        """Return only the images at `index`; the bytes are shared."""
        return Pixels(self.values, self.places[index], self.mean, self.deviation)

    def normalized(self, mean: tuple[float, ...], deviation: tuple[float, ...]) -> "Pixels":
        """Return the same images, with a mean subtracted and divided by a standard deviation per channel."""
        return Pixels(self.values, self.places, mean, deviation)

    def fingerprint(self) -> str:
        """Return the SHA-256 over the bytes of these images, and over mean and deviation where there are some."""
        scale = () if self.mean is None else (self.mean, self.deviation or ())
        return fingerprint(np.asarray(self.values[self.places]), *scale)

    def moments(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return mean and standard deviation (with 1/n) of byte / 255, per channel, counted exactly."""
        grey = np.arange(256) / 255
        means, deviations = [], []
        for channel in range(self.values.shape[1]):
            counts = np.bincount(self.values[self.places, channel].ravel(), minlength=256)
            mean = float(counts @ grey / counts.sum())
            means.append(mean)
            deviations.append(float(np.sqrt(counts @ (grey - mean) ** 2 / counts.sum())))
        return tuple(means), tuple(deviations)
