"""Dropout in a network that was built without it (Srivastava et al. 2014): 0.2 of the inputs, 0.5 of hidden neurons.

In training each number is set to 0 with probability p and otherwise divided by 1 - p; in evaluation nothing happens.
The probabilities are those of Hofmann and Mäder's (2022) appendix; their main text gives none. Draws come from torch's
global generator, as those of any `torch.nn.Dropout`.

Where it goes:

- The input: in front of the first module of a `torch.nn.Sequential`, else by a hook on the network's first
  floating-point argument. Where there is an `Embedding` (the input is token numbers), behind it.
- Hidden neurons: behind every element-wise activation module but one that follows the last layer. The module is
  replaced, under its own name, by a `Sequential` of `activation` and `dropout`: every name of the network stays, and
  the site "hidden1.activation" is what the next layer reads. Behind recurrent layers (RNN, LSTM, GRU), on their output
  and last hidden state; between the layers of one such module by its own `dropout`. The recurrence is left alone.

A network whose activations are functions called in ``forward`` has no place to put it: where a linear or convolutional
layer that is not the last is followed by no activation module, in the order of registration, the network is refused. So
is one with dropout of its own. Where there is batch normalisation, dropout shifts its variance between training and
evaluation (Li et al. 2019), for which the paper leaves this combination out: that is warned of.
"""

import warnings
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from numbers import Real
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils.rnn import PackedSequence

from infoplane.analysis.errors import InputError
from infoplane.probes.bottleneck import VIBHead
from infoplane.scaling.activations import ELEMENTWISE, PASSED_OVER

_LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, VIBHead)
_INPUT = "input_dropout"


def with_dropout(model: nn.Module, *, on_input: float = 0.2, hidden: float = 0.5) -> nn.Module:
    """Put dropout into `model`, in place, and return it.

    Parameters
    ----------
    model : torch.nn.Module
        The network, without dropout of its own.
    on_input, hidden : float
        Probabilities, 0 <= p < 1; at 0 nothing is put there.

    Raises
    ------
    InputError
        A probability is out of range, the network has dropout already, or a layer's activation is no module. The
        network is as it was then.
    """
    check_probability("on_input", on_input)
    check_probability("hidden", hidden)
    if there := dropout_places(model):
        raise InputError(f"the network drops out at {there[0]!r} already; take it out before another is put in")
    activations = _hidden_activations(model)
    if any(isinstance(module, _BatchNorm) for module in model.modules()):
        warnings.warn(
            "the network has batch normalisation, whose variance dropout shifts between training and evaluation "
            "(Li et al. 2019); the paper leaves this combination out",
            stacklevel=2,
        )
    if hidden:
        for module in [module for module in model.modules() if isinstance(module, nn.RNNBase)]:
            module.dropout = float(hidden) if module.num_layers > 1 else 0.0
            module.register_forward_hook(_DropOut(float(hidden)))
        _wrap(model, activations, float(hidden))
    if on_input:
        _drop_input(model, float(on_input))
    return model


def check_probability(name: str, value: object) -> None:
    """Raise InputError unless `value`, called `name`, is a probability of dropout, 0 <= p < 1."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < 1:
        raise InputError(f"{name} is {value!r}; accepted: a probability of dropout, 0 <= p < 1")


def dropout_places(model: nn.Module) -> tuple[str, ...]:
    """Return the names of all modules of `model` that drop something out in training."""
    return tuple(
        name
        for name, module in model.named_modules()
        if (isinstance(module, _DropoutNd) and module.p > 0)
        or (isinstance(module, nn.RNNBase | nn.MultiheadAttention) and module.dropout > 0)
        or any(isinstance(hook, _DropOut) for hook in _hooks(module))
    )


class _DropOut:
    """A hook that drops out the first floating-point argument, or the output and hidden state, of its module."""

    def __init__(self, p: float) -> None:
        self.p = p

    def __call__(self, module: nn.Module, args: tuple[Any, ...], output: Any = None) -> Any:
        if output is None:
            index = next((i for i, arg in enumerate(args) if isinstance(arg, Tensor) and arg.is_floating_point()), None)
            if index is None:
                raise InputError("dropout found no floating-point tensor among the network's positional arguments")
            return (*args[:index], self._dropped(args[index], module), *args[index + 1 :])
        if not isinstance(module, nn.RNNBase):
            return self._dropped(output, module)
        sequence, state = output
        if isinstance(sequence, PackedSequence):
            sequence = sequence._replace(data=self._dropped(sequence.data, module))
        else:
            sequence = self._dropped(sequence, module)
        # The cell's state of an LSTM is no output; the hidden state is the last step's.
        dropped = (
            (self._dropped(state[0], module), state[1]) if isinstance(state, tuple) else self._dropped(state, module)
        )
        return sequence, dropped

    def _dropped(self, values: Tensor, module: nn.Module) -> Tensor:
        return nn.functional.dropout(values, self.p, training=module.training)


def _hooks(module: nn.Module) -> Iterator[object]:
    yield from module._forward_hooks.values()
    yield from module._forward_pre_hooks.values()


def _hidden_activations(model: nn.Module) -> set[nn.Module]:
    """Return the activation modules behind all layers but the last; InputError where a layer has none."""
    heads = [name for name, module in model.named_modules() if isinstance(module, VIBHead)]
    order = [
        (name, module)
        for name, module in model.named_modules(remove_duplicate=False)
        if not any(name.startswith(f"{head}.") for head in heads)
        and (isinstance(module, (*_LAYERS, nn.RNNBase)) or next(module.children(), None) is None)
    ]
    layers = [index for index, (_, module) in enumerate(order) if isinstance(module, _LAYERS)]
    if not layers:
        raise InputError("the network has no linear or convolutional layer, so there is no place for dropout")
    for index, following in pairwise(layers):
        between = [module for _, module in order[index + 1 : following]]
        found = next((module for module in between if not isinstance(module, (*PASSED_OVER, nn.Identity))), None)
        if not isinstance(found, ELEMENTWISE):
            raise InputError(
                f"no activation module follows the layer {order[index][0]!r} in the order of registration, so it "
                "cannot be told where its neurons drop out; put torch.nn.Dropout into the network itself, or give the "
                "layer an activation module of its own, such as self.relu1 = torch.nn.ReLU()"
            )
    activations = {module for _, module in order[: layers[-1]] if isinstance(module, ELEMENTWISE)}
    if not activations and not any(isinstance(module, nn.RNNBase) for module in model.modules()):
        raise InputError("the network has one layer and no hidden neurons that could drop out")
    return activations


def _wrap(model: nn.Module, activations: set[nn.Module], p: float) -> None:
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child in activations:
                # One dropout for each place, also where several share an activation.
                wrapped = nn.Sequential(OrderedDict(activation=child, dropout=nn.Dropout(p)))
                parent._modules[name] = wrapped.train(child.training)


def _drop_input(model: nn.Module, p: float) -> None:
    embeddings = [module for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)]
    if embeddings:
        for embedding in embeddings:
            embedding.register_forward_hook(_DropOut(p))
    elif type(model).forward is nn.Sequential.forward and _INPUT not in model._modules:
        behind = OrderedDict(model._modules)
        model._modules.clear()
        model._modules.update({_INPUT: nn.Dropout(p).train(model.training), **behind})
    else:
        model.register_forward_pre_hook(_DropOut(p))
