"""From what passes through the sites of one network to the vectors that probes read, as the first step settled it."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from infoplane.probes.attach import Captured
from infoplane.probes.errors import CaptureError, SiteError
from infoplane.probes.input_axis import has_input_axis
from infoplane.probes.places import Place
from infoplane.probes.reduce import Asked, Reduction, check_reductions, reduction_for


class Codes:
    """The reduction of every site.

    Parameters
    ----------
    places : sequence of Place
        The sites.
    captured : mapping of str to torch.Tensor
        Whole activations of the first step by site.
    inputs : int
        n of that step.
    asked : optional
        As in `infoplane.probes.reduce.reduction_for`.

    Attributes
    ----------
    reductions : dict of str to Reduction
        By site; without those that a pattern matched and that have no row per input.
    widths : dict of str to int
        Of every site's vector.
    neurons : dict of str to int
        Of every site.
    shapes : dict of str to tuple of int
        Of every site's activation for one input, as it is before the reduction.

    Raises
    ------
    CaptureError
        When no activation has as many inputs as there are labels.
    SiteError, InputError
        As `reduction_for` does.
    """

    def __init__(self, places: Sequence[Place], captured: Captured, *, inputs: int, asked: Asked) -> None:
        check_reductions(asked, captured)
        _check_labels(captured, inputs)
        self.reductions: dict[str, Reduction] = {}
        self.widths: dict[str, int] = {}
        self.neurons: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        # What a pattern matched too, as a table of positions among the embeddings, may have no row per input.
        fitting = [p for p in places if p.named or has_input_axis(tuple(captured[p.name].shape), inputs)]
        for place in fitting or places:
            whole = captured[place.name].detach()
            reduction = reduction_for(
                asked,
                site=place.name,
                module=place.module,
                shape=tuple(whole.shape),
                inputs=inputs,
                side=place.side,
                path=place.path,
            )
            self.reductions[place.name] = reduction
            self.widths[place.name] = reduction(whole).shape[1]
            rows = reduction.batch_first(whole)
            self.neurons[place.name] = rows.shape[reduction.feature_axis]
            self.shapes[place.name] = tuple(rows.shape[1:])

    def of(self, captured: Captured) -> Captured:
        """Return the vectors of whole activations, by site, with their graph."""
        return {site: self._reduced(site, captured[site]) for site in self.reductions}

    def copy(self, site: str, activation: Tensor) -> Tensor:
        """Return the vectors of one activation, without its graph and in memory of their own.

        What follows in the network may work in place on the activation. The copy can be trained on, whether the forward
        ran in inference mode or not.
        """
        with torch.inference_mode(False):
            code = self._reduced(site, activation.detach())
            shared = code.untyped_storage().data_ptr() == activation.untyped_storage().data_ptr()
            return code.clone() if shared else code

    def _reduced(self, site: str, activation: Tensor) -> Tensor:
        reduction = self.reductions[site]
        code = reduction(activation)
        if code.shape[1] != self.widths[site]:
            raise SiteError(
                f"the site {site!r} gave {tuple(activation.shape)}, which {reduction.name!r} makes {code.shape[1]} "
                f"numbers per input, but it began with {self.widths[site]}: for inputs of several sizes take a "
                "reduction that has one width, such as 'tokens-mean' or 'gap'"
            )
        return code


def whole_copy(activation: Tensor, *, graph: bool) -> Tensor:
    """Return a copy of a whole activation, with its graph or usable for training also in inference mode."""
    with torch.inference_mode(False):
        return activation.clone() if graph else activation.detach().clone()


def _check_labels(captured: Mapping[str, Tensor], inputs: int) -> None:
    if all(inputs not in activation.shape[:2] for activation in captured.values()):
        site, activation = next(iter(captured.items()))
        raise CaptureError(
            f"there are {inputs} labels, but the forward passed {len(activation)} inputs through {site!r}: "
            "give the labels of that forward's batch, or choose a site with one row per input"
        )
