"""Which sites know the input only through which other ones, found by experiment.

    x -> T_l -> T_k    gives    I(T_l;Y) >= I(T_k;Y) >= any lower bound at k

but only where nothing of the input reaches k around l. In one forward the activation at l of every second input is
replaced by that of the input before it. If such two inputs then agree at k, all that k knows of them went through l;
with a skip connection, a residual branch or another path they go on to differ. Agreement is up to rounding, which a
forward of inputs that are equal by pairs shows. What depends on chance in evaluation mode differs there too: nothing
is found then, as wherever the experiment cannot tell.
"""

import copy
from collections import Counter
from collections.abc import MutableMapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from infoplane.probes.attach import remove
from infoplane.probes.batches import Batch
from infoplane.probes.errors import SiteError
from infoplane.probes.host_output import score_tensor
from infoplane.probes.input_axis import input_axis
from infoplane.probes.isolation import evaluation_mode, preserved_random_state
from infoplane.probes.outputs import tensor_at
from infoplane.probes.places import Place
from infoplane.probes.target import Target

OUTPUT = ""
"""Stands for the network's own output, as the root's name does in ``named_modules()``: no site has it."""

_ROUNDINGS = 10.0  # times that of the forward of equal inputs, and
_LAST_PLACES = 8.0  # of the largest value's precision, are no difference
_LEAST_SPREAD = 1e3  # times that must inputs differ, or nothing can be told


def dependence(model: nn.Module, places: Sequence[Place], batch: Batch, target: Target) -> dict[str, tuple[str, ...]]:
    """Return, by site, the sites that know the input through it alone.

    Parameters
    ----------
    model : torch.nn.Module
        The network; it runs in evaluation mode once per place and twice more, and is left as it was.
    places : sequence of Place
        As a `Tap` has settled them.
    batch : Batch
        Inputs on the network's device; two at least, or nothing can be told. Some tens are enough.
    target : Target
        What is read in the network's own output.

    Returns
    -------
    dict of str to tuple of str
        For every place the names of others, in the order of `places`, and `OUTPUT` last for the network's own output.
        Empty where nothing was found, and for inputs that a module takes by keyword, which cannot be replaced.
    """
    rows = torch.arange(batch.n, device="cpu")
    before = rows - rows % 2
    with preserved_random_state(), evaluation_mode(model), torch.no_grad():
        watch = _Watch(model, places, batch.n, target)
        plain = watch.forward(batch)
        equal = watch.forward(batch.take(before))
        limits = {
            name: limit
            for name, (difference, unit) in plain.items()
            if (limit := _ROUNDINGS * equal[name][0] + _LAST_PLACES * unit) * _LEAST_SPREAD < difference
        }
        found = {}
        for place in places:
            left = watch.forward(batch, without=place)
            found[place.name] = tuple(
                name
                for name in left
                if watch.replaced and name != place.name and name in limits and left[name][0] <= limits[name]
            )
    return found


class _Watch:
    """Runs forwards and notes, at every place, how much the two inputs of a pair differ."""

    def __init__(self, model: nn.Module, places: Sequence[Place], inputs: int, target: Target) -> None:
        self._model, self._places, self._inputs, self._target = model, places, inputs, target
        self._differences: dict[str, tuple[float, float]] = {}
        self._calls: Counter[int] = Counter()
        self._without: Place | None = None
        self.replaced = False

    def forward(self, batch: Batch, *, without: Place | None = None) -> dict[str, tuple[float, float]]:
        """Return by name the largest difference within a pair, and the rounding unit of the values; `OUTPUT` last."""
        self._differences, self._calls, self._without, self.replaced = {}, Counter(), without, False
        mine = batch.cloned()
        handles = [
            register_module_forward_pre_hook(self._before),
            register_module_forward_hook(self._after, with_kwargs=True),
        ]
        try:
            output = self._model(*mine.args, **mine.kwargs)
        finally:
            for handle in handles:
                remove(handle)
        found = {place.name: self._differences[place.name] for place in self._places if place.name in self._differences}
        scores = score_tensor(output, self._target.decoder_width)
        if scores is not None and len(scores) == self._inputs:
            found[OUTPUT] = _difference(scores, 0)
        return found

    def _before(self, module: nn.Module, args: tuple[Any, ...]) -> Any:
        value: Any = args
        for place in self._at(module, "input"):
            if args and not _by_keyword(place):
                value = self._meet(place, dict(enumerate(args)), value)
        return None if value is args else value

    def _after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        value = output
        for place in self._at(module, "input"):
            if not args or _by_keyword(place):
                self._meet(place, kwargs, None)
        for place in self._at(module, "output"):
            value = self._meet(place, output, value)
        self._calls[id(module)] += 1
        return None if value is output else value

    def _at(self, module: nn.Module, side: str) -> list[Place]:
        call = self._calls[id(module)]
        return [p for p in self._places if p.module is module and p.side == side and p.call in (None, call)]

    def _meet(self, place: Place, given: Any, value: Any) -> Any:
        """Note the difference at one place; return `value`, with the tensor there replaced if that was asked."""
        try:
            tensor = tensor_at(given, place.path, place.name)
            axis = input_axis(
                tuple(tensor.shape),
                self._inputs,
                site=place.name,
                module=place.module,
                side=place.side,
                path=place.path,
            )
        except SiteError:
            return value
        self._differences[place.name] = _difference(tensor, axis)
        if self._without is None or place.name != self._without.name or value is None:
            return value
        rows = torch.arange(self._inputs, device=tensor.device)
        self.replaced = True
        return _substituted(value, tensor, tensor.index_select(axis, rows - rows % 2))


def _difference(tensor: Tensor, axis: int) -> tuple[float, float]:
    """Return the largest difference between the two inputs of a pair, and the rounding unit of the largest value."""
    rows = tensor.movedim(axis, 0)
    rows = rows[: len(rows) // 2 * 2].double()
    if not rows.numel():
        return 0.0, 0.0
    # Half precision has so few places that they would hide a faint path: there only what is seen counts as rounding.
    unit = min(torch.finfo(tensor.dtype).eps, torch.finfo(torch.float32).eps) * float(rows.abs().max())
    return float((rows[0::2] - rows[1::2]).abs().max()), unit


def _by_keyword(place: Place) -> bool:
    return bool(place.path) and isinstance(place.path[0], str)


def _substituted(value: Any, old: Tensor, new: Tensor) -> Any:
    """Return `value` with the tensor `old` replaced wherever it stands in tuples, mappings and records."""
    if value is old:
        return new
    if isinstance(value, MutableMapping):
        like = copy.copy(value)
        for key, item in value.items():
            like[key] = _substituted(item, old, new)
        return like
    if isinstance(value, tuple | list):
        items = [_substituted(item, old, new) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _substituted(getattr(value, f.name), old, new) for f in fields(value)})
    return value
