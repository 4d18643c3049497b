"""Where a library does not import, every command that needs it ends in one sentence; the others work."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infoplane.cli import LIBRARIES, run

CORE = "pip install infoplane"
CASES = [
    ("matplotlib", "plane a.h5 -o p.png", CORE),
    ("matplotlib", "plane a.h5 -o p.gif", CORE),
    ("matplotlib", "surface -o s.png", CORE),
    ("matplotlib", "reproduce fig4 --out r --quiet", CORE),
    ("matplotlib", "demo --out d --epochs 1", CORE),
    ("PIL", "plane a.h5 -o p.gif", CORE),
    ("rich", "watch a.h5 --once", CORE),
    ("plotly", "report a.h5 -o r.html", "pip install 'infoplane[html]'"),
    ("jinja2", "report a.h5 -o r.html", "pip install 'infoplane[html]'"),
    ("plotly", "watch a.h5 --web", "pip install 'infoplane[watch]'"),
    ("jinja2", "watch a.h5 --web", "pip install 'infoplane[watch]'"),
    ("starlette", "watch a.h5 --web", "pip install 'infoplane[watch]'"),
    ("uvicorn", "watch a.h5 --web", "pip install 'infoplane[watch]'"),
    ("torchvision", "layers resnet18 --shape 3,64,64", CORE),
    ("torchvision", "train --model resnet18 --out x.h5", CORE),
    ("pandas", "export a.h5 -o e.csv", CORE),
    ("pandas", "info a.h5", CORE),
    ("pandas", "plane a.h5 --json", CORE),
    ("pandas", "layers mlp --json", CORE),
    ("pyarrow", "export a.h5 -o e.parquet", "pip install 'infoplane[parquet]'"),
    ("ucimlrepo", "train --data uci-abalone --download --out x.h5", "pip install 'infoplane[uci]'"),
    ("joblib", "sweep --out w", "pip install 'infoplane[sweep]'"),
    ("distributed", "sweep --engine dask --address tcp://127.0.0.1:1 --out w", "pip install 'infoplane[sweep]'"),
    ("ray", "sweep --engine ray --address auto --out w", "pip install ray"),
    ("sklearn", "train --out x.h5", CORE),
    ("tomli_w", "train --out x.h5", CORE),
    ("tqdm", "train --out x.h5", CORE),
    ("scipy", "jsd a.h5", CORE),
    ("h5py", "info a.h5", CORE),
    ("typer", "info a.h5", CORE),
]
_CHILDREN = """
import json, os, sys
import torch  # once for all: each case is a copy of this process in which one library cannot be imported
from infoplane.cli import run

class Absent:
    def __init__(self, library): self.library = library
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == self.library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for number, (library, words, _) in enumerate(json.loads(sys.argv[1])):
    child = os.fork()
    if not child:
        for name in [name for name in sys.modules if name.partition(".")[0] == library]:
            del sys.modules[name]
        sys.meta_path.insert(0, Absent(library))
        sys.stderr = open(f"{number}.txt", "w")
        code = run(words.split())
        sys.stderr.close()
        os._exit(code)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("missing")
    assert run(["train", "--epochs", "1", "--latent", "2", "--quiet", "--out", str(path / "a.h5")]) == 0
    return path


@pytest.fixture(scope="module")
def ends(folder):
    environment = {**os.environ, "INFOPLANE_DATA": str(folder), "MPLBACKEND": "agg"}
    words = [sys.executable, "-c", _CHILDREN, json.dumps(CASES)]
    made = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    codes = [int(line) for line in made.stdout.splitlines() if line.lstrip("-").isdecimal()]
    assert len(codes) == len(CASES), made.stderr
    said = [(folder / f"{number}.txt").read_text().splitlines() for number in range(len(CASES))]
    return dict(zip([case[:2] for case in CASES], zip(codes, said, strict=True), strict=True))


@pytest.mark.parametrize(("library", "words", "advice"), CASES)
def test_a_library_that_is_absent_is_one_sentence_that_says_what_to_type(ends, folder, library, words, advice):
    code, said = ends[library, words]
    assert code == 2, said
    assert said[-1].startswith("infoplane: ")
    assert library in said[-1]
    assert said[-1].endswith(f": {advice}")
    assert not any(line.startswith("Traceback") for line in said)


def test_nothing_is_left_of_what_could_not_be_written(ends, folder):
    assert not [
        path for path in Path(folder).rglob("*") if path.suffix in (".png", ".gif", ".html", ".csv", ".parquet")
    ]


def test_libraries_of_every_installation_are_those_that_the_package_asks_for():
    asked = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split("[<>=]", need)[0].replace("-", "_") for need in asked}
    imported = {"scikit_learn": "sklearn"}
    assert set(LIBRARIES) == {imported.get(name, name) for name in names} | {"PIL"}  # which matplotlib brings


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_without_what_everything_stands_on_there_is_a_sentence_too(library):
    code = (
        f"import sys; sys.modules[{library!r}] = None; from infoplane.cli import run; sys.exit(run(['info', 'x.h5']))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "INFOPLANE_TRACEBACK"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, env=environment)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert re.fullmatch(rf"infoplane: .* needs {library}\b.*: pip install infoplane", line)
