"""The exception of a training that went wrong by itself, not by its settings."""

from infoplane.errors import InfoplaneError


class TrainingError(InfoplaneError, RuntimeError):
    """A training cannot go on: its loss is no finite number any more, or scaling has driven a weight out of range."""
