"""The exception of a training that went wrong by itself, not by its settings."""

from infoplane.errors import InfoplaneError


class TrainingError(InfoplaneError, RuntimeError):
    """A training cannot go on: its loss is no finite number any more, or scaling has driven a weight out of range."""


def first_line(error: Exception) -> str:
    """Return what an error of torch says first, in at most 200 characters; its class where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
