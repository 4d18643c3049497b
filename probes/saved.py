"""Whether a saved state is of the recording that is to go on from it."""

from collections.abc import Mapping

from torch import Tensor

from infoplane.analysis.errors import InputError


def check_same(kind: str, saved: Mapping[str, object], here: Mapping[str, object]) -> None:
    """Raise unless what a state was saved with is what there is here.

    Parameters
    ----------
    kind : str
        What the names are of, such as ``site``.
    saved, here : mapping of str to object
        By name, what describes each.

    Raises
    ------
    InputError
        When a name or a description differs; it names the first three.
    """
    different = [name for name in {**saved, **here} if _said(kind, name, saved) != _said(kind, name, here)]
    if different:
        was, now = (", ".join(_said(kind, name, each) for name in different[:3]) for each in (saved, here))
        raise InputError(
            f"the state is of a recording with {was}, but this one has {now}: a recording goes on from a state of the "
            "same network, sites and settings"
        )


def described(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Return type and shape of tensors by their names, as `check_same` compares them."""
    return {name: f"{tensor.dtype} {tuple(tensor.shape)}" for name, tensor in tensors.items()}


def _said(kind: str, name: str, found: Mapping[str, object]) -> str:
    return f"{kind} {name!r} ({found[name]})" if name in found else f"no {kind} {name!r}"
