"""Mutual information by counting, where the rows are the whole input set and every row is equally likely.

    I(T;Y) = H(T) + H(Y) - H(T,Y)    of the shares among the n rows

No sample is drawn from anything, so there is no bias and no error: this is what finite input sets (all 4096 inputs of
12 bits) and quantised codes have. The information about the input itself is the entropy of a deterministic code,

    I(X;T) = H(T):    estimate(t, row_symbols(inputs), method="exact")

with `infoplane.analysis.rows.row_symbols`, and at most H(X), which is log n where no input occurs twice. Values of t
are equal or different as floats are; activations that should differ by rounding alone are to be quantised first.
For codes T_2 = f(T_1) of the same rows, I(T_2;Y) <= I(T_1;Y) holds exactly (data processing).
"""

import math
from dataclasses import dataclass

from infoplane.analysis.estimators.count_table import count_table
from infoplane.analysis.estimators.method import Labels, Method, Reading
from infoplane.analysis.estimators.plugin import plugin_information
from infoplane.analysis.validity.samples import duplicate_inputs


@dataclass(frozen=True)
class Exact:
    """No parameter: it is counted."""


def exact(x: Labels, y: Labels, parameters: Exact) -> Reading:
    """Return the mutual information of two labels of every member of a finite, uniform set.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shape (n,), labels: one entry for each of the equally likely inputs.
    parameters : Exact
        None.

    Returns
    -------
    Reading
        In nats, without bias, with standard error 0. Finding ``duplicate_inputs`` when y names inputs (it has more
        symbols than half the rows) and some repeat: H(X) is then below log n by the amount.
    """
    table = count_table(x, y)
    names_inputs = table.y.size > table.n / 2
    repeats = duplicate_inputs(y, where="y", base=math.e) if names_inputs else None
    return Reading(plugin_information(table), 0.0, findings=(repeats,) if repeats else ())


METHOD = Method(
    name="exact",
    function=exact,
    parameters=Exact,
    kind="estimate",
    x="discrete",
    y="discrete",
    assumes="the rows are the whole input set, each equally likely",
    wrong_when="the rows are a sample of a larger set: it is then the plug-in value, too high, and its error is not 0",
    source="Cover & Thomas 2006, Eq. 2.28",
    error_over="the whole set",
)
