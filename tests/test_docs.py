"""The documentation: its Python blocks run in order, its links lead somewhere, and its pages show every public name.

The site itself is built by `make docs`; the test that builds it here takes a minute and is marked slow.
"""

import functools
import http.server
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if not {"_build", "notebooks"} & set(path.parts))
BROWSER = "/usr/bin/chromium"


def blocks_of(page):
    """Return the Python blocks of a page as one program."""
    found = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)
    assert found, f"{page} has no Python block"
    return "\n".join(found)


def run(program, folder, *arguments):
    """Run a program in a process of its own, with warnings as errors; return what it printed."""
    result = subprocess.run(
        [sys.executable, "-W", "error", *(arguments or ("-c", program))],
        cwd=folder,
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def without_spaces_at_ends(text):
    """Return the lines of a text without trailing spaces: pages have none, tables of pandas do."""
    return "\n".join(line.rstrip() for line in text.splitlines())


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """Return the folder in which the tutorial was followed, and what it printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    return folder, run(blocks_of("tutorial.md"), folder)


def test_the_tutorial_runs_and_makes_what_it_says(tutorial):
    folder, output = tutorial
    for name in ("baseline.h5", "synscaw.h5", "plane.png", "planes.png", "jsd.csv", "surface.png", "with-2.h5"):
        assert (folder / name).stat().st_size > 500
    assert "-0.5600 to 0.4893, mean -0.00267 bit" in output  # a formula: the same everywhere
    assert re.search(r"^hidden2@untrained( +\d+\.\d\d){4}$", output, flags=re.MULTILINE)
    assert "rate_above_log_n at hidden1, hidden2 and their controls: 5 of 5 rows" in output
    assert re.search(r"^error: (undecided|reproduced|not reproduced|contradicted)\.", output, flags=re.MULTILINE)


def test_the_how_to_pages_run_on_the_files_of_the_tutorial(tutorial):
    folder, _ = tutorial
    pages = sorted(path.name for path in (DOCS / "howto").glob("*.md") if path.name != "several-devices.md")
    parts = [
        f"exec(compile({blocks_of(f'howto/{page}')!r}, {page!r}, 'exec'), {{'__name__': 'page'}})" for page in pages
    ]
    output = run("\n".join(parts), folder)
    assert "the ordering of layers does not survive" in output
    assert "finished [1.0, 2.0, 3.0]" in output
    assert "['gap', 'gap', 'gap', 'gap']" in output
    assert b"/Type /Page" in (folder / "figure.pdf").read_bytes()
    assert "<text" in (folder / "figure.svg").read_text()


def test_the_page_on_numbers_prints_what_it_shows(tmp_path):
    output = run(blocks_of("numbers.md"), tmp_path)
    shown = re.findall(
        r"```\n(.*?)```",
        re.sub(r"```python\n.*?```", "", (DOCS / "numbers.md").read_text(), flags=re.DOTALL),
        flags=re.DOTALL,
    )
    assert len(shown) == 4
    assert without_spaces_at_ends(output) == without_spaces_at_ends("".join(shown))


@pytest.mark.slow
def test_the_page_on_several_devices_runs_in_two_processes(tmp_path):
    (tmp_path / "ddp.py").write_text(blocks_of("howto/several-devices.md"))
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "ddp.py")
    run("", tmp_path, *launcher)
    assert "(2, 1," in run("import infoplane as ip; print(ip.open_run('ddp.h5').plane()['values'].shape)", tmp_path)


def headings_of(page):
    """Return the anchors that GitHub and the site give the headings of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_between_files_lead_to_a_file_and_a_heading(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    written = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    for link in written:
        if not link.startswith(("https://", "http://")):
            path, _, heading = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not heading or heading in headings_of(target), link


@pytest.fixture(scope="module")
def extensions():
    pytest.importorskip("sphinx", reason="the site is built by sphinx, of the extra docs")
    sys.path.insert(0, str(DOCS / "_extensions"))
    yield {name: importlib.import_module(name) for name in ("public_names", "displayed_formulas")}
    sys.path.remove(str(DOCS / "_extensions"))


def packages_with_public_names():
    """Return the packages of infoplane that say what is public, but those for experiments and the command line."""
    import infoplane

    for found in pkgutil.walk_packages(infoplane.__path__, "infoplane."):
        private = found.name.startswith(("infoplane.experiments", "infoplane.cli", "infoplane.runfile"))
        if found.ispkg and not private and hasattr(importlib.import_module(found.name), "__all__"):
            yield found.name


def test_every_public_name_stands_on_a_page_of_the_api(extensions):
    homes_of = extensions["public_names"].homes_of
    shown = set()
    for page in (DOCS / "api").glob("*.rst"):
        for module, chosen in re.findall(r"^\.\. public:: (\S+)(.*)$", page.read_text(), flags=re.MULTILINE):
            names = chosen.split() or homes_of(module)
            assert set(names) <= set(homes_of(module)), (page.name, module)
            shown |= {(homes_of(module)[name], name) for name in names}
    packages = ["infoplane", *packages_with_public_names()]
    assert {"infoplane.plots", "infoplane.analysis.known", "infoplane.sweep"} <= set(packages)
    wanted = {(home, name) for package in packages for name, home in homes_of(package).items()}
    real = {(importlib.import_module(home).__dict__.get(name).__module__, name) for home, name in wanted - shown}
    assert real <= shown


def test_every_page_of_the_api_is_in_its_contents():
    listed = re.search(r":maxdepth: 1\n\n(.*?)```", (DOCS / "api" / "index.md").read_text(), flags=re.DOTALL)[1].split()
    assert sorted(listed) == sorted(path.stem for path in (DOCS / "api").glob("*.rst"))


def test_formulas_of_docstrings_keep_their_letters(extensions):
    marked = extensions["displayed_formulas"].with_marks(
        ["With |w|:", "", "    a*b_ = |w|", "", "Then.", "", "- item", "", "      more"]
    )
    assert marked[:5] == ["With |w|:", "", ".. code-block:: text", "", "    a*b_ = |w|"]
    assert marked[-3:] == ["- item", "", "      more"]
    barred = extensions["displayed_formulas"].with_bars([*marked, "of |w| and ``|w|``"])
    assert barred[0] == r"With \|w\|:"
    assert "    a*b_ = |w|" in barred
    assert barred[-1] == r"of \|w\| and ``|w|``"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="the site is built by sphinx, of the extra docs")
    pytest.importorskip("furo", reason="the site has the theme furo, of the extra docs")
    out = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-n",
        "-d",
        out / "trees",
        DOCS,
        out / "html",
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return out / "html"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_nobody_for_anything(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        text = page.read_text()
        fetched = re.findall(r"""<(?:script|img|iframe)[^>]* src=["']([^"']+)|<link[^>]* href=["']([^"']+)""", text)
        assert not [each for pair in fetched for each in pair if each.startswith(("http", "//"))], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text()), style.name
    assert "<math" in (site / "numbers.html").read_text()
    assert 'id="infoplane.record"' in (site / "api" / "infoplane.html").read_text()


@pytest.mark.slow
def test_pages_fit_a_phone_and_have_no_error_in_a_browser(site):
    api = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser")
    if not Path(BROWSER).exists():
        pytest.skip(f"there is no browser at {BROWSER}")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base, wrong = f"http://127.0.0.1:{server.server_port}/", []
        with api.sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            for width, scheme in ((390, "light"), (390, "dark"), (1280, "light"), (1920, "dark")):
                page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
                page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
                page.on("pageerror", lambda error: wrong.append(str(error)))
                page.on(
                    "request", lambda asked: None if asked.url.startswith((base, "data:")) else wrong.append(asked.url)
                )
                page.on("response", lambda got: wrong.append(got.url) if got.status >= 400 else None)
                for name in ("index", "tutorial", "numbers", "recording", "api/infoplane", "notebooks/quickstart"):
                    page.goto(f"{base}{name}.html")
                    page.wait_for_load_state("networkidle")
                    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    assert wide <= 0, (name, width)
                page.close()
            browser.close()
        server.shutdown()
    assert wrong == []
