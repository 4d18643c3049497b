"""The life of the hooks: what passes through the sites of one network, one root forward at a time.

The hooks are torch's global module hooks, filtered by identity. They leave every dictionary of the network as it
was, so that a deep copy or a pickle of it carries no hook, and they are gone when the tap is closed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

from infoplane.probes.errors import CaptureError, SiteError
from infoplane.probes.sites import describe_output

Captured = dict[str, Tensor]


class Tap:
    """Captures the output of every chosen site while the root of one network runs its forward.

    Parameters
    ----------
    model : torch.nn.Module
        The network whose forward opens and closes a capture.
    modules : mapping of str to torch.nn.Module
        Sites by name.
    keep : callable
        Turns a site's output into what is kept. It must copy: an activation that works in place overwrites its input.
    active : callable
        Asked at the start of every root forward; the forward is ignored where it returns False.
    before : callable, optional
        Called with the positional arguments when a root forward that will be captured begins.
    after : callable, optional
        Called with ``(captured, args, kwargs, output)`` when a root forward that was captured has ended.
    """

    def __init__(
        self,
        model: nn.Module,
        modules: Mapping[str, nn.Module],
        *,
        keep: Callable[[Tensor], Tensor],
        active: Callable[[], bool],
        before: Callable[[tuple[Any, ...]], None] | None = None,
        after: Callable[[Captured, tuple[Any, ...], dict[str, Any], Any], None] | None = None,
    ) -> None:
        self._model = model
        self._names = {id(module): name for name, module in modules.items()}
        self._keep, self._active = keep, active
        self._before_forward, self._after_forward = before, after
        self._open: Captured | None = None
        self._latest: Captured = {}
        self._handles: list[RemovableHandle] = []

    def open(self) -> None:
        """Set the hooks."""
        # Left to a compiler's tracing, a hook would be traced once and its bookkeeping lost.
        before, after, ended = (torch.compiler.disable(hook) for hook in (self._before, self._after, self._ended))
        self._handles = [
            register_module_forward_pre_hook(before),
            register_module_forward_hook(after, with_kwargs=True),
            register_module_forward_hook(ended, always_call=True),
        ]

    def take(self) -> Captured:
        """Return what the last root forward gave, and forget it."""
        latest = self._latest
        self.clear()
        return latest

    def clear(self) -> None:
        """Forget what has been captured."""
        self._open, self._latest = None, {}

    def close(self) -> None:
        """Remove the hooks; safe to call twice."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self.clear()

    def _before(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if module is self._model:
            self._open = {} if self._active() else None
            if self._open is not None and self._before_forward is not None:
                self._before_forward(args)

    def _ended(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if module is self._model:
            self._open = None  # also where the forward raised: a later call of a site alone is not captured

    def _after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self._open is None:
            return
        name = self._names.get(id(module))
        if name is not None:
            if name in self._open:
                raise CaptureError(
                    f"the site {name!r} was called twice in one forward; a site must be called once: "
                    "choose the modules that are called once around it"
                )
            self._open[name] = self._keep(_tensor(name, output))
        if module is self._model:
            captured, self._open = self._open, None
            missing = [name for name in self._names.values() if name not in captured]
            if missing:
                raise CaptureError(
                    f"the forward did not call {', '.join(repr(n) for n in missing)} as a module, so there is nothing "
                    "to record: choose sites that the forward calls (infoplane.sites(model, x) lists them), and start "
                    "recording before the first call of a network that torch.compile or DataParallel wraps"
                )
            self._latest = captured
            if self._after_forward is not None:
                self._after_forward(captured, args, kwargs, output)


def _tensor(name: str, output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise SiteError(
            f"the site {name!r} returns no tensor but {describe_output(output)}; "
            "choose a module that returns one tensor, or wrap this one so that it does"
        )
    if output.ndim < 2 or not torch.is_floating_point(output):
        raise SiteError(
            f"the site {name!r} returns a {output.dtype} tensor of shape {tuple(output.shape)}; "
            "a site must return floating-point numbers, one row per input: (batch, features, ...)"
        )
    return output
