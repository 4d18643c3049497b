"""Upper bound on the information in a layer with Gaussian noise added, from pairwise distances.

    I(T + Z; Y) <= H_KL(T + Z) - sum_y p(y) H_B(T + Z | Y = y),    Z ~ N(0, sigma^2 I)

with H_KL the upper and H_B the lower bound of Kolchinsky & Tracey 2017 on the entropy of a mixture (see
`infoplane.analysis.estimators.gaussian_mixture`), X uniform on the samples. With y one label per different input
(``row_symbols(inputs)``) it is the bound on I(T + Z; X) = H(T + Z) - H(Z), where H(Z) is exact:

    I(T + Z; X) <= -1/n sum_i log 1/n sum_j exp(-|t_i - t_j|^2 / (2 sigma^2)).

For labels the field takes the upper bound twice, H_KL(T + Z) - H_KL(T + Z | Y) (Saxe et al. 2018): a difference of two
upper bounds bounds nothing. ``conditional="same"`` gives it, as the estimate that it is.
"""

from dataclasses import dataclass

from infoplane.analysis.estimators.kde import KDE, kde_reading
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading


@dataclass(frozen=True)
class KDEUpper(KDE):
    """The noise and the conditional of `infoplane.analysis.estimators.kde.KDE`."""


def kde_upper(x: Floats, y: Labels, parameters: KDEUpper) -> Reading:
    """Return the upper bound on I(X + Z; Y) for x with noise Z added.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d): the activations of one layer.
    y : numpy.ndarray
        Shape (n,): labels, or one label per different input.
    parameters : KDEUpper
        The noise, and which bound H(X + Z | Y) takes.

    Returns
    -------
    Reading
        In nats. It holds for the law in which the n samples are equally likely; of the law they were drawn from it is
        no bound, since n samples never show more than log n. The noise variance used is recorded. Findings:
        ``saturated``, ``rounding``, ``vacuous`` when it is not below H(Y).
    """
    return kde_reading(x, y, parameters, "upper_bound")


METHOD = Method(
    name="kde_upper",
    function=kde_upper,
    parameters=KDEUpper,
    kind="upper_bound",
    x="continuous",
    y="discrete",
    assumes="Gaussian noise of the stated variance is part of the layer, and the samples are all there are",
    wrong_when="the network has no such noise, so the value is that of the noise chosen; n is small for the noise, so "
    "that it sits at log n; or activations lie a few sigma apart, where the bound is loosest",
    source="Kolchinsky & Tracey 2017, Sections 3 and 4; as a plane: Saxe et al. 2018",
)
