"""What runs end with, as ``demo`` and ``train`` show it: a table with one line per run and site, or JSON."""

import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infoplane.cli.finding_lines import print_findings
from infoplane.json_lines import json_lines
from infoplane.plane_probes import plain_probes
from infoplane.printable import NAME, printable
from infoplane.reports.findings import findings
from infoplane.reports.jsd import POOLED, jsd
from infoplane.reports.run_values import unit_of
from infoplane.runfile.reader import open_run
from infoplane.text_table import aligned

if TYPE_CHECKING:
    import pandas as pd

_HEAD = ["run", "site", "error", "rate (control)", "I(Z;Y) bound (control)", "JSD all weights", "JSD activations"]


def print_summary(runs: Mapping[str, Path], *, json: bool = False) -> None:
    """Print, per run and probe, the last row: error, rate, label bound (control in brackets), divergences in bit.

    Parameters
    ----------
    runs : mapping of str to pathlib.Path
        Names and run files.
    json : bool
        One JSON object per line of the table, its numbers exact, and nothing else.
    """
    lines = [line for name, path in runs.items() for line in _lines(name, path)]
    if json:
        import pandas as pd

        sys.stdout.writelines(json_lines(pd.DataFrame(lines)))
        return
    cells, shown = [], ""
    for line in lines:
        cells.append(_cells(line, is_first=line["run"] != shown))
        shown = line["run"]
    print(aligned(_HEAD, cells, text_columns=2))
    print("error: of the network on the test part; all else in bit, at the last epoch. rate: upper bound on")
    print("I(Z;X) of the probe's code; control: the same probe on the frozen untrained network. JSD: of the")
    print("positive values from their log-normal fit, of all weights together, and of a site's activations.")
    for name, path in runs.items():
        with open_run(path) as run:
            others = int((~plain_probes(run.plane())).sum())
        if others:
            print(f"{name}: not shown are {others} probes at other betas, on scaled activations, or refitted.")
    print_findings({name: findings(path) for name, path in runs.items()})


def print_difference(first: Path, second: Path) -> None:
    """Print what changes from the first run to the second, at the last row: error in points, the bounds in bit."""
    (before, error), (after, other_error) = _last_row(first), _last_row(second)
    change = (after - before).xs("trained", level="host")
    parts = [
        f"{printable(site, NAME)}: rate {change[site, 'i_zx']:+.1f}, I(Z;Y) bound {change[site, 'i_zy']:+.3f}"
        for site in dict.fromkeys(site for site, _ in change.index)
    ]
    print(f"{second.stem} less {first.stem}: error {100 * (other_error - error):+.2f} points; {'; '.join(parts)}.")
    print("One seed decides nothing: it takes several, paired, to tell a difference from chance.")


def _last_row(path: Path) -> "tuple[pd.Series[float], float]":
    """Return the plane's values by (site, host, quantity) at the last row, and the network's error (NaN if unknown)."""
    with open_run(path) as run:
        view = run.plane()
        plane = view.to_dataframe()
        plane = plane[plane["probe"].isin(view["probe"][plain_probes(view)])]
        metrics = run.metrics().to_dataframe() if "metrics" in run.streams else None
    last = plane[plane["step"] == plane["step"].max()].set_index(["site", "host", "quantity"])["value"]
    error = math.nan if metrics is None else float(metrics[metrics["quantity"] == "error"]["value"].iloc[-1])
    return last, error


def _lines(name: str, path: Path) -> Iterator[dict[str, Any]]:
    value, share = _last_row(path)
    divergence = jsd([path]).to_dataframe().set_index(["stream", "name"])["divergence"]
    with open_run(path) as run:
        unit = unit_of("error", run)
    for site in dict.fromkeys(site for site, _, _ in value.index):
        yield {
            "run": name,
            "path": str(path),
            "error": 100 * share,
            "error_unit": unit,
            "site": site,
            "i_zx": float(value[site, "trained", "i_zx"]),
            "i_zx_control": float(value.get((site, "untrained", "i_zx"), math.nan)),
            "i_zy": float(value[site, "trained", "i_zy"]),
            "i_zy_control": float(value.get((site, "untrained", "i_zy"), math.nan)),
            "jsd_all_weights": float(divergence.get(("weights", POOLED), math.nan)),
            "jsd_activations": float(divergence.get(("activations", site), math.nan)),
            "unit": "bit",
        }


def _cells(line: Mapping[str, Any], *, is_first: bool) -> list[str]:
    """Return a line as it is shown; what belongs to the whole run stands in its first line."""
    bounds = []
    for quantity, form in (("i_zx", ".1f"), ("i_zy", ".3f")):
        control = line[f"{quantity}_control"]
        bounds.append(f"{line[quantity]:{form}}" + ("" if math.isnan(control) else f" ({control:{form}})"))
    error = "-" if math.isnan(line["error"]) else f"{line['error']:.2f} {line['error_unit']}"
    return [
        printable(line["run"], NAME) if is_first else "",
        printable(line["site"], NAME),
        error if is_first else "",
        *bounds,
        f"{line['jsd_all_weights']:.4f}" if is_first else "",
        f"{line['jsd_activations']:.4f}",
    ]
