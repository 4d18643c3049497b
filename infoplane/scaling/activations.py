"""Activation functions, and which of them follows a layer in the order in which a network's modules were registered.

Synaptic scaling compares the mean of phi(Wx + b) with its target (Hofmann and Mäder 2022, Eq. 15), so it
needs the phi of each layer. It is traced (`infoplane.scaling.dataflow`); where a network cannot be traced, the order
of registration is taken for the order of calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from infoplane.analysis.errors import InputError

ELEMENTWISE: tuple[type[nn.Module], ...] = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardshrink,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.Mish,
    nn.PReLU,
    nn.ReLU,
    nn.ReLU6,
    nn.RReLU,
    nn.SELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Softshrink,
    nn.Softsign,
    nn.Tanh,
    nn.Tanhshrink,
    nn.Threshold,
)

# What may stand between a layer and its activation without being one.
PASSED_OVER: tuple[type[nn.Module], ...] = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.LayerNorm,
    nn.RMSNorm,
    nn.GroupNorm,
    nn.LocalResponseNorm,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    nn.Flatten,
    nn.Unflatten,
    nn.MaxPool1d,
    nn.MaxPool2d,
    nn.MaxPool3d,
    nn.AvgPool1d,
    nn.AvgPool2d,
    nn.AvgPool3d,
    nn.AdaptiveMaxPool1d,
    nn.AdaptiveMaxPool2d,
    nn.AdaptiveMaxPool3d,
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveAvgPool3d,
)


@dataclass(frozen=True)
class Activation:
    """An element-wise function phi with the name under which reports show it."""

    name: str
    function: Callable[[Tensor], Tensor]

    def __call__(self, values: Tensor) -> Tensor:
        """Return phi of `values`, any shape, leaving `values` as they are."""
        return self.function(values.clone())


IDENTITY = Activation("identity", lambda values: values)


def as_activation(given: object) -> Activation:
    """Return the `Activation` of a callable or of a module instance.

    A module's ``forward`` is called past its hooks, so that no recorder sees a probe; `torch.nn.RReLU` is
    taken as in evaluation mode, because in training mode it would draw from the global random state.

    Raises
    ------
    InputError
        `given` is a class instead of an instance, or cannot be called.
    """
    if isinstance(given, type):
        raise InputError(
            f"activation {given.__name__} is a class; pass an instance ({given.__name__}()) or a function "
            "such as torch.relu"
        )
    if isinstance(given, nn.Identity):
        return IDENTITY
    if isinstance(given, nn.PReLU):
        slopes = given.weight
        return Activation("PReLU", lambda values: nn.functional.prelu(values, slopes.detach().to(values)))
    if isinstance(given, nn.RReLU):
        lower, upper = given.lower, given.upper
        return Activation("RReLU", lambda values: nn.functional.rrelu(values, lower, upper, training=False))
    if isinstance(given, nn.Module):
        return Activation(type(given).__name__, given.forward)
    if not callable(given):
        raise InputError(
            f"activation {given!r} cannot be called; accepted: 'auto', an element-wise function, or a "
            "mapping from layer names to such functions"
        )
    return Activation(str(getattr(given, "__name__", type(given).__name__)), given)


def following_activation(
    modules: Sequence[tuple[str, nn.Module]], name: str, *, layer_types: tuple[type[nn.Module], ...]
) -> Activation:
    """Return the activation that follows layer `name` among `modules`.

    Normalisation, dropout, flattening and pooling are passed over, up to the next layer. The last layer of
    the network has the identity if no element-wise activation follows it (softmax is not element-wise).

    Parameters
    ----------
    modules : sequence of (str, torch.nn.Module)
        The network's layers and leaf modules in the order of registration.
    name : str
        The layer, one of the names in `modules`.
    layer_types : tuple of types
        What counts as a layer.

    Raises
    ------
    InputError
        No activation is found behind a layer that is not the last one.
    """
    start = next(i for i, (known, _) in enumerate(modules) if known == name)
    identity_seen = False
    stop = "nothing"
    for later, module in modules[start + 1 :]:
        if isinstance(module, ELEMENTWISE):
            return as_activation(module)
        if isinstance(module, nn.Identity):
            identity_seen = True
        elif not isinstance(module, PASSED_OVER):
            stop = f"{later!r} ({type(module).__name__})"
            break
    is_last = not any(isinstance(module, layer_types) for _, module in modules[start + 1 :])
    if identity_seen or is_last:
        return IDENTITY
    raise InputError(
        f"the activation of layer {name!r} cannot be told, because {stop} follows it; pass activation= a "
        f"function for all layers, or a mapping such as {{{name!r}: torch.relu}}"
    )
