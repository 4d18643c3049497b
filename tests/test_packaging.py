"""The house: what is installed under which name, and that imports run one way."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import infoplane

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "infoplane": ROOT / "infoplane",
    "infoplane.analysis": ROOT / "analysis",
    "infoplane.probes": ROOT / "probes",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def modules():
    """Yield (dotted name, file) of every module, each once and never through the links."""
    for name, folder in FOLDERS.items():
        for file in sorted(folder.rglob("*.py")):
            inside = file.relative_to(folder)
            if name == "infoplane" and inside.parts[0] in ("analysis", "probes"):
                continue
            yield ".".join([name, *inside.with_suffix("").parts]).removesuffix(".__init__"), file


def run_python(code, *, cwd):
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True)


def test_package_list_is_the_tree():
    found = {name for name, file in modules() if file.name == "__init__.py"}
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize("name", ["analysis", "probes"])
def test_links_lead_to_the_top_level_folders(name):
    link = ROOT / "infoplane" / name
    assert link.is_symlink()
    assert link.readlink() == Path("..") / name


@pytest.mark.parametrize("name", ["analysis", "probes"])
def test_guarded_folder_refuses_its_short_name(name):
    result = run_python(f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {name}", cwd=ROOT)
    assert result.returncode == 1
    assert f"write 'import infoplane.{name}'" in result.stderr.splitlines()[-1]


def test_imports_run_one_way():
    allowed = {
        "infoplane.analysis": ("infoplane.analysis",),
        "infoplane.probes": ("infoplane.analysis", "infoplane.probes"),
        "infoplane": ("infoplane",),
    }
    wrong = []
    for name, file in modules():
        layer = next(layer for layer in allowed if name == layer or name.startswith(layer + "."))
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{file} imports relatively"
                targets = [node.module or ""]
            else:
                continue
            for target in targets:
                assert target.split(".")[0] not in ("analysis", "probes"), f"{file} imports {target}"
                if target.split(".")[0] == "infoplane" and not target.startswith(allowed[layer]):
                    wrong.append((name, target))
    assert wrong == []


def test_import_is_light_and_leaves_the_random_state_alone(tmp_path):
    code = (
        "import sys, torch; before = torch.get_rng_state(); import infoplane, infoplane.analysis, infoplane.probes; "
        "infoplane.record; infoplane.lognormal_jsd; assert torch.equal(before, torch.get_rng_state()); "
        "heavy = {'matplotlib', 'torchvision', 'seaborn', 'pandas', 'sklearn', 'xarray'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    result = run_python(code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", infoplane.__all__)
def test_every_public_name_resolves(name):
    assert getattr(infoplane, name) is not None


def test_unknown_public_name_names_the_near_one():
    with pytest.raises(AttributeError, match="did you mean 'record'"):
        infoplane.recrod  # noqa: B018


def test_public_list_equals_the_lazy_tables():
    assert set(infoplane.__all__) == set(infoplane._MODULES) | set(infoplane._HOMES)


def test_version_is_the_same_everywhere():
    version = PROJECT["project"]["version"]
    assert infoplane.__version__ == version
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()


def test_typed_marker_is_installed():
    assert (Path(infoplane.__file__).parent / "py.typed").is_file()


def test_every_public_name_can_be_the_first_that_is_used():
    """Packages that import each other show only in the order that some user happens to take."""
    code = """
import sys
import infoplane
for name in infoplane.__all__:
    for loaded in [module for module in sys.modules if module.split(".")[0] == "infoplane"]:
        del sys.modules[loaded]
    import infoplane
    getattr(infoplane, name)
"""
    result = run_python(code, cwd=ROOT)
    assert result.returncode == 0, result.stderr
