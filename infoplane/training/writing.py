"""Settings as TOML, whole: what `read_settings` reads back to the same settings."""

import tomli_w

from infoplane.training.settings import Settings


def to_toml(settings: Settings) -> str:
    """Return the settings as the text of a TOML file; what is left out, such as ``data.root``, is absent."""
    return tomli_w.dumps(settings.configuration)
