"""Names in single backticks of docstrings: a link where the name is on a page, letters of a fixed width where not.

A docstring names what stands near it by its short name (`Recording.measure`) and parameters by theirs, so not every
name has a page, and a short one is looked for by its end. One with a full name, as written by hand in a role, must
exist: that is a warning as ever.
"""

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the names that Sphinx has not found."""
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.Node | None:
    if node.get("refdomain") != "py" or node.get("reftype") != "obj":
        return None
    objects = env.domains.python_domain.objects
    name = node["reftarget"]
    ends = [full for full in objects if full.endswith(f".{name}")]
    places = {(objects[full].docname, objects[full].node_id) for full in ends}
    may_be_a_word = not {".", "_"} & set(name) and not name[:1].isupper()  # or a parameter
    if len(places) != 1 or may_be_a_word:
        return content
    docname, node_id = places.pop()
    return make_refnode(app.builder, node["refdoc"], docname, node_id, content, ends[0])
