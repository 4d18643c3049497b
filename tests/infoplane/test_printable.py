"""Text from a stranger's file, wherever it is shown: it moves no cursor, reorders no line, and is no formula."""

import csv
import json
import re
import xml.dom.minidom

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.cbook import is_math_text

import infoplane as ip
from infoplane.analysis.sketch import LogHistogram
from infoplane.cli import run as cli
from infoplane.printable import NAME, printable
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

ESCAPE, REORDER = "esc\x1b[2J\x1b]0;title\x07", "\u202egnp.exe"
NAMES = (
    ESCAPE,
    REORDER,
    "\u200frtl",
    "two\nlines\r",
    "c1\x9b31m",
    "a$b$c",
    r"$\frac{$",
    r"b\$c$",
    "<script>alert(1)</script>",
    "[click](http://example.org)",
    "=1+1",
    "l" * 10_000,
)
FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fc1.weight", "fc1.weight"),
        ("é 中 ع ß $<&", "é 中 ع ß $<&"),
        (ESCAPE, r"esc\x1b[2J\x1b]0;title\x07"),
        (REORDER, r"\u202egnp.exe"),
        ("a\tb\nc\r\0\x7f", r"a\tb\nc\r\x00\x7f"),
        ("\x85\x9b", r"\x85\x9b"),
        ("\u2066\u200b\ufeff\u2028", r"\u2066\u200b\ufeff\u2028"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("", ""),
    ],
)
def test_what_does_not_print_is_written_as_python_writes_it(text, shown):
    assert printable(text) == shown


def test_no_character_at_all_stays_that_does_not_print():
    every = "".join(map(chr, range(0x110000)))
    assert printable(every).isprintable()
    assert set(printable(every)) >= {c for c in every if c.isprintable()}


@pytest.mark.parametrize("limit", [1, 5, 40])
def test_long_text_ends_in_an_ellipsis_and_text_that_fits_does_not(limit):
    assert printable("x" * limit, limit) == "x" * limit
    assert printable("x" * (limit + 1), limit) == "x" * (limit - 1) + "…"
    assert len(printable("\x1b" * limit, limit)) == limit


def test_anything_has_its_text():
    assert printable(1.5) == "1.5"
    assert printable(np.float64(2), 10) == "2.0"


