"""The methods of Tables I to V by name: what each adds to a training, its parameters with their defaults, its source.

A method is one of these, or several joined by ``+`` in any order: at most one scaling, any regularizers.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from infoplane.scaling.synscaw import SynScaW

# What a method says by other means: the preset by its name, gamma as the rate, the seed as the training's.
_ELSEWHERE = ("self", "model", "preset", "gamma", "seed")


@dataclass(frozen=True)
class Part:
    """One method.

    Attributes
    ----------
    name : str
        As it is written everywhere.
    kind : {"baseline", "scaling", "regularizer"}
        What it counts as in a combination.
    adds : str
        What it adds to a training.
    source : str
        Where it is from.
    parameters : mapping
        Name to default: of the section ``[scaling]`` for a scaling, of ``[regularizers]`` for a regularizer. None is
        the method's own default.
    variant : str
        Of a scaling: the preset of SynScaW, or the mode of SynScaL.
    """

    name: str
    kind: Literal["baseline", "scaling", "regularizer"]
    adds: str
    source: str
    parameters: Mapping[str, Any]
    variant: str = ""

    @property
    def is_synscaw(self) -> bool:
        """Whether it scales weights, rather than adding to the loss."""
        return self.name.startswith("synscaw")


def _synscaw(name: str, preset: str, adds: str, source: str) -> Part:
    own = {
        parameter: found.default
        for parameter, found in inspect.signature(SynScaW.__init__).parameters.items()
        if parameter not in _ELSEWHERE
    }
    return Part(name, "scaling", adds, source, MappingProxyType({"rate": None, **own}), preset)


def _synscal(name: str, mode: str, adds: str, source: str) -> Part:
    return Part(name, "scaling", adds, source, MappingProxyType({"rate": None}), mode)


def _regularizer(name: str, adds: str, source: str, **parameters: Any) -> Part:
    return Part(name, "regularizer", adds, source, MappingProxyType(parameters))


_PAPER = "Hofmann and Mäder (2022)"
_ALL = (
    Part("baseline", "baseline", "nothing: cross-entropy, or squared error for real labels", "Eq. 5", {}),
    _regularizer(
        "dropout",
        "dropout of inputs and hidden neurons",
        "Srivastava et al. (2014)",
        dropout_input=0.2,
        dropout_hidden=0.5,
    ),
    _regularizer("label-smoothing", "smoothed labels in the cross-entropy", "Szegedy et al. (2016)", smoothing=0.1),
    _regularizer(
        "confidence-penalty",
        "less penalty times the entropy of the predictions",
        "Pereyra et al. (2017), Eq. 7",
        penalty=1.0,
    ),
    _regularizer(
        "vib",
        "a noisy code in place of the last dense layer, and vib_beta times its divergence",
        "Alemi et al. (2017), Eqs. 8-13",
        vib_beta=1e-3,
        vib_latent=256,
    ),
    _synscaw("synscaw", "paper", "scaling of weights by the paper's text", f"{_PAPER}, Eqs. 14-16"),
    _synscaw("synscaw-official", "official", "scaling of weights by the authors' published code", _PAPER),
    _synscaw("synscaw-stable", "stable", "scaling of weights by the rule that keeps a weight's sign", "this project"),
    _synscal("synscal", "prob", "the scaling loss of every class's probability", f"{_PAPER}, Eqs. 17-18"),
    _synscal(
        "synscal-prob-batch", "prob_batch", "the scaling loss of the batch's mean probabilities", "Eq. 18, read so"
    ),
    _synscal(
        "synscal-target-class", "target_class", "the scaling loss of the right class's probability", "Eq. 18, read so"
    ),
    _synscal("synscal-logit-mean", "logit_mean", "the scaling loss of the authors' published code", _PAPER),
    _synscal("synscal-regression", "regression", "the scaling loss for real labels", "Eqs. 17-18"),
)

METHODS: Mapping[str, Part] = MappingProxyType({part.name: part for part in _ALL})
"""Every method by name."""
