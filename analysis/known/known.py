"""A distribution of two variables whose mutual information is known, with a sampler.

    I(X;Y) = E log [p(x, y) / (p(x) p(y))]

is kept in nats and given in any unit. It comes from a closed form or from quadrature, never from samples. A one-to-one
continuous map of a variable leaves it unchanged, I(f(X); g(Y)) = I(X;Y) (Czyz et al. 2023, Theorem 2.1), so that
`transformed` makes new distributions out of known ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.units import nats_per_unit

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Pair = tuple[Floats | Labels, Floats | Labels]
Draw = Callable[[np.random.Generator, int], Pair]
Map = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Known:
    """A sampler and its mutual information.

    Attributes
    ----------
    name : str
        What a table calls it.
    nats : float
        I(X;Y) in nats.
    draw : callable
        ``draw(generator, n) -> (x, y)``: n pairs from the given generator. A quantity is float64 of shape (n, d), a
        label int64 of shape (n,).
    dim_x, dim_y : int
        Columns of x and of y; 1 for a label.
    how : str
        How `nats` is known, as ``"closed form"``.
    source : str
        Where the distribution or its formula comes from.
    description : str
        What it is, in one sentence.
    precision : float
        Largest absolute error of `nats`.
    """

    name: str
    nats: float
    draw: Draw = field(repr=False)
    dim_x: int
    dim_y: int
    how: str
    source: str
    description: str = ""
    precision: float = 1e-12

    def __post_init__(self) -> None:
        if not callable(self.draw):
            raise InputError(f"draw is {self.draw!r}, but it must be a function (generator, n) -> (x, y)")
        if not self.nats >= 0:
            raise InputError(f"nats is {self.nats!r}, but an information is at least 0")

    def sample(self, n: int, seed: int = 0) -> Pair:
        """Return n independent pairs.

        Parameters
        ----------
        n : int
            Number of samples.
        seed : int
            Of a generator of its own; equal seeds give equal samples.

        Returns
        -------
        x, y : numpy.ndarray
            Float64 of shapes (n, dim_x) and (n, dim_y); int64 of shape (n,) where the variable is a label.

        Raises
        ------
        InputError
            When `n` or `seed` is out of range.
        """
        rng = np.random.default_rng(whole_number("seed", seed, least=0))
        return self.draw(rng, whole_number("n", n, least=1))

    def mutual_information(self, base: float = 2) -> float:
        """Return I(X;Y): in bits, or in the unit of `base` (``math.e`` for nats)."""
        return self.nats / nats_per_unit(base)


def transformed(base: Known, *, x: Map | None = None, y: Map | None = None, name: str | None = None) -> Known:
    """Return `base` with its variables mapped one to one, which keeps their mutual information.

    Parameters
    ----------
    base : Known
        What is transformed.
    x, y : callable, optional
        One-to-one maps of an array of shape (n, d) to one of shape (n, d'), row by row. A map that is not one to one
        makes the stated information an upper bound only; this is not checked.
    name : str, optional
        By default the maps' names before that of `base`.

    Raises
    ------
    InputError
        When a map does not give one finite row per row.
    """
    draw = partial(_mapped, base.draw, x, y)
    first = draw(np.random.default_rng(0), 3)
    for what, side in zip("xy", first, strict=True):
        if side.ndim not in (1, 2) or len(side) != 3 or not np.isfinite(side).all():
            raise InputError(
                f"the map of {what} turned 3 samples of {base.name!r} into shape {side.shape} or gave NaN or infinite "
                "values; it must map (n, d) to (n, d'), row by row"
            )
    maps = " and ".join(dict.fromkeys(getattr(f, "__name__", type(f).__name__) for f in (x, y) if f is not None))
    dims = [1 if side.ndim == 1 else side.shape[1] for side in first]
    return replace(
        base,
        name=name or (f"{maps} of {base.name}" if maps else base.name),
        draw=draw,
        dim_x=dims[0],
        dim_y=dims[1],
        description=f"{base.description}, mapped one to one by {maps}" if maps else base.description,
    )


def swapped(base: Known, *, name: str | None = None) -> Known:
    """Return `base` with x and y in each other's place, which keeps their mutual information."""
    return replace(
        base,
        name=name or f"{base.name}, swapped",
        draw=partial(_swapped, base.draw),
        dim_x=base.dim_y,
        dim_y=base.dim_x,
    )


def _swapped(draw: Draw, rng: np.random.Generator, n: int) -> Pair:
    x, y = draw(rng, n)
    return y, x


def _mapped(draw: Draw, x: Map | None, y: Map | None, rng: np.random.Generator, n: int) -> Pair:
    u, v = draw(rng, n)
    return (u if x is None else x(u.astype(np.float64))), (v if y is None else y(v.astype(np.float64)))
