"""The names of settings as a picture has them: ``scaling rate`` for ``configuration.scaling.rate``."""

from collections.abc import Sequence

from infoplane.plots.caption import name_as_is

_LISTED = 3
_METHOD = "configuration.method"


def setting_words(name: str) -> str:
    """Return the name of a setting in words, without the part that is the same for nearly all."""
    return name_as_is(name.removeprefix("configuration.").replace(".", " ").replace("_", " "))


def settings_in_words(names: Sequence[str]) -> str:
    """Return in what runs differ, as ``method, scaling rate and 2 more settings``.

    What a method stands for is left out where the method itself differs, and a table where one of its entries does.
    """
    listed = [name for name in names if _METHOD not in names or not name.startswith(f"{_METHOD}_configuration.")]
    listed = [name for name in listed if not any(other.startswith(f"{name}.") for other in listed)]
    words = [setting_words(name) for name in listed]
    if len(words) > _LISTED:
        more = len(words) - _LISTED
        words = [*words[:_LISTED], f"{more} more setting{'s' * (more > 1)}"]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
