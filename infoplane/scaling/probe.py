"""The uniform noise with which synaptic scaling probes a layer (Hofmann and Mäder 2022, Eqs. 15-16)."""

import numpy as np
import torch

# Sets the stream of probe rows apart from every generator that was seeded with the bare number: a network
# built with seed 0 would otherwise have weights that are its own probe rows, scaled.
_STREAM = 0x53796E53636157


def probe_generator(seed: int) -> torch.Generator:
    """Return a CPU generator whose stream belongs to `seed` (>= 0) and to probe rows alone."""
    (derived,) = np.random.SeedSequence([seed, _STREAM]).generate_state(1, np.uint64)
    return torch.Generator(device="cpu").manual_seed(int(derived))


def probe_rows(
    rows: int, fan_in: int, *, device: torch.device | str, shift: float, generator: torch.Generator
) -> torch.Tensor:
    """Return rows of U(-1, 1) + `shift` for a layer.

    Parameters
    ----------
    rows : int
        How many.
    fan_in : int
        How many values drive one neuron.
    device : torch.device or str
        The layer's.
    shift : float
        Added to every value.
    generator : torch.Generator
        On the CPU, so that all devices get the same rows.

    Returns
    -------
    torch.Tensor
        Shape ``(rows, fan_in)`` in the precision of `working_dtype`.
    """
    drawn = torch.rand(rows, fan_in, generator=generator, device="cpu", dtype=torch.float32)
    return (drawn.to(working_dtype(device)) * 2 - 1 + shift).to(device)


def working_dtype(device: torch.device | str) -> torch.dtype:
    """Return float64, which resolves the tiny change of one pass, but float32 on MPS devices, which have none."""
    return torch.float32 if torch.device(device).type == "mps" else torch.float64
