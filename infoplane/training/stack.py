"""`Stack`: several networks of one form, whose parameters and buffers are parts of common tensors.

Every parameter and buffer of S networks lies in one tensor (S, ...), and each network's own is a view into it, without
a copy: what changes the stack changes the networks, and the other way round. One call runs all of them side by side,
each on its own batch, by `torch.vmap`; one optimizer, which works number by number, steps all of them at once.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from infoplane.training.module_hooks import global_hooks_aside


class Stack:
    """Networks side by side.

    Parameters
    ----------
    models : sequence of torch.nn.Module
        S of them on one device, alike but for the values of parameters and buffers, which become views.

    Attributes
    ----------
    parameters, buffers : dict of str to torch.Tensor
        The common tensors, (S, ...), by name.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        self._models = list(models)
        self.parameters = {
            name: nn.Parameter(torch.stack([own.detach() for own in alike]), requires_grad=alike[0].requires_grad)
            for name, alike in _alike([dict(model.named_parameters()) for model in models]).items()
        }
        self.buffers = {
            name: torch.stack(alike)
            for name, alike in _alike([dict(model.named_buffers()) for model in models]).items()
        }
        # Its forward alone is used. Tensors that have two names, as tied weights, are one tensor in it too.
        self._form = copy.deepcopy(models[0], {id(own): _meta(own) for own in _tensors(models[0])})
        self._point()

    def __len__(self) -> int:
        return len(self._models)

    @property
    def trained(self) -> list[nn.Parameter]:
        """The common tensors that are trained."""
        return [parameter for parameter in self.parameters.values() if parameter.requires_grad]

    def forward(self, inputs: Tensor) -> Any:
        """Run all networks, in the mode of the first one.

        Parameters
        ----------
        inputs : torch.Tensor
            One batch for each, (S, n, ...).

        Returns
        -------
        object
            What the networks return, with S in front, and its graph.

        Raises
        ------
        RuntimeError
            Of torch, where a network holds an operation that cannot run side by side, or that draws random numbers.
        """
        for mine, module in zip(self._form.modules(), self._models[0].modules(), strict=True):
            mine.training = module.training
        with global_hooks_aside():  # of the recordings: none of them is of this form
            return torch.vmap(self._one, randomness="error")(self.parameters, self.buffers, inputs)

    def drop(self, index: int, optimizer: torch.optim.Optimizer) -> None:
        """Let one network go, with its part of the optimizer's state; the others stay what they are.

        It keeps tensors of its own. The common tensors are other ones afterwards, for the optimizer too, without
        gradients.
        """
        kept = [k for k in range(len(self)) if k != index]
        gone = self._models.pop(index)
        for tensor in [*gone.parameters(), *gone.buffers()]:
            tensor.data = tensor.data.clone()
            tensor.grad = None
        self.buffers = {name: buffer[kept] for name, buffer in self.buffers.items()}
        # New ones: a graph that is still held remembers the shape of the old ones.
        (group,) = optimizer.param_groups
        for name, old in self.parameters.items():
            new = nn.Parameter(old.detach()[kept], requires_grad=old.requires_grad)
            self.parameters[name] = new
            group["params"] = [new if each is old else each for each in group["params"]]
            if old in optimizer.state:
                optimizer.state[new] = {
                    key: value[kept] if _is_stacked(key, value) else value
                    for key, value in optimizer.state.pop(old).items()
                }
        self._point()

    def give_gradients(self) -> None:
        """Make each network's gradients views into the common ones."""
        for name, common in self.parameters.items():
            for k, own in enumerate(self._own[name]):
                own.grad = None if common.grad is None else common.grad[k]

    @contextmanager
    def preserved_buffers(self) -> Iterator[None]:
        """Put the buffers back to what they were before the block."""
        before = {name: buffer.clone() for name, buffer in self.buffers.items()}
        try:
            yield
        finally:
            for name, buffer in self.buffers.items():
                buffer.copy_(before[name])

    def _one(self, parameters: dict[str, nn.Parameter], buffers: dict[str, Tensor], inputs: Tensor) -> Any:
        return functional_call(self._form, {**parameters, **buffers}, (inputs,))

    def _point(self) -> None:
        """Make the networks' own tensors views."""
        parameters = [dict(model.named_parameters()) for model in self._models]
        buffers = [dict(model.named_buffers()) for model in self._models]
        self._own = {name: [each[name] for each in parameters] for name in self.parameters}
        both: list[tuple[Mapping[str, Tensor], Sequence[Mapping[str, Tensor]]]]
        both = [(self.parameters, parameters), (self.buffers, buffers)]
        for common, own in both:
            for name, tensor in common.items():
                for part, each in zip(tensor.data, own, strict=True):
                    each[name].data = part


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    yield from model.parameters()
    yield from model.buffers()


def _meta(tensor: Tensor) -> Tensor:
    twin = tensor.detach().to("meta")
    return nn.Parameter(twin, requires_grad=tensor.requires_grad) if isinstance(tensor, nn.Parameter) else twin


def part_of(state: dict[str, Any], index: int) -> dict[str, Any]:
    """Return the state of an optimizer of one network, of that of a stack's."""
    return _state_of(state, lambda place, name, common: common[index].clone())


def joined(states: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the state of a stack's optimizer, of those of its networks; the inverse of `part_of`."""
    return _state_of(states[0], lambda place, name, own: torch.stack([s["state"][place][name] for s in states]))


def _state_of(state: dict[str, Any], made: Callable[[Any, str, Tensor], Tensor]) -> dict[str, Any]:
    """Return a state with another tensor in the place of each that is stacked."""
    own = {
        place: {name: made(place, name, value) if _is_stacked(name, value) else value for name, value in values.items()}
        for place, values in state["state"].items()
    }
    return {**state, "state": own}


def _is_stacked(name: str, value: object) -> bool:
    return isinstance(value, Tensor) and name != "step"  # which all share


def _alike(tables: Sequence[dict[str, Tensor]]) -> dict[str, list[Tensor]]:
    return {name: [table[name] for table in tables] for name in tables[0]}
