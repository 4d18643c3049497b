"""Run files for the report, made by the public writer, and a browser that shows the page of them."""

import os

import numpy as np
import pytest

from infoplane.analysis.finding import Finding
from infoplane.analysis.sketch import QUANTITIES, LogHistogram
from infoplane.probes.probe_info import ProbeInfo
from infoplane.reports.page.page import page
from infoplane.reports.page.run_data import run_data
from infoplane.rows import append_finding
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

N = 450
CHROMIUM = os.environ.get("INFOPLANE_CHROMIUM", "/usr/bin/chromium")


def plane_row(step, of, probes, shift=0.0):
    """Bounds that fall and rise as a probe's do; the control less so."""
    t = step / max(of, 1)
    row = np.zeros((len(probes), len(PLANE_QUANTITIES)))
    for k, probe in enumerate(probes):
        slow = 0.5 if probe.host == "untrained" else 1.0
        i_zx, i_zy = 6 + 30 * np.exp(-4 * slow * t) + k + shift, 3.1 * (1 - np.exp(-5 * slow * t)) - 0.05 * k
        row[k] = [i_zx, i_zy, 3.32, 3.32 - i_zy, 0.1, 0.21, 0.034, 5.5, 8.5, 4.0, i_zy, 0.1, 0.2, 0.1, 0.05]
    return row


def write_run(
    path,
    *,
    sites=("hidden1", "hidden2"),
    parameters=("hidden1.weight",),
    rows=12,
    control=True,
    provenance=None,
    doubtful=(),
    shift=0.0,
    epochs=True,
    close=True,
    attrs=None,
    quantities=None,
    updates=10,
    inputs=N,
):
    """Write a run of a plane, a network's error, sketches of weights and activations, and findings."""
    probes = [ProbeInfo(site, site, "trained", 1e-3, 16) for site in sites]
    if control:
        probes += [ProbeInfo(f"{site}@untrained", site, "untrained", 1e-3, 16) for site in sites]
    known = {"model": "torch.nn.modules.container.Sequential", "parameters": 1234, "seed": 3, "device": "cpu"}
    known["configuration"] = {"method": "baseline", "seed": 3, "training": {"epochs": rows}, "model": {"name": "mlp"}}
    known["data"] = {"name": "digits", "train": 1347, "test": N, "classes": 10}
    writer = RunWriter(path)
    streams = run_streams(
        probes=probes, sites=sites, parameters=parameters, metrics={"loss": "bit", "error": "1"}, attrs=attrs
    )
    writer.start(streams, known | (provenance or {}))
    random = np.random.default_rng(0)
    values = plane_row(0, rows, probes)
    pairs = {
        f"covariance_{q}": np.outer(e := values[:, 5 + k], e) * (0.6 + 0.4 * np.eye(len(e)))
        for k, q in enumerate(("i_zx", "i_zy"))
    }
    for row in range(1, rows + 1):
        epoch = row if epochs else np.nan
        values = plane_row(row, rows, probes, shift)
        for quantity, value in (quantities or {}).items():
            values[:, PLANE_QUANTITIES.index(quantity)] = value
        seen = {"n": inputs, "n_sandwich": inputs, "updates": updates * row}
        writer.append("plane", 10 * row, epoch=epoch, values=values, **seen, **pairs)
        writer.append("metrics", 10 * row, epoch=epoch, time=float(row), values=[1 / row, 0.5 / row])
        for stream, names in (("weights", parameters), ("activations", sites)):
            sketches = []
            for k, _ in enumerate(names):
                sketch = LogHistogram()
                drawn = random.lognormal(-2 + row / rows, 0.8 + 0.1 * k, 400) * random.choice([-1, 1], 400)
                sketch.update(np.append(drawn, np.zeros(40)).astype(np.float32))
                sketches.append(sketch.summary())
            counts = np.stack([sketch.counts for sketch in sketches])
            scalars = np.stack([[sketch[name] for name in QUANTITIES] for sketch in sketches])
            writer.append(stream, 10 * row, epoch=epoch, counts=counts, scalars=scalars)
        text = f"a rate at or above log n of the {inputs} inputs says nothing about what the code keeps of them"
        found = Finding("rate_above_log_n", sites[0], text, float(values[0, 0]), "bit", "a larger beta gives less")
        append_finding(writer, 10 * row, "plane", found)
        for probe in doubtful:
            wrong = Finding(
                "lower_above_upper", probe, "a lower bound is above an upper one", 1.5, "bit", "do not use it"
            )
            append_finding(writer, 10 * row, "plane", wrong)
    if close:
        writer.close()
    return writer


