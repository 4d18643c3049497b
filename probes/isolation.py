"""Leaving a network and its surroundings as they were: random states and training modes.

``nn.Linear()`` and even ``iter(DataLoader(..., shuffle=False))`` draw from the global generator, and one
``model.train(was)`` would thaw a batch norm that its owner had frozen. What infoplane does beside a training
therefore happens inside these two contexts.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Restore the global random states of torch (CPU and every initialised accelerator), numpy and python."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    torch_state = torch.get_rng_state()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    mps_state = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        yield
    finally:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
        if cuda_states is not None:
            torch.cuda.set_rng_state_all(cuda_states)
        if mps_state is not None:
            torch.mps.set_rng_state(mps_state)


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put `model` into evaluation mode, and give every module its own former mode back afterwards.

    In this mode torch would run a transformer layer as one kernel, and no module inside of it; that is off meanwhile.
    """
    was = [(module, module.training) for module in model.modules()]
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    model.eval()
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for module, training in was:
            module.training = training
