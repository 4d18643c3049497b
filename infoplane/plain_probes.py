"""Which probes of a run are shown where one per site and host is: not other betas, scale twins, or refitted ones."""

import numpy as np
from numpy.typing import NDArray

from infoplane.runfile.view import StreamView


def plain_probes(plane: StreamView) -> NDArray[np.bool_]:
    """Return a mask over the probes of a run's plane, shape (probes,).

    Of every site those at the beta that its first probe has, without a scale, on the trained host and on the frozen
    untrained one. A run of a format before 1.2 has no others.
    """
    beta, host = plane["beta"], plane["host"]
    first = dict(zip(plane["site"][::-1], beta[::-1], strict=True))
    scale = plane["scale"] if "scale" in plane.names else np.ones(len(beta))
    same = np.array([first[site] == value for site, value in zip(plane["site"], beta, strict=True)])
    plain: NDArray[np.bool_] = same & (scale == 1) & np.isin(host, ("trained", "untrained"))
    return plain
