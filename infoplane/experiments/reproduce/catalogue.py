"""Every experiment by name."""

from collections.abc import Mapping
from types import MappingProxyType

from infoplane.experiments.reproduce.experiment import Experiment
from infoplane.experiments.reproduce.fig3 import FIG3
from infoplane.experiments.reproduce.fig4 import FIG4
from infoplane.experiments.reproduce.fig5 import FIG5
from infoplane.experiments.reproduce.fig6 import FIG6
from infoplane.experiments.reproduce.fig7 import FIG7
from infoplane.experiments.reproduce.mnist_mi import MNIST_MI
from infoplane.experiments.reproduce.table5 import TABLE5
from infoplane.experiments.reproduce.tables_1_to_3 import TABLES

_ALL = (FIG3, FIG4, MNIST_MI, FIG5, FIG6, *TABLES, FIG7, TABLE5)
EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType({one.name: one for one in _ALL})
"""In the order of the paper."""
