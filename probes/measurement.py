"""What one pass over held-out data gives: bounds of every probe, what the recorders saw, what the host itself does."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.bounds import VIBBounds
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.each_input import EachInput
from infoplane.probes.gradients import GradientStatistics
from infoplane.probes.neurons import NeuronStatistics
from infoplane.probes.raw import RawActivations

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Measurement:
    """One row of a recording. Informations are in bit; arrays of shape (P,) have one entry per probe, in their order.

    Attributes
    ----------
    step : int
        Steps of training before it.
    updates : int
        Steps that the optimizer of the trained host's probes took.
    bounds : VIBBounds
        Rate, label bound and rate given the label of every probe's own code, with standard errors and covariances.
    i_zx_lower, i_zx_upper : numpy.ndarray
        Shape (P,): the sandwich on the known code, a lower and an upper bound on I(Z;X), on `n_sandwich` of the inputs.
        NaN of fewer than two inputs, or where a code is not finite.
    se_i_zx_lower, se_i_zx_upper : numpy.ndarray
        Their standard errors over these inputs.
    n_sandwich : int
        Inputs of the random subset behind the sandwich, the same at every measurement.
    i_ty_chain : numpy.ndarray
        Shape (P,): a lower bound on I(T;Y) of the probe's **site** T, not of its code: the best of the label bounds at
        the site and at those later ones, the host's own output among them, that know the input through it alone. It is
        chosen on one half of the inputs and read on the other. Of kind ``bounds.kind``.
    se_i_ty_chain : numpy.ndarray
        Its standard error over inputs, given the choice.
    chain_term : numpy.ndarray
        Shape (P,), int64: the probe whose label bound was best; P is the host's own output, -1 none.
    activations, weights : dict of str to SketchSummary
        By site and by parameter; empty where the recorder is off.
    neurons : dict of str to NeuronStatistics
        By site; empty where the recorder is off.
    gradients : mapping of str to GradientStatistics
        By parameter, of the steps since the last measurement; empty where the recorder is off.
    raw : RawActivations or None
        Activations of a fixed subset; None where the recorder is off.
    each_input : EachInput or None
        What single inputs gave; None where it is not kept.
    loss : float or None
        Mean cross-entropy of the host's own output in bit; None where that is not read as C scores.
    error : float or None
        Share of inputs that it puts into a wrong class; of real labels the share of their variance that it leaves
        unexplained. None where it cannot be read.
    left_out : dict of str to int
        Inputs, by probe, that training left out since the last measurement because an activation was not finite.
    dimensions : tuple of numpy.ndarray
        One per probe, shape (N,): the mean divergence of each dimension of its code; `bounds.i_zx` is their sum.
    input_keys : numpy.ndarray
        Shape (n,), one integer per input by position; equal inputs, and practically only those, have equal ones. Empty
        where the inputs are no dense tensors with one row each.
    """

    step: int
    updates: int
    bounds: VIBBounds
    i_zx_lower: Floats
    i_zx_upper: Floats
    se_i_zx_lower: Floats
    se_i_zx_upper: Floats
    n_sandwich: int
    i_ty_chain: Floats
    se_i_ty_chain: Floats
    chain_term: NDArray[np.int64]
    activations: dict[str, SketchSummary]
    weights: dict[str, SketchSummary]
    neurons: dict[str, NeuronStatistics]
    gradients: Mapping[str, GradientStatistics]
    raw: RawActivations | None
    each_input: EachInput | None
    loss: float | None
    error: float | None
    left_out: dict[str, int]
    dimensions: tuple[Floats, ...]
    input_keys: NDArray[np.uint64]

    def __repr__(self) -> str:
        count = len(self.bounds.i_zx)
        return f"<Measurement at step {self.step}: {count} probe{'s' * (count > 1)}, n = {self.bounds.n}; see bounds>"
