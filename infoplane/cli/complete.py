"""What a shell may complete after an option: the names that it takes. Each looks them up when it is asked."""

from collections.abc import Iterable


def experiments(incomplete: str) -> list[str]:
    """Return the figures and tables that can be reproduced."""
    from infoplane.experiments.reproduce import EXPERIMENTS

    return _beginning(EXPERIMENTS, incomplete)


def scales(incomplete: str) -> list[str]:
    """Return the scales of an experiment."""
    from infoplane.experiments.reproduce.experiment import SCALES

    return _beginning(SCALES, incomplete)


def data_sets(incomplete: str) -> list[str]:
    """Return the data sets that have a name."""
    from infoplane.datasets.sources import SOURCES

    return _beginning(SOURCES, incomplete)


def networks(incomplete: str) -> list[str]:
    """Return the networks that have a name."""
    from infoplane.models.catalogue import MODELS

    return _beginning(MODELS, incomplete)


def methods(incomplete: str) -> list[str]:
    """Return the methods, after a ``+`` those that may be joined to what stands before it."""
    from infoplane.regularizers.table import METHODS

    before, plus, last = incomplete.rpartition("+")
    return [f"{before}{plus}{name}" for name in _beginning(METHODS, last)]


def presets(incomplete: str) -> list[str]:
    """Return the presets of the paper."""
    from infoplane.training.presets import PRESETS

    return _beginning(PRESETS, incomplete)


def metrics(incomplete: str) -> list[str]:
    """Return what runs can be compared by."""
    from infoplane.reports.run_values import METRICS

    return _beginning(METRICS, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
