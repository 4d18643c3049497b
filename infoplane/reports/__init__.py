"""Reports on runs: numbers in a table, for a screen, a spreadsheet or a text."""

from infoplane.reports.jsd import JSDReport, JSDRow, jsd

__all__ = ["JSDReport", "JSDRow", "jsd"]
