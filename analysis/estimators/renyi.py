"""Matrix-based Rényi information: entropies of kernel matrices in place of densities (Giraldo, Rao & Principe 2015).

    S(A) = 1/(1 - alpha) log tr A^alpha,   I = S(A) + S(B) - S(A∘B / tr A∘B)      [nat]

with A = K / n the matrix of a kernel with K_ii = 1 over the n samples of x, B that of y, and A∘B their entrywise
product (Yu et al. 2019 for layers of networks). For quantities
K_ij = exp(-|x_i - x_j|^2 / (2 sigma^2)) on standardised columns, for labels K_ij = 1 where they are equal, so that
S(B) is the Rényi entropy of the label counts.

It is not Shannon's information, and the width decides its value: from 0 (wide, all samples alike) to log n (narrow,
each sample alone). Compare layers at one rule only.

Most eigenvalues of a smooth kernel are rounding errors; those under c = `_ROUNDING` of their sum count as 0. That
leaves out at most n c^alpha of tr A^alpha, which is 1 or more for alpha < 1: 2e-4 for alpha = 1/2 and n = 5000, but
most of it for alpha = 0.1, where rounding would decide the value. So orders under 1/2 are refused.
"""

import math
import numbers
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh
from scipy.spatial.distance import pdist, squareform

from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.estimators.jitter import standardised
from infoplane.analysis.estimators.method import Floats, Method, Reading
from infoplane.analysis.finding import Finding

Width = Literal["median", "scott"]
MOST = 5000
"""Most samples: three n x n matrices are held (200 MB each here), and their eigenvalues take n^3 steps."""
_ALONE = 0.95
_ROUNDING = 10 * float(np.finfo(np.float64).eps)
_LEAST = 0.5
_AROUND_ONE = 1e-6


@dataclass(frozen=True)
class Renyi:
    """Parameters of `renyi`.

    Attributes
    ----------
    alpha : float
        Order, from 1/2 on and not within 1e-6 of 1; near 1 it resembles Shannon's.
    width : {"median", "scott"}
        sigma, in standard deviations of the d columns: the median of the distances that are not 0, or Scott's
        n^(-1/(4 + d)). The median keeps its meaning at any d; by Scott's rule all samples of a wide layer are alone.
    """

    alpha: float = 1.01
    width: Width = "median"

    def __post_init__(self) -> None:
        alpha = self.alpha
        if isinstance(alpha, bool) or not isinstance(alpha, numbers.Real) or not _LEAST <= alpha < math.inf:
            raise InputError(
                f"alpha is {alpha!r}, but the order must be a finite number from {_LEAST} on; lower orders count the "
                "eigenvalues that rounding decides"
            )
        if abs(alpha - 1) < _AROUND_ONE:
            raise InputError(
                f"alpha is {alpha!r}, but within {_AROUND_ONE:g} of 1 rounding decides the value; take 1.01, which is "
                "near Shannon's"
            )
        if self.width not in get_args(Width):
            raise InputError(
                f"width is {self.width!r}, which is unknown{near_names(str(self.width), get_args(Width))}; it is one "
                f"of: {', '.join(get_args(Width))}"
            )


def renyi(x: Floats, y: NDArray[Any], parameters: Renyi) -> Reading:
    """Return the information of the kernel matrices of x and y.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx); columns are standardised.
    y : numpy.ndarray
        Shape (n, dy), standardised likewise, or (n,) labels.
    parameters : Renyi
        Order and rule of the width.

    Returns
    -------
    Reading
        In nats, at most log n. For alpha other than 1 entropies are not subadditive, so that the value of independent
        samples can fall below 0. `chosen` has the widths. Memory is three n x n matrices, time n^3.

    Raises
    ------
    InputError
        When n is above `MOST`.
    """
    n = len(x)
    if n > MOST:
        raise InputError(
            f"there are {n} samples, but the {n} x {n} matrices of method 'renyi' are taken up to {MOST}; give a "
            "random part of the samples"
        )
    alpha = parameters.alpha
    kernel, sigma = gaussian_kernel(x, parameters.width)
    chosen = {"columns": "standardised", "sigma_x": sigma}
    entropies = {"x": renyi_entropy(_eigenvalues(kernel), alpha)}
    if y.ndim == 1:
        counts = np.bincount(y)
        # Sorted by label the joint matrix is block-diagonal, and the labels' own has the counts as eigenvalues.
        blocks = [kernel[np.ix_(members, members)] for members in np.split(np.argsort(y), np.cumsum(counts)[:-1])]
        of_labels = renyi_entropy(counts.astype(np.float64), alpha)
        joint = renyi_entropy(np.concatenate([_eigenvalues(block) for block in blocks]), alpha)
        total = entropies["x"] + of_labels
    else:
        other, chosen["sigma_y"] = gaussian_kernel(y, parameters.width)
        entropies["y"] = renyi_entropy(_eigenvalues(other), alpha)
        joint = renyi_entropy(_eigenvalues(np.multiply(kernel, other, out=kernel)), alpha)
        total = entropies["x"] + entropies["y"]
    found = [
        Finding(
            code="isolated_samples",
            where=name,
            text="the kernel tells nearly all samples apart, so the value is near the entropy of the other side",
            amount=entropy / math.log(n),
            unit="1",
            advice="take a wider kernel: width='median'",
        )
        for name, entropy in entropies.items()
        if entropy > _ALONE * math.log(n)
    ]
    return Reading(total - joint, findings=tuple(found), chosen=chosen)


def gaussian_kernel(side: Floats, width: Width) -> tuple[Floats, float]:
    """Return the Gaussian kernel matrix of standardised columns, ones on its diagonal, and its width sigma.

    Parameters
    ----------
    side : numpy.ndarray
        Shape (n, d), no column constant.
    width : {"median", "scott"}
        The rule for sigma.

    Returns
    -------
    tuple
        Shape (n, n), and sigma in standard deviations.
    """
    n, d = side.shape
    squares = pdist(standardised(side), "sqeuclidean")
    sigma = math.sqrt(np.median(squares[squares > 0])) if width == "median" else n ** (-1 / (4 + d))
    kernel: Floats = squareform(np.exp(-squares / (2 * sigma**2)))
    np.fill_diagonal(kernel, 1)
    return kernel, sigma


def renyi_entropy(eigenvalues: Floats, alpha: float) -> float:
    """Return S of a matrix from its eigenvalues, in nats.

    Parameters
    ----------
    eigenvalues : numpy.ndarray
        Shape (n,), not negative; they are divided by their sum, the trace.
    alpha : float
        Order, above 0 and not 1.
    """
    largest = eigenvalues.max()
    of_largest = np.log(((eigenvalues / largest) ** alpha).sum())  # powers of the shares would underflow at high orders
    return float((of_largest + alpha * np.log(largest / eigenvalues.sum())) / (1 - alpha))


def _eigenvalues(kernel: Floats) -> Floats:
    values = eigvalsh(kernel, check_finite=False)
    known: Floats = np.where(values > _ROUNDING * len(kernel), values, 0.0)
    return known


METHOD = Method(
    name="renyi",
    function=renyi,
    parameters=Renyi,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="the kernel's width is the scale on which samples count as different",
    wrong_when="it is read as Shannon's information, or compared between widths: the width decides its value",
    source="Giraldo, Rao & Principe 2015 (matrix-based entropy, and the joint one); Yu et al. 2019 for layers",
    quantity="matrix-based Rényi mutual information",
)
