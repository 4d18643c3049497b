"""What tells one probe of a recording from another: where it reads, on which host, at which beta and scale."""

from collections.abc import Sequence
from dataclasses import dataclass

HOSTS = ("trained", "untrained", "refitted")


@dataclass(frozen=True)
class ProbeInfo:
    """One probe of the plane.

    Attributes
    ----------
    name : str
        Its label: the site's name, with what differs from the plain probe behind it: ``fc1@beta=0.01``, ``fc1@x10``,
        ``fc1@untrained``.
    site : str
        Where it reads.
    host : str
        ``trained``; ``untrained`` for the control on the frozen copy of the host; ``refitted`` for the control that is
        fitted anew at every measurement.
    beta : float
        Weight of the divergence in its loss (Eq. 13).
    latent : int
        N, the dimensions of its code.
    scale : float
        What the activation is multiplied by before the probe sees it; other than 1 for a scale twin.
    """

    name: str
    site: str
    host: str
    beta: float
    latent: int
    scale: float = 1.0


def probes_of_host(
    sites: Sequence[str], *, host: str, betas: Sequence[float], latent: int, scales: Sequence[float] = ()
) -> tuple[ProbeInfo, ...]:
    """Return the probes of one host: per site one for every beta, then one scale twin per scale at the first beta.

    Parameters
    ----------
    sites : sequence of str
        Names.
    host : str
        One of `HOSTS`.
    betas : sequence of float
        At least one; where there are several, each stands in its probe's name.
    latent : int
        Of every probe.
    scales : sequence of float
        Of the scale twins; the plain probe has scale 1.
    """
    at = "" if host == "trained" else f"@{host}"
    found = []
    for site in sites:
        for beta in betas:
            name = f"{site}@beta={beta:g}" if len(betas) > 1 else site
            found.append(ProbeInfo(f"{name}{at}", site, host, beta, latent))
        for scale in scales:
            found.append(ProbeInfo(f"{site}@x{scale:g}{at}", site, host, betas[0], latent, scale))
    return tuple(found)
