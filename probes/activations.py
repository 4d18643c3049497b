"""Recorder of activations: one log-space sketch per site, on held-out inputs in evaluation mode."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from infoplane.analysis.sketch import LogHistogram, SketchSummary


class ActivationRecorder:
    """Sketches of what passes through every site; memory does not grow with the number of inputs.

    Parameters
    ----------
    sites : sequence of str
        Names, in the order of the run file.
    """

    def __init__(self, sites: Sequence[str]) -> None:
        self._sketches = {site: LogHistogram() for site in sites}

    def update(self, captured: Mapping[str, Tensor]) -> None:
        """Add one batch: a tensor of any shape per site. NaN and infinity are counted, never binned."""
        for site, sketch in self._sketches.items():
            sketch.update(captured[site])

    def summaries(self) -> dict[str, SketchSummary]:
        """Return what has been seen so far, by site."""
        return {site: sketch.summary() for site, sketch in self._sketches.items()}
