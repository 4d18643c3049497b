"""A library that does not import is one sentence: what needs it, why it fails, how to install it."""

import subprocess
import sys

import pytest

from infoplane.analysis.importing import MissingLibraryError, importing


def test_what_is_absent_is_named_with_purpose_and_extra():
    with pytest.raises(MissingLibraryError) as caught, importing("a page", extra="html"):
        import absent_library.inside  # noqa: F401
    assert str(caught.value) == "a page needs absent_library, which is not installed: pip install 'infoplane[html]'"
    assert caught.value.name == "absent_library"


def test_what_every_installation_has_needs_no_extra():
    with pytest.raises(MissingLibraryError, match=r": pip install infoplane$"), importing("a table"):
        raise ModuleNotFoundError("No module named 'pandas'", name="pandas")


def test_what_no_extra_brings_is_installed_by_its_own_name():
    with pytest.raises(MissingLibraryError, match=r"pip install ray$"), importing("a sweep", package="ray"):
        raise ModuleNotFoundError("No module named 'ray'", name="ray")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ImportError("libx.so: gone\nand more", name="h5py._errors"),
            "h5py, which does not import (libx.so: gone)",
        ),
        (
            ModuleNotFoundError("No module named 'h5py.gone'", name="h5py.gone"),
            "h5py, which does not import (No",
        ),
        (ImportError("one that has no name"), "a library, which does not import (one that has no name): pip"),
        (ImportError(), "a library, which does not import (ImportError): pip"),
    ],
)
def test_what_is_there_and_does_not_import_says_why_in_one_line(error, text):
    with pytest.raises(MissingLibraryError) as caught, importing("a run file"):
        raise error
    assert str(caught.value).startswith(f"a run file needs {text}")
    assert "\n" not in str(caught.value)


def test_other_exceptions_and_sentences_made_before_pass():
    with pytest.raises(ZeroDivisionError), importing("a page"):
        _ = 1 / 0
    with pytest.raises(MissingLibraryError, match=r"^a page needs"), importing("a report"), importing("a page"):
        raise ModuleNotFoundError("No module named 'plotly'", name="plotly")


def test_pip_asks_no_index_for_an_infoplane_that_is_installed():
    """What the sentence says to type holds after `pip install .` in a clone as after any other installation."""
    words = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "infoplane[html]"]
    found = subprocess.run(words, capture_output=True, text=True)
    if "No module named pip" in found.stderr:
        pytest.skip("there is no pip in this environment")
    assert found.returncode == 0, found.stderr
    assert "already satisfied: infoplane[html]" in found.stdout
