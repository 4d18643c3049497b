"""The notebooks: stripped in git, on public names alone, listed where people look, and run to the end."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest

import infoplane

nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_of(path):
    notebook = nbformat.read(path, 4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def run_cells(cells, folder):
    """Run the code cells in a new kernel with `folder` as its working directory; return them with their outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook.cells


def pictures(cell):
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def draws(source):
    """Whether a cell draws: calls one of infoplane's plots other than `save` and `theme`, or makes a figure."""
    called = {attribute(node.func) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}
    return any(name.startswith(("ip.plots.", "plt.")) for name in called - {"ip.plots.save", "ip.plots.theme"})


def attribute(node):
    """Return ``a.b.c`` of names joined by dots, and "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := attribute(node.value)):
        return f"{before}.{node.attr}"
    return ""


def test_the_notebooks_are_there():
    assert {path.stem for path in NOTEBOOKS} >= {
        "quickstart",
        "own_model",
        "information_planes",
        "jsd_report",
        "delta_information",
        "synaptic_scaling",
    }


@each
def test_notebook_is_stripped(path):
    notebook = json.loads(path.read_text())
    nbformat.validate(nbformat.read(path, 4))
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert notebook["metadata"]["language_info"] == {"name": "python"}
    for cell in notebook["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
        else:
            assert "attachments" not in cell


@each
def test_notebook_takes_public_names_alone(path):
    tree = ast.parse(code_of(path))
    assert any(isinstance(node, ast.Import) and node.names[0].name == "infoplane" for node in ast.walk(tree))
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").glob("**/*.md"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert all(alias.name == "infoplane" for alias in node.names if alias.name.startswith("infoplane"))
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "infoplane":
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert not alias.name.startswith("_")
                assert alias.name in getattr(module, "__all__", [alias.name])
                # Of what has no short name, only what a page of the documentation imports.
                assert re.search(rf"from {re.escape(node.module)} import .*\b{alias.name}\b", pages), alias.name
        elif isinstance(node, ast.Attribute) and (name := attribute(node)).startswith("ip."):
            _, first, *rest = name.split(".")
            assert first in infoplane.__all__, name
            if first in infoplane._MODULES and rest:
                module = getattr(infoplane, first)
                assert rest[0] in getattr(module, "__all__", dir(module)), name
                assert not rest[0].startswith("_"), name


@each
def test_notebook_writes_into_a_temporary_folder_and_downloads_nothing(path):
    tree = ast.parse(code_of(path))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [call for call in calls for word in call.keywords if word.arg == "download"]
    if any(attribute(call.func) == "ip.record" for call in calls):
        assert any(attribute(call.func) == "TemporaryDirectory" for call in calls)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\.h5$", node.value):
            assert re.search(rf"folder\s*/\s*f?[\"'][^\"']*{re.escape(node.value)}[\"']", code_of(path)), node.value


@each
def test_every_random_generator_of_a_notebook_has_a_seed(path):
    for node in ast.walk(ast.parse(code_of(path))):
        if not isinstance(node, ast.Call):
            continue
        name = attribute(node.func)
        words = {word.arg for word in node.keywords}
        if name in ("np.random.default_rng", "torch.manual_seed"):
            assert node.args, name
        assert not re.match(r"np\.random\.(?!default_rng)", name), name
        if name.endswith((".train_loader", ".sample")) or name == "ip.models.mlp":
            assert "seed" in words, name


@each
def test_links_of_a_notebook_lead_to_files(path):
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"]
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", "\n".join(cells)):
        assert target.startswith("https://") or (path.parent / target).is_file(), target


@each
def test_notebook_is_listed(path):
    assert f"notebooks/{path.name}" in (ROOT / "README.md").read_text()
    index = (ROOT / "docs/index.md").read_text()
    assert "\nnotebooks/*\n" in index or f"notebooks/{path.stem}" in index


def test_every_picture_of_a_notebook_is_shown_and_not_the_first_alone(tmp_path):
    """The first figure loads the notebook's backend; what this sets must outlive the theme."""
    plot = "import infoplane as ip\nip.plots.surface(ip.delta_information_surface());"
    assert [pictures(cell) for cell in run_cells([plot, plot], tmp_path)] == [1, 1]


@pytest.mark.slow
@each
def test_notebook_runs_shows_its_pictures_and_leaves_nothing_behind(path, tmp_path):
    cells = run_cells([cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"], tmp_path)
    assert list(tmp_path.iterdir()) == []
    for cell in cells:
        assert not draws(cell.source) or pictures(cell), cell.source