def sketches(names):
    found = []
    for k in range(len(names)):
        sketch = LogHistogram()
        sketch.update(np.random.default_rng(k).normal(size=200))
        found.append(sketch.summary())
    return {"counts": np.stack([s.counts for s in found]), "scalars": np.stack([s.scalars for s in found])}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A run of which every name and every text means harm."""
    path = tmp_path_factory.mktemp("hostile") / "run.h5"
    probes = [ProbeInfo(f"{s}{mark}", s, host, 1e-3, 4) for mark, host in HOSTS for s in NAMES]
    count = len(probes)
    attrs = {"probe_mode": f"{ESCAPE}$x$", "draws": 3}
    provenance = {"configuration": {ESCAPE: REORDER, "long": "z" * 9999}, "hostname": ESCAPE, "argv": [ESCAPE, REORDER]}
    streams = run_streams(probes=probes, sites=NAMES, parameters=NAMES, attrs=attrs, split=f"$t$\frac{{{REORDER}")
    with RunWriter(path) as writer:
        writer.start(streams, provenance)
        for step in range(2):
            values = np.random.default_rng(step).random((count, len(PLANE_QUANTITIES)))
            pairs = {f"covariance_{name}": np.zeros((count, count)) for name in ("i_zx", "i_zy")}
            writer.append("plane", step, epoch=step, n=9, n_sandwich=9, updates=step, values=values, **pairs)
            for stream in ("activations", "weights"):
                writer.append(stream, step, epoch=step, **sketches(NAMES))
            for name in NAMES[:4]:
                text = {"code": f"{ESCAPE}$x$", "text": ESCAPE, "unit": "b\x1b[1m", "advice": REORDER}
                writer.append("findings", None, step=step, stream="plane", where=name, amount=1.0, **text)
        writer.append("events", None, step=0, time=0.0, text=ESCAPE)
    return path


HOSTS = (("", "trained"), ("@untrained", "untrained"))


def harmless(text):
    assert not FORBIDDEN.search(text)
    assert all(len(line) <= 2200 for line in text.splitlines())
    return text


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["info"], [r"esc\x1b[2J", r"\u202egnp.exe", r"two\nlines\r", "<script>", "zzz…"]),
        (["jsd"], [r"esc\x1b[2J", r"\u200frtl", r"c1\x9b31m"]),
    ],
)
def test_pages_of_the_command_line_show_names_and_obey_none(hostile, capfd, arguments, shown):
    assert cli([*arguments, str(hostile)]) == 0
    captured = capfd.readouterr()
    page = harmless(captured.out)
    harmless(captured.err)
    for text in shown:
        assert text in page


def test_a_difference_shows_names_and_obeys_none(hostile, tmp_path):
    with RunWriter(tmp_path / "other.h5") as writer:
        writer.start(run_streams(probes=[ProbeInfo("fc", "fc", "trained", 1e-3, 4)]), {"seed": 0})
    found = ip.difference(hostile, tmp_path / "other.h5")
    table = harmless(str(found))
    assert r"\x1b[2J" in table
    assert max(map(len, table.splitlines()[2:])) <= 100
    assert ESCAPE in {row.key for row in found.rows if row.part == "configuration"}


def test_json_is_exact(hostile, capfd):
    assert cli(["info", "--json", str(hostile)]) == 0
    out = harmless(capfd.readouterr().out.replace("z" * 9999, "").replace("l" * 10_000, "").replace("\\", "\n"))
    assert out
    assert cli(["info", "--json", str(hostile)]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["probes"][: len(NAMES)] == list(NAMES)
    assert facts["configuration"][ESCAPE] == REORDER
    assert set(facts["findings"]) == {f"{ESCAPE}$x$"[:32]}
    assert cli(["jsd", "--json", str(hostile)]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [row["name"] for row in rows if row["stream"] == "weights"] == [*NAMES, "(all)"]


def test_error_messages_pass_one_place_that_makes_them_safe(hostile, tmp_path, capfd):
    for stream in (f"{ESCAPE}{REORDER}", "x" * 5000):
        assert cli(["export", str(hostile), "-o", str(tmp_path / "a.csv"), "--stream", stream]) == 2
        said = capfd.readouterr().err
        assert said.count("\n") == 1
        harmless(said.removesuffix("\n"))
    assert cli(["info", f"/nowhere/{ESCAPE}"]) == 2
    assert r"/nowhere/esc\x1b[2J" in harmless(capfd.readouterr().err.removesuffix("\n"))
    assert cli([ESCAPE]) == 2
    harmless(capfd.readouterr().err.removesuffix("\n"))


def test_findings_are_exact_as_data_and_safe_as_text(hostile):
    (group,) = ip.reports.findings(hostile)
    assert group.places == NAMES[:4]
    assert group.text == ESCAPE
    harmless(f"{group} {group.extent}")


def test_tables_for_other_programs_are_escaped_for_them(hostile, tmp_path):
    report = ip.reports.jsd(hostile)
    markdown = harmless(report.to_markdown(tmp_path / "jsd.md"))
    for sign in "<[$":
        assert not re.search(rf"(?<!\\)\{sign}", markdown)
    report.to_csv(tmp_path / "jsd.csv")
    with (tmp_path / "jsd.csv").open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file) if row["stream"] == "weights"]
    assert names == ["'=1+1" if name == "=1+1" else name for name in (*NAMES, "(all)")]


@pytest.fixture
def figures():
    """Pictures are drawn without a screen, and none is left open."""
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    yield
    plt.close("all")


def drawn(text):
    """What matplotlib draws of a text object, and whether it parses a formula in it."""
    raw = text.get_text()
    is_formula = is_math_text(raw)
    return raw if is_formula else raw.replace(r"\$", "$"), is_formula


@pytest.mark.usefixtures("figures")
def test_pictures_draw_names_as_they_are(hostile, tmp_path):
    expected = {printable(name, NAME) for name in NAMES}
    ax = ip.plots.plane(hostile, errors=True)
    labels = [drawn(text) for text in ax.get_legend().get_texts()]
    assert expected <= {text.replace("\n", "") for text, is_formula in labels if not is_formula}
    captions = [text for text in ax.texts if text.get_gid() == "caption"]
    assert not drawn(captions[0])[1]
    assert "$t$" in drawn(captions[0])[0]
    harmless(" ".join(text.get_text() for text in ax.texts))
    ip.plots.save(ax, tmp_path / "plane.svg")
    text = (tmp_path / "plane.svg").read_text(encoding="utf-8")
    assert not xml.dom.minidom.parseString(text).getElementsByTagName("script")
    grid = ip.plots.histograms([hostile])
    titles = [drawn(ax.title) for ax in grid[0]]
    assert [(text.replace("\n", ""), is_formula) for text, is_formula in titles[:-1]] == [
        (printable(name), False) for name in NAMES[:-1]
    ]
    assert re.fullmatch(r"l+\u2026l+", titles[-1][0].replace("\n", ""))  # its middle is left out
    assert len(titles[-1][0].replace("\n", "")) == NAME
    ip.plots.save(grid, tmp_path / "weights.png")
    ip.plots.save(ip.plots.planes([hostile, hostile]), tmp_path / "planes.png")


@pytest.mark.usefixtures("figures")
def test_a_file_named_like_a_formula_and_a_legend_of_ones_own_are_drawn(hostile, tmp_path):
    import matplotlib.pyplot as plt

    path = tmp_path / r"a$\frac{$.h5"
    path.write_bytes(hostile.read_bytes())
    ax = ip.plots.plane(path)
    assert drawn(ax.title) == (r"a$\frac{$", False)
    ax = ip.plots.plane(path, ax=plt.figure(figsize=(9, 9)).subplots(), legend=False)
    ax.legend()
    ip.plots.save(ax, tmp_path / "plane.png")
    axes = ip.plots.planes([path, hostile])
    assert drawn(axes[0].title) == (r"a$\frac{$", False)
    (ax,) = ip.plots.histograms([path], NAMES[:1]).ravel()
    assert drawn(ax.yaxis.label)[1] is False
    ip.plots.save(ax, tmp_path / "weights.png")


@pytest.mark.usefixtures("figures")
def test_a_long_name_is_broken_and_leaves_the_axes_their_width(hostile):
    ax = ip.plots.plane(hostile)
    ax.figure.canvas.draw()
    assert ax.get_window_extent().width > 0.6 * ax.figure.bbox.width


@pytest.mark.usefixtures("figures")
def test_a_title_of_ones_own_may_have_a_formula(hostile):
    ax = ip.plots.plane(hostile, title="$x^2$")
    assert drawn(ax.title) == ("$x^2$", True)
