"""Every exception that infoplane raises on purpose, in one place to import from."""

from infoplane.analysis.errors import InfoplaneError, InputError
from infoplane.analysis.importing import MissingLibraryError
from infoplane.probes.errors import CaptureError, SiteError


class RunFileError(InfoplaneError, OSError):
    """A path is no run file, cannot be created, or cannot be read; the text names path and reason."""


class DatasetError(InfoplaneError, OSError):
    """A data set is unknown, absent, or cannot be read."""


__all__ = [
    "CaptureError",
    "DatasetError",
    "InfoplaneError",
    "InputError",
    "MissingLibraryError",
    "RunFileError",
    "SiteError",
]
