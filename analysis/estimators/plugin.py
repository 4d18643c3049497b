"""Plug-in mutual information of two discrete variables: that of the table of relative frequencies.

    I = sum_xy p(x, y) log [p(x, y) / (p(x) p(y))],    p = counts / n

It is the maximum-likelihood value, and too high on average: with K_x, K_y and K_xy the numbers of symbols and pairs of
positive probability,

    E I - truth = (K_xy - K_x - K_y + 1) / (2n) + O(1/n^2) nat

(Miller 1955; Roulston 1999), which for variables that take all pairs is (K_x - 1)(K_y - 1) / (2n).
"""

from dataclasses import dataclass

import numpy as np

from infoplane.analysis.estimators.count_table import CountTable, count_table
from infoplane.analysis.estimators.method import Labels, Method, Reading


@dataclass(frozen=True)
class Plugin:
    """No parameter: the table is that of the samples."""


def plugin(x: Labels, y: Labels, parameters: Plugin) -> Reading:
    """Return the mutual information of the samples' relative frequencies.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shape (n,), labels.
    parameters : Plugin
        None.

    Returns
    -------
    Reading
        In nats, with the standard error of `delta_standard_error`. Never negative; too high by about
        (K_xy - K_x - K_y + 1) / (2n) on average. Finding ``undersampled`` when most pairs were seen once.
    """
    table = count_table(x, y)
    return Reading(plugin_information(table), delta_standard_error(table), findings=table.findings())


def plugin_information(table: CountTable) -> float:
    """Return the plug-in mutual information of the counts in nats."""
    # One sum of p log ratio: a difference of entropies of size log n would not be exactly 0 for independent counts.
    return float(table.joint @ table.log_ratio) / table.n


def delta_standard_error(table: CountTable) -> float:
    """Return the standard error of the plug-in value, by the delta method, in nats.

    sd over samples of log p(x, y) / (p(x) p(y)), over root n. The first order vanishes for independent variables,
    where it is too large by a factor of about root 2, and says nothing for deterministic ones of equal frequencies.
    """
    ratio, weights = table.log_ratio, table.joint / table.n
    spread = ratio - weights @ ratio
    return float(np.sqrt(weights @ spread**2 / table.n))


METHOD = Method(
    name="plugin",
    function=plugin,
    parameters=Plugin,
    kind="estimate",
    x="discrete",
    y="discrete",
    assumes="independent samples, many more than pairs of symbols",
    wrong_when="pairs are about as many as samples: too high by (K_xy - K_x - K_y + 1) / (2n) nat and more",
    source="Miller 1955; Roulston 1999 (bias); delta method (standard error)",
)
