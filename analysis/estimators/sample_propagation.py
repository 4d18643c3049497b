"""Information in a noisy layer, by drawing from the mixture of normal laws that the layer with its noise is.

With X uniform on the n samples, a layer that adds Z ~ N(0, sigma^2 I) to its activations T = f(X) follows the law
g = 1/n sum_j N(t_j, sigma^2 I), which is known. So is g_y, that of the samples with label y (the sample-propagation
estimator of Goldfeld et al. 2019, ICML). Then

    I(T + Z; Y) = E log [g_Y(T + Z) / g(T + Z)],

and the mean is taken over draws of the noise, `draws` for each sample. With y one label per different input
(``row_symbols(inputs)``), g_y is a single normal law and the value is I(T + Z; X) = H(T + Z) - H(Z). Taking the ratio
instead of -log g alone keeps the noise's own |Z|^2 out of the error. For the n samples the mean has no bias; it lies
between `kde_lower` and `kde_upper` of the same noise, up to its Monte-Carlo error.
"""

from dataclasses import dataclass

import numpy as np

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimators.gaussian_mixture import (
    Noise,
    noise_findings,
    products,
    rounding_findings,
    scaled_parts,
)
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.generator import own_generator

_BLOCK = 2**18  # pairs that are worked on at a time
_LARGEST = 700.0  # whose exponential float64 still holds


@dataclass(frozen=True)
class SamplePropagation(Noise):
    """The noise of a layer, and how it is drawn.

    Attributes
    ----------
    noise_variance : float
        sigma^2, of each neuron.
    scale : {"absolute", "layer"}
        Unit of `noise_variance`: squared activations, or the mean variance of the layer's neurons that vary.
    draws : int
        Of the noise, for each sample; at least 2, for the error.
    seed : int
        Of the draws.
    """

    draws: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        whole_number("draws", self.draws, least=2)
        whole_number("seed", self.seed, least=0)


def sample_propagation(x: Floats, y: Labels, parameters: SamplePropagation) -> Reading:
    """Return I(X + Z; Y) for x with noise Z added, by Monte Carlo over the known mixture.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d): the activations of one layer before its noise.
    y : numpy.ndarray
        Shape (n,): labels, or one label per different input.
    parameters : SamplePropagation
        The noise and its draws.

    Returns
    -------
    Reading
        In nats, with the standard error of the draws alone: the n samples are taken as all there are. As an estimate
        for the law that they come from, I(X + Z; X) is too low on average (it is concave in the law of X, and at most
        log n) and I(X + Z; Y) too high. Time grows with n^2 `draws`, memory with n `draws`. Findings ``saturated``:
        every sample stands alone; ``rounding``: the layer spreads so far that near samples are misread.
    """
    variance = parameters.variance(x)
    rng = own_generator(parameters.seed)
    order = np.argsort(y, kind="stable")
    centres, labels = x[order], y[order]
    ends = np.cumsum(np.bincount(labels))
    right = scaled_parts(centres, 2 * variance)[1]
    n, d, draws = len(x), x.shape[1], parameters.draws
    ratios = np.empty((n, draws))
    apart = 0.0  # information about the sample itself
    rows = max(1, _BLOCK // (n * draws))
    scratch = np.empty((rows * draws, n))
    for start in range(0, n, rows):
        part = slice(start, min(start + rows, n))
        noise = rng.standard_normal((part.stop - start, draws, d)) * np.sqrt(0.5)
        left = np.empty((part.stop - start, draws, d + 2))
        # Exponents relative to that of the part a draw comes from, in which the draw's own norm cancels.
        left[:, :, :d] = 2 * (right[part, None, :d] + noise)
        left[:, :, d] = 1
        left[:, :, d + 1] = -np.einsum("ikj,ij->ik", left[:, :, :d], right[part, :d]) - right[part, d, None]
        left = left.reshape(-1, d + 2)
        overlap = products(left, right, out=scratch[: len(left)])
        np.minimum(overlap, _LARGEST, out=overlap)
        # That of the own part is 0; the product gives the rounding error of the squared norms, which may be large.
        overlap[np.arange(len(left)), np.repeat(np.arange(part.start, part.stop), draws)] = 0
        np.exp(overlap, out=overlap)
        of_all = overlap.sum(axis=1) / n
        of_label = np.ones(len(left))
        for label in range(labels[start], labels[part.stop - 1] + 1):
            first, last = ends[label - 1] if label else 0, ends[label]
            mine = slice(max(first - start, 0) * draws, (min(last, part.stop) - start) * draws)
            if last - first > 1:
                of_label[mine] = overlap[mine, first:last].sum(axis=1) / (last - first)
        ratios[part] = np.log(of_label / of_all).reshape(-1, draws)
        apart -= float(np.log(of_all).sum()) / (n * draws)
    error = float(np.sqrt((ratios.var(axis=1, ddof=1) / draws).sum()) / n)
    value = float(ratios.mean())
    found = noise_findings(value, "estimate", apart, y) + rounding_findings(x, variance)
    return Reading(value, error, findings=found, chosen={"variance": variance})


METHOD = Method(
    name="sample_propagation",
    function=sample_propagation,
    parameters=SamplePropagation,
    kind="estimate",
    x="continuous",
    y="discrete",
    assumes="the layer adds Gaussian noise of the stated variance, x holds its activations before the noise, and the "
    "samples are all there are",
    wrong_when="the network has no such noise, so the value is that of the noise chosen; or n is small for the noise "
    "and the dimension, so that every sample stands alone",
    source="Goldfeld et al. 2019 (ICML), Estimating information flow in deep neural networks; rates: Goldfeld et al. "
    "2020 (IEEE Trans. Inf. Theory)",
    error_over="draws",
)
