"""The VIB regularizer (Alemi et al. 2017; Hofmann and Mäder 2022, Eqs. 8-13 and Table I).

The last dense layer gives way to a bottleneck and a linear decoder (`infoplane.probes.bottleneck.VIBHead`), and the
loss becomes

    cross-entropy + beta 1/n sum_n KL(p(z|x_n) || r(z))        both in nats

with one draw of the code per input. The divergence bounds I(Z;X) from above. The paper gives neither N nor beta;
N = 256 and beta = 1e-3 are those of Alemi et al. for MNIST.
"""

import math
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from infoplane.analysis.errors import InputError, whole_number
from infoplane.probes.bottleneck import VIBBottleneck, VIBHead, bottlenecks_of

# Sets the head's weights apart from every stream that was seeded with the bare number, the network's own above all.
_STREAM = 0x56494248656164


def with_vib_head(model: nn.Module, *, latent: int | None = None, seed: int = 0) -> nn.Module:
    """Put a `VIBHead` in the place of the last dense layer of `model`, in place, and return the network.

    Parameters
    ----------
    model : torch.nn.Module
        The network. The last `torch.nn.Linear` in the order of registration is taken for its output, and keeps its
        name: "output" becomes "output.bottleneck" and "output.decoder". A network with bottlenecks keeps its own.
    latent : int, optional
        N, dimensions of the code: 256 unless said otherwise.
    seed : int
        Of the new weights (Glorot's uniform, zero biases); the global random state is left alone.

    Returns
    -------
    torch.nn.Module
        The network itself; another one only where it is nothing but a linear layer.

    Raises
    ------
    InputError
        The network's last layer is not dense or shares its weight, or its own bottleneck has another width.
    """
    width = None if latent is None else whole_number("latent", latent, least=1)
    seed = whole_number("seed", seed, least=0)
    if own := bottlenecks_of(model):
        for name, bottleneck in own.items():
            if width not in (None, bottleneck.latent):
                raise InputError(
                    f"the network's own bottleneck {name!r} has {bottleneck.latent} dimensions, not {latent}"
                )
        return model
    name, last = _last_layer(model)
    (derived,) = np.random.SeedSequence([seed, _STREAM]).generate_state(1, np.uint32)
    head = VIBHead(last.in_features, last.out_features, width or 256, seed=int(derived))
    head.to(device=last.weight.device, dtype=last.weight.dtype).train(last.training)
    if not name:
        return head
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, head)
    return model


class VIBTerm:
    """Beta times the mean divergence of a network's bottlenecks, of the training forward just made.

    Parameters
    ----------
    model : torch.nn.Module
        The network, on its device. One hook is set on the encoder of each of its bottlenecks; deep copies and pickles
        of the network carry it switched off, and `close` removes it.
    beta : float
        Weight of the divergence, finite and >= 0.

    Raises
    ------
    InputError
        `beta` is out of range, or the network has no bottleneck.
    """

    def __init__(self, model: nn.Module, beta: float = 1e-3) -> None:
        self.beta = check_beta("beta", beta)
        self._bottlenecks = tuple(bottlenecks_of(model).values())
        if not self._bottlenecks:
            raise InputError(
                "the network has no VIB bottleneck; put one in with method.prepare(model), and train what it returns"
            )
        self._caught = [_Caught(bottleneck) for bottleneck in self._bottlenecks]
        self._handles: list[RemovableHandle] = [
            bottleneck.encoder.register_forward_hook(caught)
            for bottleneck, caught in zip(self._bottlenecks, self._caught, strict=True)
        ]

    def __call__(self, n: int) -> Tensor:
        """Return the term in nats, a scalar with a graph, of a forward in training mode of `n` inputs; once for each.

        Raises
        ------
        InputError
            There was no such forward since the last call, or it had another number of inputs.
        """
        total: list[Tensor] = []
        for bottleneck, caught in zip(self._bottlenecks, self._caught, strict=True):
            outputs = caught.take()
            if outputs is None:
                raise InputError(
                    "the divergence of the VIB bottleneck is that of a forward in training mode, and there was none "
                    "since the last loss: call model.train() and the network first"
                )
            if len(outputs) != n:
                raise InputError(
                    f"the last training forward had {len(outputs)} inputs, but the loss is given {n} labels"
                )
            with torch.autocast(outputs.device.type, enabled=False):
                total.append(bottleneck.divergence(outputs).mean())
        return self.beta * torch.stack(total).sum()

    @property
    def latent(self) -> int:
        """N of the last bottleneck."""
        return self._bottlenecks[-1].latent

    def close(self) -> None:
        """Remove the hooks; safe to call twice."""
        for handle in self._handles:
            handle.remove()
        self._handles = []


def check_beta(name: str, value: object) -> float:
    """Return `value`, called `name`, as a float; InputError unless it is finite and >= 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < 0:
        raise InputError(f"{name} is {value!r}; accepted: a weight of the divergence, a finite number >= 0")
    return float(value)


class _Caught:
    """A hook that keeps what its own encoder gave in training; copied or pickled it becomes one that does nothing."""

    def __init__(self, bottleneck: VIBBottleneck) -> None:
        self._bottleneck = bottleneck
        self._outputs: Tensor | None = None

    def __call__(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        if self._bottleneck.training:
            self._outputs = output

    def take(self) -> Tensor | None:
        outputs, self._outputs = self._outputs, None
        return outputs

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Nothing, ())


class _Nothing:
    """The hook of a copy."""

    def __call__(self, module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        """Do nothing."""


def _last_layer(model: nn.Module) -> tuple[str, nn.Linear]:
    layers = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)
    ]
    name, last = layers[-1] if layers else ("", None)
    if not isinstance(last, nn.Linear):
        what = f"a {type(last).__name__} ({name!r})" if last is not None else "not there"
        raise InputError(f"VIB takes the place of the last dense layer, but the last layer of the network is {what}")
    owners = [
        f"{path}.{key}" if path else key
        for path, module in model.named_modules(remove_duplicate=False)
        for key, parameter in module._parameters.items()
        if parameter is not None and parameter is last._parameters.get("weight")
    ]
    if len(owners) > 1:
        raise InputError(
            f"the weight of the last dense layer is shared ({' and '.join(owners[:2])}), so no head can take its place"
        )
    return name, last
