"""Pictures of runs: data in, matplotlib axes out.

Every plot takes ``ax=`` (or ``figure=`` where it draws several panels) and returns the axes; none calls ``show()`` or
changes matplotlib's settings. Without ``ax`` it makes a new pyplot figure under `theme`, so that a notebook shows it
and ``plt.show()`` finds it. Give it an ``ax`` of your own to keep pyplot out, as a program without a screen should.
"""

from infoplane.plots.bottleneck import bottleneck
from infoplane.plots.bounds import bounds
from infoplane.plots.error_and_jsd import error_and_jsd
from infoplane.plots.estimators import estimators
from infoplane.plots.fano import fano
from infoplane.plots.gradients import gradients
from infoplane.plots.histogram import histogram
from infoplane.plots.histograms import histograms
from infoplane.plots.mean_plane import mean_plane
from infoplane.plots.movie import movie
from infoplane.plots.neuron_activity import neuron_activity
from infoplane.plots.overlay import overlay
from infoplane.plots.plane import plane
from infoplane.plots.planes import planes
from infoplane.plots.save import save
from infoplane.plots.scaling_activity import scaling_activity
from infoplane.plots.scaling_change import scaling_change
from infoplane.plots.surface import surface
from infoplane.plots.surface3d import surface3d
from infoplane.plots.theme import COLUMN, PAGE, SLIDE, theme

__all__ = [
    "COLUMN",
    "PAGE",
    "SLIDE",
    "bottleneck",
    "bounds",
    "error_and_jsd",
    "estimators",
    "fano",
    "gradients",
    "histogram",
    "histograms",
    "mean_plane",
    "movie",
    "neuron_activity",
    "overlay",
    "plane",
    "planes",
    "save",
    "scaling_activity",
    "scaling_change",
    "surface",
    "surface3d",
    "theme",
]
