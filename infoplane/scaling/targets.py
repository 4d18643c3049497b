"""The mean activity that synaptic scaling aims at (Hofmann and Mäder 2022, Eq. 16).

The equation passes uniform noise straight through the activation function, without weights::

    z_target = 1/N sum_n phi(u_n),   u_n ~ U(-1, 1)

Its expectation, E phi(U(-1, 1)), is computed here by quadrature, so that it carries no sampling noise: ReLU
1/4, sigmoid 1/2, tanh and identity 0. It has the unit of an activation.
"""

from collections.abc import Callable

import numpy as np
import torch

from infoplane.analysis.errors import InputError

# Panels of width 1/8 put the kinks of ReLU, hard tanh and the shrinkage functions on their edges, where
# Gauss-Legendre quadrature is exact to rounding.
_PANELS = 8
_NODES_PER_PANEL = 8


def uniform_target(
    activation: Callable[[torch.Tensor], torch.Tensor],
    *,
    width: int = 1,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
) -> torch.Tensor:
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
    nodes, weights = np.polynomial.legendre.leggauss(_NODES_PER_PANEL)
    half = 0.5 / _PANELS
    centers = half * (2 * np.arange(_PANELS) + 1)
    grid = torch.from_numpy((centers[:, None] + half * nodes).ravel())
    density = torch.from_numpy(np.tile(weights * half, _PANELS))
    inputs = grid[:, None].repeat(1, width).to(device=device, dtype=dtype)
    with torch.no_grad():
        # Pairs of u and -u, so that an odd function gives exactly 0.
        outputs = (activation(inputs) + activation(-inputs)) / 2
    if outputs.shape != inputs.shape:
        raise InputError(
            f"the activation turns shape {tuple(inputs.shape)} into {tuple(outputs.shape)}; synaptic scaling "
            "needs an element-wise function"
        )
    target = density @ outputs.detach().to(device="cpu", dtype=torch.float64)
    if not bool(torch.isfinite(target).all()):
        raise InputError("the activation is not finite on [-1, 1], so Eq. 16 gives no target; pass target= a number")
    return target
