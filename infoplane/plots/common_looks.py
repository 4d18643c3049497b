"""What looks alike in all pictures: legends, the ring around a point that a finding is about, and shaded ground."""

from typing import Any

LEGEND: dict[str, Any] = {"frameon": False, "alignment": "left", "columnspacing": 1.2, "handletextpad": 0.5}
RING: dict[str, Any] = {"marker": "o", "markersize": 7.5, "mfc": "none", "mec": "#B2182B", "mew": 0.9, "linestyle": ""}
BEYOND = "#EFEFEF"
"""Where a point says nothing, or none can be."""
