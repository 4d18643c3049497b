"""Estimators of mutual information: one per file, all behind `infoplane.analysis.estimate.estimate`.

The table below is the list of methods, in the order in which `methods()` shows them. A file defines one frozen
dataclass of parameters, one pure function and the `Method` that describes both. Methods load when they are used.
"""

from importlib import import_module

from infoplane.analysis.errors import one_of
from infoplane.analysis.estimators.method import Method

_HOMES = {
    "auto": "auto",
    # labels and finite sets
    "exact": "exact",
    "plugin": "plugin",
    "miller_madow": "miller_madow",
    "grassberger": "grassberger",
    "chao_shen": "chao_shen",
    "nsb": "nsb",
    "shrinkage": "shrinkage",
    # a layer of a network, quantised or with noise added
    "binning": "binning",
    "kde_lower": "kde_lower",
    "kde_upper": "kde_upper",
    "sample_propagation": "sample_propagation",
    # neighbours
    "ksg1": "ksg1",
    "ksg2": "ksg2",
    "lnc": "lnc",
    "mixed_ksg": "mixed_ksg",
    "ross": "ross",
    # families and kernels
    "gaussian": "gaussian",
    "gaussian_copula": "gaussian_copula",
    "t_copula": "t_copula",
    "renyi": "renyi",
    "sliced": "sliced",
    # neural
    "mine": "mine",
    "nwj": "nwj",
    "infonce": "infonce",
    "smile": "smile",
    "club": "club",
    "doe": "doe",
    "latent": "latent",
    # usable information
    "v_information": "v_information",
    "online_mdl": "online_mdl",
}
NAMES: tuple[str, ...] = tuple(_HOMES)
"""Every method's name."""


def method_named(name: str) -> Method:
    """Return the method of that name; InputError with near names when there is none."""
    one_of("method", name, NAMES)
    module = import_module(f"infoplane.analysis.estimators.{_HOMES[name]}")
    found = module.METHOD
    assert isinstance(found, Method)
    return found
