"""The change of "information" when one weight of a sigmoid neuron is scaled (Eqs. 14, 19-25 of Hofmann & Maeder 2022).

Synaptic scaling makes w' = w + w^2 zhat gamma of the weight w (Eq. 14); zhat is target less actual mean activation.
With the input x (the paper writes p(x|z)) and the bias b, Eq. 22 less Eq. 21 is

    dI = log[ (1 + e^-(x w + b)) / (1 + e^-(x w' + b)) ]

in bits with ``base=2``, with the weight p(z, x) of the sums taken as 1. This is the change of log p(z = 1 | x) at one
x, and no mutual information; variant ``exact`` is the change of the mutual information itself. The paper prints the
formula in readings that disagree, each of which is a variant; o stands for zbar, fed in as it is:

    eq22             1 + e^-(x w' + b) below: consistent with Eq. 14, and what Fig. 4 shows (transposed, at x = 1)
    eq25             the same, with zbar for zhat
    eq24             1 + e^{-x (w + w^2 o gamma - b)} below: zbar for zhat, and the bias inside the bracket
    appendix_delta   1 + e^{-x w + w^2 o gamma - b} below: zbar for zhat, the sign reversed, and no x
    exact            I(Z;X) of the scaled neuron less that of the unscaled one, for X of a stated law

The sign of eq22 is that of zhat for positive x and gamma, whatever the sign of w.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infoplane.analysis.bernoulli_neuron import bernoulli_neuron_information
from infoplane.analysis.errors import InputError, near_names, whole_number
from infoplane.analysis.input_law import InputLaw
from infoplane.analysis.log_sigmoid import log_sigmoid_change
from infoplane.analysis.units import nats_per_unit, unit_name

Floats = NDArray[np.float64]

VARIANTS = ("eq22", "eq25", "eq24", "appendix_delta", "exact")

MOST_POINTS = 10_000
FIG4_COLOUR_BAR = (-0.5600, 0.4894)
"""Ends of the colour bar of Fig. 4 in bit, measured on the vector graphic of doi 10.1109/TNNLS.2021.3050422."""


def delta_information(
    w: ArrayLike,
    zhat: ArrayLike | None = None,
    *,
    zbar: ArrayLike | None = None,
    z_target: ArrayLike = 0.5,
    x: ArrayLike = 1.0,
    gamma: ArrayLike = 1.0,
    b: ArrayLike = 0.0,
    base: float = 2,
    variant: str = "eq22",
    input_law: InputLaw | None = None,
) -> Any:
    """Return the change of information by scaling one weight of a sigmoid neuron (Eqs. 22-25).

    All numeric arguments broadcast against each other.

    Parameters
    ----------
    w : array_like
        Weight before scaling.
    zhat : array_like, optional
        Target less actual mean activation. Give either this or `zbar`.
    zbar : array_like, optional
        Actual mean activation: zhat = z_target - zbar.
    z_target : array_like
        Target activation; 0.5 is that of a sigmoid neuron whose input is symmetric about 0.
    x : array_like
        Input of the neuron, the paper's p(x|z). Its text says 0.5, its Fig. 4 is drawn with 1. In ``exact``, a factor
        on the random input: p = sigma(w x X + b).
    gamma : array_like
        Scaling rate.
    b : array_like
        Bias.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.
    variant : {"eq22", "eq25", "eq24", "appendix_delta", "exact"}
        Which reading of the paper; see the module's docstring.
    input_law : pair of array_like, or frozen scipy.stats distribution, optional
        Of ``exact`` only: the law of X, as ``(values, probabilities)`` or as a continuous distribution (integrated by
        the quadrature of `infoplane.analysis.input_law`). Uniform on (-1, 1) when left out.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        The change in units of `base`, the broadcast shape. Accurate to about 1e-14 of its size for |w| from 1e-9 to
        1e6; ``exact`` to about 1e-14 of the two informations whose difference it is.

    Raises
    ------
    InputError
        When not exactly one of `zhat` and `zbar` is given, `variant` is unknown, `input_law` comes with another
        variant than ``exact``, an argument is not numeric, or shapes do not broadcast.

    Examples
    --------
    A weight of -1 at the highest and at the lowest mean activation: the ends of Fig. 4's colour bar.

    >>> delta_information(-1.0, zbar=[1.0, 0.0]).round(4)
    array([-0.56  ,  0.4893])
    """
    unit = nats_per_unit(base)
    if variant not in VARIANTS:
        raise InputError(
            f"there is no variant {variant!r}{near_names(str(variant), VARIANTS)}; the variants are "
            f"{', '.join(VARIANTS[:-1])} and {VARIANTS[-1]}"
        )
    if input_law is not None and variant != "exact":
        raise InputError(f"input_law goes with variant 'exact' only, but the variant is {variant!r}")
    if (zhat is None) == (zbar is None):
        given = "neither" if zhat is None else "both"
        raise InputError(f"{given} of zhat and zbar given, but exactly one is needed: zhat = z_target - zbar")
    ordinates = {"zhat": zhat} if zhat is not None else {"zbar": zbar}
    weight, target, inputs, rate, bias, z = _broadcast(
        {"w": w, "z_target": z_target, "x": x, "gamma": gamma, "b": b, **ordinates}
    )
    difference, ordinate = (z, target - z) if zbar is None else (target - z, z)
    with np.errstate(over="ignore"):
        growth = weight * weight * rate  # w' - w per unit of zhat
    if variant == "exact":
        scaled, plain = (
            bernoulli_neuron_information(v * inputs, bias, input_law=input_law, base=base)
            for v in (weight + growth * difference, weight)
        )
        return scaled - plain
    # Each reading is a change of ln sigma by some step of its argument x w + b.
    if variant == "eq22":
        step = inputs * growth * difference
    elif variant == "eq25":
        step = inputs * growth * ordinate
    elif variant == "eq24":
        step = inputs * growth * ordinate - bias * (inputs + 1)
    else:
        step = -growth * ordinate
    return (log_sigmoid_change(inputs * weight + bias, step) / unit)[()]


@dataclass(frozen=True, eq=False, repr=False)
class DeltaInformationSurface:
    """The change of information over weights and mean activations: the surface of Fig. 4.

    Attributes
    ----------
    w : numpy.ndarray
        Shape (points,): weights, from -1 to 1; the columns of `values`.
    zbar : numpy.ndarray
        Shape (points,): mean activations, from 0 to 1; the rows of `values`.
    values : numpy.ndarray
        Shape (points, points): the change at ``(zbar[i], w[j])``, in units of `base`.
    x, gamma, b, z_target, base, variant
        As given to `delta_information_surface`.
    """

    w: Floats
    zbar: Floats
    values: Floats
    x: float
    gamma: float
    b: float
    z_target: float
    base: float
    variant: str

    @property
    def minimum(self) -> float:
        """The smallest value of the grid."""
        return float(self.values.min())

    @property
    def maximum(self) -> float:
        """The largest value of the grid."""
        return float(self.values.max())

    @property
    def mean(self) -> float:
        """The mean over the grid's points, its edges included; not the integral."""
        return float(self.values.mean())

    @property
    def unit(self) -> str:
        """``"bit"``, ``"nat"``, ...: the unit of `values`."""
        return unit_name(self.base)

    def __repr__(self) -> str:
        span = f"{self.minimum:.6f} to {self.maximum:.6f} {self.unit}, mean {self.mean:.5f}"
        return f"<DeltaInformationSurface {self.variant}, {self.values.shape[0]} x {self.values.shape[1]}: {span}>"


