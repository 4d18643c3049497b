"""``sweep.json``: the plan beside its run files, written before the first point begins.

A later call with another plan in the same folder, more seeds say, adds an entry and takes none away: whoever reads the
runs sees what was fixed when.
"""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import infoplane
from infoplane.errors import RunFileError
from infoplane.sweep.points import Plan

NAME = "sweep.json"
FORMAT = "infoplane-sweep"
VERSION = 1


def write_plan(folder: Path, plan: Plan) -> Path:
    """Add a plan to the ledger of a folder, unless its last one is the same, and return the ledger's path.

    Raises
    ------
    RunFileError
        When it cannot be read or written, or is none.
    """
    path = folder / NAME
    content = read_plans(path) if path.exists() else []
    entry = json.loads(
        json.dumps(
            {
                **plan.fixed,
                "grid": {name: list(values) for name, values in plan.grid.items()},
                "points": {point.name: {**point.values, "seed": point.settings.seed} for point in plan.points},
            }
        )
    )
    if content and {name: content[-1].get(name) for name in entry} == entry:
        return path
    made = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "infoplane": infoplane.__version__}
    text = json.dumps({"format": FORMAT, "version": VERSION, "plans": [*content, {**made, **entry}]}, indent=1)
    new = path.with_name(path.name + ".new")
    try:
        new.write_text(text + "\n", encoding="utf-8")
        os.replace(new, path)
    except OSError as error:
        raise RunFileError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        with suppress(OSError):
            new.unlink()
    return path


def read_plans(path: Path) -> list[dict[str, Any]]:
    """Return the plans of a ledger, the oldest first.

    Raises
    ------
    RunFileError
        When it cannot be read or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = f"cannot be read as the plan of a sweep ({error}); move it away, and it is written anew"
        raise RunFileError(f"{path}: {reason}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
        raise RunFileError(f"{path}: is no plan of a sweep, of version {VERSION}; choose another folder")
    plans = content.get("plans")
    if not isinstance(plans, list) or not all(isinstance(entry, dict) for entry in plans):
        raise RunFileError(f"{path}: is damaged: it has no list of plans")
    return plans
