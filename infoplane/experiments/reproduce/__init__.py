"""The paper's figures and tables, one command each, with the printed number beside ours and a verdict.

``infoplane reproduce`` lists them; in Python it is `reproduce`. docs/reproduce.md explains what is compared.
"""

from infoplane.experiments.reproduce.catalogue import EXPERIMENTS
from infoplane.experiments.reproduce.claims import PaperClaim, Statement
from infoplane.experiments.reproduce.experiment import SCALES, Experiment, Scale
from infoplane.experiments.reproduce.outcome import Reproduction, Table
from infoplane.experiments.reproduce.runner import reproduce

__all__ = [
    "EXPERIMENTS",
    "SCALES",
    "Experiment",
    "PaperClaim",
    "Reproduction",
    "Scale",
    "Statement",
    "Table",
    "reproduce",
]
