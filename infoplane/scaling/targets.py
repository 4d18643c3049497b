"""The mean activity that synaptic scaling aims at (Hofmann and Mäder 2022, Eq. 16).

The equation passes uniform noise straight through the activation function, without weights::

    z_target = 1/N sum_n phi(u_n),   u_n ~ U(-1, 1)

Its expectation, E phi(U(-1, 1)), is computed here by adaptive quadrature, so that it carries no sampling noise and
agrees with the closed forms to rounding: ReLU 1/4, leaky ReLU (1 - slope)/4, sigmoid 1/2, tanh and identity 0, ELU
1/4 - 1/(2e), GELU exp(-1/2) / (2 sqrt(2 pi)). It has the unit of an activation.
"""

from collections.abc import Callable
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.scaling.activations import Activation

# (name of the layer, its activation, number of neurons) -> the activity it should have
Target = Callable[[str, Activation, int], float | Tensor]

Panels = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_PANELS = 8
# Each halving of a panel with a kink or a step in it halves what the panel can be wrong by.
_HALVINGS = 50


def target_activity(target: str | float | Target, name: str, phi: Activation, *, like: Tensor) -> Tensor:
    """Return the target of every neuron of a layer.

    Parameters
    ----------
    target : "uniform", float or callable
        Eq. 16, one number, or a function that is given the layer's name, its activation (a function of tensors with
        a `name`) and its number of neurons, and returns one number or a tensor of shape ``(neurons,)``.
    name : str
        The layer.
    phi : Activation
        Its activation.
    like : torch.Tensor
        Shape ``(neurons,)``: the shape, precision and device of the result.

    Raises
    ------
    InputError
        `phi` gives no target, or the function returned anything else than finite numbers of these shapes.
    """
    if isinstance(target, str):
        return uniform_target(phi, width=len(like), device=like.device, dtype=like.dtype).to(like)
    if isinstance(target, int | float | Real):
        return torch.full_like(like, float(target))
    given = target(name, phi, len(like))
    try:
        values = torch.as_tensor(given, dtype=like.dtype, device=like.device).detach()
    except (TypeError, ValueError, RuntimeError):
        values = None
    if values is None or values.shape not in ((), like.shape) or not bool(torch.isfinite(values).all()):
        shown = f"a tensor of shape {tuple(given.shape)}" if isinstance(given, Tensor) else repr(given)[:60]
        raise InputError(
            f"target= returned {shown} for layer {name!r}; accepted: a finite number, or a tensor of {len(like)} "
            "finite numbers, one for each neuron"
        )
    return values.expand_as(like)


def uniform_target(
    activation: Callable[[Tensor], Tensor],
    *,
    width: int = 1,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Return E phi(U), U ~ U(-1, 1), the target activity of Eq. 16.

    Parameters
    ----------
    activation : callable
        Element-wise function phi of a tensor of shape ``(nodes, width)``.
    width : int
        Number of neurons; they differ only where phi has a parameter for each neuron, as `torch.nn.PReLU`
        may.
    device, dtype : torch.device or str, torch.dtype
        Where and in which precision phi is evaluated.

    Returns
    -------
    torch.Tensor
        Shape ``(width,)``, float64, on the CPU, in the unit of an activation.

    Raises
    ------
    InputError
        `activation` changes the shape of its argument, or is not finite on [-1, 1].
    """

    def integrals(left: Panels, right: Panels) -> Panels:
        """Return the integral of the even part of phi over each panel, shape (panels, width)."""
        half = (right - left)[:, None] / 2
        grid = torch.from_numpy(((left + right)[:, None] / 2 + half * _NODES).ravel())
        inputs = grid[:, None].repeat(1, width).to(device=device, dtype=dtype)
        with torch.no_grad():
            # Pairs of u and -u, so that an odd function gives exactly 0.
            outputs = (activation(inputs) + activation(-inputs)) / 2
        if outputs.shape != inputs.shape:
            raise InputError(
                f"the activation turns shape {tuple(inputs.shape)} into {tuple(outputs.shape)}; synaptic scaling "
                "needs an element-wise function"
            )
        values = outputs.detach().to(device="cpu", dtype=torch.float64).numpy()
        panels = values.reshape(len(left), len(_NODES), width)
        return np.asarray(np.einsum("pn,pnw->pw", half * _WEIGHTS, panels))

    edges = np.linspace(0.0, 1.0, _PANELS + 1)
    left, right = edges[:-1], edges[1:]
    whole = integrals(left, right)
    total = np.zeros(width)
    rounding = 8 * torch.finfo(dtype).eps
    for _ in range(_HALVINGS):
        middle = (left + right) / 2
        first, second = integrals(left, middle), integrals(middle, right)
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            raise InputError(
                "the activation is not finite on [-1, 1], so Eq. 16 gives no target; pass target= a number"
            )
        halves = first + second
        is_rough = (np.abs(halves - whole) > rounding * (np.abs(halves) + (right - left)[:, None])).any(1)
        total += halves[~is_rough].sum(0)
        if not is_rough.any():
            return torch.from_numpy(total)
        left, middle, right = left[is_rough], middle[is_rough], right[is_rough]
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        whole = np.concatenate([first[is_rough], second[is_rough]])
        if len(left) > 4096:
            break  # rough everywhere: no function of real numbers that quadrature can follow
    return torch.from_numpy(total + whole.sum(0))
