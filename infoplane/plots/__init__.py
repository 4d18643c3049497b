"""Pictures of runs: data in, matplotlib axes out.

Every plot takes ``ax=`` (or ``figure=`` where it draws several panels) and returns the axes; none calls ``show()`` or
changes matplotlib's settings. Without ``ax`` it makes a new pyplot figure under `theme`, so that a notebook shows it
and ``plt.show()`` finds it. Give it an ``ax`` of your own to keep pyplot out, as a program without a screen should.
"""

from infoplane.plots.histogram import histogram
from infoplane.plots.histograms import histograms
from infoplane.plots.plane import plane
from infoplane.plots.planes import planes
from infoplane.plots.save import save
from infoplane.plots.surface import surface
from infoplane.plots.theme import COLUMN, PAGE, theme

__all__ = ["COLUMN", "PAGE", "histogram", "histograms", "plane", "planes", "save", "surface", "theme"]
