"""Everything that the page shows of runs, as one object of plain numbers and text that JSON can hold.

The same object is embedded in a report, written by ``infoplane report --format json``, and sent again and again to a
page that watches. docs/report.md says what is in it; `VERSION` grows with every change, and within one version keys are
added but never taken away.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infoplane.analysis.errors import whole_number
from infoplane.errors import InputError
from infoplane.printable import NAME, printable
from infoplane.reports.comparison import Comparison
from infoplane.reports.comparison_blocks import comparison_of
from infoplane.reports.document import Text, to_data
from infoplane.reports.page.read_run import ReadRun, json_able, read_run, record
from infoplane.reports.run_groups import setting_numbers, with_settings
from infoplane.reports.run_sections import run_sections
from infoplane.runfile.short_names import short_names
from infoplane.site_marks import COLORS, MARKERS

VERSION = 1
HISTOGRAMS = 1600
"""About so many histograms of all runs together: what keeps a page of many runs small."""


def run_data(paths: Sequence[Path], *, rows: int = 300) -> dict[str, Any]:
    """Return what the page shows of runs; files that grow, were killed or are damaged are read as far as they go.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Run files, each once.
    rows : int
        Of each run at most so many rows are drawn, evenly spaced from the first on, and the last. How many there are
        stands beside them.

    Returns
    -------
    dict
        As docs/report.md says. No NaN and no infinity: None.

    Raises
    ------
    InputError
        When there is no run, one twice, or `rows` is no whole number from 2 on.
    RunFileError
        When a file is no run file.
    """
    whole_number("rows", rows, least=2)
    if not paths:
        raise InputError("there is no run to show; give at least one run file")
    _check_once(paths)
    histograms = histograms_each(len(paths))
    return data_of([read_run(path, rows=rows, histograms=histograms) for path in paths], rows=rows)


def data_of(runs: Sequence[ReadRun], *, rows: int, is_whole: bool = True) -> dict[str, Any]:
    """Return `run_data` of runs that were read before, or of none.

    Parameters
    ----------
    runs : sequence of ReadRun
        Each once.
    rows : int
        With which they were read.
    is_whole : bool
        Whether these are all runs, each as its file is now; nothing is judged before.
    """
    names = short_names([Path(run.facts.path) for run in runs])
    facts = [replace(run.facts, name=printable(name, NAME)) for run, name in zip(runs, names, strict=True)]
    facts = with_settings(facts, setting_numbers([run.settings for run in runs]))
    comparison: Comparison | Text = ("Nothing is judged before every run has been read as it is now.",)
    if is_whole:
        comparison = comparison_of(facts)
    return {
        "schema": "infoplane.report",
        "version": VERSION,
        "made": {"infoplane": _version(), "time": datetime.now(UTC).isoformat(timespec="seconds")},
        "rows": rows,
        "theme": {"colors": list(COLORS), "markers": list(MARKERS)},
        "runs": [record(run, one) for run, one in zip(runs, facts, strict=True)],
        "comparison": [] if isinstance(comparison, tuple) else json_able(comparison.records()),
        "sections": to_data(run_sections(facts, comparison)) if facts else [],
    }


def histograms_each(runs: int) -> int:
    """Return about how many histograms are drawn of each of so many runs.

    By powers of two, so that one run more seldom changes what is drawn of the others.
    """
    return HISTOGRAMS >> max(0, runs - 1).bit_length()


def _check_once(paths: Sequence[Path]) -> None:
    seen: dict[tuple[int, int], Path] = {}
    for path in paths:
        if path.exists():
            status = path.stat()
            same = seen.setdefault((status.st_dev, status.st_ino), path)
            if same is not path:
                raise InputError(f"{path} is there twice{'' if same == path else f', also as {same}'}")


def _version() -> str:
    import infoplane

    return infoplane.__version__
