"""Where a training runs: the device, and the processes that torchrun has started.

``torchrun --nproc-per-node 2 --no-python infoplane train ...`` starts two; each takes its part of every batch, on the
GPU of its own where the device is ``cuda``, and the first one writes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from infoplane.errors import InputError
from infoplane.probes.ranks import Ranks


@dataclass(frozen=True)
class Place:
    """A device, and which process this is among how many."""

    device: torch.device
    ranks: Ranks

    @property
    def is_first(self) -> bool:
        """Whether this process writes and speaks."""
        return self.ranks.rank == 0


@contextmanager
def place(name: str) -> Iterator[Place]:
    """Find the device called `name`, and join the other processes where torchrun has started several.

    Raises
    ------
    InputError
        When the device cannot be used here.
    """
    is_started = distributed.is_available() and distributed.is_initialized()
    if is_started or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Place(usable_device(name), Ranks.current())
        return
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if name == "cuda" else name
    device = usable_device(own)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Place(device, Ranks.current())
    finally:
        distributed.destroy_process_group()


def usable_device(name: str) -> torch.device:
    """Return the device called `name`, tried; InputError where it is unknown or absent."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"the device {name!r} cannot be used here ({str(error).splitlines()[0][:80]}); "
            "known are cpu, and where they are present cuda, cuda:N and mps"
        ) from error
    return device
