"""What lies outside this folder and belongs to the site: notebooks, and links to files of the repository.

Notebooks are copied to ``notebooks/`` here, which git ignores. Links are written for the repository, so that they work
there; the few that lead to a page of the site under another name are turned round as a page is read.
"""

import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

HERE = Path(__file__).parents[1]
REPOSITORY = HERE.parent


def setup(app: Sphinx) -> dict[str, Any]:
    """Copy before pages are looked for; change links as they are read."""
    app.connect("builder-inited", _copy_notebooks)
    app.connect("source-read", _turn_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy_notebooks(app: Sphinx) -> None:
    copies = HERE / "notebooks"
    copies.mkdir(exist_ok=True)
    there = {path.name: path for path in (REPOSITORY / "notebooks").glob("*.ipynb")}
    for copy in copies.glob("*.ipynb"):
        if copy.name not in there:
            copy.unlink()
    for name, path in there.items():
        if not (copies / name).exists() or (copies / name).stat().st_mtime < path.stat().st_mtime:
            shutil.copy2(path, copies / name)


def _turn_links(app: Sphinx, docname: str, content: list[str]) -> None:
    if docname.startswith("notebooks/"):
        content[0] = content[0].replace("](../docs/", "](../").replace("](../README.md)", "](../index.md)")
        return
    up = "../" * (docname.count("/") + 1)
    down = "../" * docname.count("/")
    for written, page in (
        (f"]({up}notebooks/", f"]({down}notebooks/"),
        (f"]({up}README.md", f"]({down}index.md"),
        (f"]({up}CONTRIBUTING.md", f"]({down}contributing.md"),
        (f"]({up}CHANGELOG.md", f"]({down}changelog.md"),
    ):
        content[0] = content[0].replace(written, page)
