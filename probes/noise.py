"""The random streams of probes: initial weights, and the noise of their codes in training and in evaluation.

All probes of a training see the same noise (common random numbers), on every host. Training noise belongs to a step,
evaluation noise to an input's place in the held-out set: neither knows of batches' sizes before it or of processes.
"""

from hashlib import blake2b

import torch
from torch import Tensor

from infoplane.probes.ranks import Ranks

_BLOCK = 32  # consecutive inputs that share one generator of evaluation noise


class ProbeNoise:
    """Standard normal noise for codes of N dimensions.

    Parameters
    ----------
    seed : int
        Of all streams.
    latent : int
        N.
    draws : int
        Draws per input in evaluation.
    device : torch.device
        Where the noise is drawn.
    ranks : Ranks
        The processes that train together.
    """

    def __init__(self, seed: int, latent: int, draws: int, *, device: torch.device, ranks: Ranks) -> None:
        self._seed, self._latent, self._draws, self._device, self._ranks = seed, latent, draws, device, ranks

    def training(self, n: int, step: int) -> Tensor:
        """Return the noise of this rank's n inputs at one step, shape (n, N).

        W ranks have that of one process with W n inputs: rank r its rows r, r + W, r + 2W, ...
        """
        rank, world = self._ranks.rank, self._ranks.world
        return self._normal("training", step, world * n, self._latent)[rank::world]

    def evaluation(self, positions: Tensor) -> Tensor:
        """Return the noise of the inputs at these places of the held-out set (n,), shape (draws, n, N)."""
        positions = positions.cpu()
        noise = torch.empty(self._draws, len(positions), self._latent, device=self._device, dtype=torch.float32)
        blocks = positions // _BLOCK
        for block in blocks.unique().tolist():
            drawn = self._normal("evaluation", block, self._draws, _BLOCK, self._latent)
            rows = (blocks == block).nonzero()[:, 0]
            noise[:, rows.to(self._device)] = drawn[:, (positions[rows] % _BLOCK).to(self._device)]
        return noise

    def _normal(self, purpose: str, index: int, *shape: int) -> Tensor:
        generator = torch.Generator(self._device).manual_seed(stream_seed(self._seed, purpose, index))
        return torch.randn(shape, generator=generator, device=self._device, dtype=torch.float32)


def stream_seed(seed: int, purpose: str, of: int | str) -> int:
    """Return the seed of one stream; a hash, because numpy's ``SeedSequence`` takes as long as the noise of a step."""
    digest = blake2b(f"{seed} {purpose} {of}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
