"""Where the inputs are in an activation: along axis 0, or along axis 1 in a sequence-first module.

An LSTM, attention, or a transformer layer with ``batch_first=False`` takes and gives (sequence, inputs, features). A
shape tells the two apart unless the sequence is as long as the batch; there the module's own flag decides, and where it
has none axis 0 is taken.
"""

from torch import nn

from infoplane.probes.errors import SiteError
from infoplane.probes.places import Path

_SEQUENCES = (
    *(nn.RNNBase, nn.MultiheadAttention, nn.Transformer, nn.TransformerEncoder, nn.TransformerDecoder),
    *(nn.TransformerEncoderLayer, nn.TransformerDecoderLayer),
)


def input_axis(
    shape: tuple[int, ...], inputs: int, *, site: str, module: nn.Module, side: str = "output", path: Path = ()
) -> int:
    """Return 0 or 1: the axis with one entry per input.

    Parameters
    ----------
    shape : tuple of int
        Of the whole activation.
    inputs : int
        n of the batch that gave it.
    site : str
        Its label, for messages.
    module : torch.nn.Module
        Whose output or input it is.
    side, path : optional
        As in `Place`: which of the module's tensors.

    Raises
    ------
    SiteError
        When no axis fits, or the activation has no other axis.
    """
    if len(shape) < 2:
        raise SiteError(
            f"the site {site!r} gives {tuple(shape)}, but a site must give features for every input: "
            "(inputs, features, ...)"
        )
    first, second = shape[0] == inputs, len(shape) > 2 and shape[1] == inputs
    if second and (not first or _inputs_second(module, side, path)):
        return 1
    if not first:
        raise SiteError(
            f"the site {site!r} gives {tuple(shape)} for {inputs} inputs, but a site must give one row per input: "
            "(inputs, ...), or (sequence, inputs, ...)"
        )
    return 0


def has_input_axis(shape: tuple[int, ...], inputs: int) -> bool:
    """Return whether `input_axis` finds one."""
    return len(shape) > 1 and inputs in shape[: min(2, len(shape) - 1)]


def _inputs_second(module: nn.Module, side: str, path: Path) -> bool:
    if not isinstance(module, _SEQUENCES):
        return False
    if isinstance(module, nn.RNNBase) and path[:1] == (1,):
        return True  # hidden states are (layers, inputs, features), whatever the flag says of the sequence
    if isinstance(module, nn.MultiheadAttention) and side == "output" and path[:1] == (1,):
        return False  # nor does it say anything of the attention's weights
    # A layer of a transformer leaves the flag to the attention inside it.
    flags = (getattr(part, "batch_first", None) for part in module.modules())
    return next((not flag for flag in flags if flag is not None), False)
