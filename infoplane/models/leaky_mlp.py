"""The multilayer perceptron of the paper's appendix: four hidden layers, each 10 x features x classes wide.

Hofmann and Mäder (2022), appendix VII-B2, with Leaky ReLU and one width for all tabular data sets of Table IV. For
regression the number of outputs stands in place of the classes, as that table counts them. The slope of the activation
is not stated; PyTorch's 0.01 is taken, as are its initial weights.

The rule is meant for tables of few columns. Its weights grow with the square of the number of inputs: for iris there
are 44 thousand, for the 8x8 digits 123 million, and for MNIST there would be 18 thousand million.
"""

from functools import partial

from torch import nn

from infoplane.analysis.errors import InputError, positive_number, whole_number
from infoplane.models.mlp import mlp

_LAYERS = 4
_MOST = 2**28  # weights; 1 GiB in float32, and Adam in training has four times that


def leaky_mlp(features: int, classes: int, *, slope: float = 0.01, seed: int | None = None) -> nn.Sequential:
    """Return the appendix's multilayer perceptron.

    Its modules are called as those of `infoplane.models.mlp`: `flatten`, `hidden1` to `hidden4`, `output`.

    Parameters
    ----------
    features : int
        Values per input.
    classes : int
        Number of classes, or of outputs in a regression.
    slope : float
        Of Leaky ReLU below 0.
    seed : int, optional
        Of the initial weights; as in `infoplane.models.mlp`.

    Returns
    -------
    torch.nn.Sequential
        Takes ``(n, ...)`` with `features` values for each input, returns ``(n, classes)``.

    Raises
    ------
    InputError
        When an argument is out of range, or the rule's layers would have more than 2**28 weights.
    """
    features, classes = whole_number("features", features, least=1), whole_number("classes", classes, least=1)
    width = 10 * features * classes
    weights = features * width + (_LAYERS - 1) * width**2 + width * classes
    if weights > _MOST:
        raise InputError(
            f"four hidden layers of 10 x {features} features x {classes} classes = {width:,} neurons have {weights:,} "
            f"weights ({4 * weights / 1e9:,.1f} GB, in training by Adam four times that), but the rule is for tables "
            "of few columns; give widths by hidden=, such as hidden=(1024, 1024, 1024, 1024), or take the model 'mlp'"
        )
    return leaky_layers((features, *(width for _ in range(_LAYERS)), classes), slope=slope, seed=seed)


def leaky_layers(widths: tuple[int, ...], *, slope: float = 0.01, seed: int | None = None) -> nn.Sequential:
    """Return a multilayer perceptron of any `widths` (inputs, hidden layers, outputs) with Leaky ReLU."""
    return mlp(widths, activation=partial(nn.LeakyReLU, positive_number("slope", slope)), seed=seed)
