"""What to call the runs of a list: by the names of their files, where these tell them apart."""

from collections.abc import Sequence
from pathlib import Path


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return each file's name without its ending, or its path where another file has the same name.

    What stands in a file's name may be anything: `infoplane.printable.printable` makes it safe to show.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Run files.
    """
    stems = [path.stem for path in paths]
    return [stem if stems.count(stem) == 1 else str(path) for stem, path in zip(stems, paths, strict=True)]
