"""The probes of a run's plane: what each is, which are shown, and what they gave."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import RunFileError
from infoplane.printable import NAME, printable
from infoplane.runfile.view import StreamView


@dataclass(frozen=True)
class PlaneProbe:
    """One probe.

    Attributes
    ----------
    at : int
        Its place among the values of a row.
    probe, site, host : str
        Its name, where it is, and on which network: ``trained``, ``untrained`` (the frozen control) or another.
    beta, scale : float
        Weight of the divergence in its training, and factor on the activation.
    latent : int
        Dimensions of its code.
    is_plain : bool
        Whether it is the one of its site and host that is shown: see `plain_probes`.
    """

    at: int
    probe: str
    site: str
    host: str
    beta: float
    scale: float
    latent: int
    is_plain: bool

    @property
    def is_control(self) -> bool:
        """Whether it is on the frozen untrained network."""
        return self.host == "untrained"


def plane_probes(plane: StreamView) -> tuple[PlaneProbe, ...]:
    """Return the probes of a plane, in the order of its values.

    Parameters
    ----------
    plane : StreamView
        The stream ``plane`` of a run; formats before 1.2 have no scales.
    """
    names = plane["probe"].tolist()
    columns = (plane[name].tolist() for name in ("site", "host", "beta"))
    labels = (*columns, _scales(plane).tolist(), plane["latent"].tolist(), plain_probes(plane).tolist())
    return tuple(PlaneProbe(at, *one) for at, one in enumerate(zip(names, *labels, strict=True)))


def plain_probes(plane: StreamView) -> NDArray[np.bool_]:
    """Return which probes are shown where one per site and host is, shape (probes,).

    Of every site those at the beta that its first probe has, without a scale, on the trained host and on the frozen
    untrained one: not other betas, scale twins, or refitted ones.
    """
    beta, host = plane["beta"], plane["host"]
    first = dict(zip(plane["site"][::-1], beta[::-1], strict=True))
    same = np.array([first[site] == value for site, value in zip(plane["site"], beta, strict=True)])
    plain: NDArray[np.bool_] = same & (_scales(plane) == 1) & np.isin(host, ("trained", "untrained"))
    return plain


def plane_values(plane: StreamView, rows: int | slice | None, quantities: Sequence[str]) -> NDArray[np.float64]:
    """Return quantities of every probe, shape (rows, probes, quantities); of one row, without that dimension.

    Parameters
    ----------
    plane : StreamView
        The stream ``plane`` of a run.
    rows : int, slice or None
        Which rows, as for `StreamView.read`.
    quantities : sequence of str
        As ``i_zx``, in bit. NaN stands for one that the file lacks, being of another program or an older format.
    """
    known = plane["quantity"].tolist()
    has = [name for name in quantities if name in known]
    values = np.full((*np.shape(plane.read(plane.row, rows)), len(plane["probe"]), len(quantities)), np.nan)
    if has:
        values[..., [quantities.index(name) for name in has]] = plane.read("values", rows, has)
    return values


def check_quantities(plane: StreamView, quantities: Sequence[str]) -> None:
    """Raise RunFileError unless a plane has these quantities, without which there is no point to draw."""
    known = plane["quantity"].tolist()
    for name in quantities:
        if name not in known:
            raise RunFileError(f"{plane.path}: its plane has no {name}, so that there is no point to draw")


def settings_phrase(plane: StreamView, probes: Sequence[PlaneProbe]) -> str:
    """Return the mode of a plane's probes, and the dimensions and the beta of those given, safe to print."""
    latent, beta = (
        " or ".join(f"{value:g}" for value in sorted({getattr(probe, name) for probe in probes}))
        for name in ("latent", "beta")
    )
    mode = f"mode {printable(plane.attrs['probe_mode'], NAME)}, " if "probe_mode" in plane.attrs else ""
    return f"{mode}N = {latent}, beta = {beta}"


def _scales(plane: StreamView) -> NDArray[np.float64]:
    scales: NDArray[np.float64] = plane["scale"] if "scale" in plane.names else np.ones(len(plane["probe"]))
    return scales
