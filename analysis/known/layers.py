"""Noisy layers of a network whose input is normal: tanh and ReLU, with known information.

    x ~ N(0, identity),   t = f(gain W x) + noise e,   e ~ N(0, identity),   W with orthonormal rows

The units' inputs a = gain W x are then independent, and so are the units: I(X;T) is their number times

    I(A;T) = h(T_k) - 1/2 log(2 pi e noise^2)

in nats, with the entropy h(T_k) of one unit by quadrature over a and t. It is the setting of Goldfeld et al. (2019),
section 2, in which a layer's information is finite because the layer itself is noisy.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from infoplane.analysis.errors import InputError, near_names, whole_number
from infoplane.analysis.known.known import Floats, Known
from infoplane.analysis.known.quadrature import noisy_entropy, panels
from infoplane.analysis.known.staircase import rotation

NOISES = (0.1, 0.3, 1.0)
"""Standard deviations of the noise of `noisy_layers`."""
_FAR = 9.0  # standard deviations of a unit's input


def _relu(values: Floats) -> Floats:
    return np.maximum(values, 0.0)


_ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {"tanh": np.tanh, "relu": _relu}


def noisy_layer(
    activation: str, *, noise: float, units: int = 2, inputs: int = 2, gain: float = 1.0, seed: int = 0, name: str = ""
) -> Known:
    """Return the input x and the activations t of one noisy layer.

    Parameters
    ----------
    activation : {"tanh", "relu"}
        Of the units.
    noise : float
        Standard deviation of the noise that is added to each activation.
    units, inputs : int
        Columns of t and of x; no more units than inputs.
    gain : float
        Length of each row of the weights.
    seed : int
        Draws the weights.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the activation is unknown, `noise` or `gain` is not positive and finite, or there are more units than
        inputs.
    """
    if activation not in _ACTIVATIONS:
        near = near_names(str(activation), _ACTIVATIONS)
        raise InputError(f"activation is {activation!r}{near}; it is one of: {', '.join(_ACTIVATIONS)}")
    for what, value in (("noise", noise), ("gain", gain)):
        if not 0 < value < math.inf:
            raise InputError(f"{what} is {value!r}, but it must be positive and finite")
    inputs = whole_number("inputs", inputs, least=1)
    units = whole_number("units", units, least=1, most=inputs)
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    return Known(
        name=name or f"{activation} layer {inputs} x {units}, noise {noise:g}",
        nats=units * _unit_nats(_ACTIVATIONS[activation], noise, gain),
        draw=partial(_draw, activation, gain * rotation(rng, inputs)[:units], noise),
        dim_x=inputs,
        dim_y=units,
        how="quadrature in two dimensions",
        source="Goldfeld et al. 2019, section 2",
        description="normal inputs of a layer, and its activations with normal noise",
        precision=1e-9,
    )


def noisy_layers() -> tuple[Known, ...]:
    """Return tanh and ReLU layers of two units at noise 0.1, 0.3 and 1."""
    return tuple(noisy_layer(activation, noise=noise) for activation in _ACTIVATIONS for noise in NOISES)


def _unit_nats(function: Callable[[Floats], Floats], noise: float, gain: float) -> float:
    """Return I(A;T) of one unit, its input normal with deviation `gain`."""
    # The codes of a panel must lie closer together than the noise is wide, and a kink at 0 must not lie inside one.
    u, weight = panels(np.array([-_FAR, 0.0, _FAR]), min(0.5, noise / gain))
    shares = weight * np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
    return noisy_entropy(function(gain * u), shares, noise) - 0.5 * math.log(2 * math.pi * math.e * noise**2)


def _draw(activation: str, weights: Floats, noise: float, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    x = rng.standard_normal((n, weights.shape[1]))
    return x, _ACTIVATIONS[activation](x @ weights.T) + noise * rng.standard_normal((n, len(weights)))
