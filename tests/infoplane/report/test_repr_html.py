"""What a notebook shows of runs, studies and reports: tables of text."""

from html.parser import HTMLParser

import pytest

import infoplane as ip
from infoplane.html_table import html_table
from infoplane.reports.run_report import run_report

WILD = "<script>alert(1)</script>\"'\u202e"


class Tags(HTMLParser):
    """The tags of a text, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def wild(tmp_path, make_run):
    path = tmp_path / "<script>alert(1)<.h5"
    make_run(path, rows=2, sites=(WILD, "b"), parameters=(WILD,))
    return path


def test_a_table_holds_text_and_nothing_else():
    found = Tags(html_table([WILD], [[WILD], ["w" * 10_000]], text_columns=1, caption=WILD, notes=[WILD]))
    assert found.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td", "bdi", "p"}
    assert found.text.count("<script>alert(1)</script>") == 4
    assert "\u202e" not in found.text
    assert len(found.text) < 1000


def test_a_run_shows_its_streams_also_when_it_is_closed(wild):
    with ip.open_run(wild) as run:
        found = Tags(run._repr_html_())
        assert "finished" in found.text
        assert "plane" in found.text
        assert "script" not in found.tags
    assert "script" not in Tags(run._repr_html_()).tags


def test_a_study_shows_its_files(wild):
    found = Tags(ip.open_study(str(wild.parent / "*.h5"))._repr_html_())
    assert str(wild) in found.text
    assert "script" not in found.tags


def test_a_report_on_divergences_shows_every_number_of_its_text(wild):
    report = ip.reports.jsd(wild)
    found = Tags(report._repr_html_())
    assert "script" not in found.tags
    assert f"{report.rows[0].divergence:.4f}" in found.text
    assert report.closing in found.text


def test_a_report_on_runs_shows_the_runs(wild):
    found = Tags(run_report([wild])._repr_html_())
    assert "finished" in found.text
    assert "script" not in found.tags
