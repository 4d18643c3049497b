"""Standardisation of inputs with what the training part says, and with nothing of the test part."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.errors import one_of
from infoplane.datasets.pixels import Pixels


def standardized(
    train: NDArray[np.float64], test: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both parts less the training part's mean, divided by its standard deviation (with 1/n), value by value.

    Parameters
    ----------
    train, test : numpy.ndarray
        Shape ``(n, *shape)``. Every place of an input is standardised by itself; one that is constant in the training
        part is only shifted, so that it is 0 there.
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    # The mean of equal numbers may miss them by a rounding, and its deviation is then not 0 but tiny.
    constant = (train == train[:1]).all(axis=0)
    mean, deviation = np.where(constant, train[0], mean), np.where(constant, 1.0, deviation)
    return (train - mean) / deviation, (test - mean) / deviation


def images_normalized(
    train: Tensor | Pixels, test: Tensor | Pixels, normalize: str | None
) -> tuple[Tensor | Pixels, Tensor | Pixels, str]:
    """Return images as they are, or by channel with mean 0 and deviation 1 over the training part, and how to say it.

    Raises
    ------
    InputError
        `normalize` is neither None nor ``"training"``.
    """
    if normalize is None:
        return train, test, "values / 255, neither normalised nor augmented"
    one_of("normalize", normalize, ("training",))
    if isinstance(train, Pixels) and isinstance(test, Pixels):
        mean, deviation = train.moments()
        train, test = train.normalized(mean, deviation), test.normalized(mean, deviation)
    elif isinstance(train, Tensor) and isinstance(test, Tensor):
        by_channel = train.transpose(0, 1).flatten(1).double()
        center, spread = by_channel.mean(1), by_channel.std(1, correction=0)
        mean, deviation = tuple(center.tolist()), tuple(spread.tolist())
        center, spread = center.to(torch.float32)[:, None, None], spread.to(torch.float32)[:, None, None]
        train, test = (train - center) / spread, (test - center) / spread
    numbers = ", ".join(f"{m:.4f} and {d:.4f}" for m, d in zip(mean, deviation, strict=True))
    return (
        train,
        test,
        f"values / 255, each channel by mean and deviation of the training part ({numbers}), not augmented",
    )
