"""What `kde_lower` and `kde_upper` share: their parameters, and the information from bounds on two entropies."""

from dataclasses import dataclass
from typing import Literal

from infoplane.analysis.errors import one_of
from infoplane.analysis.estimators.gaussian_mixture import Noise, entropy_bounds, noise_findings, rounding_findings
from infoplane.analysis.estimators.method import Floats, Labels, Reading

_CONDITIONALS = ("opposite", "same")


@dataclass(frozen=True)
class KDE(Noise):
    """The noise that is added to a layer, and which bound the entropy given the labels takes.

    Attributes
    ----------
    noise_variance : float
        sigma^2, of each neuron.
    scale : {"absolute", "layer"}
        Unit of `noise_variance`: squared activations, or the mean variance of the layer's neurons that vary. The
        latter is scale-free: a layer and ten times that layer read alike.
    conditional : {"opposite", "same"}
        Bound on H(T + Z | Y): ``"opposite"`` makes the difference a bound, often a wide one. ``"same"`` takes one bound
        twice, as the field does: an estimate between `kde_lower` and `kde_upper`. With one label per input the two
        agree.
    """

    conditional: Literal["opposite", "same"] = "opposite"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("conditional", self.conditional, _CONDITIONALS)


def kde_reading(t: Floats, labels: Labels, parameters: KDE, kind: Literal["lower_bound", "upper_bound"]) -> Reading:
    """Return I(T + Z; Y) in nats from the bounds on H(T + Z) and H(T + Z | Y).

    Parameters
    ----------
    t, labels : numpy.ndarray
        Shapes (n, d) and (n,).
    parameters : KDE
        Noise and conditional.
    kind : {"lower_bound", "upper_bound"}
        Which bound on H(T + Z) is taken.
    """
    variance = parameters.variance(t)
    bounds = entropy_bounds(t, labels, variance)
    entropies = {"lower_bound": bounds.lower, "upper_bound": bounds.upper}
    given_y = {"lower_bound": bounds.lower_given_y, "upper_bound": bounds.upper_given_y}
    mixed = parameters.conditional == "same" and bounds.upper_given_y > 0
    other: Literal["lower_bound", "upper_bound"] = "upper_bound" if kind == "lower_bound" else "lower_bound"
    value = entropies[kind] - given_y[kind if parameters.conditional == "same" else other]
    return Reading(
        value,
        kind="estimate" if mixed else kind,
        findings=(
            *noise_findings(value, "estimate" if mixed else kind, bounds.lower, labels),
            *rounding_findings(t, variance),
        ),
        chosen={"variance": variance},
    )
