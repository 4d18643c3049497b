"""The documentation as a site: `make docs`, or ``sphinx-build -W --keep-going -n docs docs/_build/html``.

Nothing is fetched, neither when the site is built nor when it is read: no web fonts, no scripts of others, formulas as
MathML. The pages are the files of this folder, which can be read on GitHub as they are; what the site adds is in
``_extensions``.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from infoplane import __version__

project = "infoplane"
author = "The infoplane developers"
project_copyright = author
release = version = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "displayed_formulas",
    "mathml",
    "names_in_backticks",
    "pages_of_the_repository",
    "public_names",
]
exclude_patterns = ["_build", "_extensions"]

# Pages are Markdown. Notebooks are executed by the tests, and shown here as they lie in the repository.
myst_enable_extensions = ["colon_fence", "dollarmath", "html_image"]
myst_heading_anchors = 3
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # would be fetched from elsewhere

# Parameters and what is returned have their types in the docstrings: the signatures keep names and defaults.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autosummary_generate = False
numpydoc_show_class_members = False
add_module_names = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
highlight_language = "text"  # what programs print; Python says that it is Python
default_role = "obj"  # single backticks of docstrings, see names_in_backticks

html_theme = "furo"
html_title = "infoplane"
html_static_path = ["_static"]
html_css_files = ["infoplane.css"]
html_favicon = "_static/icon.svg"
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
