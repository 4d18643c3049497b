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
from torch import Tensor

from infoplane.errors import InputError
from infoplane.probes.isolation import preserved_random_state
from infoplane.regularizers import parse_method
from infoplane.training.failure import first_line
from infoplane.training.session import Session, scores_of
from infoplane.training.settings import Settings
from infoplane.training.stack import Stack
from infoplane.training.trial import are_same_gradients, is_close, probe_loss, tried_alone

_INSTEAD = "train these one by one (leave --vectorize out)"
_RANDOM = ("dropout", "vib")


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
    """Try one forward and backward of all networks on their first batches, and refuse what differs from each alone.

    Networks, their buffers and random states are left as they were; one that is refused may have kept a state of its
    own of the trial.

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
    models = [session.parts.model for session in sessions]
    if any(_has_hook(parameter) for model in models for parameter in model.parameters()):
        raise _refused("a parameter has a hook on its gradient, which common tensors of all networks have not")
    try:
        stack = Stack([copy.deepcopy(model).train() for model in models])
    except Exception as error:
        raise _refused(f"the network cannot be copied ({first_line(error)})") from error
    inputs = torch.stack([_first_inputs(session) for session in sessions]).to(device)
    with preserved_random_state():
        before = _global_random_state(device)
        try:
            alone = [tried_alone(model, own) for model, own in zip(models, inputs, strict=True)]
        except RuntimeError as error:
            raise _refused(f"the network cannot be trained by itself either ({first_line(error)})") from error
        if _global_random_state(device) != before:
            raise _refused("the network draws random numbers in its forward (dropout), other ones side by side")
        for changed in (trial.changed for trial in alone):
            if changed:
                raise _refused(f"the network's forward changes {changed}, which is not shared between its copies")
        try:
            together = scores_of(stack.forward(inputs.clone()))
            probe_loss(together).backward()
        except InputError:
            raise
        except Exception as error:  # torch has no one class for what vmap does not take
            reason = f"the network has an operation that torch.vmap does not take ({first_line(error)})"
            raise _refused(reason) from error
        finally:
            for parameter in (own for model in models for own in model.parameters()):
                parameter.grad = None  # what a copy still refers to has got one
    for k, trial in enumerate(alone):
        if not is_close(trial.scores, together[k].detach()):
            raise _refused("one call of all networks gives other outputs than each by itself")
        if not is_close(trial.scores, trial.scores_without_graph):
            raise _refused("the network gives other outputs where no gradients are asked for, as when it is recorded")
        buffers = {name: buffer[k] for name, buffer in stack.buffers.items()}
        if not all(is_close(own, buffers[name]) for name, own in trial.buffers.items()):
            raise _refused("one call of all networks gives other buffers than each by itself")
        gradients = {name: common.grad[k] for name, common in stack.parameters.items() if common.grad is not None}
        if not are_same_gradients(trial.gradients, gradients):
            raise _refused("one call of all networks gives other gradients than each by itself")


def _refused(reason: str) -> InputError:
    return InputError(f"cannot train side by side: {reason}; {_INSTEAD}")


def _has_hook(parameter: Tensor) -> bool:
    return bool(parameter._backward_hooks or getattr(parameter, "_post_accumulate_grad_hooks", None))


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
