"""The methods of the paper, one name for each and for their combinations (docs/methods.md), and the regularizers.

Synaptic scaling itself is in `infoplane.scaling`.
"""

from infoplane.regularizers.confidence_penalty import ConfidencePenalty
from infoplane.regularizers.dropout import dropout_places, with_dropout
from infoplane.regularizers.label_smoothing import LabelSmoothing
from infoplane.regularizers.method import Method, parse_method
from infoplane.regularizers.parameters import own_parameters
from infoplane.regularizers.running import RunningMethod
from infoplane.regularizers.table import METHODS, Part
from infoplane.regularizers.vib import VIBTerm, with_vib_head

__all__ = [
    "METHODS",
    "ConfidencePenalty",
    "LabelSmoothing",
    "Method",
    "Part",
    "RunningMethod",
    "VIBTerm",
    "dropout_places",
    "own_parameters",
    "parse_method",
    "with_dropout",
    "with_vib_head",
]
