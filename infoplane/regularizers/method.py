"""A method by name, with its parameters: what it changes in a network, and what it does while the network trains.

::

    method = parse_method("synscaw+confidence-penalty", scaling={"rate": 0.03})
    model = method.prepare(model, seed=0)
    run = method.attach(model.to(device), seed=0)
    for epoch in range(1, epochs + 1):
        for inputs, labels in loader:
            loss = run.loss(model(inputs), labels)
            optimizer.zero_grad(); loss.backward(); optimizer.step()
            run.after_step(step := step + 1)
        run.after_epoch(epoch)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.regularizers.dropout import with_dropout
from infoplane.regularizers.parameters import Parameters, checked_parameters, split_names
from infoplane.regularizers.running import RunningMethod
from infoplane.regularizers.table import METHODS, Part
from infoplane.regularizers.vib import with_vib_head


@dataclass(frozen=True)
class Method:
    """What `parse_method` makes.

    Attributes
    ----------
    name : str
        Names joined by ``+``, in one order whatever the order they were given in: the scaling first.
    scaling, regularizers : mapping
        The parameters given; those left out have their defaults.
    """

    name: str
    scaling: Parameters
    regularizers: Parameters

    @property
    def parts(self) -> tuple[Part, ...]:
        """The methods that are combined."""
        return tuple(METHODS[name] for name in self.name.split("+"))

    @property
    def parameters(self) -> dict[str, Any]:
        """All parameters of the regularizers, given or default, by name."""
        defaults = {k: v for part in self.parts if part.kind == "regularizer" for k, v in part.parameters.items()}
        return {**defaults, **self.regularizers}

    def has(self, name: str) -> bool:
        """Return whether the method of this name is among the parts."""
        return name in self.name.split("+")

    def check_labels(self, classes: int | None) -> None:
        """Raise InputError unless the method can be used with these labels: so many classes, or real ones (None)."""
        for part in self.parts:
            if classes is None and part.name in ("label-smoothing", "confidence-penalty"):
                raise InputError(
                    f"method {part.name!r} is about probabilities of classes, but the labels are real numbers"
                )
            regression = part.variant == "regression"
            if part.name.startswith("synscal") and regression != (classes is None):
                raise InputError(
                    f"method {part.name!r} is for {'real labels' if regression else 'classes'}, but the labels are "
                    + ("real numbers; 'synscal-regression' is for these" if classes is None else "classes")
                )

    def prepare(self, model: nn.Module, *, seed: int = 0) -> nn.Module:
        """Make the changes of architecture that the method needs, in place, and return the network to train.

        ``dropout`` puts dropout in (`infoplane.regularizers.dropout`), ``vib`` replaces the last dense layer
        (`infoplane.regularizers.vib`); the others change nothing. Do it before the optimizer is made, since parameters
        may be others afterwards.

        Parameters
        ----------
        model : torch.nn.Module
            The network as it was built.
        seed : int
            Of new weights; the global random state is left alone.

        Returns
        -------
        torch.nn.Module
            The network itself, but where it is nothing more than the layer that is replaced.

        Raises
        ------
        InputError
            The network has no place for it.
        """
        if not isinstance(model, nn.Module):
            raise InputError(f"model is a {type(model).__name__}; accepted: a torch.nn.Module")
        parameters = self.parameters
        if self.has("dropout"):
            model = with_dropout(model, on_input=parameters["dropout_input"], hidden=parameters["dropout_hidden"])
        if self.has("vib"):
            # A width that nobody asked for gives way to that of the network's own bottleneck.
            model = with_vib_head(model, latent=self.regularizers.get("vib_latent"), seed=seed)
        return model

    def attach(
        self,
        model: nn.Module,
        *,
        seed: int = 0,
        class_weights: Tensor | Sequence[float] | None = None,
        divergence: bool = True,
    ) -> RunningMethod:
        """Begin to use the method on a network.

        Parameters
        ----------
        model : torch.nn.Module
            What `prepare` returned, on its device, before `torch.compile` and DistributedDataParallel wrap it.
        seed : int
            Of the noise of SynScaW.
        class_weights : torch.Tensor or sequence of float, optional
            One weight per class in the cross-entropy.
        divergence : bool
            Whether `RunningMethod.loss` has the term of ``vib``. False where a recording of mode ``bottleneck`` adds
            it: ``rec.loss(labels)`` is that term then, with the recording's own beta.

        Raises
        ------
        InputError
            The network was not prepared, or a parameter does not fit it.
        SiteError
            There is no layer to scale, or a name given matches none.
        """
        return RunningMethod(self, model, seed=seed, class_weights=class_weights, divergence=divergence)


def parse_method(name: str, *, scaling: Parameters | None = None, regularizers: Parameters | None = None) -> Method:
    """Return the method of a name, with its parameters, all checked.

    Parameters
    ----------
    name : str
        One of `METHODS`, or several joined by ``+``: at most one scaling, any regularizers, in any order.
    scaling : mapping, optional
        ``rate`` (gamma; the method's own when left out or None), and for SynScaW every other option of
        `infoplane.scaling.synscaw.SynScaW`; its functions also by name, ``"torch:tanh"``.
    regularizers : mapping, optional
        ``dropout_input``, ``dropout_hidden``, ``smoothing``, ``penalty``, ``vib_beta``, ``vib_latent``.

    Returns
    -------
    Method

    Raises
    ------
    InputError
        A name or parameter is unknown, a value is out of range, or a parameter belongs to another method and is not at
        its default; `own_parameters` leaves such ones out.
    """
    parts = split_names(name)
    of_scaling, of_regularizers = checked_parameters(parts, scaling=scaling, regularizers=regularizers)
    return Method(
        name="+".join(part.name for part in parts),
        scaling=_frozen(of_scaling),
        regularizers=_frozen(of_regularizers),
    )


def _frozen(parameters: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(parameters)
