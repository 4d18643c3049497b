"""The rate of a code against a prior: an upper bound on its information.

    I(Z;X) <= E_x KL(p(z|x) || r) = I(Z;X) + KL(p(z) || r)     Poole et al. 2019, Eq. 1

for any law r(z) that does not depend on the inputs measured. On a network's second layer (MNIST, 5,000 test inputs)
one and the same code had the rate 185 bit against N(0, I), 125 against the normal with its moments, and 32 against the
mixture of training codes: which prior is part of the number.
"""

import math

from infoplane.analysis.estimate import Estimate
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.code_estimate import code_estimate
from infoplane.analysis.noisy_code.priors import Prior, StandardNormal


def rate(code: GaussianCode, prior: Prior | None = None, *, base: float = 2) -> Estimate:
    """Return the mean rate of a code: an upper bound on its I(Z;X).

    Parameters
    ----------
    code : GaussianCode
        Of n inputs that neither the encoder nor the prior was fitted to.
    prior : StandardNormal, MomentNormal or Mixture, optional
        The law r(z); N(0, I) when left out, as in `infoplane.analysis.bounds`.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    Estimate
        An upper bound in expectation over inputs, under their law, and for X uniform on the n inputs too. The standard
        error is over inputs and leaves out training and the prior's own. Above log n it carries a finding.

    Raises
    ------
    InputError
        When the prior's dimensions do not fit, a mixture holds the very inputs measured, or `base` is not above 1.
    """
    law = StandardNormal() if prior is None else prior
    return code_estimate(
        law.divergences(code),
        code,
        kind="upper_bound",
        method="rate",
        base=base,
        ceiling=math.log(code.n),
        parameters=law.description,
    )
