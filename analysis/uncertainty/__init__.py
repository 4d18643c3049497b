"""How sure an estimate of mutual information is: standard errors, differences, a null, and the limit of many samples.

Every function takes (x, y) and the method with its parameters as `infoplane.analysis.estimate.estimate` does, draws its
groups, subsamples or permutations from one seed, and repeats the estimate; the cost is that many estimates. The same
seed gives the same numbers for the same rows in the same order; in another order the groups, and so the errors, differ
by their own noise. All of them take the rows as independent samples: none knows of the seed of the training, nor of
rows that belong together.
"""

from infoplane.analysis.uncertainty.extrapolation import Extrapolation, extrapolate
from infoplane.analysis.uncertainty.jackknife import Jackknife, jackknife
from infoplane.analysis.uncertainty.paired import PairedDifference, paired_difference
from infoplane.analysis.uncertainty.permutation import PermutationNull, permutation_null
from infoplane.analysis.uncertainty.subsampling import Subsampling, subsampling

__all__ = [
    "Extrapolation",
    "Jackknife",
    "PairedDifference",
    "PermutationNull",
    "Subsampling",
    "extrapolate",
    "jackknife",
    "paired_difference",
    "permutation_null",
    "subsampling",
]
