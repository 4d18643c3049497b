"""Which sites of a run are drawn where colour alone tells them apart, and in which colour."""

from collections.abc import Sequence
from dataclasses import replace

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError
from infoplane.plots.path import RunPaths
from infoplane.site_marks import COLORS


def chosen(run: RunPaths, sites: Sequence[str] | None) -> RunPaths:
    """Return a run with these sites alone."""
    if sites is None:
        return run
    if not sites:
        raise InputError(f"sites is empty, but at least one is needed; there are {', '.join(run.sites)}")
    for site in sites:
        if site not in run.sites:
            raise InputError(
                f"{run.name} has no site {site!r}{near_names(site, run.sites)}; there are {', '.join(run.sites)}"
            )
    hidden = {path.probe for path in run.paths if path.site not in sites}
    found = None if run.found is None else tuple(one for one in run.found if one.place not in hidden)
    return replace(run, paths=tuple(path for path in run.paths if path.site in sites), found=found)


def site_colors(runs: Sequence[RunPaths]) -> dict[str, str]:
    """Return a colour for every site; what else tells sites apart is taken by the arms."""
    sites = list(dict.fromkeys(site for run in runs for site in run.sites))
    if len(sites) > len(COLORS):
        raise InputError(
            f"there are {len(sites)} sites, but here colour alone tells them apart, of which there are {len(COLORS)}: "
            f"choose with sites=[{sites[0]!r}, ...] in Python; planes beside each other show any number"
        )
    return dict(zip(sites, COLORS, strict=False))
