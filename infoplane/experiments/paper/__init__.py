"""The paper's own numbers: its tables as printed, and what was read off the vector graphics of its figures.

M. Hofmann and P. Mäder, "Synaptic Scaling: An Artificial Neural Network Regularization Inspired by Nature", IEEE
Transactions on Neural Networks and Learning Systems 33(7), 2022. The article is published under CC BY 4.0, and so are
these numbers; cite it as their source.
"""

from infoplane.experiments.paper.figures import fig4, fig5, fig6
from infoplane.experiments.paper.source import CITATION, DOI, LICENSE
from infoplane.experiments.paper.tables import table

__all__ = ["CITATION", "DOI", "LICENSE", "fig4", "fig5", "fig6", "table"]
