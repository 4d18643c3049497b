"""Everything that the page shows of runs, as one object of plain numbers and text that JSON can hold.

The same object is embedded in a report, written by ``infoplane report --format json``, and sent again and again to a
page that watches. docs/report.md says what is in it; `VERSION` grows with every change, and within one version keys are
added but never taken away.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infoplane.analysis.errors import whole_number
from infoplane.errors import InfoplaneError, InputError
from infoplane.printable import NAME, printable
from infoplane.reports.comparison_blocks import comparison_of
from infoplane.reports.document import LONGEST, to_data
from infoplane.reports.page.histogram_data import histogram_data
from infoplane.reports.page.plane_data import metrics_data, number, plane_data
from infoplane.reports.read_facts import run_facts
from infoplane.reports.run_facts import RunFacts
from infoplane.reports.run_groups import setting_numbers, with_settings
from infoplane.reports.run_sections import flat, run_sections
from infoplane.runfile.reader import Run, open_run
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
    names = run_names(paths)
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what cannot be read is said on the page
        runs = [stack.enter_context(open_run(path)) for path in paths]
        facts = [run_facts(run, name) for run, name in zip(runs, names, strict=True)]
        facts = with_settings(facts, setting_numbers(runs))
        comparison = comparison_of(facts, runs)
        return {
            "schema": "infoplane.report",
            "version": VERSION,
            "made": {"infoplane": _version(), "time": datetime.now(UTC).isoformat(timespec="seconds")},
            "rows": rows,
            "theme": {"colors": list(COLORS), "markers": list(MARKERS)},
            "runs": [
                _run(run, one, rows=rows, budget=HISTOGRAMS // len(runs)) for run, one in zip(runs, facts, strict=True)
            ],
            "comparison": [] if isinstance(comparison, tuple) else json_able(comparison.records()),
            "sections": to_data(run_sections(facts, comparison)),
        }


def run_names(paths: Sequence[Path]) -> list[str]:
    """Return what to call each run: its file's name without its ending, its path where two files have one name."""
    stems = [path.stem for path in paths]
    return [printable(path.stem if stems.count(path.stem) == 1 else path, NAME) for path in paths]


def _run(run: Run, facts: RunFacts, *, rows: int, budget: int) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": facts.name,
        "path": printable(facts.path, 1000),
        "status": facts.status,
        "seed": facts.seed,
        "method": facts.method,
        "setting": facts.setting,
        "drawn": facts.drawn,
        "error": number(facts.error),
        "error_unit": facts.error_unit,
        "model": facts.model,
        "data": facts.data,
        "start_time": printable(facts.start_time, NAME),
        "end_time": printable(facts.end_time, NAME),
        "unreadable": [printable(text, LONGEST) for text in facts.unreadable],
        "last": json_able(
            {"step": facts.step, "epoch": facts.epoch, "n": facts.n, "h_y": facts.h_y, "sites": facts.sites}
        ),
        "divergence": json_able([vars(row) | {"run": facts.name} for row in facts.divergences or ()]),
        "findings": json_able([vars(one) for one in facts.findings or ()]),
        "provenance": {printable(k, NAME): printable(v, LONGEST) for k, v in flat(facts.provenance).items()},
        "plane": None,
        "metrics": None,
        "histograms": [],
    }
    for key, read in (
        ("plane", lambda: plane_data(run, rows=rows)),
        ("metrics", lambda: metrics_data(run, rows=rows)),
        ("histograms", lambda: histogram_data(run, budget=budget)),
    ):
        try:
            data[key] = read()
        except (InfoplaneError, ValueError, LookupError, TypeError):
            continue  # `RunFacts.unreadable` says what
    return data


def json_able(value: Any) -> Any:
    """Return data classes, tuples and numbers as JSON has them; text safe to show, and None for what is not finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return json_able({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, Mapping):
        return {printable(key, NAME): json_able(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_able(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, bool | int | None) else printable(value, LONGEST)


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
