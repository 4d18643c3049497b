"""The sandwich on a known code: its information between the full mixture of codes and that of the others.

    L = 1/n sum_i log p(z_i|x_i) / [1/n     sum_j      p(z_i|x_j)]     Poole et al. 2019, Eq. 12
    U = 1/n sum_i log p(z_i|x_i) / [1/(n-1) sum_{j!=i} p(z_i|x_j)]     Eq. 13

with z_i drawn from p(z|x_i). **What is bounded**, in expectation over inputs and draws: E L <= I(Z;X) <= E U for the
law that the n inputs are independent draws of. For X uniform on these very n inputs, over draws alone: E L is their
information I_n itself, and E U >= n/(n-1) I_n. L never exceeds log n, draw by draw; U may.

Both need p(z|x) alone: no prior, no training, one matrix product per draw of z.

Reference: Poole, Ozair, van den Oord, Alemi, Tucker, "On variational bounds of mutual information", ICML 2019,
section 2.5.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.generator import own_generator
from infoplane.analysis.log_sum_exp import log_sum_exp
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.code_estimate import MARGINAL, Enclosure, code_estimate
from infoplane.analysis.noisy_code.scaled_squares import scaled_squares

Floats = NDArray[np.float64]


def sandwich(code: GaussianCode, *, draws: int = 4, seed: int = 0, base: float = 2) -> Enclosure:
    """Return a lower and an upper bound on I(Z;X) of a known code.

    Parameters
    ----------
    code : GaussianCode
        Of n >= 2 inputs that the encoder was not fitted to, drawn independently.
    draws : int
        Draws of z per input. They narrow the draws' share of the error; the inputs' share stays.
    seed : int
        Of the draws; no global random state is read or changed.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    Enclosure
        ``lower`` and ``upper``. Standard errors are over inputs, sd / sqrt(n) of the means over draws, and leave out
        the encoder's training; that all terms share one mixture adds nothing to first order. A lower bound within
        10 % of log n and an upper bound above log n carry a finding. Memory O(n * block); time O(draws * n^2 * N).

    Raises
    ------
    InputError
        When there is a single input, or `draws`, `seed` or `base` is out of range.

    Examples
    --------
    >>> code = GaussianCode([[0.0], [100.0]], [[0.0], [0.0]])
    >>> round(sandwich(code).lower.value, 6)  # two inputs that are told apart: one bit
    1.0
    """
    full, others = log_ratios(code, draws=draws, rng=own_generator(seed))
    parameters = {"draws": draws, "seed": seed}
    return enclosure(full, others, code, quantity=MARGINAL, base=base, ceiling=math.log(code.n), parameters=parameters)


def enclosure(
    full: Floats,
    others: Floats,
    code: GaussianCode,
    *,
    quantity: str,
    base: float,
    ceiling: float,
    parameters: Mapping[str, Any],
) -> Enclosure:
    """Return both bounds from their terms per input; arguments as in `code_estimate`."""
    measure = partial(code_estimate, code=code, quantity=quantity, base=base, ceiling=ceiling, parameters=parameters)
    return Enclosure(
        lower=measure(full, kind="lower_bound", method="full mixture"),
        upper=measure(others, kind="upper_bound", method="leave-one-out mixture"),
    )


def log_ratios(code: GaussianCode, *, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return, per input, the terms of L and of U in nats, means over draws; each of shape (n,).

    Raises
    ------
    InputError
        When there is a single input, or `draws` is below 1.
    """
    whole_number("draws", draws, least=1)
    n = code.n
    if n < 2:
        raise InputError(
            f"there is {n} input, but a code is compared with those of other inputs: at least 2 are needed"
        )
    std, log_scale = np.exp(code.log_std), code.log_std.sum(axis=1)
    full, others = np.zeros(n), np.zeros(n)
    for _ in range(draws):
        noise = rng.standard_normal(code.mean.shape)
        own = -0.5 * (noise * noise).sum(axis=1) - log_scale
        for rows, q in scaled_squares(code.mean, code, noise=std * noise):
            log_density = -0.5 * q - log_scale
            log_density[np.arange(rows.stop - rows.start), np.arange(rows.start, rows.stop)] = -np.inf
            rest = log_sum_exp(log_density)
            others[rows] += own[rows] - rest + np.log(n - 1)
            full[rows] += own[rows] - np.logaddexp(rest, own[rows]) + np.log(n)
    return full / draws, others / draws
