"""Small tables that scikit-learn ships: iris, wine, breast cancer (Diagnostic) and diabetes.

Breast cancer is the Wisconsin *Diagnostic* set of 569 rows, and wine the three cultivars of 178 rows: neither is what
Hofmann and Mäder (2022), Table IV, used; those are ``uci-breast-cancer-wisconsin`` and ``uci-red-wine``,
``uci-white-wine``. Diabetes is theirs; they print 441 rows for its 442.
"""

from collections.abc import Sequence
from typing import Any

from infoplane.datasets.dataset import Dataset


def load_shipped(
    name: str,
    *,
    standardize: bool = True,
    test: float | None = None,
    fold: str | Sequence[int] | None = None,
    split_seed: int = 0,
) -> Dataset:
    """Return one of the shipped tables.

    Parameters
    ----------
    name : {"iris", "wine", "breast-cancer", "diabetes"}
        Which one; the last has one number per label, a measure of disease progression after a year (25 to 346).
    standardize, test, fold, split_seed
        See `infoplane.datasets.table.tabulate`.
    """
    from sklearn import datasets as shipped

    from infoplane.datasets.table import tabulate

    sources: dict[str, tuple[Any, dict[str, Any], str, str]] = {
        "iris": (shipped.load_iris, {}, "classes", "Fisher's iris: three species, four lengths"),
        "wine": (shipped.load_wine, {}, "classes", "UCI wine: three cultivars, 13 measurements (not wine quality)"),
        "breast-cancer": (
            shipped.load_breast_cancer,
            {},
            "classes",
            "breast cancer Wisconsin (Diagnostic): malignant and benign, 30 measurements",
        ),
        "diabetes": (shipped.load_diabetes, {"scaled": False}, "numbers", "diabetes progression, ten measurements"),
    }
    read, how, task, said = sources[name]
    return tabulate(
        read(as_frame=True, **how).frame,
        name=name,
        description=f"{said}, as scikit-learn ships it",
        target="target",
        task=task,
        standardize=standardize,
        test=test,
        fold=fold,
        split_seed=split_seed,
    )
