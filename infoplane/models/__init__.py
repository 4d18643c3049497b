"""Networks by name, for the command line and for experiments; `mlp` and `vib_mlp` to build one directly."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from torch import nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.models.mlp import mlp
from infoplane.models.vib import vib_mlp

__all__ = ["MODELS", "build", "mlp", "vib_mlp"]

# Each takes (values per input, neurons of the hidden layers, classes, seed).
MODELS: Mapping[str, Callable[[int, tuple[int, ...], int, int | None], nn.Module]] = MappingProxyType(
    {"mlp": lambda inputs, hidden, classes, seed: mlp((inputs, *hidden, classes), seed=seed)}
)


def build(
    name: str,
    *,
    shape: Sequence[int],
    classes: int,
    hidden: Sequence[int] = (1024, 1024),
    seed: int | None = None,
) -> nn.Module:
    """Return the network called `name` for inputs of a given shape.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    shape : sequence of int
        Shape of one input, without the batch dimension.
    classes : int
        Number of classes.
    hidden : sequence of int
        Neurons of the hidden layers.
    seed : int, optional
        Seed of the initial weights; the global random state is left alone.

    Raises
    ------
    InputError
        The name is unknown, or a number is out of range.
    """
    if name not in MODELS:
        raise InputError(f"no model {name!r}; accepted: {', '.join(MODELS)}{near_names(str(name), MODELS)}")
    return MODELS[name](math.prod(shape), tuple(hidden), classes, seed)
