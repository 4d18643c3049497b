"""Labels that occur once: what is learned from some samples then says nothing of the others.

A method that learns from some of the samples and reads the information on others cannot have learned a label that only
one sample has. Where most samples are alone with their label (each input of a set as a label of its own, as from
`infoplane.analysis.rows.row_symbols`) its value is near 0, or anything, with a small standard error, while the
information on that set is up to log n.
"""

import numpy as np

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.method import Floats, Labels

WAY_ON = "for the information on a finite set of inputs take exact, binning, kde_lower, kde_upper or sample_propagation"
"""What to take where every input is a label of its own."""


def refuse_single_labels(y: Floats | Labels) -> None:
    """Raise InputError when more than half of the samples are alone with their label.

    Parameters
    ----------
    y : numpy.ndarray
        Shape (n,), labels 0 .. K - 1; quantities, shape (n, dy), are never refused.
    """
    if y.ndim != 1:
        return
    n, alone = len(y), np.count_nonzero(np.bincount(y.astype(np.int64)) == 1)
    if 2 * alone > n:
        which = f"all {n} samples have" if alone == n else f"{alone} of {n} samples have"
        raise InputError(
            f"{which} labels of their own, so what is learned from some of them holds for none of the others; {WAY_ON}"
        )
