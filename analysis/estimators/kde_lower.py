"""Lower bound on the information in a layer with Gaussian noise added, from pairwise distances.

    I(T + Z; Y) >= H_B(T + Z) - sum_y p(y) H_KL(T + Z | Y = y),    Z ~ N(0, sigma^2 I)

with H_B the lower and H_KL the upper bound of Kolchinsky & Tracey 2017 on the entropy of a mixture (see
`infoplane.analysis.estimators.gaussian_mixture`), X uniform on the samples. With y one label per different input
(``row_symbols(inputs)``) it is the bound on I(T + Z; X) = H(T + Z) - H(Z), where H(Z) is exact:

    I(T + Z; X) >= -1/n sum_i log 1/n sum_j exp(-|t_i - t_j|^2 / (8 sigma^2)).
"""

from dataclasses import dataclass

from infoplane.analysis.estimators.kde import KDE, kde_reading
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading


@dataclass(frozen=True)
class KDELower(KDE):
    """The noise and the conditional of `infoplane.analysis.estimators.kde.KDE`."""


def kde_lower(x: Floats, y: Labels, parameters: KDELower) -> Reading:
    """Return the lower bound on I(X + Z; Y) for x with noise Z added.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d): the activations of one layer.
    y : numpy.ndarray
        Shape (n,): labels, or one label per different input.
    parameters : KDELower
        The noise, and which bound H(X + Z | Y) takes.

    Returns
    -------
    Reading
        In nats. It holds for the law in which the n samples are equally likely. For one label per input and absolute
        noise it is, on average, also below the information under the law that they were drawn from, since that is
        concave in the law of X. The noise variance used is recorded. Findings: ``saturated``, ``rounding``,
        ``vacuous`` when it is not above 0.
    """
    return kde_reading(x, y, parameters, "lower_bound")


METHOD = Method(
    name="kde_lower",
    function=kde_lower,
    parameters=KDELower,
    kind="lower_bound",
    x="continuous",
    y="discrete",
    assumes="Gaussian noise of the stated variance is part of the layer, and the samples are all there are",
    wrong_when="the network has no such noise, so the value is that of the noise chosen; or activations lie a few "
    "sigma apart, where the bound is loosest",
    source="Kolchinsky & Tracey 2017, Sections 3 and 4",
)
