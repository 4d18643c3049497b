"""What cannot be trained side by side, found out before anything is trained.

A training side by side is to give what it gives alone. So each of what follows is refused with the reason: settings
that differ in more than the seed, random numbers drawn in a forward (those of a training alone come from its own seed,
in its own order), a learning rate that depends on the training's own losses, and networks of which `torch.vmap` cannot
make one call, or makes something else.
"""

import copy
import random
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from infoplane.errors import InputError
from infoplane.probes.isolation import preserved_random_state
from infoplane.regularizers import parse_method
from infoplane.training.session import Session, scores_of
from infoplane.training.settings import Settings
from infoplane.training.stack import Stack

_INSTEAD = "train these one by one (leave --vectorize out)"
_RANDOM = ("dropout", "vib")
_CLOSE = 1e-3  # of the largest output


def check_settings(settings: Sequence[Settings]) -> None:
    """Refuse settings that cannot be trained side by side, before data or networks are there.

    Parameters
    ----------
    settings : sequence of Settings
        One per training.

    Raises
    ------
    InputError
        With the reason, and what to do.
    """
    if not settings:
        raise InputError("there are no settings, but at least one training is needed")
    seeds = [each.seed for each in settings]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"the seeds are {seeds}, but each is trained once")
    tables = [{k: v for k, v in each.configuration.items() if k not in ("seed", "plan")} for each in settings]
    if any(table != tables[0] for table in tables):
        raise InputError("trainings side by side differ in the seed alone, but these differ in other settings too")
    first = settings[0].resolved
    training = first.training
    method = parse_method(first.method, scaling=first.scaling, regularizers=first.regularizers)
    drawing = [name for name in _RANDOM if method.has(name)]
    reason = ""
    if drawing:
        reason = f"the method draws random numbers in every forward ({', '.join(drawing)}), other ones side by side"
    elif first.probes.mode != "observe":
        reason = f"probes.mode is {first.probes.mode!r}, in which the probes train the network, each its own"
    elif first.optimizer.schedule == "plateau":
        reason = "optimizer.schedule is 'plateau', which makes another learning rate of each seed's own losses"
    elif training.precision != "float32":
        reason = f"training.precision is {training.precision!r}, and side by side it is float32"
    elif training.compile:
        reason = "training.compile is set, and one call of all networks is not compiled"
    if reason:
        raise InputError(f"cannot train side by side: {reason}; {_INSTEAD}")


def check_networks(sessions: Sequence[Session]) -> None:
    """Try one forward of all networks on their first batches, and refuse what comes out otherwise than alone.

    Networks, their buffers and random states are left as they were.

    Parameters
    ----------
    sessions : sequence of Session
        With the networks that will be trained, before `Stack` has been made of them.

    Raises
    ------
    InputError
        With the reason, and what to do.
    """
    scaling = sessions[0].parts.method.scaling
    if scaling is not None and scaling.settings.source == "data":
        raise _refused("scaling.source is 'data', which looks at what passes through each network by itself")
    if sessions[0].where.ranks.world > 1:
        raise _refused(f"torchrun has started {sessions[0].where.ranks.world} processes, and it takes one")
    device = sessions[0].where.device
    models = [_copy(session) for session in sessions]
    stack = Stack(models)
    inputs = torch.stack([_first_inputs(session) for session in sessions]).to(device)
    with preserved_random_state(), torch.no_grad():
        with stack.preserved_buffers():
            before = _global_random_state(device)
            alone = torch.stack([scores_of(m(x.clone())) for m, x in zip(models, inputs, strict=True)])
            if _global_random_state(device) != before:
                raise _refused("the network draws random numbers in its forward (dropout), other ones side by side")
            afterwards = [buffer.clone() for buffer in stack.buffers.values()]
        try:
            together = scores_of(stack.forward(inputs.clone()))
        except InputError:
            raise
        except Exception as error:  # torch has no one class for what vmap does not take
            said = (str(error).splitlines() or [type(error).__name__])[0][:160]
            raise _refused(f"the network has an operation that torch.vmap does not take ({said})") from error
        pairs = [(alone, together), *zip(afterwards, stack.buffers.values(), strict=True)]
    if not all(_is_close(*pair) for pair in pairs):
        raise _refused("one call of all networks gives other outputs, or other buffers, than each by itself")


def _refused(reason: str) -> InputError:
    return InputError(f"cannot train side by side: {reason}; {_INSTEAD}")


def _copy(session: Session) -> nn.Module:
    model = copy.deepcopy(session.parts.model)
    model.train()
    return model


def _first_inputs(session: Session) -> Tensor:
    session.loader.set_epoch(0)
    with preserved_random_state():
        inputs: Tensor = next(iter(session.loader))[0]
    return inputs


def _global_random_state(device: torch.device) -> tuple[object, ...]:
    _, keys, place, *rest = np.random.get_state(legacy=True)
    own = [torch.get_rng_state()]
    if device.type == "cuda":
        own.append(torch.cuda.get_rng_state(device))
    return random.getstate(), keys.tobytes(), place, tuple(rest), *(bytes(state.numpy()) for state in own)  # type: ignore[union-attr]


def _is_close(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape:
        return False
    if not one.is_floating_point():
        return bool((one == other).all())
    scale = float(one.abs().max()) if one.numel() else 0.0
    return bool(torch.isclose(one, other, rtol=_CLOSE, atol=_CLOSE * scale, equal_nan=True).all())
