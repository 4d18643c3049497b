"""Tables I to V as printed."""

import io
from typing import TYPE_CHECKING

from infoplane.analysis.errors import whole_number
from infoplane.experiments.paper.source import text

if TYPE_CHECKING:
    import pandas as pd


def table(number: int) -> "pd.DataFrame":
    """Return one of the paper's tables, one row per cell; slips of the print are kept (docs/errata.md lists them).

    Parameters
    ----------
    number : int
        1 to 5. Networks, data sets and methods have the names that this project gives them.

    Returns
    -------
    pandas.DataFrame
        Of Tables I to III ``network``, ``data``, ``method`` and ``value``: classification error in per cent, or
        divergence of weights or activations as printed; of Table I also ``printed_improvement`` in per cent. Of Table
        IV ``data``, ``printed`` and ``samples`` (as the set really has them). Of Table V ``data``, ``network``,
        ``quantity``, ``method``, ``value``, ``spread``, ``mark``, ``epoch`` and ``epoch_mark``.

    Raises
    ------
    InputError
        When there is no such table.
    """
    import pandas as pd

    number = whole_number("number", number, least=1, most=5)
    # "-" is a mark of Table V, and no missing value.
    frame = pd.read_csv(io.StringIO(text(f"table{number}.csv")), comment="#", keep_default_na=False, na_values=[""])
    return frame.fillna({"mark": "", "epoch_mark": ""}) if number == 5 else frame
