"""Mutual information with the entropies of Miller and Madow: the plug-in value less the first term of its bias.

    H = H_plugin + (K - 1) / (2n)    nat, K symbols seen
    I = I_plugin - (K_xy - K_x - K_y + 1) / (2n)

Reference: Miller (1955); Paninski (2003), Section 4.1. What is left of the bias is O(1/n^2) where every symbol of
positive probability has been seen, and positive while pairs are missing from the sample.
"""

from dataclasses import dataclass

from infoplane.analysis.estimators.count_table import count_table
from infoplane.analysis.estimators.method import Labels, Method, Reading
from infoplane.analysis.estimators.plugin import delta_standard_error, plugin_information


@dataclass(frozen=True)
class MillerMadow:
    """No parameter: the numbers of symbols are those seen."""


def miller_madow(x: Labels, y: Labels, parameters: MillerMadow) -> Reading:
    """Return the plug-in mutual information less (K_xy - K_x - K_y + 1) / (2n).

    Parameters
    ----------
    x, y : numpy.ndarray
        Shape (n,), labels.
    parameters : MillerMadow
        None.

    Returns
    -------
    Reading
        In nats; may be negative. The standard error is that of the plug-in value: the correction varies by O(1/n).
        Finding ``undersampled`` when most pairs were seen once.
    """
    table = count_table(x, y)
    excess = table.joint.size - table.x.size - table.y.size + 1
    value = plugin_information(table) - excess / (2 * table.n)
    return Reading(value, delta_standard_error(table), findings=table.findings())


METHOD = Method(
    name="miller_madow",
    function=miller_madow,
    parameters=MillerMadow,
    kind="estimate",
    x="discrete",
    y="discrete",
    assumes="independent samples that have seen every pair of positive probability",
    wrong_when="many pairs of positive probability are missing from the sample: it is then still too high",
    source="Miller 1955; Paninski 2003, Section 4.1",
)
