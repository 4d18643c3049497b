"""The control: a frozen copy of the untrained host that sees the same batches.

A probe's curve is mostly its own training. The same probes, with the same seed, beta, steps and batches, on the host as
it was before training show that part; only the difference is the host's.
"""

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.probes.attach import Tap
from infoplane.probes.isolation import preserved_random_state


class UntrainedTwin:
    """A copy of `host` as it is now, whose parameters stay as they are.

    It follows the host's modes, so that dropout and batch norm act on both alike; batch norm's running statistics are
    its own.

    Parameters
    ----------
    host : torch.nn.Module
        Copied at once.
    sites : iterable of str
        Names of the sites to tap.

    Raises
    ------
    InputError
        When the host cannot be copied.
    """

    def __init__(self, host: nn.Module, sites: Iterable[str]) -> None:
        try:
            self.model = copy.deepcopy(host).requires_grad_(False)
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"control=True needs a deep copy of the network, which cannot be made ({reason})"
            ) from error
        self._host = host
        modules = dict(self.model.named_modules())
        self.tap = Tap(self.model, {name: modules[name] for name in sites}, keep=copied, active=lambda: True)
        self._inputs: tuple[Any, ...] = ()

    def before(self, args: tuple[Any, ...]) -> None:
        """Keep a copy of the inputs that the host is about to work on, perhaps in place."""
        self._inputs = _cloned(args)

    def forward(self, kwargs: dict[str, Any]) -> None:
        """Run on the kept inputs, in the host's modes, with the global random states left alone."""
        for module, twin in zip(self._host.modules(), self.model.modules(), strict=True):
            twin.training = module.training
        inputs, self._inputs = self._inputs, ()
        with preserved_random_state(), torch.no_grad():
            self.model(*inputs, **kwargs)


def copied(output: Tensor) -> Tensor:
    """Return a copy of a site's output without its graph, usable for training probes also in inference mode."""
    with torch.inference_mode(False):
        return output.detach().clone()


def _cloned(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return {key: _cloned(item) for key, item in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_cloned(item) for item in value)
    return value
