"""Two labels with a given joint table, and the binary symmetric channel.

``I(X;Y) = sum_ij p_ij log [p_ij / (p_i. p_.j)]``
"""

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError
from infoplane.analysis.information import mutual_information
from infoplane.analysis.known.known import Floats, Known, Labels


def joint_table(table: ArrayLike, *, name: str = "") -> Known:
    """Return two labels with a joint law that is given as a table.

    Parameters
    ----------
    table : array_like
        Shape (Kx, Ky): non-negative weights of the pairs, scaled to sum 1.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the table is not two-dimensional, or its weights are negative, not finite or all 0.
    """
    weights = np.asarray(table, dtype=np.float64)
    if weights.ndim != 2 or not weights.size:
        raise InputError(f"table has shape {weights.shape}, but a joint table is (labels of x, labels of y)")
    if not np.isfinite(weights).all() or weights.min() < 0 or not weights.sum() > 0:
        raise InputError("table has a negative or infinite weight or no positive one, so that it is no joint law")
    shares = weights / weights.sum()
    return Known(
        name=name or f"labels, {shares.shape[0]} x {shares.shape[1]}",
        nats=mutual_information(shares, base=math.e),
        draw=partial(_draw, shares),
        dim_x=1,
        dim_y=1,
        how="counting",
        source="Cover and Thomas 2006, Eq. 2.28",
        description="two labels drawn from a table",
    )


def binary_symmetric_channel(flip: float, *, share: float = 0.5, name: str = "") -> Known:
    """Return a binary label and the same after a channel that flips it with probability `flip`.

    For equally likely labels I = log 2 - h(flip), with h the entropy of a coin (Cover and Thomas 2006, section 7.1.4).

    Parameters
    ----------
    flip : float
        Between 0 and 1.
    share : float
        Of label 1 before the channel, strictly between 0 and 1.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When a probability is out of range.
    """
    if not 0 <= flip <= 1 or not 0 < share < 1:
        raise InputError(f"flip={flip!r}, share={share!r}: give 0 <= flip <= 1 and 0 < share < 1")
    return joint_table(
        [[(1 - share) * (1 - flip), (1 - share) * flip], [share * flip, share * (1 - flip)]],
        name=name or f"binary symmetric channel, flip {flip:g}, share {share:g}",
    )


def _draw(shares: Floats, rng: np.random.Generator, n: int) -> tuple[Labels, Labels]:
    x, y = np.divmod(rng.choice(shares.size, size=n, p=shares.ravel()), shares.shape[1])
    return x.astype(np.int64), y.astype(np.int64)
