"""Estimators of mutual information: one per file, all behind `infoplane.analysis.estimate.estimate`.

The table below is the list of methods, in the order in which `methods()` shows them. A file defines one frozen
dataclass of parameters, one pure function and the `Method` that describes both. Methods load when they are used.
"""

from importlib import import_module

from infoplane.analysis.errors import one_of
from infoplane.analysis.estimators.method import Method

NAMES: tuple[str, ...] = (
    "auto",
    # labels and finite sets
    "exact",
    "plugin",
    "miller_madow",
    "grassberger",
    "chao_shen",
    "nsb",
    "shrinkage",
    # a layer of a network, quantised or with noise added
    "binning",
    "kde_lower",
    "kde_upper",
    "sample_propagation",
    # neighbours
    "ksg1",
    "ksg2",
    "lnc",
    "mixed_ksg",
    "ross",
    # families and kernels
    "gaussian",
    "gaussian_copula",
    "t_copula",
    "renyi",
    "sliced",
    # neural
    "mine",
    "nwj",
    "infonce",
    "smile",
    "club",
    "doe",
    "latent",
    # usable information
    "v_information",
    "online_mdl",
)
"""Every method's name, which is also that of its file."""


def method_named(name: str) -> Method:
    """Return the method of that name; InputError with near names when there is none."""
    one_of("method", name, NAMES)
    module = import_module(f"infoplane.analysis.estimators.{name}")
    found = module.METHOD
    assert isinstance(found, Method)
    return found