def delta_information_surface(
    points: int = 100,
    *,
    x: float = 1.0,
    gamma: float = 1.0,
    b: float = 0.0,
    z_target: float = 0.5,
    base: float = 2,
    variant: str = "eq22",
) -> DeltaInformationSurface:
    """Return the surface of Fig. 4: w from -1 to 1, zbar from 0 to 1, `points` equally spaced values of each.

    The defaults are those of the figure, which is printed with its axes exchanged: columns of `values` are weights
    here. Its range is -0.559984 to 0.489340 bit.

    Parameters
    ----------
    points : int
        Values per axis, at least 2.
    x, gamma, b, z_target, base, variant
        As in `delta_information`; ``exact`` takes X uniform on (-1, 1).

    Raises
    ------
    InputError
        When `points` is no whole number from 2 to 10,000, a parameter is not finite, or `delta_information`
        rejects an argument.
    """
    points = whole_number("points", points, least=2, most=MOST_POINTS)
    w, zbar = np.linspace(-1, 1, points), np.linspace(0, 1, points)
    for name, value in {"z_target": z_target, "x": x, "gamma": gamma, "b": b}.items():
        if np.ndim(value):
            raise InputError(f"{name} has shape {np.shape(value)}, but a surface has one value of it")
        if isinstance(value, Real) and not math.isfinite(value):
            raise InputError(f"{name} is {value!r}, but a surface needs a finite number")
    values = delta_information(
        w, zbar=zbar[:, None], z_target=z_target, x=x, gamma=gamma, b=b, base=base, variant=variant
    )
    return DeltaInformationSurface(
        w, zbar, values, x=x, gamma=gamma, b=b, z_target=z_target, base=float(base), variant=variant
    )


def _broadcast(named: Mapping[str, ArrayLike | None]) -> list[Floats]:
    arrays = []
    for name, value in named.items():
        try:
            array: NDArray[np.generic] = np.asarray(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{name} cannot be read as an array of numbers ({error})") from error
        if array.dtype.kind not in "biuf":
            raise InputError(f"{name} has entries of type {array.dtype}, but it must hold real numbers")
        arrays.append(array.astype(np.float64))
    try:
        return list(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(named, arrays, strict=True))
        raise InputError(f"the shapes do not broadcast: {shapes}") from error
