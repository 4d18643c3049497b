"""A label and its code with normal noise: classes that overlap, or a finite input set in front of a noisy layer.

    p(label = k) = share_k,   x = code_k + noise e,   e ~ N(0, identity)
    I(X;Y) = h(X) - d/2 log(2 pi e noise^2)

in nats, with the entropy h of the mixture of K normal laws by quadrature in as many dimensions as the codes span after
their mean is taken off: at most two.
"""

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError
from infoplane.analysis.known.known import Floats, Known, Labels
from infoplane.analysis.known.quadrature import noisy_entropy, noisy_entropy_2d

_RANK = 1e-10  # of the largest singular value, under which a direction is a rounding error


def noisy_codes(codes: ArrayLike, *, noise: float, shares: ArrayLike | None = None, name: str = "") -> Known:
    """Return x, the noisy code, and y, the label of which it is the code.

    Parameters
    ----------
    codes : array_like
        Shape (K, d), or (K,) for one dimension: the code of each label. Of any d, but on one line or in one plane.
    noise : float
        Standard deviation of the noise.
    shares : array_like, optional
        Shape (K,): weights of the labels, scaled to sum 1; equal by default.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the codes are not finite or span more than a plane, there are fewer than two, the weights do not fit, or
        `noise` is not positive and finite.
    """
    table = np.asarray(codes, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) < 2 or not table.shape[1] or not np.isfinite(table).all():
        raise InputError(f"codes has shape {table.shape}, but it must be (labels, d), two or more, all of them finite")
    weights = np.ones(len(table)) if shares is None else np.asarray(shares, dtype=np.float64)
    if weights.shape != (len(table),) or not np.isfinite(weights).all() or weights.min() < 0 or not weights.sum() > 0:
        raise InputError(f"shares must be {len(table)} non-negative weights, one per label, with a positive sum")
    if not 0 < noise < math.inf:
        raise InputError(f"noise is {noise!r}, but it must be positive and finite")
    weights = weights / weights.sum()
    return Known(
        name=name or f"{len(table)} noisy codes, noise {noise:g}",
        nats=_nats(table, weights, noise),
        draw=partial(_draw, table, weights, noise),
        dim_x=table.shape[1],
        dim_y=1,
        how="quadrature",
        source="Cover and Thomas 2006, section 8.5",
        description="a code with normal noise, and the label of which it is the code",
        precision=1e-9,
    )


def _nats(codes: Floats, shares: Floats, noise: float) -> float:
    """Return the information in the plane of the codes; the noise across it tells nothing."""
    left, singular, _ = np.linalg.svd(codes - codes.mean(axis=0), full_matrices=False)
    rank = int(np.count_nonzero(singular > _RANK * max(singular[0], noise)))
    if rank > 2:
        raise InputError(f"the codes span {rank} dimensions, but the information is known for a line or a plane only")
    flat = left[:, :rank] * singular[:rank]
    if rank == 0:
        return 0.0
    entropy = noisy_entropy(flat[:, 0], shares, noise) if rank == 1 else noisy_entropy_2d(flat, shares, noise)
    return entropy - 0.5 * rank * math.log(2 * math.pi * math.e * noise**2)


def _draw(codes: Floats, shares: Floats, noise: float, rng: np.random.Generator, n: int) -> tuple[Floats, Labels]:
    y = rng.choice(len(codes), size=n, p=shares).astype(np.int64)
    return codes[y] + noise * rng.standard_normal((n, codes.shape[1])), y
