"""The control: a frozen copy of the untrained host that sees the same batches.

A probe's curve is mostly its own training. The same probes, with the same seed, beta, steps and batches, on the host as
it was before training show that part; only the difference is the host's.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.probes.attach import Tap
from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.names import module_names, unwrapped
from infoplane.probes.nested import cloned
from infoplane.probes.places import Place
from infoplane.probes.saved import check_same, described


class UntrainedTwin:
    """A copy of `host` as it is now, whose parameters stay as they are.

    It follows the host's modes, so that dropout and batch norm act on both alike; batch norm's running statistics are
    its own.

    Parameters
    ----------
    host : torch.nn.Module
        Copied at once.
    places : sequence of Place
        Of the host; the twin is tapped at the same ones.
    keep : callable
        As for `Tap`.

    Raises
    ------
    InputError
        When the host cannot be copied.
    """

    def __init__(self, host: nn.Module, places: Sequence[Place], *, keep: Callable[[str, Tensor], Tensor]) -> None:
        # The wrappers of torch.compile and of several devices stay with the host: a copy runs plainly, on one device.
        self._host = unwrapped(host)
        _check_forwards(self._host)
        try:
            self.model = copy.deepcopy(self._host).requires_grad_(False)
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"control=True needs a deep copy of the network, which cannot be made ({reason})"
            ) from error
        self.tap = Tap(self.model, self._mine(places), keep=keep, active=lambda: True)
        self._inputs: tuple[Any, ...] = ()

    def settle(self, places: Sequence[Place]) -> None:
        """Tap the twin where the host has settled its places: the twin's own first forward may come later."""
        self.tap.settle(self._mine(places))

    def state_dict(self) -> dict[str, Any]:
        """Return every parameter and buffer, persistent or not, by name: the tensors themselves, no copies."""
        return dict([*self.model.named_parameters(), *self.model.named_buffers()])

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become the untrained network that `state` is of.

        Raises
        ------
        InputError
            When that network has other parameters or buffers.
        """
        mine = self.state_dict()
        check_same("tensor", described(state), described(mine))
        for name, tensor in mine.items():
            tensor.copy_(state[name])

    def before(self, args: tuple[Any, ...]) -> None:
        """Keep a copy of the inputs that the host is about to work on, perhaps in place."""
        self._inputs = cloned(args)

    def forward(self, kwargs: dict[str, Any]) -> None:
        """Run on the kept inputs, in the host's modes, with the global random states left alone."""
        for module, twin in zip(self._host.modules(), self.model.modules(), strict=True):
            twin.training = module.training
        inputs, self._inputs = self._inputs, ()
        with preserved_random_state(), torch.no_grad():
            self.model(*inputs, **cloned(kwargs))

    def _mine(self, places: Sequence[Place]) -> list[Place]:
        modules = module_names(self.model)
        return [replace(place, module=modules[place.module_name]) for place in places]


def _check_forwards(host: nn.Module) -> None:
    """Refuse a forward that a copy would still have from the original, and so run its modules and buffers."""
    for name, module in host.named_modules():
        replaced = vars(module).get("forward")
        if replaced is not None and getattr(replaced, "__self__", None) is not module:
            raise InputError(
                f"control=True needs a copy of the network, but the forward of {name or 'the network'!r} was replaced "
                "by a function, which the copy would share: use model.compile() in place of "
                "model.forward = torch.compile(...), types.MethodType for a function of your own, or control=False"
            )