@pytest.fixture(scope="session")
def make_run():
    """Return the writer of run files."""
    return write_run


@pytest.fixture(scope="session")
def two_settings(tmp_path_factory):
    """Two settings of four seeds each; the runs of the first have long names that differ at their end."""
    folder = tmp_path_factory.mktemp("settings")
    paths = []
    for method, stem in (("baseline", "a_name_that_is_much_longer_than_a_panel_is_wide"), ("synscaw", "synscaw")):
        for seed in (3, 1, 2, 0):
            settings = {"method": method, "seed": seed, "training": {"epochs": 3}, "model": {"name": "mlp"}}
            paths.append(folder / f"{stem},seed={seed}.h5")
            known = {"seed": seed, "configuration": settings}
            write_run(paths[-1], rows=3, shift=0.1 * seed, provenance=known, control=False)
    return paths


@pytest.fixture(scope="session")
def two_runs(tmp_path_factory):
    """Two finished runs that differ in their method, with controls; a finding rings points of the first."""
    folder = tmp_path_factory.mktemp("two")
    other = {"configuration": {"method": "synscaw", "seed": 3, "training": {"epochs": 12}, "model": {"name": "mlp"}}}
    write_run(folder / "baseline.h5", doubtful=("hidden2",))
    write_run(folder / "synscaw.h5", provenance=other, shift=2.0)
    return [folder / "baseline.h5", folder / "synscaw.h5"]


@pytest.fixture(scope="module")
def browser():
    """Return a browser without a window."""
    for name in ("jinja2", "plotly"):
        pytest.importorskip(name, reason="the extra html is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not os.path.exists(CHROMIUM):
        pytest.skip(f"there is no browser at {CHROMIUM}")
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Return what writes the page of runs, once for the same runs."""
    known = {}

    def write(paths):
        key = tuple(map(str, paths))
        if key not in known:
            known[key] = tmp_path_factory.mktemp("page") / "report.html"
            known[key].write_text(page(run_data(paths)), encoding="utf-8", newline="")
        return known[key]

    return write


@pytest.fixture
def opened(browser, written):
    """Return what opens a page of runs, or a file; any request, error or message in the console is a failure."""
    asked, said, contexts = [], [], []

    def open_page(paths=(), *, file=None, width=1280, **options):
        path = written(paths) if file is None else file
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))

        def only_the_page(route):
            if route.request.url == path.resolve().as_uri():
                route.continue_()
            else:
                asked.append(route.request.url)
                route.abort()

        tab.route("**/*", only_the_page)
        tab.goto(path.resolve().as_uri())
        tab.wait_for_selector("body[data-ready]")
        assert tab.evaluate("document.body.dataset.ready") == "yes", tab.text_content("#no-charts")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert asked == []
    assert said == []


@pytest.fixture(scope="session")
def settled():
    def settled(tab):
        """Wait until what was asked for is drawn."""
        tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    return settled


@pytest.fixture(scope="session")
def becomes():
    def becomes(tab, expression):
        """Wait until an expression is true; the page's policy lets no test evaluate text within it."""
        for _ in range(600):
            if tab.evaluate(expression):
                return
            tab.wait_for_timeout(100)
        pytest.fail(f"{expression} has not become true")

    return becomes


@pytest.fixture(scope="session")
def points():
    def points(tab, chart="plane"):
        """Return how many points each line of a chart has, by the order of its traces."""
        return tab.evaluate(f"document.querySelector('#{chart}-chart .js-plotly-plot').data.map((t) => t.x.length)")

    return points


@pytest.fixture(scope="session")
def hover():
    def hover(tab, chart="plane", curve=0, point=0):
        """Move the mouse over a point, by where plotly has put it."""
        tab.locator(f"#{chart}-chart").scroll_into_view_if_needed()
        x, y = tab.evaluate(
            """([chart, curve, point]) => {
              const plot = document.querySelector(`#${chart}-chart .js-plotly-plot`);
              const trace = plot._fullData[curve];
              const axis = (name) => plot._fullLayout[name.replace(/^([xy])/, "$1axis")];
              const [x, y] = [axis(trace.xaxis), axis(trace.yaxis)];
              const box = plot.getBoundingClientRect();
              return [box.x + x._offset + x.d2p(trace.x[point]), box.y + y._offset + y.d2p(trace.y[point])];
            }""",
            [chart, curve, point],
        )
        tab.mouse.move(1, 1)
        tab.mouse.move(x, y)
        tab.wait_for_selector(f"#{chart}-chart .tip:not([hidden])")
        return tab.inner_text(f"#{chart}-chart .tip")

    return hover
