"""Information of a noisy code p(z|x) that is known in closed form, as that of a VIB probe is.

A `GaussianCode` holds the normals of n inputs; ``VIBProbe.code(activation)`` gives that of a probe. `sandwich` encloses
I(Z;X), `rate` bounds it from above by a prior (`StandardNormal`, `MomentNormal`, `Mixture`), `pairwise_lower` and
`pairwise_upper` by distances alone; `residual_sandwich` and `residual_rate` do the same for I(Z;X|Y).
"""

from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.code_estimate import Enclosure
from infoplane.analysis.noisy_code.pairwise import pairwise_lower, pairwise_upper
from infoplane.analysis.noisy_code.priors import Mixture, MomentNormal, Prior, StandardNormal
from infoplane.analysis.noisy_code.rate import rate
from infoplane.analysis.noisy_code.residual import residual_rate, residual_sandwich
from infoplane.analysis.noisy_code.sandwich import sandwich

__all__ = [
    "Enclosure",
    "GaussianCode",
    "Mixture",
    "MomentNormal",
    "Prior",
    "StandardNormal",
    "pairwise_lower",
    "pairwise_upper",
    "rate",
    "residual_rate",
    "residual_sandwich",
    "sandwich",
]
