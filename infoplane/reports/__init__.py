"""Reports on runs: numbers in a table, for a screen, a spreadsheet or a text."""

from infoplane.reports.compare import compare
from infoplane.reports.findings import FindingSummary, findings
from infoplane.reports.jsd import JSDReport, JSDRow, jsd

__all__ = ["FindingSummary", "JSDReport", "JSDRow", "compare", "findings", "jsd"]
