"""The global random states of python, numpy and torch as plain values, which a checkpoint keeps."""

import random
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int, rank: int) -> None:
    """Seed all of them; ranks draw apart, and the first as one process alone."""
    own = (seed + rank) % 2**63
    random.seed(own)
    np.random.seed(own % 2**32)
    torch.manual_seed(own)


def random_state(device: torch.device) -> dict[str, Any]:
    """Return the states, in tensors, numbers and strings alone; of accelerators that of `device`."""
    version, words, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, torch.tensor(words, dtype=torch.int64), gauss],
        "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), position, has_gauss, cached],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        "mps": torch.mps.get_rng_state() if device.type == "mps" else None,
    }


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Go on from a state; that of an accelerator of another kind is left alone."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
    if device.type == "mps" and state["mps"] is not None:
        torch.mps.set_rng_state(state["mps"])
