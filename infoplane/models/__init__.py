"""Networks by name, for the command line and for experiments (`build`), and functions that make one directly.

`default_sites` says what is observed in each. ``docs/models.md`` describes them.
"""

from infoplane.models.by_name import build, check_model, default_sites
from infoplane.models.catalogue import MODELS
from infoplane.models.frequency_net import frequency_net
from infoplane.models.leaky_mlp import leaky_mlp
from infoplane.models.mlp import mlp
from infoplane.models.recurrent import recurrent_classifier
from infoplane.models.resnet import cifar_resnet
from infoplane.models.vib import vib_mlp
from infoplane.models.vision import vision_model, vision_names

__all__ = [
    "MODELS",
    "build",
    "check_model",
    "cifar_resnet",
    "default_sites",
    "frequency_net",
    "leaky_mlp",
    "mlp",
    "recurrent_classifier",
    "vib_mlp",
    "vision_model",
    "vision_names",
]
