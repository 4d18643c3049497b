"""The change of ln sigma(a), sigma(a) = 1 / (1 + e^-a), without loss of digits."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]


def log_sigmoid_change(a: Floats, d: Floats) -> Floats:
    """Return ln sigma(a + d) - ln sigma(a) in nats.

    The difference of two `numpy.logaddexp` loses the digits that the two share: all of them for d = 1e-17. Here the
    relative error is a few 1e-16 for any a and d, far into both tails.

    Parameters
    ----------
    a, d : numpy.ndarray
        Shapes that broadcast.

    Returns
    -------
    numpy.ndarray
        float64, the broadcast shape. Its sign is that of `d`; NaN where an argument is NaN.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        end = a + d
        # ln sigma(a) = a + ln sigma(-a): where both ends are negative, mirror them and add d.
        mirrored = (a < 0) & (end < 0)
        a, end = np.where(mirrored, -a, a), np.where(mirrored, -end, end)
        step = np.where(mirrored, -d, d)
        # sigma(low) / sigma(high) = 1 + inner, with inner in (-1, 0].
        inner = expit(-np.minimum(a, end)) * np.expm1(-np.abs(step))
        near = -np.sign(step) * np.log1p(np.maximum(inner, -0.75))
        # Farther apart than that one of the two logarithms is much the larger.
        far = np.logaddexp(0, -a) - np.logaddexp(0, -end)
        return np.where(inner > -0.5, near, far) + np.where(mirrored, d, 0.0)
