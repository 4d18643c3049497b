"""The life of the hooks: what passes through the places of one network, one root forward at a time.

The hooks are torch's global module hooks, filtered by identity. They leave every dictionary of the network as it
was, so that a deep copy or a pickle of it carries no hook, and they are gone when the tap is closed.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

from infoplane.probes.errors import CaptureError, SiteError
from infoplane.probes.outputs import tensor_at
from infoplane.probes.places import Place, written

Captured = dict[str, Tensor]


class Tap:
    """Captures one tensor at every place while the root of one network runs its forward.

    The first forward captured settles the places: one whose module was called several times becomes one place a call,
    and one that was matched by a pattern drops out where there is nothing to record.

    Parameters
    ----------
    model : torch.nn.Module
        The network whose forward opens and closes a capture.
    places : sequence of Place
        Where.
    active : callable
        Asked at the start of every root forward; the forward is ignored where it returns False. So is a forward inside
        a backward pass, which is how gradient checkpointing computes an activation a second time.
    keep : callable
        Turns ``(site, tensor)`` into what is kept, or None for nothing. It must copy: an activation that works in place
        overwrites its input.
    looks : callable, optional
        Asked likewise: where it returns False only the begin and the end of the forward are told, and no site is looked
        at. It must return True for the first forward.
    before : callable, optional
        Called with the positional arguments when a root forward that will be captured begins.
    after : callable, optional
        Called with ``(args, kwargs, output)`` when a root forward that was captured has ended.

    Attributes
    ----------
    places : tuple of Place
        Settled by the first captured forward.
    dropped : dict of str to str
        Places that dropped out then, and why.
    is_settled : bool
        Whether a forward has been captured.
    """

    def __init__(
        self,
        model: nn.Module,
        places: Sequence[Place],
        *,
        active: Callable[[], bool],
        keep: Callable[[str, Tensor], Tensor | None],
        looks: Callable[[], bool] = lambda: True,
        before: Callable[[tuple[Any, ...]], None] | None = None,
        after: Callable[[tuple[Any, ...], dict[str, Any], Any], None] | None = None,
    ) -> None:
        self.places: tuple[Place, ...] = tuple(places)
        self.dropped: dict[str, str] = {}
        self._model, self._active, self._keep, self._looks = model, active, keep, looks
        self._before_forward, self._after_forward = before, after
        self.is_settled = False
        self._at = _by_module(self.places)
        self._depth = 0
        self._open: _Forward | None = None
        self._watched: dict[int, list[tuple[int, Place]]] = {}  # of the open forward
        self._latest: Captured = {}
        self._handles: list[RemovableHandle] = []

    def open(self) -> None:
        """Set the hooks."""
        _refuse_scripted(self._model, self.places)
        # Left to a compiler's tracing, a hook would be traced once and its bookkeeping lost.
        before, after, ended = (torch.compiler.disable(hook) for hook in (self._before, self._after, self._ended))
        self._handles = [
            register_module_forward_pre_hook(before),
            register_module_forward_hook(after, with_kwargs=True),
            register_module_forward_hook(ended, always_call=True),
        ]

    def settle(self, places: Sequence[Place]) -> None:
        """Take places of this network as a forward of another one like it has settled them."""
        self.places, self._at, self.is_settled = tuple(places), _by_module(places), True

    def drop(self, names: Sequence[str]) -> None:
        """Let go of places that have nothing to record after all."""
        self.places = tuple(place for place in self.places if place.name not in names)
        self.dropped |= dict.fromkeys(names, "no row per input")
        self._at = _by_module(self.places)

    def take(self) -> Captured:
        """Return what the last root forward gave by site, and forget it."""
        latest = self._latest
        self.clear()
        return latest

    def clear(self) -> None:
        """Forget what has been captured."""
        # Also the depth: a KeyboardInterrupt leaves a forward without any hook at its end.
        self._open, self._watched, self._latest, self._depth = None, {}, {}, 0

    def close(self) -> None:
        """Remove the hooks; safe to call twice."""
        for handle in self._handles:
            remove(handle)
        self._handles = []
        self.clear()

    def _before(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if module is self._model:
            self._begin(args)
        places = self._watched.get(id(module))
        forward = self._mine() if places else None
        if places and forward is not None:
            for index, place in places:
                if place.side == "input" and _is_positional(place, args):
                    self._note(forward, index, place, dict(enumerate(args)))

    def _after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        places = self._watched.get(id(module))
        forward = self._mine() if places else None
        if places and forward is not None:
            for index, place in places:
                if place.side == "output":
                    self._note(forward, index, place, output)
                elif not _is_positional(place, args):
                    self._note(forward, index, place, {**dict(enumerate(args)), **kwargs})
        if module is self._model and self._depth == 1:
            self._finish(args, kwargs, output)

    def _begin(self, args: tuple[Any, ...]) -> None:
        """Open a capture at the outermost call of the root, unless this forward is none that anyone waits for."""
        if self._open is not None and self._mine() is None:
            raise CaptureError(
                "two threads run forwards of the recorded network at once, and what passes through its sites would "
                "mix: record one of them at a time"
            )
        self._depth += 1
        if self._depth == 1:
            wanted = not torch.compiler.is_compiling() and not _inside_backward() and self._active()
            if wanted and self._before_forward is not None:
                self._before_forward(args)
            self._open = _Forward(looks=self._looks()) if wanted else None
            self._watched = self._at if self._open is not None and self._open.looks else {}

    def _finish(self, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Close the capture when the root has ended."""
        forward = self._mine()
        if forward is None:
            return
        self._open, self._watched = None, {}
        was_settled = self.is_settled
        if not was_settled:
            self._settle(forward)
        missing = [place.name for k, place in enumerate(self.places) if k not in forward.seen and forward.looks]
        if missing and was_settled:
            mode = "training" if self._model.training else "evaluation"
            raise CaptureError(
                f"this forward, in {mode} mode, did not call {', '.join(repr(name) for name in missing)}, which "
                "the first one called: choose sites that every forward calls, in training and in evaluation"
            )
        if missing:
            raise CaptureError(
                f"the forward did not call {', '.join(repr(name) for name in missing)}, so there is nothing to "
                "record: choose sites that the forward calls (infoplane.sites(model, x) lists them), and start "
                "recording before the first call of a network that torch.compile or DataParallel wraps"
            )
        # In the order of the places: a forward may call its modules in any other.
        self._latest = {self.places[index].name: forward.kept[index, call] for index, call in sorted(forward.kept)}
        if self._after_forward is not None:
            self._after_forward(args, kwargs, output)

    def _mine(self) -> "_Forward | None":
        """Return the open capture of this thread."""
        return self._open if self._open is not None and self._open.thread == threading.get_ident() else None

    def _ended(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if module is self._model and (self._open is None or self._mine() is not None):
            self._depth = max(0, self._depth - 1)
            if not self._depth:
                self._open, self._watched = (
                    None,
                    {},
                )  # also where the forward raised: a later call of a site alone is not captured

    def _note(self, forward: "_Forward", index: int, place: Place, value: Any) -> None:
        """Keep what one call of a module gave at one place; before the places are settled, what every call gave."""
        call = forward.calls[index]
        forward.calls[index] += 1
        if place.call not in (None, call):
            return
        if self.is_settled and place.call is None and call:
            raise CaptureError(
                f"the site {place.name!r} was called once in the first forward, but now again: how often it is called "
                "must not change while it is recorded"
            )
        try:
            tensor = _recordable(tensor_at(value, place.path, place.name), place.name)
        except SiteError:
            if self.is_settled or place.named:
                raise
            return
        forward.seen.add(index)
        kept = self._keep(place.name, tensor)
        if kept is not None:
            forward.kept[index, call] = kept

    def _settle(self, forward: "_Forward") -> None:
        """Make one place of every call, and let go of what patterns matched in vain."""
        places: list[Place] = []
        kept: dict[tuple[int, int], Tensor] = {}
        for index, place in enumerate(self.places):
            calls = [call for at, call in forward.kept if at == index]
            if not calls and not place.named:
                self.dropped[place.name] = "not one floating-point tensor" if forward.calls[index] else "never called"
                continue
            for offset, call in enumerate(calls):
                kept[len(places) + offset, 0] = forward.kept[index, call]
            places += [_of_call(place, call) for call in calls] if len(calls) > 1 else [place]
        if not places:
            raise SiteError(
                "the forward called none of the chosen sites as a module, or they gave no floating-point tensor with "
                "one row per input: infoplane.sites(model, x) lists what there is. Nothing is called inside what "
                "torch.compile has made before the recording began"
            )
        forward.seen = {index for index, _ in kept}
        forward.kept = kept
        self.settle(places)


def remove(handle: RemovableHandle) -> None:
    """Remove a global hook, and the mark that it takes keyword arguments, which torch leaves behind."""
    handle.remove()
    torch_module._global_forward_hooks_with_kwargs.pop(handle.id, None)


class _Forward:
    """What one root forward has given so far: calls of every place, and tensors by (place, call)."""

    def __init__(self, *, looks: bool) -> None:
        self.looks = looks
        self.thread = threading.get_ident()
        self.calls: Counter[int] = Counter()
        self.seen: set[int] = set()
        self.kept: dict[tuple[int, int], Tensor] = {}


def _by_module(places: Sequence[Place]) -> dict[int, list[tuple[int, Place]]]:
    found: dict[int, list[tuple[int, Place]]] = {}
    for index, place in enumerate(places):
        found.setdefault(id(place.module), []).append((index, place))
    return found


def _of_call(place: Place, call: int) -> Place:
    plain = written(place.module_name, side=place.side, path=place.path)
    name = f"{place.name}:{call}"  # behind an alias
    if place.name == plain:
        name = written(place.module_name, call=call, side=place.side, path=place.path)
    return replace(place, name=name, call=call)


def _is_positional(place: Place, args: tuple[Any, ...]) -> bool:
    return bool(args) and not (place.path and isinstance(place.path[0], str))


def _inside_backward() -> bool:
    # What torch's own checkpointing asks; there is no public question.
    return torch._C._current_graph_task_id() != -1


def _refuse_scripted(model: nn.Module, places: Sequence[Place]) -> None:
    scripted = [m for m in model.modules() if isinstance(m, torch.jit.ScriptModule)]
    inside = {id(inner) for module in scripted for inner in module.modules() if inner is not module}
    for place in places:
        if id(place.module) in inside:
            raise SiteError(
                f"the site {place.name!r} is inside a module of torch.jit, which calls nothing inside it as a module: "
                "choose the scripted module itself, or record the network before it is scripted"
            )


def _recordable(tensor: Tensor, name: str) -> Tensor:
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        raise CaptureError(
            f"the site {name!r} ran inside torch.func (vmap, grad, ...), where a tensor is no batch of inputs: record "
            "a plain forward of the network"
        )
    if tensor.ndim < 2 or not torch.is_floating_point(tensor):
        raise SiteError(
            f"the site {name!r} gives a {tensor.dtype} tensor of shape {tuple(tensor.shape)}; "
            "a site must give floating-point numbers, one row per input: (batch, features, ...)"
        )
    return tensor
