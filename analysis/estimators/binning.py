"""Mutual information of activations after binning, by counting.

    I(bin(T);Y) = sum_{b, y} p(b, y) log [p(b, y) / (p(b) p(y))]

with b the row of bins that a sample's activations fall into and p relative frequencies (Shwartz-Ziv & Tishby 2017;
Saxe et al. 2018). On a finite input set that is all there is, this is the exact information of the binned layer. With
y one label per different input (``row_symbols(inputs)``) it is I(X;bin(T)) = H(bin(T)), since the layer is a function
of its input. Whether it says anything about the layer is another matter: a continuous deterministic layer has I(X;T)
infinite or H(X), and the bins decide where between 0 and log n the value lies. Sweep them
(`infoplane.analysis.stability`), and compare with the scale-free twin ``rule="equal_mass"``.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.bin_rule import BinRule
from infoplane.analysis.bins import Bins
from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.count_table import plugin_entropy
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.finding import Finding
from infoplane.analysis.rows import row_groups


@dataclass(frozen=True)
class Binning(BinRule):
    """How x is binned, and y by the same rule if it is continuous.

    Attributes
    ----------
    rule : {"count", "width", "equal_mass"}
        What is given: the number of equally wide bins, their width, or the number of bins of equal mass (scale-free).
    number : int
        Bins, for ``"count"`` and ``"equal_mass"``.
    width : float, optional
        Of a bin, in units of the activations; for ``"width"``.
    scope : {"layer", "neuron", "fixed"}
        Range from all values of the layer, of each column, or from `low` to `high`.
    low, high : float, optional
        The range; for ``"fixed"``.
    bins : Bins, optional
        Bins fitted elsewhere, as on all layers at once; then the attributes above are left alone.
    """

    bins: Bins | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bins is None:
            return
        if not isinstance(self.bins, Bins):
            raise InputError(f"bins is {self.bins!r}, but it must come from Bins.fit(layer, ...); number= is how many")
        changed = [field.name for field in fields(BinRule) if getattr(self, field.name) != field.default]
        if changed:
            raise InputError(f"bins is given, so {', '.join(changed)} would not be used; leave them out")


def binning(x: Floats, y: NDArray[Any], parameters: Binning) -> Reading:
    """Return the information of the binned x on y, or on y binned by the same rule.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d): the activations of one layer. Constant columns count in the range of the layer.
    y : numpy.ndarray
        Shape (n,), int64 labels, or shape (n, dy), floats.
    parameters : Binning
        The rule.

    Returns
    -------
    Reading
        In nats, the plug-in value: exact for a finite set of equally likely samples, else too high by about
        (codes - 1)(labels - 1) / (2n) nat as long as that is small. The edges and the number of codes are recorded.
        Findings: ``outside_bins`` with the share of activations beyond a range that was not fitted to them (they count
        in the end bins); ``saturated`` when no two samples share a code, so that every such layer reads the same;
        ``undersampled`` when more than half of the samples, the amount, have a code of their own.

    Raises
    ------
    InputError
        When the bins do not fit the columns, or the rule makes more than 2^31 bins.
    """
    codes, found, chosen = _binned("x", x, parameters)
    labels = y
    if y.ndim == 2:
        labels, of_y, chosen_y = _binned("y", y, parameters)
        found += of_y
        chosen |= {f"y_{name}": value for name, value in chosen_y.items()}
    joint = row_groups(codes * (labels.max() + 1) + labels)
    of_codes, of_labels, of_both = (plugin_entropy(np.bincount(symbols)) for symbols in (codes, labels, joint))
    return Reading(of_codes + of_labels - of_both, findings=tuple(found), chosen=chosen)


def _binned(name: str, side: Floats, parameters: Binning) -> tuple[Labels, list[Finding], dict[str, Any]]:
    """Return one label per row of bins, what to say of it, and how the bins lie."""
    rule = BinRule(**{field.name: getattr(parameters, field.name) for field in fields(BinRule)})
    bins = parameters.bins or Bins.fit(side, by=rule)
    codes = bins.groups(side)
    found = _alone(name, codes)
    chosen = {**bins.described(), "codes": int(codes.max()) + 1}
    if parameters.bins is not None:
        chosen["bins"] = repr(bins)
    if parameters.bins is not None or parameters.scope == "fixed":
        chosen["outside"] = share = bins.outside(side)
        if share:
            text = f"a share of the activations lies outside {bins!r} and was counted in the end bins"
            advice = "widen the range, or take it from the layer"
            found.append(Finding("outside_bins", name, text, share, "1", advice))
    return codes, found, chosen


def _alone(name: str, codes: Labels) -> list[Finding]:
    """Return ``saturated`` or ``undersampled`` when all or most samples have a code of their own."""
    n, advice = len(codes), "take fewer bins or more samples"
    alone = np.count_nonzero(np.bincount(codes) == 1) / n
    if alone == 1:
        text = f"each of the {n} samples has a code of its own, as in every layer that is binned this finely"
        return [Finding("saturated", name, text, advice=advice)]
    if alone > 0.5:
        text = "most samples have a code of their own, so unless they are all there are the value is too high"
        return [Finding("undersampled", name, text, alone, "1", advice)]
    return []


METHOD = Method(
    name="binning",
    function=binning,
    parameters=Binning,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="the binned variable is the one meant, and n is large against the number of codes that occur",
    wrong_when="bins are so fine that most samples have a code of their own (the value nears log n or H(Y)), or so "
    "coarse or misplaced that a layer falls into few of them",
    source="Shwartz-Ziv & Tishby 2017; Saxe et al. 2018; equal mass: Geiger 2021, Chelombiev et al. 2019",
    keeps_constant=True,
)
