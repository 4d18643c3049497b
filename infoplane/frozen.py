"""Probes fitted on a finished network, the way linear probes are used."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

from torch import nn

from infoplane.analysis.errors import whole_number
from infoplane.errors import InputError
from infoplane.probes.batches import Unpack
from infoplane.probes.measurement import Measurement
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.vib import VIBProbe
from infoplane.recorder import record
from infoplane.rows import plane_values
from infoplane.runfile.schema import PLANE_QUANTITIES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class FrozenProbes:
    """Probes on a network that was not trained any more, and what they measured in the end.

    Attributes
    ----------
    infos : tuple of ProbeInfo
        Which probes, in the order of the measurement's arrays.
    probes : dict of str to VIBProbe
        By name, trained.
    measurement : Measurement
        On the held-out data, after the last epoch.
    """

    infos: tuple[ProbeInfo, ...]
    probes: dict[str, VIBProbe]
    measurement: Measurement

    def __repr__(self) -> str:
        return f"<FrozenProbes: {', '.join(self.probes)}; n = {self.measurement.bounds.n}>"

    def to_dataframe(self) -> "pd.DataFrame":
        """Return one line per probe: name, site, host, beta, latent, scale, and the quantities of a run's plane."""
        import pandas as pd

        values = pd.DataFrame(plane_values(self.measurement), columns=list(PLANE_QUANTITIES))
        return pd.concat([pd.DataFrame([asdict(info) for info in self.infos]), values], axis=1)


def probe_frozen(
    model: nn.Module,
    train_batches: Iterable[Any],
    test_batches: Iterable[Any],
    path: str | PathLike[str] | None = None,
    *,
    epochs: int = 10,
    unpack: Unpack | None = None,
    **options: Any,
) -> FrozenProbes:
    """Fit VIB probes on `model` as it is, in evaluation mode and without any gradient in it.

    Parameters
    ----------
    model : torch.nn.Module
        Left as it was: weights, buffers, modes, random states.
    train_batches, test_batches : iterable
        What the probes learn from, once per epoch, and what they are measured on: batches as `Recording.measure` takes
        them. One iterator would be used up after an epoch; give a ``DataLoader`` or a list.
    path : path-like, optional
        A run file to write, with one row per epoch.
    epochs : int
        Passes over `train_batches`.
    unpack : callable, optional
        As for `Recording.measure`.
    **options
        As for `infoplane.record`: sites, classes or targets, latent, beta, scale_twins, reduce, seed and others; modes
        other than ``observe`` train the network and are refused.

    Returns
    -------
    FrozenProbes
        Rates and label bounds in bit say what a probe of this N, beta and training reads out, not what the site has.

    Raises
    ------
    InputError, SiteError, RunFileError
        As `infoplane.record` does.

    Examples
    --------
    >>> import infoplane as ip
    >>> data = ip.datasets.load("digits")
    >>> model = ip.models.mlp((64, 32, 10), seed=0)
    >>> train, test = data.train_loader(100, seed=0), data.test_loader(500)
    >>> found = ip.probe_frozen(model, train, test, sites="hidden1", classes=10, latent=8, epochs=1)
    >>> found.to_dataframe()["site"].tolist()
    ['hidden1']
    """
    epochs = whole_number("epochs", epochs, least=1)
    if options.get("mode", "observe") != "observe":
        raise InputError(f"mode is {options['mode']!r}, but a network that is not trained is only observed")
    for name in ("refit", "measure_at"):
        if options.get(name):
            raise InputError(f"{name} is for a network in training; here fresh probes are measured after every epoch")
    with record(model, path, **{"sketch_at": None, "gradients": 0, **options}) as rec:
        for epoch in range(1, epochs + 1):
            rec.fit(train_batches, unpack=unpack)
            if path is not None or epoch == epochs:
                measurement = rec.measure(test_batches, epoch=epoch, unpack=unpack)
        probes = {
            info.name: rec.probe(info.site, host=info.host, beta=info.beta, scale=info.scale) for info in rec.probes
        }
    assert measurement is not None  # every epoch that is measured gives one
    return FrozenProbes(rec.probes, probes, measurement)
