"""b(z|y): one diagonal normal per class, with the moments of a code on training inputs.

    I(Z;X|Y) <= E KL(p(z|x) || b(z|y))     the residual information (Fischer 2020)

for any b that does not depend on the inputs measured. Per class, mean and E s^2 + Var m of its codes are exponential
moving averages over updates in which the class occurs, free of the bias towards their start. Nats.

Reference: Fischer, "The conditional entropy bottleneck", Entropy 22(9):999, 2020.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from infoplane.probes.moving_average import rate_of_step

DECAY = 0.9
_LEAST_VARIANCE = 1e-30


class LabelNormals:
    """The normals of C classes in N dimensions; they learn by `add` and `update`, without a gradient.

    Parameters
    ----------
    classes, latent : int
        C and N.
    device : torch.device
        Of the codes.

    Attributes
    ----------
    mean, variance : torch.Tensor
        Shape (classes, latent).
    updates : torch.Tensor
        Shape (classes,): updates in which the class occurred.
    """

    def __init__(self, classes: int, latent: int, *, device: torch.device) -> None:
        self.mean = torch.zeros(classes, latent, dtype=torch.float32, device=device)
        self.variance = torch.zeros(classes, latent, dtype=torch.float32, device=device)
        self.updates = torch.zeros(classes, dtype=torch.float32, device=device)
        # Sums since the last update: of m - mean, of its square and s^2, and the inputs. The last row takes the inputs
        # that are left out, which needs no question of the device.
        self._sums = torch.zeros(classes + 1, 2 * latent + 1, dtype=torch.float32, device=device)

    @torch.no_grad()
    def add(self, mean: Tensor, std: Tensor, labels: Tensor, valid: Tensor) -> None:
        """Add the codes of training inputs, m and s (n, latent); `valid` (n,) says which count."""
        # Squares about the mean so far: about zero they would cancel where a class is narrow and far out.
        away = mean - self.mean[labels]
        rows = torch.cat([away, away.square() + std.square(), torch.ones_like(away[:, :1])], dim=1)
        self._sums.index_add_(0, torch.where(valid, labels, len(self.mean)), rows)

    def take_sums(self) -> Tensor:
        """Return the sums since the last call, which add over processes, and begin anew."""
        sums = self._sums[:-1].clone()
        self._sums.zero_()
        return sums

    @torch.no_grad()
    def update(self, sums: Tensor) -> None:
        """Move towards the moments of `sums`, as `take_sums` gave them; classes that they lack stay."""
        count = sums[:, -1:]
        seen = count > 0
        self.updates += seen[:, 0]
        rate = torch.where(seen, rate_of_step(DECAY, self.updates.clamp(min=1))[:, None], 0)
        shift, square = (sums[:, :-1] / count.clamp(min=1)).chunk(2, dim=1)
        shift = rate * shift
        self.mean += shift
        self.variance = (self.variance + rate * (square - self.variance) - shift.square()).clamp(min=_LEAST_VARIANCE)

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes: the tensors themselves, no copies, as torch's modules do."""
        return {"mean": self.mean, "variance": self.variance, "updates": self.updates, "sums": self._sums}

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, of as many classes and dimensions."""
        for name, tensor in self.state_dict().items():
            tensor.copy_(state[name])

    @torch.no_grad()
    def divergences(self, mean: Tensor, log_std: Tensor, labels: Tensor) -> Tensor:
        """Return KL(p(z|x) || b(z|y)) in nats, shape (n,), of codes (n, latent); NaN for classes never seen."""
        variance = self.variance[labels]
        squares = ((mean - self.mean[labels]).square() + (2 * log_std).exp()) / variance
        kl = (0.5 * (squares - 1 + variance.log()) - log_std).sum(dim=1)
        return torch.where(self.updates[labels] > 0, kl, torch.nan)
