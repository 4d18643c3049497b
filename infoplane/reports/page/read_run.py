"""One run as the page shows it: read at once, so that its file is open no longer than that.

What depends on the other runs beside it (what it is called, its setting, whether it is drawn) is added by
`infoplane.reports.page.run_data`: of a run that has ended this need not be read twice.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from infoplane.errors import InfoplaneError
from infoplane.printable import NAME, printable
from infoplane.reports.document import LONGEST
from infoplane.reports.page.histogram_data import histogram_data
from infoplane.reports.page.plane_data import metrics_data, number, plane_data
from infoplane.reports.read_facts import run_facts
from infoplane.reports.run_facts import RunFacts
from infoplane.reports.run_sections import flat
from infoplane.runfile.reader import open_run
from infoplane.runfile.run_settings import run_settings


@dataclass(frozen=True)
class ReadRun:
    """What one run file held.

    Attributes
    ----------
    facts : RunFacts
        Named by the file alone, of no setting yet.
    settings : mapping
        Of `infoplane.runfile.run_settings.run_settings`.
    charts : mapping
        ``plane``, ``metrics`` and ``histograms`` as docs/report.md says; None and an empty list for what cannot be
        read.
    """

    facts: RunFacts
    settings: Mapping[str, Any]
    charts: Mapping[str, Any]


def read_run(path: Path, *, rows: int, histograms: int) -> ReadRun:
    """Read one run.

    Parameters
    ----------
    path : pathlib.Path
        A run file that may grow, or be damaged.
    rows, histograms : int
        At most so many rows are drawn, and about so many histograms.

    Raises
    ------
    RunFileError
        When the file is no run file.
    """
    with warnings.catch_warnings(), open_run(path) as run:
        warnings.simplefilter("ignore")  # what cannot be read is said on the page
        charts: dict[str, Any] = {"plane": None, "metrics": None, "histograms": []}
        for key, read in (
            ("plane", lambda: plane_data(run, rows=rows)),
            ("metrics", lambda: metrics_data(run, rows=rows)),
            ("histograms", lambda: histogram_data(run, budget=histograms)),
        ):
            try:
                charts[key] = read()
            except (InfoplaneError, ValueError, LookupError, TypeError):
                continue  # `RunFacts.unreadable` says what
        return ReadRun(run_facts(run), run_settings(run), charts)


def record(read: ReadRun, facts: RunFacts) -> dict[str, Any]:
    """Return a run as the data of a page hold it.

    Parameters
    ----------
    read : ReadRun
        The run.
    facts : RunFacts
        Its facts, named, with its setting.
    """
    return {
        "name": facts.name,
        "path": printable(facts.path, 1000),
        "status": facts.status,
        "seed": facts.seed,
        "is_probes_seed": facts.is_probes_seed,
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
        **read.charts,
    }


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
