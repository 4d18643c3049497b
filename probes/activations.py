"""Recorder of activations: one log-space sketch per site, as much memory after a million batches as after one."""

from collections.abc import Sequence

from torch import Tensor

from infoplane.analysis.sketch import LogHistogram, SketchSummary, summarize
from infoplane.probes.errors import SiteError


class ActivationRecorder:
    """Sketches of what passes through every site. It can be copied and pickled.

    Parameters
    ----------
    sites : sequence of str
        Names, in the order of the run file.
    """

    def __init__(self, sites: Sequence[str]) -> None:
        self._sketches = {site: LogHistogram() for site in sites}

    def update(self, site: str, activation: Tensor) -> None:
        """Add what one call of a site gave.

        The values are counted at once, before anything can overwrite them; on CUDA nothing is read back.

        Parameters
        ----------
        site : str
            One of the names.
        activation : torch.Tensor
            Any shape, any real dtype, any device, with or without a graph. NaN and infinity are counted, never binned.

        Raises
        ------
        InputError
            If it holds no dense real numbers.
        """
        self._sketches[site].update(activation)

    def merge(self, other: "ActivationRecorder") -> None:
        """Add what another recorder of the same sites has seen, exactly; `other` is left as it is.

        Raises
        ------
        SiteError
            If its sites are not the same.
        """
        if self._sketches.keys() != other._sketches.keys():
            raise SiteError(
                f"the other recorder has the sites {', '.join(other._sketches)}, this one {', '.join(self._sketches)}; "
                "only recorders of the same sites can be merged"
            )
        for site, sketch in self._sketches.items():
            sketch.merge(other._sketches[site])

    def reset(self) -> None:
        """Forget what has been seen."""
        self._sketches = {site: LogHistogram() for site in self._sketches}

    def summaries(self) -> dict[str, SketchSummary]:
        """Return what has been seen so far, by site; the only call that waits for an accelerator."""
        return dict(zip(self._sketches, summarize(list(self._sketches.values())), strict=True))
