"""Exceptions of choosing sites and of capturing what passes through them."""

from infoplane.analysis.errors import InfoplaneError


class SiteError(InfoplaneError, LookupError):
    """A site does not exist, is chosen by no pattern, or gives nothing that can be recorded."""


class CaptureError(InfoplaneError, RuntimeError):
    """What was captured does not fit what was asked for: no forward, two forwards, another batch size."""
