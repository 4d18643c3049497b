"""What cannot be true, and what to know before believing a number: one pure function per finding, of numbers alone.

Only sound findings are made: each follows from the numbers by definition, up to sampling noise where that is said.
Every function returns a `Finding` or None; a number that is NaN, or whose error is, gives none (`not_finite` and
`non_finite` alone speak of these).

===========================  ===========================================================  ==============
code                         said of                                                      file
===========================  ===========================================================  ==============
``not_finite``               a value that is NaN or infinite                              ``value``
``negative``                 an estimate or upper bound below 0                           ``value``
``above_entropy``            an estimate or lower bound above H(Y)                        ``value``
``above_log_n``              a value at or above log n                                    ``value``
``below_fano``               an estimate or upper bound below what an accuracy proves     ``value``
``rate_above_log_n``         the rate of a code at or above log n                         ``bounds``
``label_bound_below_zero``   a lower bound on I(Z;Y) below 0                              ``bounds``
``one_class``                labels of one class alone: H(Y) = 0                          ``bounds``
``rate_below_label_bound``   the hard check: mean KL >= H(Y) - CE of one code             ``bounds``
``lower_above_upper``        a lower bound above an upper bound of the same information   ``bounds``
``counts_gain_information``  exact counts of T2 = f(T1) that exceed those of T1           ``processing``
``bounds_gain_information``  a lower bound of T2 above an upper bound of T1               ``processing``
``resolution_differs``       estimates that rise along a chain, which proves nothing      ``processing``
``non_finite``               entries that are NaN or infinite                             ``samples``
``outside_bins``             entries that no bin holds                                    ``samples``
``duplicate_inputs``         H(X) < log n                                                 ``samples``
``collapsed_dimensions``     dimensions of a code that equal their prior                  ``samples``
``rate_still_falling``       the rate of a probe on a fixed host that has not settled     ``course``
``twins_disagree``           absolute-noise and scale-relative twins with other signs     ``course``
``train_test_gap``           a value on the training data beyond that on held-out data    ``course``
===========================  ===========================================================  ==============

`infoplane.analysis.estimate.estimate` asks those of ``value``, a recording those of ``samples``, those of
``bounds`` and ``rate_still_falling``, `infoplane.analysis.stability.stability` ``twins_disagree`` and
``resolution_differs``. For a plane of estimates made anywhere there is `findings_of_layers`, which asks whatever a
layer's estimates give the numbers for: bounds against bounds, an accuracy, the layers of a chain, training data.

**None of these is made, because they cry wolf**: data processing between codes of probes (they are siblings, not a
chain), between inner sites of residual or attention blocks, between layers that are binned on bins of their own or
given noise of their own. **Standard errors**: a bound is violated beyond `SIGNIFICANT` of them.
"""

from infoplane.analysis.validity.bounds import (
    SIGNIFICANT,
    label_bound_below_zero,
    lower_above_upper,
    one_class,
    rate_above_log_n,
    rate_below_label_bound,
)
from infoplane.analysis.validity.course import rate_still_falling, train_test_gap, twins_disagree
from infoplane.analysis.validity.layers import Accuracy, findings_of_layers
from infoplane.analysis.validity.processing import (
    bounds_gain_information,
    counts_gain_information,
    resolution_differs,
)
from infoplane.analysis.validity.samples import collapsed_dimensions, duplicate_inputs, non_finite, outside_bins
from infoplane.analysis.validity.value import above_entropy, above_log_n, below_fano, findings_of_value, negative

__all__ = [
    "SIGNIFICANT",
    "Accuracy",
    "above_entropy",
    "above_log_n",
    "below_fano",
    "bounds_gain_information",
    "collapsed_dimensions",
    "counts_gain_information",
    "duplicate_inputs",
    "findings_of_layers",
    "findings_of_value",
    "label_bound_below_zero",
    "lower_above_upper",
    "negative",
    "non_finite",
    "one_class",
    "outside_bins",
    "rate_above_log_n",
    "rate_below_label_bound",
    "rate_still_falling",
    "resolution_differs",
    "train_test_gap",
    "twins_disagree",
]
