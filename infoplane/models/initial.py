"""Initial weights that depend on a seed alone, drawn beside the global random states.

With a seed, torch's, numpy's and python's global states are as before afterwards, and the weights are those that
``torch.manual_seed(seed)`` in front of the same code gives on the CPU. Without one they come from the global states, as
in plain PyTorch.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from infoplane.analysis.errors import whole_number
from infoplane.probes.isolation import preserved_random_state


@contextmanager
def initial_weights(seed: int | None) -> Iterator[None]:
    """Make networks inside this context: their weights are drawn on the CPU and follow from `seed`.

    Raises
    ------
    InputError
        When `seed` is neither None nor a whole number from 0.
    """
    if seed is None:
        yield
        return
    seed = whole_number("seed", seed, least=0, most=2**63 - 1)
    with preserved_random_state(), torch.device("cpu"):
        # torch.manual_seed would also reach accelerators that nothing has used yet, and nobody would restore them.
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)
        yield
